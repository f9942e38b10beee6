"""What this project deploys, judged by its own pack."""

from __future__ import annotations

from typing import Any

import pytest

from policy.core.model import Resource, Stack
from policy.core.wire import decode
from policy.effective_configuration import configurations
from tests.components import every_pod_setting_support
from tests.components.inventory_support import documents
from tests.components.recording_support import run
from tests.components.teams_support import MANAGERS, team_stack
from tests.policy.stack_findings_support import findings_of, plain_secrets
from tests.tiers import long

#: What the fixture's least settings leave out.
NOT_OF_PODS = {"ks-conventions-01"}
ELSEWHERE = {"managedElsewhere": ["vault-audit"]}


def test_an_enterprise_stack_with_vault_passes_as_production() -> None:
    document: dict[str, Any] = documents()["enterprise-2.0"]
    channel = {"grpc-tls": {}, "worker-authentication": {}, "worker-groups": {"gpu": {}}}
    (name, datasource), *_ = document["datasources"].items()
    checked = datasource | {"url": f"{datasource['url']}?sslmode=verify-full"}
    document |= {
        "deployment": document["deployment"] | channel,
        "datasources": {name: checked},
    }
    assert findings_of(document, "production", ELSEWHERE) == []


def test_a_stack_of_secrets_alone_lacks_no_kestra_and_passes_as_production() -> None:
    for manager in MANAGERS:
        for is_enterprise in (True, False):
            document = team_stack(manager, is_enterprise=is_enterprise)
            document["tags"] = {"environment": "production", "owner": "billing"}
            for secret in document["declared-secrets"].values():
                secret["tags"] = {"rotation": "external"}
            assert findings_of(document, "production", {}) == [], (manager, is_enterprise)


def test_channel_and_database_without_tls_are_refused() -> None:
    assert {c for c, _ in findings_of("enterprise-2.0", "production", ELSEWHERE)} == {
        "ks-kestra-23",
        "ks-database-01",
    }


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("local", {"ks-kubernetes-07"}),
        ("local-vault", {"ks-database-01", "ks-kubernetes-07", "ks-vault-07"}),
        ("oss-vault", {"ks-kubernetes-07", "ks-vault-07"}),
    ],
)
def test_a_local_stack_differs_in_what_a_developer_may_leave(name: str, controls: set[str]) -> None:
    assert {control for control, _ in findings_of(name, "development", {})} == controls


@pytest.mark.parametrize("name", ["oss-aws", "oss-gcp", "oss-azure"])
def test_the_buckets_of_the_examples_pass_as_production(name: str) -> None:
    judged = {control for control, _ in findings_of(name, "production", ELSEWHERE)}
    assert not {control for control in judged if control.startswith("ks-storage-")}


def test_what_settings_add_to_pods_is_judged() -> None:
    document = every_pod_setting_support.standalone()
    deployment = document["deployment"]
    (init,) = deployment["init-containers"]
    flaws: dict[str, tuple[str, Any]] = {
        "clear": ("env", [{"name": "API_TOKEN", "value": "Pl4nted-value"}]),
        "writing": ("securityContext", {"readOnlyRootFilesystem": False}),
        "moving": ("image", "proxy:latest"),
        "greedy": ("resources", {}),
    }
    added = [{**init, "name": name, field: value} for name, (field, value) in flaws.items()]
    volume = {"name": "open", "secret": {"secretName": "a", "defaultMode": 0o644}}
    document["deployment"] = deployment | {
        "init-containers": [init, *added],
        "extra-volumes": [*deployment["extra-volumes"], volume],
    }
    said = [(control, text) for control, text in findings_of(document, "development", {})]
    judged = {
        (control, name) for control, text in said for name in (*flaws, "open") if name in text
    }
    assert {
        ("ks-kubernetes-10", "clear"),
        ("ks-kubernetes-02", "writing"),
        ("ks-kubernetes-07", "moving"),
        ("ks-kubernetes-08", "greedy"),
        ("ks-kubernetes-12", "open"),
    } <= judged
    assert not [text for _, text in said if "container fetch" in text or "container proxy" in text]


@long("stacks")
def test_a_stack_with_worker_groups_is_judged_as_the_others_are() -> None:
    document = every_pod_setting_support.with_worker_group()
    controls = {control for control, _ in findings_of(document, "development", ELSEWHERE)}
    usual = {control for control, _ in findings_of("local-vault", "development", {})}
    assert controls - usual - NOT_OF_PODS == set()


@pytest.mark.parametrize("name", ["local", "enterprise-2.0"])
def test_each_server_of_a_stack_is_judged_with_its_file_and_its_variables(name: str) -> None:
    recorded = run(documents()[name])
    stack = Stack(
        [
            Resource(type_, name_of, decode(plain_secrets(inputs)))
            for name_of, (type_, inputs) in recorded.resources.items()
        ]
    )
    known = configurations(stack)
    assert known.undecided == []
    workloads = stack.of("kubernetes:apps/v1:Deployment")
    assert [a.server and a.server.resource for a in known.applications] == workloads
    for application in known.applications:
        assert application.home[1] == "data.application.yaml"
        assert application.is_set("kestra.encryption.secret-key")
        # The placeholder's variable is in the Secret, so that its value is hidden.
        assert application.shown("kestra.encryption.secret-key", "x") == "[secret]"

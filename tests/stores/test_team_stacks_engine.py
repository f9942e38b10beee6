"""Stacks of teams and two Kestras in one real Vault and one cluster: what each writes, reads and leaves alone."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.backends.registry import backend_of
from components.drift import written_secrets
from components.settings import Settings
from components.validation import load_file
from components.validation.stacks_together import shared_secrets
from sandbox.display import Events
from sandbox.engine.automation import EngineFailure, Stack
from sandbox.services import ControlPlane, Vault
from sandbox.state import State
from sandbox.vault_check import Client, log_in, service_account_token
from tests.components.teams_support import PLANTED
from tests.conftest import ROOT, silent

pytestmark = pytest.mark.engine

ENGINE, AUTH = "teams-kestra", "teams-kubernetes"
PLATFORM = "company/platform/OWN_TOKEN"


def _kestra(name: str, **changed: Any) -> dict[str, Any]:
    """A Kestra in one pod, with an engine and a log-in of its own, from the stack file local-vault."""
    config = yaml.safe_load((ROOT / "stacks" / "Pulumi.local-vault.yaml").read_text())["config"]
    config["kestra:secret"]["vault"] = {
        "address": "http://127.0.0.1:8200",
        "root-engine": f"{name}-kestra",
        "kubernetes": {"path": f"{name}-kubernetes"},
    }
    config["kestra:deployment"] = {
        "namespace": f"{name}-kestra",
        "environment-from": ["kestra-platform"],
        "protect": False,
    }
    config["kestra:declared-secrets"] = {
        "OWN_TOKEN": {"namespace": "company.platform", "value": f"{PLANTED}-{name}"}
    }
    for key in ("queue", "repository", "datasources", "storage"):
        config[f"kestra:{key}"] = yaml.safe_load(
            (ROOT / "stacks" / "Pulumi.local.yaml").read_text()
        )["config"][f"kestra:{key}"]
    return {**config, **{f"kestra:{key}": value for key, value in changed.items()}}


def _team(name: str) -> dict[str, Any]:
    file = ROOT / "stacks" / "Pulumi.example-team-secrets.yaml"
    config = yaml.safe_load(file.read_text())["config"]
    config["kestra:secret"]["vault"]["root-engine"] = ENGINE
    config["kestra:store"] = {"teams": {name: {"namespaces": [f"company.{name}"]}}}
    config["kestra:declared-secrets"] = {
        "TOKEN": {"namespace": f"company.{name}", "value": f"{PLANTED}-{name}"},
        "PASSWORD": {"namespace": f"company.{name}.eu", "generate": {}},
        "LATER": {"namespace": f"company.{name}", "external": True},
    }
    return config


STACKS: dict[str, dict[str, Any]] = {
    "teams": _kestra("teams", store={"teams": {"billing": {"namespaces": ["company.billing"]}}}),
    "billing": _team("billing"),
    "sales": _team("sales"),
    "second": _kestra("second"),
}


@dataclass(frozen=True)
class Stacks:
    """The stacks, each with its file, on one control plane and one Vault."""

    folder: Path
    tools: dict[str, Path]
    plane: ControlPlane
    vault: Vault
    events: Events

    def stack(self, name: str, vault: Vault | None = None) -> Stack:
        state = State(self.folder / "state")
        state.stack(name).mkdir(parents=True, exist_ok=True)
        stacks = self.folder / "stacks"
        return Stack(state, name, self.tools, self.plane, vault or self.vault, stacks=stacks)

    def of_deployer(self, name: str) -> Stack:
        """A team's stack, deployed by somebody with the permissions that it says and no other."""
        limited = copy.copy(self.vault)
        limited.token_file = self.folder / f"{name}.token"
        limited.token_file.write_text(self.deployer(name)._token)
        return self.stack(name, limited)

    def settings(self, name: str) -> Settings:
        return load_file(self.folder / "stacks" / f"Pulumi.{name}.yaml").settings

    def kestra(self, name: str) -> Client:
        """Vault, as the pods of a Kestra log in to it."""
        jwt = service_account_token(self.plane, f"{name}-kestra", "kestra", None)
        block = {
            "address": self.vault.address,
            "kubernetes": {"path": f"{name}-kubernetes", "role": "kestra"},
        }
        client = log_in(block, jwt)
        assert client is not None
        return client

    def deployer(self, name: str) -> Client:
        """Vault, with the permissions that a team's stack says its deployer needs."""
        settings = self.settings(name)
        policy = backend_of(settings).team_deployer_policy(settings)
        owner = Client(self.vault.address, self.vault.root_token)
        assert owner.call("PUT", f"sys/policies/acl/{name}-deployer", {"policy": policy}).ok
        made = owner.call("POST", "auth/token/create-orphan", {"policies": [f"{name}-deployer"]})
        return Client(self.vault.address, made.json()["auth"]["client_token"])

    def text_of_state(self, name: str) -> str:
        return "\n".join(
            file.read_text(errors="replace")
            for file in (self.folder / "state").rglob(f"*{name}*.json")
        )


@pytest.fixture(scope="module")
def stacks(
    tools: dict[str, Path],
    control_plane: ControlPlane,
    vault_server: Vault,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stacks]:
    """All of them up: Kestra's first, whose engine the teams write to."""
    folder = tmp_path_factory.mktemp("teams")
    (folder / "stacks").mkdir()
    State(folder / "state").create()
    for name, config in STACKS.items():
        file = folder / "stacks" / f"Pulumi.{name}.yaml"
        file.write_text(yaml.safe_dump({"config": config}))
    every = Stacks(folder, tools, control_plane, vault_server, silent())
    for name in STACKS:
        every.stack(name).up(every.events)
    yield every
    for name in reversed(STACKS):
        every.stack(name).destroy(every.events)


VALUE = {"data": {"value": "x"}}
#: Who, method, path, allowed.
REQUESTS: list[tuple[str, str, str, bool]] = [
    # The Kestra that is granted team billing.
    ("teams", "GET", f"{ENGINE}/data/main/{PLATFORM}", True),
    ("teams", "GET", f"{ENGINE}/data/main/company/billing/TOKEN", True),
    ("teams", "GET", f"{ENGINE}/data/main/company/billing/eu/PASSWORD", True),
    ("teams", "LIST", f"{ENGINE}/metadata/main/company/billing", True),
    ("teams", "GET", f"{ENGINE}/data/main/company/sales/TOKEN", False),
    ("teams", "GET", f"{ENGINE}/metadata/main/company/sales/TOKEN", False),
    ("teams", "LIST", f"{ENGINE}/metadata/main/company/sales", False),
    ("teams", "GET", f"{ENGINE}/data/main/company/billings/TOKEN", False),
    ("teams", "GET", f"{ENGINE}/data/other/company/billing/TOKEN", False),
    ("teams", "POST", f"{ENGINE}/data/main/company/billing/TOKEN", False),
    ("teams", "POST", f"{ENGINE}/data/main/{PLATFORM}", False),
    ("teams", "GET", f"{ENGINE}-stack/data/encryption", False),
    # Neither Kestra reaches the other's engine, nor the copy of its key.
    ("teams", "GET", f"second-kestra/data/main/{PLATFORM}", False),
    ("teams", "GET", "second-kestra-stack/data/encryption", False),
    ("second", "GET", f"second-kestra/data/main/{PLATFORM}", True),
    ("second", "GET", f"{ENGINE}/data/main/{PLATFORM}", False),
    ("second", "GET", f"{ENGINE}/data/main/company/billing/TOKEN", False),
    ("second", "GET", f"{ENGINE}-stack/data/encryption", False),
    ("second", "LIST", f"{ENGINE}/metadata/main", False),
    # Whoever deploys team billing.
    ("billing", "POST", f"{ENGINE}/data/main/company/billing/NEW", True),
    ("billing", "GET", f"{ENGINE}/data/main/company/billing/TOKEN", True),
    ("billing", "POST", f"{ENGINE}/data/main/company/billing/eu/NEW", True),
    ("billing", "DELETE", f"{ENGINE}/metadata/main/company/billing/NEW", True),
    ("billing", "DELETE", f"{ENGINE}/metadata/main/company/billing/eu/NEW", True),
    ("billing", "POST", f"{ENGINE}/data/main/company/sales/TOKEN", False),
    ("billing", "GET", f"{ENGINE}/data/main/company/sales/TOKEN", False),
    ("billing", "DELETE", f"{ENGINE}/metadata/main/company/sales/TOKEN", False),
    ("billing", "POST", f"{ENGINE}/data/main/company/billings/TOKEN", False),
    ("billing", "POST", f"{ENGINE}/data/main/{PLATFORM}", False),
    ("billing", "GET", f"{ENGINE}/data/main/{PLATFORM}", False),
    ("billing", "POST", "second-kestra/data/main/company/billing/NEW", False),
    ("billing", "PUT", "sys/policies/acl/teams-kestra-read-only", False),
    ("billing", "POST", f"auth/{AUTH}/role/kestra", False),
    ("billing", "DELETE", f"sys/mounts/{ENGINE}", False),
]


def test_vault_answers_each_request_as_the_grants_say(stacks: Stacks) -> None:
    clients = {
        "teams": stacks.kestra("teams"),
        "second": stacks.kestra("second"),
        "billing": stacks.deployer("billing"),
    }
    wrong = []
    for who, method, path, allowed in REQUESTS:
        body = VALUE if method in ("POST", "PUT") else None
        status = clients[who].call(method, path, body).status_code
        if (status != 403) != allowed:
            wrong.append(f"{who}: {method} {path}: {status}")
    assert wrong == []
    read = clients["teams"].call("GET", f"{ENGINE}/data/main/company/billing/TOKEN").json()
    assert read["data"]["data"] == {"value": f"{PLANTED}-billing"}


def test_every_stack_is_as_its_settings_say_and_no_state_has_a_value_in_clear(
    stacks: Stacks,
) -> None:
    for name in STACKS:
        assert set(stacks.stack(name).preview(stacks.events).changes) <= {"same"}, name
    for name in STACKS:
        text = stacks.text_of_state(name)
        assert "kestra:stores:VaultStore" in text
        assert PLANTED not in text
    resources = State(stacks.folder / "state").latest("billing")["resources"]
    packages = {r["type"].split(":")[0] for r in resources}
    assert packages == {"pulumi", "kestra", "random", "vault"}
    made = {r["type"] for r in resources if r["type"].startswith("vault:")}
    assert made == {"vault:kv/secretV2:SecretV2", "vault:generic/endpoint:Endpoint"}
    assert {s.name for s in written_secrets({"resources": resources})} == {"TOKEN", "PASSWORD"}


#: Kind of Kubernetes, for SubjectAccessReview: group, plural.
KINDS = (("", "secrets"), ("", "configmaps"), ("", "pods"), ("apps", "deployments"))


def _may(plane: ControlPlane, user: str, groups: list[str], attributes: dict[str, str]) -> bool:
    """What the API server's own authorizers say."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    url = f"{plane.url}/apis/authorization.k8s.io/v1/subjectaccessreviews"
    answer = plane.session().post(url, json=review, timeout=30).json()
    return bool(answer["status"]["allowed"])


def test_the_pods_of_one_kestra_may_do_nothing_in_the_namespace_of_the_other(
    stacks: Stacks,
) -> None:
    rows = [
        (who, {"namespace": namespace, "verb": verb, "group": group, "resource": plural})
        for who in ("teams", "second")
        for namespace in ("teams-kestra", "second-kestra", "default")
        for group, plural in KINDS
        for verb in ("get", "list", "create", "delete")
    ]
    everybody = ["system:serviceaccounts", "system:authenticated"]
    wrong = [
        row
        for row in rows
        if _may(stacks.plane, f"system:serviceaccount:{row[0]}-kestra:kestra", everybody, row[1])
    ]
    assert wrong == []
    # Whoever may do everything is told so.
    assert _may(stacks.plane, "admin", ["system:masters"], rows[0][1])
    session, url = stacks.plane.session(), stacks.plane.url
    # What both have in the cluster itself has a name of each.
    bindings = session.get(
        f"{url}/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", timeout=30
    ).json()
    names = [b["metadata"]["name"] for b in bindings["items"] if "-kestra" in b["metadata"]["name"]]
    assert len(names) == len(set(names)) >= 2
    # The log-in of each takes its own account alone.
    for own, other in (("teams", "second"), ("second", "teams")):
        jwt = service_account_token(stacks.plane, f"{other}-kestra", "kestra", None)
        method = {"path": f"{own}-kubernetes", "role": "kestra"}
        assert log_in({"address": stacks.vault.address, "kubernetes": method}, jwt) is None


def test_a_second_kestra_of_the_same_names_is_refused_and_takes_nothing_from_the_first(
    stacks: Stacks,
) -> None:
    name = "same-names"
    config = _kestra("teams")
    (stacks.folder / "stacks" / f"Pulumi.{name}.yaml").write_text(
        yaml.safe_dump({"config": config})
    )
    assert list(shared_secrets([(one, stacks.settings(one)) for one in ("teams", name)]))
    try:
        with pytest.raises(EngineFailure, match=r"already[\s\S]*Otherwise:"):
            stacks.stack(name).up(stacks.events)
    finally:
        stacks.stack(name).destroy(stacks.events)
    client = stacks.kestra("teams")
    assert client.call("GET", f"{ENGINE}/data/main/company/billing/TOKEN").ok
    assert set(stacks.stack("teams").preview(stacks.events).changes) <= {"same"}


def test_the_end_of_a_teams_stack_leaves_the_others_alone(stacks: Stacks) -> None:
    owner = Client(stacks.vault.address, stacks.vault.root_token)
    # By whoever deploys the team, too.
    stacks.of_deployer("sales").destroy(stacks.events)
    assert owner.call("GET", f"{ENGINE}/data/main/company/sales/TOKEN").status_code == 404
    assert stacks.kestra("teams").call("GET", f"{ENGINE}/data/main/company/billing/TOKEN").ok
    for name in ("teams", "billing", "second"):
        assert set(stacks.stack(name).preview(stacks.events).changes) <= {"same"}, name
    stacks.of_deployer("sales").up(stacks.events)

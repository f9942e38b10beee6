"""What Kestra's log-in may do in a real Vault, for the four auth methods and both modes, request by request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.backends.interface import StoreArgs
from components.backends.registry import create_identity, create_store
from components.rendering.configuration import render
from components.rendering.leaves import resolve
from components.settings import Settings
from components.validation import load
from sandbox.services import ControlPlane, Vault
from sandbox.vault_check import Client, log_in, service_account_token
from tests.plugins.vault_stack_support import VaultStack

pytestmark = pytest.mark.engine

METHODS: dict[str, dict[str, Any]] = {
    "kubernetes": {"kubernetes": {"path": "t-kubernetes"}},
    "app-role": {"app-role": {"path": "t-approle"}},
    "password": {"password": {"user": "kestra"}},
    "token": {"token": {}},
}
SECRET, ELSEWHERE = "main/company/team/DATABASE_PASSWORD", "main/company/team/NEW"
GIVEN = "Given-Vault-Zq81"

# method, path below /v1/, body, allowed read-only, allowed managed
REQUESTS: list[tuple[str, str, Any, bool, bool]] = [
    ("GET", f"{{engine}}/data/{SECRET}", None, True, True),
    ("GET", f"{{engine}}/metadata/{SECRET}", None, True, True),
    ("LIST", "{engine}/metadata/main/company", None, True, True),
    ("POST", f"{{engine}}/data/{ELSEWHERE}", {"data": {"value": "x"}}, False, True),
    ("POST", f"{{engine}}/metadata/{ELSEWHERE}", {"custom_metadata": {"a": "b"}}, False, True),
    ("DELETE", f"{{engine}}/data/{ELSEWHERE}", None, False, True),
    ("DELETE", f"{{engine}}/metadata/{ELSEWHERE}", None, False, True),
    ("POST", f"{{engine}}/destroy/{SECRET}", {"versions": [1]}, False, False),
    ("POST", f"{{engine}}/undelete/{SECRET}", {"versions": [1]}, False, False),
    ("GET", "{engine}/config", None, False, False),
    ("POST", "{engine}/config", {"max_versions": 1}, False, False),
    ("GET", "{engine}-stack/data/encryption", None, False, False),
    ("LIST", "{engine}-stack/metadata", None, False, False),
    ("GET", "other/data/application", None, False, False),
    ("POST", "other/data/application", {"data": {"value": "x"}}, False, False),
    ("GET", "sys/mounts", None, False, False),
    ("POST", "sys/mounts/mine", {"type": "kv"}, False, False),
    ("LIST", "sys/policies/acl", None, False, False),
    ("PUT", "sys/policies/acl/mine", {"policy": ""}, False, False),
    ("GET", "sys/auth", None, False, False),
    ("GET", "sys/audit", None, False, False),
    ("POST", "sys/seal", {}, False, False),
    ("POST", "auth/token/create", {}, False, False),
    ("GET", "auth/token/lookup-self", None, False, False),
    ("LIST", "identity/entity/id", None, False, False),
    ("LIST", "auth/token/accessors", None, False, False),
]


@dataclass
class Provisioned:
    """A store and a log-in in the test Vault."""

    settings: Settings
    block: dict[str, Any]
    engine: str
    namespace: str
    stack: VaultStack
    outputs: dict[str, Any]


def _settings(method: str, mode: str, plane: ControlPlane, vault: Vault) -> Settings:
    read_only = mode == "read-only"
    document = {
        "edition": "enterprise",
        "secret": {
            "type": "vault",
            "read-only": read_only,
            "vault": {
                "address": vault.address,
                "root-engine": f"t-{method}-{mode}",
                **METHODS[method],
            },
        },
        "identity": {
            "vault": {
                "kubernetes-host": plane.url,
                "kubernetes-ca-certificate": plane.ca_file.read_text(),
                "token-ttl": "10m",
                "token-max-ttl": "20m",
                "secret-id-num-uses": 5,
            }
        },
        "deployment": {"namespace": f"t-{method}-{mode}"},
    }
    if read_only:
        document["declared-secrets"] = {
            "DATABASE_PASSWORD": {"namespace": "company.team", "value": GIVEN}
        }
    return load(document, source="test").settings


@pytest.fixture(scope="module", params=["read-only", "managed"])
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=list(METHODS))
def provisioned(
    request: pytest.FixtureRequest,
    mode: str,
    vault_server: Vault,
    control_plane: ControlPlane,
    tools: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Provisioned]:
    settings = _settings(request.param, mode, control_plane, vault_server)
    configuration = render(settings)
    stack = VaultStack(tmp_path_factory.mktemp("vault-access"), vault_server, tools["pulumi"])

    def program() -> None:
        secrets = {name: pulumi.Output.secret(GIVEN) for name in settings.declared_secrets}
        store = create_store("store", StoreArgs(settings, secrets, pulumi.Output.secret("k" * 44)))
        identity = create_identity("identity", settings, store)
        pulumi.export("environment", pulumi.Output.secret(dict(identity.environment)))

    assert settings.secret is not None
    assert settings.secret.vault is not None
    engine, namespace = settings.secret.vault.root_engine, settings.deployment.namespace
    _, outputs = stack.up(program)
    assert stack.up(program)[0] == {}
    if mode == "managed":
        stack.call("POST", f"{engine}/data/{SECRET}", {"data": {"value": GIVEN}})
    stack.call("POST", "sys/mounts/other", {"type": "kv", "options": {"version": "2"}})
    stack.call("POST", "other/data/application", {"data": {"value": "of another application"}})
    _kestras_account(control_plane, namespace)
    provided = outputs["environment"]
    document = configuration.document["kestra"]["secret"]["vault"]
    values = {
        name: provided[source.key]  # type: ignore[union-attr]
        for name, source in configuration.environment.items()
        if getattr(source, "key", "").startswith("secret.vault.")
    }
    block = resolve(document, values)
    assert isinstance(block, dict)
    yield Provisioned(settings, block, engine, namespace, stack, dict(outputs))
    # A secret id that has been used up is an error for the provider until a refresh has seen it.
    stack.refresh(program)
    stack.destroy(program)


def _kestras_account(plane: ControlPlane, namespace: str) -> None:
    """What components/kubernetes/deployment.py makes for the service account, and another one beside it."""
    session = plane.session()
    session.post(
        f"{plane.url}/api/v1/namespaces", json={"metadata": {"name": namespace}}, timeout=30
    )
    for account in ("kestra", "another"):
        body = {"metadata": {"name": account}}
        session.post(
            f"{plane.url}/api/v1/namespaces/{namespace}/serviceaccounts", json=body, timeout=30
        )
    binding = {
        "metadata": {"name": f"{namespace}-token-review"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:auth-delegator"},
        "subjects": [{"kind": "ServiceAccount", "name": "kestra", "namespace": namespace},
                     {"kind": "ServiceAccount", "name": "another", "namespace": namespace}],
    }  # fmt: skip
    url = f"{plane.url}/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
    assert session.post(url, json=binding, timeout=30).status_code in (201, 409)


def _client(made: Provisioned, plane: ControlPlane, account: str = "kestra") -> Client | None:
    jwt = None
    if "kubernetes" in made.block:
        jwt = service_account_token(plane, made.namespace, account, None)
    return log_in(made.block, jwt)


def test_each_request_is_allowed_or_denied_as_the_mode_says(
    provisioned: Provisioned, mode: str, control_plane: ControlPlane
) -> None:
    client = _client(provisioned, control_plane)
    assert client is not None
    wrong = []
    for method, path, body, read_only, managed in REQUESTS:
        allowed = read_only if mode == "read-only" else managed
        status = client.call(method, path.format(engine=provisioned.engine), body).status_code
        if (status != 403) != allowed:
            wrong.append(f"{method} {path}: {status}, meant {'allowed' if allowed else 'denied'}")
    assert wrong == []
    answer = client.call("GET", f"{provisioned.engine}/data/{SECRET}")
    assert answer.json()["data"]["data"] == {"value": GIVEN}


def test_the_log_in_is_bound_to_its_credential(
    provisioned: Provisioned, control_plane: ControlPlane
) -> None:
    block = provisioned.block
    if "kubernetes" in block:
        assert _client(provisioned, control_plane, "another") is None
        forged = service_account_token(control_plane, "default", "default", None)
        assert log_in(block, forged) is None
        assert log_in(block, "no token") is None
    elif "app-role" in block:
        wrong = {**block["app-role"], "secret-id": "00000000-0000-0000-0000-000000000000"}
        assert log_in({**block, "app-role": wrong}) is None
    elif "password" in block:
        assert log_in({**block, "password": {**block["password"], "password": "wrong"}}) is None
    else:
        client = log_in({**block, "token": {"token": "hvs.wrong"}})
        assert (
            client is None
            or client.call("GET", f"{provisioned.engine}/data/{SECRET}").status_code == 403
        )


def test_tokens_live_as_long_as_the_settings_say(
    provisioned: Provisioned, control_plane: ControlPlane
) -> None:
    client = _client(provisioned, control_plane)
    assert client is not None
    found = provisioned.stack.call("POST", "auth/token/lookup", {"token": client._token}).json()[
        "data"
    ]
    assert found["policies"] == [
        f"{provisioned.namespace}-{'read-only' if 'read-only' in provisioned.namespace else 'managed'}"
    ]
    assert 0 < found["ttl"] <= (1200 if "token" in provisioned.block else 600)


def test_a_secret_id_ends_after_its_number_of_uses(
    provisioned: Provisioned, control_plane: ControlPlane
) -> None:
    if "app-role" not in provisioned.block:
        return
    log_ins = [_client(provisioned, control_plane) is not None for _ in range(6)]
    assert log_ins[-1] is False

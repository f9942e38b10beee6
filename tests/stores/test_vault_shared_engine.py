"""An engine in a real Vault that others use too: what Kestra's role reaches of it, request by request.

`tests/components/test_vault_scope.py` shows that a stack's policy is the one that is asked about here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.backends.interface import StoreArgs
from components.backends.registry import create_identity, create_store
from components.backends.vault.permissions import WHOLE_ENGINE, policy_text, scope
from components.settings import Settings
from components.validation import load
from sandbox.services import Vault
from sandbox.vault_check import Client, check_vault
from tests.plugins.vault_stack_support import VaultStack

pytestmark = pytest.mark.engine

ENGINE, PREFIX, NAMESPACE = "t-shared", "kestra", "t-shared-kestra"
NAME = "company/team/DATABASE_PASSWORD"
DECLARED = {"DATABASE_PASSWORD": {"namespace": "company.team", "value": "Given-Vault-Zq81"}}

#: Letter to mode, prefix and whether the stack declares a secret.
SCOPES: dict[str, tuple[bool, str | None, bool]] = {
    "d": (True, PREFIX, True),
    "n": (True, None, True),
    "p": (True, PREFIX, False),
    "m": (False, PREFIX, False),
    "t": (False, None, False),
}
WORDS = {
    "d": "read-only, declared secrets below a prefix",
    "n": "read-only, declared secrets without a prefix",
    "p": "read-only, others' secrets below a prefix",
    "m": "managed below a prefix",
    "t": "managed without a prefix",
}
#: What lies in the engine, Kestra's and others'.
SECRETS = (
    f"kestra/main/{NAME}",
    "kestra/main/company/team/UNDECLARED",
    f"kestra/second/{NAME}",
    f"kestra-other/main/{NAME}",
    f"kestra2/main/{NAME}",
    f"main/{NAME}",
    f"main-other/{NAME}",
    f"second/{NAME}",
    "finance/PASSWORD",
    "kestra",
    "main",
)
OWN, NEW, ALIKE = f"kestra/main/{NAME}", "kestra/main/company/team/NEW", f"kestra-other/main/{NAME}"
VALUE, TAGS = {"data": {"value": "x"}}, {"custom_metadata": {"a": "b"}}
FIRST = {"versions": [1]}

# method, path below the engine, body, letters of the scopes that allow it
REQUESTS: list[tuple[str, str, Any, str]] = [
    ("GET", f"data/{OWN}", None, "dpm"),
    ("GET", f"metadata/{OWN}", None, "dpm"),
    ("LIST", "metadata/kestra/main/company/team", None, "dpm"),
    ("LIST", "metadata/kestra/main/company", None, "dpm"),
    ("LIST", "metadata/kestra/main", None, "dpm"),
    ("LIST", "metadata/kestra", None, "dp"),
    ("GET", f"data/main/{NAME}", None, "nt"),
    ("GET", f"metadata/main/{NAME}", None, "nt"),
    ("LIST", "metadata/main/company/team", None, "nt"),
    ("LIST", "metadata/main", None, "nt"),
    # In the same folder, and not declared.
    ("GET", "data/kestra/main/company/team/UNDECLARED", None, "pm"),
    ("GET", "metadata/kestra/main/company/team/UNDECLARED", None, "pm"),
    # Another tenant, below the prefix and without one.
    ("GET", f"data/kestra/second/{NAME}", None, "p"),
    ("LIST", "metadata/kestra/second", None, "p"),
    ("GET", f"data/second/{NAME}", None, ""),
    ("GET", f"metadata/second/{NAME}", None, ""),
    ("LIST", "metadata/second/company/team", None, ""),
    # Other prefixes, some of which begin alike; a secret that is called as the folder.
    *(
        (method, f"{half}/{path}", None, "")
        for path in (ALIKE, f"kestra2/main/{NAME}", f"main-other/{NAME}", "finance/PASSWORD", "kestra", "main")
        for method, half in (("GET", "data"), ("GET", "metadata"))
    ),
    ("LIST", "metadata/kestra-other/main/company/team", None, ""),
    ("LIST", "metadata/kestra-other", None, ""),
    ("LIST", "metadata/kestra2", None, ""),
    ("LIST", "metadata/finance", None, ""),
    # The engine's own list, and what a policy would take for a wildcard.
    ("LIST", "metadata", None, ""),
    ("LIST", "metadata/*", None, ""),
    ("LIST", "metadata/+", None, ""),
    ("LIST", "data", None, ""),
    ("GET", "data/*", None, ""),
    ("GET", f"data/+/main/{NAME}", None, ""),
    ("GET", f"data/kestra*/main/{NAME}", None, ""),
    ("GET", "data/kest", None, ""),
    # Writing.
    ("POST", f"data/{NEW}", VALUE, "m"),
    ("POST", f"metadata/{NEW}", TAGS, "m"),
    ("DELETE", f"data/{NEW}", None, "m"),
    ("DELETE", f"metadata/{NEW}", None, "m"),
    ("POST", "data/main/company/NEW", VALUE, "t"),
    ("DELETE", "metadata/main/company/NEW", None, "t"),
    *(
        request
        for path in (ALIKE, f"kestra/second/{NAME}", f"second/{NAME}", "finance/PASSWORD", "kestra", "NEW")
        for request in (
            ("POST", f"data/{path}", VALUE, ""),
            ("POST", f"metadata/{path}", TAGS, ""),
            ("DELETE", f"data/{path}", None, ""),
            ("DELETE", f"metadata/{path}", None, ""),
        )
    ),
    # What Kestra's documentation asks for nowhere, its own and others'.
    *(
        ("POST", f"{half}/{path}", FIRST, "")
        for path in (OWN, f"main/{NAME}", ALIKE, "finance/PASSWORD")
        for half in ("delete", "undelete", "destroy")
    ),
    ("GET", f"subkeys/{OWN}", None, ""),
    ("GET", "config", None, ""),
    ("POST", "config", {"max_versions": 1}, ""),
]  # fmt: skip


def _settings(vault: Vault, letter: str) -> Settings:
    read_only, prefix, declared = SCOPES[letter]
    block: dict[str, Any] = {"address": vault.address, "root-engine": ENGINE, "token": {}}
    if prefix:
        block["secret-path-prefix"] = prefix
    document = {
        "edition": "enterprise",
        "secret": {"type": "vault", "read-only": read_only, "vault": block},
        "identity": {"vault": {"mount-engine": False}},
        "deployment": {"namespace": NAMESPACE},
        "declared-secrets": DECLARED if declared else {},
    }
    return load(document, source="test").settings


@pytest.fixture(scope="module")
def shared(
    vault_server: Vault, tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VaultStack]:
    """A stack, with an engine that is there already and in use."""
    stack = VaultStack(tmp_path_factory.mktemp("vault-shared"), vault_server, tools["pulumi"])
    assert stack.call("POST", f"sys/mounts/{ENGINE}", {"type": "kv-v2"}).ok
    _fill(stack)
    yield stack
    assert stack.call("DELETE", f"sys/mounts/{ENGINE}").ok


def _fill(stack: VaultStack) -> None:
    for path in SECRETS:
        assert stack.call("POST", f"{ENGINE}/data/{path}", {"data": {"value": path}}).ok


def _client(stack: VaultStack, settings: Settings) -> Client:
    """With a token that has the policy of these settings and no other."""
    assert settings.secret is not None
    text = policy_text(ENGINE, mode=settings.access_mode, scope=scope(settings))
    assert stack.call("PUT", "sys/policies/acl/t-shared", {"policy": text}).ok
    body = {"policies": ["t-shared"], "no_default_policy": True, "ttl": "10m"}
    token = stack.call("POST", "auth/token/create", body).json()["auth"]["client_token"]
    return Client(stack.vault.address, token)


@pytest.mark.parametrize("letter", SCOPES, ids=WORDS.values())
def test_each_request_is_allowed_or_denied_as_the_settings_say(
    shared: VaultStack, letter: str
) -> None:
    client = _client(shared, _settings(shared.vault, letter))
    wrong = []
    for method, path, body, allowed in REQUESTS:
        status = client.call(method, f"{ENGINE}/{path}", body).status_code
        if (status != 403) != (letter in allowed):
            wrong.append(f"{method} {path}: {status}")
    assert wrong == []
    # What is allowed is there: an empty answer would prove nothing.
    read = [path for method, path, _, letters in REQUESTS if method == "GET" and letter in letters]
    assert read
    assert all(client.call("GET", f"{ENGINE}/{path}").status_code == 200 for path in read)
    _fill(shared)


def test_a_stack_on_a_shared_engine_reads_its_secrets_and_leaves_the_others(
    shared: VaultStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _settings(shared.vault, "d")

    def program() -> None:
        secrets = {name: pulumi.Output.secret("Given-Vault-Zq81") for name in DECLARED}
        store = create_store("store", StoreArgs(settings, secrets, pulumi.Output.secret("k" * 44)))
        identity = create_identity("identity", settings, store)
        pulumi.export("environment", pulumi.Output.secret(dict(identity.environment)))

    with monkeypatch.context() as earlier:
        earlier.setattr("components.backends.vault.store.scope", lambda _: WHOLE_ENGINE)
        shared.up(program)
    # A stack of an earlier release: its policy is changed, and nothing is replaced.
    changes, outputs = shared.up(program)
    assert changes == {"update": 1}
    assert shared.up(program)[0] == {}
    token = outputs["environment"]["secret.vault.token.token"]
    client = Client(shared.vault.address, token)
    answer = client.call("GET", f"{ENGINE}/data/{OWN}")
    assert answer.json()["data"]["data"] == {"value": "Given-Vault-Zq81"}
    for path in (ALIKE, f"main/{NAME}", "finance/PASSWORD"):
        assert client.call("GET", f"{ENGINE}/data/{path}").status_code == 403
    # The copy of the encryption key is beside the engine, out of reach.
    assert client.call("GET", f"{ENGINE}-stack/data/encryption").status_code == 403
    assert client.call("LIST", f"{ENGINE}-stack/metadata").status_code == 403
    shared.destroy(program)
    assert shared.call("GET", f"{ENGINE}/data/{OWN}").status_code == 404
    assert shared.call("GET", f"{ENGINE}/data/{ALIKE}").ok
    assert shared.call("DELETE", f"sys/mounts/{ENGINE}-stack").ok


@pytest.mark.parametrize("letter", SCOPES, ids=WORDS.values())
def test_verify_sees_what_the_role_reaches_and_what_it_does_not(
    shared: VaultStack, letter: str
) -> None:
    settings = _settings(shared.vault, letter)
    token = _client(shared, settings)._token
    _fill(shared)
    text = '{"kestra": {"secret": {"vault": {"address": "%s", "root-engine": "%s", "token": {"token": "%s"}}}}}'
    paths = {path: {"value": path} for path in scope(settings).secrets}
    plane: Any = SimpleNamespace(reached_from_here=lambda address: address)
    checked = check_vault(
        text % (shared.vault.address, ENGINE, token), {}, paths, plane, settings, NAMESPACE
    )  # fmt: skip
    assert [c["what"] for c in checked["checks"] if not c["ok"]] == []
    assert "what others keep in the engine is out of reach" in str(checked["checks"])

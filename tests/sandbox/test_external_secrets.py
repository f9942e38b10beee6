"""What verify makes of the operator's objects, and which stacks have the operator."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.validation import load
from sandbox import external_secrets, external_secrets_check
from sandbox.clouds import required_services, store_of_open_source
from sandbox.external_secrets import Cluster, Delivery, duration_seconds, playing_owners
from sandbox.external_secrets_check import check_limits, read_delivered
from sandbox.services.external_secrets import webhooks
from sandbox.state import State
from sandbox.store_owner import Remote
from tests.conftest import stack_document

VALUE = "Planted-9f2ä"
NOBODY = (None, None, None)


def _delivery(template: str = '{{ index . "T" | b64enc }}', **more: Any) -> Delivery:
    remote = {"key": "main/T", "property": "value"} | more.pop("remote", {})
    spec = {
        "secretStoreRef": {"name": "store"},
        "refreshInterval": "5m0s",
        "target": {"template": {"data": {"SECRET_T": template}}},
        "data": [{"secretKey": "T", "remoteRef": remote}],
        **more,
    }
    return Delivery("secret", spec)


class _Cluster(Cluster):
    """The operator's objects without an API server."""

    def __init__(self, delivery: Delivery, texts: Mapping[str, Mapping[str, str]]) -> None:
        self.namespace = "kestra"
        self.delivery, self.data = delivery, texts
        self.owners = [{"kind": "ExternalSecret"}]
        self.in_pods = ["own", "secret"]

    def deliveries(self) -> list[Delivery]:
        return [self.delivery]

    def provider(self, store: str) -> Mapping[str, Any]:
        return {}

    def texts(self, name: str) -> dict[str, str]:
        return dict(self.data.get(name, {}))

    def secret(self, name: str) -> dict[str, Any]:
        return {"metadata": {"ownerReferences": self.owners}}

    def environment_secrets(self) -> list[str]:
        return self.in_pods

    def read_now(self, name: str) -> None:
        """The operator reads at once here."""


class _Owner:
    def __init__(self, value: str | None = VALUE) -> None:
        self.values = {} if value is None else {"main/T": value}

    def read(self, remote: Remote) -> str | None:
        return self.values.get(remote.key)

    def write(self, remote: Remote, value: str) -> None:
        self.values[remote.key] = value

    def remove(self, remote: Remote) -> None:
        del self.values[remote.key]


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> _Owner:
    one = _Owner()
    for module in (external_secrets, external_secrets_check):
        monkeypatch.setattr(module, "owner_of", lambda *_: one)
    return one


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "seconds"), [("15s", 15), ("1h0m0s", 3600), ("5m0s", 300), ("1m30s", 90), ("0s", 0), ("500ms", 0.5)]
)  # fmt: skip
def test_durations_are_read_as_go_writes_them(text: str, seconds: float) -> None:
    assert duration_seconds(text) == seconds


def test_a_value_is_expected_in_base64_unless_its_template_takes_it_as_it_is() -> None:
    assert _delivery().variable("T", VALUE) == ("SECRET_T", _encoded(VALUE))
    assert _delivery('{{ index . "T" }}').variable("T", VALUE) == ("SECRET_T", VALUE)


def _failing(cluster: _Cluster) -> list[str]:
    delivered = read_delivered(cluster, NOBODY, "own")
    return [check["what"] for check in delivered.checks if not check["ok"]]


@pytest.mark.usefixtures("owner")
def test_what_the_operator_brought_is_compared_with_the_secret_manager() -> None:
    good = {"secret": {"SECRET_T": _encoded(VALUE)}, "own": {"KESTRA_KEY": "x"}}
    cluster = _Cluster(_delivery(), good)
    delivered = read_delivered(cluster, NOBODY, "own")
    assert _failing(cluster) == []
    assert delivered.values == {"T": VALUE}
    assert delivered.environment == good["secret"]
    assert not any(VALUE in check["what"] for check in delivered.checks)
    for texts, words in (
        ({"secret": {"SECRET_T": VALUE}}, "is the value at main/T, in base64"),
        ({"secret": {"SECRET_T": _encoded("old")}}, "is the value at main/T, in base64"),
        ({}, "is the value at main/T, in base64"),
        (good | {"own": {"SECRET_T": _encoded(VALUE)}}, "Pulumi made holds none"),
    ):
        (failing,) = _failing(_Cluster(_delivery(), texts))
        assert words in failing
    cluster.owners = []
    cluster.in_pods = ["own"]
    assert _failing(cluster) == [
        "the operator wrote secret",
        "the pods have the variables of secret",
    ]


def test_a_secret_manager_without_a_server_is_named_and_not_judged() -> None:
    cluster = _Cluster(_delivery(), {"secret": {"SECRET_T": "made up"}})
    delivered = read_delivered(cluster, NOBODY, "own")
    assert delivered.unread == {"T"}
    assert delivered.values == {}
    assert all(check["ok"] for check in delivered.checks)


def test_a_rotation_is_measured_and_taken_back(owner: _Owner) -> None:
    delivery = _delivery()

    class Follows(_Cluster):
        def texts(self, name: str) -> dict[str, str]:
            return {"SECRET_T": _encoded(owner.values["main/T"])}

    (check,) = check_limits(Follows(delivery, {}), NOBODY, [])["checks"]
    assert check["ok"]
    assert "asked to read at once; refresh-interval 300 s" in check["what"]
    assert owner.values == {"main/T": VALUE}
    # What the stack itself writes, and what is read at one version, is left alone.
    assert check_limits(Follows(delivery, {}), NOBODY, ["T"])["checks"] == []
    pinned = _delivery(refreshPolicy="CreatedOnce", remote={"version": "1"})
    assert check_limits(Follows(pinned, {}), NOBODY, [])["checks"] == []


def test_a_rotation_that_never_arrives_fails(
    owner: _Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_secrets_check, "_PATIENCE", 0)
    cluster = _Cluster(_delivery(), {"secret": {"SECRET_T": _encoded(VALUE)}})
    (check,) = check_limits(cluster, NOBODY, [])["checks"]
    assert (check["ok"], "never" in check["what"]) == (False, True)


def test_the_operator_is_there_while_a_stack_still_has_its_objects(tmp_path: Path) -> None:
    state = State(tmp_path)
    settings = load(stack_document("local"), source="f").settings
    file = state.checkpoint("moved")
    file.parent.mkdir(parents=True)
    for type_, expected in (
        ("kubernetes:external-secrets.io/v1:ExternalSecret", {"external-secrets"}),
        ("kubernetes:apps/v1:Deployment", set()),
    ):
        resources = [{"urn": "urn:1", "type": type_}]
        file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
        assert required_services(state, "moved", settings) == expected


def test_the_store_of_open_source_is_copied_before_it_is_changed() -> None:
    store = {"type": "vault", "vault": {"address": "https://theirs"}}
    config: dict[str, Any] = {"kestra:store": store}
    copy = store_of_open_source(config, "vault")
    assert copy is config["kestra:store"]
    assert copy is not store
    assert store_of_open_source(config, "google-secret-manager") is None
    assert store_of_open_source({}, "vault") is None


def test_the_api_server_asks_the_operator_on_loopback_and_refuses_without_it(
    tmp_path: Path,
) -> None:
    authority = tmp_path / "ca.crt"
    authority.write_text("PEM")
    documents = list(webhooks(1234, authority))
    assert [d["metadata"]["name"] for d in documents] == [
        "secretstore-validate",
        "externalsecret-validate",
    ]
    for document in documents:
        (webhook,) = document["webhooks"]
        assert webhook["clientConfig"]["url"].startswith("https://127.0.0.1:1234/validate-")
        assert base64.b64decode(webhook["clientConfig"]["caBundle"]) == b"PEM"
        assert webhook["failurePolicy"] == "Fail"


def test_a_secret_of_others_in_google_is_there_before_the_stack_asks_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(stack_document("example-oss-gcp"), source="f").settings
    owner = _Owner(None)
    monkeypatch.setattr(external_secrets, "GoogleOwner", lambda *_: owner)
    monkeypatch.setattr(external_secrets, "owner_of_missing_values", lambda *_: None)
    stack: Any = SimpleNamespace(
        plane=None, vault=None, clouds=SimpleNamespace(aws=None, google=object())
    )
    notes: list[str] = []
    playing_owners(stack, settings, notes.append)
    (key, value), *_ = owner.values.items()
    assert len(notes) == 1
    assert key in notes[0]
    assert value not in notes[0]
    playing_owners(stack, settings, notes.append)
    assert owner.values == {key: value}

"""A new backend is one folder and one line of the registry: `fixtures/acorn` goes through every part of the program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import pulumi
import pytest

from components.backends.interface import Reader
from components.backends.registry import BACKENDS, all_backends, backend_of
from components.deployer_permissions import Need, needed
from components.rendering.configuration import render
from components.safeguards.failed_resource import FailedResource
from components.safeguards.irreversible_changes import find_losses, snapshot
from components.safeguards.name_conflicts import suggest_fix
from components.settings import SettingsError
from components.settings.secret import SecretType
from components.validation import load
from components.validation.sensitive import plain_secrets
from docsgen import permissions
from sandbox.report.access import accesses
from sandbox.report.diagram import diagram
from sandbox.report.paths import secret_paths
from tests.components.recording_support import Recorder, register
from tests.conftest import ROOT, stack_document

LINE = "tests.backends.fixtures.acorn.backend:ACORN"
PLANTED = "Pl4nted-Acorn-Zq81"
FOLDER = Path(__file__).parent / "fixtures" / "acorn"


def _forget_what_was_cached() -> None:
    """The names of settings are looked up once in a process."""
    for name, module in list(sys.modules.items()):
        if name.startswith("components.validation"):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


@pytest.fixture(autouse=True, scope="module")
def registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(BACKENDS, "acorn", LINE)
        _forget_what_was_cached()
        yield
    _forget_what_was_cached()


def _document(block: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    document = deepcopy(stack_document("local-vault"))
    own = {"address": "https://acorn.example.com:8443"} | (block or {})
    document |= {
        "version": "2.0",
        "secret": {"type": "acorn", "read-only": True, "acorn": own},
        "declared-secrets": {"TOKEN": {"namespace": "company.team", "value": PLANTED}},
        "identity": {"acorn": {"team": "blue"}},
        "security": {"instance-owner": {"username": "admin@kestra.io"}},
    }
    return document | changed


def _settings(block: dict[str, Any] | None = None, **changed: Any) -> Any:
    return load(_document(block, **changed), source="test").settings


def _problems(document: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as error:
        load(document, source="test")
    return {p.path: p.message for p in error.value.problems if p.severity == "error"}


@pytest.fixture(scope="module")
def recorded() -> Recorder:
    """The whole stack with mocks; what Acorn's provider would fill in, too."""
    fill = Recorder.new_resource

    def filled(self: Recorder, args: pulumi.runtime.MockResourceArgs) -> Any:
        id_, state = fill(self, args)
        if args.typ.startswith("acorn:"):
            state |= {"token": "token-of-mock", "version": "7"}
        return id_, state

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Recorder, "new_resource", filled)
        return register(_document(tags={"environment": "production", "owner": "platform"}))


def test_the_check_knows_its_block_and_its_rules() -> None:
    settings = _settings()
    assert settings.secret.type == "acorn"
    assert settings.secret.backend.shelf == "kestra"
    problems = _problems(_document({"address": "acorn", "shelf": "a b", "shelv": "x"}))
    assert problems["kestra:secret.acorn.address"] == "has a form that is not allowed"
    assert problems["kestra:secret.acorn.shelv"] == "is no known key"
    assert _settings(store={"acorn": {}}).store.acorn.copies == 1
    copies = _problems(_document(store={"acorn": {"copies": 0}}))
    assert copies == {"kestra:store.acorn.copies": "is out of range"}
    assert _problems(_document({"shelf": "a b"}))["kestra:secret.acorn.shelf"] == "is no word"
    assert _problems(_document(version="1.3"))["kestra:secret.type"] == "is acorn on Kestra 1.3"
    elsewhere = _problems(stack_document("local-vault") | {"store": {"acorn": {}}})
    assert elsewhere == {"kestra:store.acorn": "has no secret manager that it belongs to"}
    missing = _document()
    del missing["secret"]["acorn"]
    assert _problems(missing)["kestra:secret.acorn"] == "is missing"


def test_the_common_rules_hold_for_it() -> None:
    managed = _document()
    managed["secret"]["read-only"] = False
    assert _problems(managed)["kestra:declared-secrets"] == "needs read-only mode"
    tagged = _document(tags={"environment": "development", "additional": {"B9": "x"}})
    assert _problems(tagged)["kestra:tags.additional.B9"] == "cannot be a name of Acorn tags"
    rotated = _document(rotation={"secret.acorn.token": "2"})
    assert load(rotated, source="test").settings.rotation
    with_token = _document({"token": PLANTED}, rotation={"secret.acorn.token": "2"})
    assert 'kestra:rotation["secret.acorn.token"]' in _problems(with_token) or _problems(with_token)


def test_its_secret_in_clear_is_a_warning_that_does_not_show_it() -> None:
    warnings = plain_secrets(_document({"token": PLANTED}), "test")
    assert "kestra:secret.acorn.token" in {w.path for w in warnings}
    assert PLANTED not in "".join(w.line() for w in warnings)


def test_it_is_rendered_without_its_secret() -> None:
    configuration = render(_settings())
    assert configuration.document["kestra"]["secret"] == {
        "type": "acorn",
        "read-only": True,
        "acorn": {
            "token": "${STACK_KESTRA_SECRET_ACORN_TOKEN}",
            "address": "https://acorn.example.com:8443",
        },
    }
    assert PLANTED not in render(_settings({"token": PLANTED})).yaml()


def test_its_store_and_its_identity_are_registered(recorded: Recorder) -> None:
    secrets = {n: i["path"] for n, i in recorded.of("Secret").items() if "path" in i}
    assert secrets == {
        "store-declared-TOKEN": "kestra/main/company.team/TOKEN",
        "store-encryption-key": "kestra-stack/encryption-key",
    }
    assert recorded.of("Token") == {"identity-token": {"team": "blue", "shelf": "kestra"}}
    assert recorded.outputs["principal"] == "blue"
    assert set(recorded.outputs["secretIds"]) == {"TOKEN", "encryption.secret-key"}
    assert recorded.outputs["versionIds"]["TOKEN"] == "7"
    assert recorded.outputs["generated"]["secret.acorn.token"] == "token-of-mock"
    assert "store-encryption-key" in recorded.retained & recorded.protected
    # Nothing else makes the token, and it reaches the pods.
    assert not [n for n in recorded.resources if "acorn" in n]
    assert "STACK_KESTRA_SECRET_ACORN_TOKEN" in json.dumps(recorded.resources, default=str)


def test_the_network_lets_the_pods_reach_it(recorded: Recorder) -> None:
    policies = json.dumps(recorded.of("NetworkPolicy"))
    assert '"port": 8443' in policies  # of its address
    assert '"port": 443' in policies  # of its log-in


def test_a_change_that_would_lose_its_secrets_is_refused() -> None:
    tags = {"environment": "production", "owner": "platform"}
    before = snapshot(_settings(tags=tags))
    after = snapshot(_settings({"shelf": "other"}, tags=tags))
    assert [loss.what[2] for loss in find_losses(before, after)] == ["secret.acorn.shelf"]
    assert find_losses(before, before) == []


def test_a_stack_moves_to_it() -> None:
    vault = {"type": "vault", "read-only": True, "vault": {"address": "https://v:8200"}}
    acorn = _document()["secret"]
    settings = load(_document(secret=vault, store={"also": acorn}), source="test").settings
    assert settings.secondary is not None
    assert backend_of(settings.secondary).title == "Acorn"
    acorn["acorn"]["shelf"] = "a b"
    problems = _problems(_document(secret=vault, store={"also": acorn}))
    assert problems["kestra:store.also.acorn.shelf"] == "is no word"


def test_a_name_that_is_taken_is_answered_in_its_words() -> None:
    urn = "urn:pulumi:dev::kestra::acorn:index/secret:Secret::x"
    text = suggest_fix(FailedResource(urn, {"path": "a/b"}, "the path is taken"))
    assert "There is a secret a/b already" in text
    assert "pulumi import acorn:index/secret:Secret x a/b" in text


def test_its_permissions_are_written_into_its_page() -> None:
    page = permissions.filled((FOLDER / "page.md").read_text())
    assert "| read-only | `read` | `<shelf>` | Flows read values. |" in page
    assert "| `acorn:index/secret:Secret` | `secrets.read`, `secrets.write` |" in page
    assert {"acorn", "deployer-acorn"} == set(permissions.places(page))
    assert "acorn" in permissions.managers()
    needs = needed([("acorn:index/token:Token", {})], "kestra")
    assert needs == [Need("acorn", "tokens.create"), Need("acorn", "tokens.revoke")]


def test_the_report_says_where_its_secrets_are_and_who_reads_them() -> None:
    settings = _settings()
    paths = secret_paths(settings, render(settings))
    places = {path.name: (path.origin, path.kept) for path in paths}
    assert places["TOKEN"] == ("clear", "kestra/main/company.team/TOKEN")
    assert places["secret.acorn.token"] == ("store", "")
    assert ("generator", "kestra-stack/encryption-key") in places.values()
    access = accesses(settings, ())
    assert access.principal == "a token that the stack makes"
    rows = [(a.who, a.what, a.on, a.verdict) for a in access.store]
    assert rows == [
        (Reader.KESTRA.value, "read", "kestra", "may"),
        (Reader.KESTRA.value, "anything", "kestra-stack/encryption-key", "may not"),
    ]
    drawing = repr(diagram(settings, paths))
    assert "Acorn" in drawing
    assert "shelf kestra" in drawing


def test_nothing_outside_of_its_folder_names_it() -> None:
    folders = [ROOT / name for name in ("components", "policy", "sandbox")]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    assert len(files) > 300
    assert not [file for file in files if "acorn" in file.read_text(encoding="utf-8").lower()]


def test_every_type_of_the_settings_has_its_line() -> None:
    assert {*get_args(SecretType), "acorn"} == set(BACKENDS), (
        "name the type in BACKENDS (components/backends/registry.py) and in SecretType (components/settings/secret.py)"
    )
    assert all(BACKENDS[backend.type] for backend in all_backends())
    assert len({backend.title for backend in all_backends()}) == len(BACKENDS)

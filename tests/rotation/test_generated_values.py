"""What a text in the settings makes anew: which resources it touches, and which names it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import SettingsError
from components.validation import load
from components.validation.rules.rotation import rotatable
from tests.components.inventory_support import documents
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document
from tests.rotation.rotation_support import documented, section

METHODS: dict[str, dict[str, Any]] = {
    "app-role.secret-id": {"app-role": {}},
    "password.password": {"password": {"user": "kestra"}},
    "token.token": {"token": {}},
}
#: Resource that a text makes anew, by the value that it names.
RESOURCES = {
    "secret.vault.app-role.secret-id": "identity-secret-id",
    "secret.vault.password.password": "identity-password",
    "secret.vault.token.token": "identity-token",
}


def with_vault(method: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The example with Vault, with a way to log in."""
    document: dict[str, Any] = stack_document("local-vault")
    document["secret"]["vault"] = {"address": "http://127.0.0.1:8200", **method}
    return document | changed


def touched(before: Recorder, after: Recorder) -> dict[str, dict[str, Any]]:
    """Resource to the inputs that are others now."""
    assert before.resources.keys() == after.resources.keys()
    rotated = {}
    for name, (_, inputs) in after.resources.items():
        old = before.resources[name][1]
        if inputs != old:
            assert old.keys() <= inputs.keys()
            rotated[name] = {k: v for k, v in inputs.items() if v != old.get(k)}
    return rotated


@pytest.mark.parametrize("name", ["local", "enterprise-2.0-app-role"])
def test_without_a_text_no_resource_is_marked(name: str) -> None:
    """So a stack of before has nothing to change."""
    for type_, inputs in run(documents()[name]).resources.values():
        if "RandomPassword" in type_:
            assert "keepers" not in inputs
        if type_.startswith("vault:") and ("Token" in type_ or "SecretId" in type_):
            assert "metadata" not in inputs


@pytest.mark.parametrize(
    "name", sorted(rotatable(load(stack_document("local"), source="t").settings))
)
def test_a_text_touches_one_generated_value_and_nothing_else_in_the_open_source_edition(
    name: str,
) -> None:
    before = run(stack_document("local"))
    after = run(stack_document("local") | {"rotation": {name: "2026-11"}})
    resource = f"generated-{name.replace('.', '-')}"
    assert touched(before, after) == {resource: {"keepers": {"rotation": "2026-11"}}}


@pytest.mark.parametrize("method", list(METHODS))
def test_a_text_touches_one_credential_of_vault_and_nothing_else(method: str) -> None:
    name = f"secret.vault.{method}"
    before = run(with_vault(METHODS[method]))
    after = run(with_vault(METHODS[method], rotation={name: "2026-11"}))
    (only,) = touched(before, after).items()
    assert only[0] == RESOURCES[name]
    assert "2026-11" in str(only[1])
    assert len(only[1]) == 1


def test_a_declared_secret_has_a_text_of_its_own() -> None:
    document: dict[str, Any] = stack_document("local-vault")
    before = run(document)
    document["declared-secrets"]["API_TOKEN"]["generate"]["rotation"] = 2
    assert touched(before, run(document)) == {
        "generated-declared-API_TOKEN": {"keepers": {"rotation": "2"}}
    }


def refused(document: dict[str, Any], name: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(document | {"rotation": {name: "2026-11"}}, source="t")
    (problem,) = caught.value.problems
    assert problem.path == f"kestra:rotation.{name}"
    return problem.line()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("encryption.secret-key", "Kestra has one key and no re-encryption"),
        ("declared-secrets.API_TOKEN", "set kestra:declared-secrets.API_TOKEN.generate.rotation"),
        ("server.basic-auth.pasword", "one of endpoints.all.basic-auth.password, server.basic"),
        ("secret.vault.token.token", "is nothing that this stack makes"),
    ],
)
def test_a_name_that_cannot_be_rotated_is_refused_with_what_to_do(name: str, words: str) -> None:
    assert words in refused(stack_document("local"), name)


def test_a_given_value_is_not_made_anew() -> None:
    document: dict[str, Any] = stack_document("local")
    document["server"]["basic-auth"]["password"] = "Given-1234-word"
    message = refused(document, "server.basic-auth.password")
    assert "is nothing that this stack makes" in message
    assert "Given-1234-word" not in message
    for method in METHODS.values():
        (name,) = (f"secret.vault.{m}" for m, block in METHODS.items() if block == method)
        block = {
            "app-role": {"role-id": "r", "secret-id": "s"},
            "password": {"user": "kestra", "password": "Given-1234-word"},
            "token": {"token": "Given-1234-word"},
        }
        settings = with_vault({k: block[k] for k in method})
        assert "is nothing that this stack makes" in refused(settings, name)


@pytest.mark.parametrize("kind", ["jdbc", "elasticsearch"])
def test_the_key_of_an_internal_store_is_never_made_anew(kind: str) -> None:
    document: dict[str, Any] = stack_document("local-vault") | {"secret": {"type": kind}}
    del document["declared-secrets"]
    assert "Kestra documents no way to change it" in refused(document, f"secret.{kind}.secret")
    assert f"generated-secret-{kind}-secret" in run(document).protected


def test_a_changed_key_of_an_internal_store_reaches_the_secret_and_nothing_else() -> None:
    document: dict[str, Any] = stack_document("local-vault")
    del document["declared-secrets"]
    kept, other = (
        "First-key-of-forty-four-characters-in-length",
        "Other-key-of-forty-four-characters-in-length",
    )
    (line,) = documented("Key of the JDBC or Elasticsearch store")
    assert "'kestra:secret.jdbc.secret'" in line
    before, after = (
        run(document | {"secret": {"type": "jdbc", "jdbc": {"secret": key}}})
        for key in (kept, other)
    )
    # The guard has the key's fingerprint: it refuses this in production, unless it is meant.
    assert set(touched(before, after)) == {"guard", "kestra-secret"}
    old, new = (r.resources["kestra-secret"][1]["stringData"] for r in (before, after))
    differ = {k for k, v in new["value"].items() if v != old["value"][k]}
    assert differ == {"STACK_KESTRA_SECRET_JDBC_SECRET"}


def test_every_text_is_short_and_says_nothing() -> None:
    for wrong in ("", "two words", "x" * 65, True, ["2"], None):
        document = stack_document("local") | {"rotation": {"server.basic-auth.password": wrong}}
        with pytest.raises(SettingsError):
            load(document, source="t")


def test_the_page_has_a_section_for_every_kind() -> None:
    every = {f'kestra:rotation["{name}"]' for name in RESOURCES}
    page = "".join(
        section(h) for h in ("Vault: AppRole secret id", "Vault: token", "Vault: userpass")
    )
    assert all(f"'{setting}'" in page for setting in every)

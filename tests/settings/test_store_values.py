"""Single values of `kestra:store` and of declared secrets: what is refused, in whose name, and what to write."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BeforeValidator
from pydantic.fields import FieldInfo

from components.settings.base import SOURCE_PROJECT, Duration, StrictBool
from components.settings.model import Settings
from components.settings.report import Problem
from components.validation import load
from components.validation.model_keys import leaves
from components.validation.schema import OURS
from tests.settings.malformed_fixtures import VAULT, enterprise, oss
from tests.settings.store_documents_support import (
    ADDRESS,
    TOKEN,
    errors_of,
    problems_of,
    with_store,
)

_NAMES = ("auth-path", "role", "path", "namespace", "mount", "address")


@pytest.mark.parametrize("text", ["", " ", "a b", " a", "a\nb", "a\x01b"])
def test_an_empty_name_in_vault_and_one_with_spaces_are_refused(text: str) -> None:
    block = dict.fromkeys(_NAMES, text)
    errors = set(errors_of(with_store("vault", vault=block)))
    # Where a folder's form is judged, all else of the block is valid.
    errors |= set(errors_of(with_store("vault", vault=ADDRESS | {"path": text})))
    assert errors == {f"store.vault.{key}" for key in _NAMES}


@pytest.mark.parametrize("text", ["kubernetes", "k8s/eu-1", "a_b.c"])
def test_names_that_vault_takes_are_accepted(text: str) -> None:
    names = {"auth-path": text, "path": text, "namespace": f"{text}/", "role": text.split("/")[0]}
    assert not errors_of(with_store("vault", vault=ADDRESS | names))


@pytest.mark.parametrize(
    ("type_", "identity", "block"),
    [
        ("azure-key-vault", {}, {"azure": {"resource-group": "r", "vault-name": "vault-a", "location": "a\nb"}}),
        ("azure-key-vault", {"azure": {"resource-group": " "}}, {"azure": {"resource-group": "r", "vault-name": "vault-a"}}),
        ("azure-key-vault", {}, {"azure": {"resource-group": "r", "vault-name": "vault-a", "prefix": "a b"}}),
        ("google-secret-manager", {}, {"gcp": {"project": "a b"}}),
        ("google-secret-manager", {}, {"gcp": {"project": "acme", "prefix": "a/b"}}),
        ("vault", {"vault": {"audience": "a b"}}, {"vault": ADDRESS}),
    ],
)  # fmt: skip
def test_names_in_clouds_are_refused_where_they_are_written(
    type_: str, identity: Any, block: Any
) -> None:
    errors = set(errors_of(with_store(type_, identity, secrets={}, **block)))
    assert [path for path in errors if path.count(".") > 1]


INTERVALS = [0, "60", "5 m", "25h", "10500ms", "", True, None, [1], 1.5]


@pytest.mark.parametrize("interval", INTERVALS)
def test_the_interval_of_the_operator_is_refused_with_one_that_is_accepted(interval: Any) -> None:
    def problems(value: Any) -> list[Problem]:
        store = {"type": "vault", "vault": ADDRESS, "refresh-interval": value}
        return problems_of(oss(store=store, declared_secrets=TOKEN))

    (problem,) = problems(interval)
    assert problem.path == "kestra:store.refresh-interval"
    assert "Kestra" not in problem.message + problem.rule
    assert problem.fix == "write for example 5m"
    assert not problems("5m")
    if " write " in problem.message:
        assert not problems(problem.message.rsplit(" write ", 1)[1])


@pytest.mark.parametrize("accepted", ["10s", "90s", "24h", "PT5M", "1d"])
def test_the_interval_may_be_ten_seconds_to_a_day(accepted: str) -> None:
    store = {"type": "vault", "vault": ADDRESS, "refresh-interval": accepted}
    assert not problems_of(oss(store=store, declared_secrets=TOKEN))


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (oss(store={"type": "vault", "vault": ADDRESS, "install": "yes"}), "store.install"),
        (oss(declared_secrets={"A": {"external": 1}}), "declared-secrets.A.external"),
        (oss(encryption={"external": "on"}), "encryption.external"),
        (oss(deployment={"create-namespace": "no"}), "deployment.create-namespace"),
        (oss(identity={"vault": {"token-ttl": "5"}}), "identity.vault.token-ttl"),
    ],
)
def test_what_kestra_never_reads_is_refused_without_a_word_of_it(
    document: dict[str, Any], path: str
) -> None:
    (problem,) = [p for p in problems_of(document) if p.path == f"kestra:{path}"]
    assert "Kestra" not in problem.message + problem.rule


def test_a_switch_of_kestra_is_refused_with_what_kestra_makes_of_it() -> None:
    (problem,) = problems_of(enterprise(secret=VAULT | {"cache": {"enabled": "yes"}}))
    assert problem.rule == "Kestra reads anything else as false"


@pytest.mark.parametrize(
    ("block", "key", "fix"),
    [
        ({"mount": None}, "mount", "write a text, or remove the key"),
        ({"auth-path": None}, "auth-path", "write a text, or remove the key"),
        ({"address": None}, "address", "write a text"),
        ({"mount": ["a"]}, "mount", "write one text in its place"),
        ({"mount": 5}, "mount", "write it in quotes"),
    ],
)
def test_what_is_no_text_is_refused_with_what_to_write(block: Any, key: str, fix: str) -> None:
    (problem,) = problems_of(with_store("vault", vault=ADDRESS | block))
    assert (problem.path, problem.fix) == (f"kestra:store.vault.{key}", fix)


def test_an_item_without_a_value_is_to_be_removed() -> None:
    document = with_store("vault", {"vault": {"paths": [None]}}, vault=ADDRESS)
    (problem,) = [p for p in problems_of(document) if p.path.endswith("[0]")]
    assert problem.fix == "write a text, or remove the item"


def test_a_version_of_an_existing_secret_may_be_a_number() -> None:
    document = with_store(
        "vault", vault=ADDRESS, secrets={"A": {"existing": {"name": "a", "version": 3}}}
    )
    existing = load(document, source="test").settings.declared_secrets["A"].existing
    assert existing is not None
    assert existing.version == "3"


def test_a_namespace_that_limits_nobody_is_a_warning() -> None:
    limited = {"A": {"namespace": "company", "tenant": "other", "generate": {}}}
    said = {p.path: p for p in problems_of(oss(declared_secrets=limited))}
    assert set(said) == {
        "kestra:declared-secrets.A.namespace",
        "kestra:declared-secrets.A.tenant",
    }
    assert {(p.severity, p.fix) for p in said.values()} == {("warning", "remove it")}
    # In Vault it is a part of the path.
    in_vault = problems_of(with_store("vault", vault=ADDRESS, secrets=limited))
    assert all("the secret is main/A there" in p.fix for p in in_vault)
    assert not problems_of(oss(declared_secrets={"A": {"tenant": "main", "generate": {}}}))


def test_keys_that_kestra_never_reads_have_types_of_their_own() -> None:
    """So that nobody is told what Kestra makes of such a value."""
    of_kestra = {get_args(type_)[1] for type_ in (StrictBool, Duration)}
    wrong = [
        path
        for name, field in Settings.model_fields.items()
        for path, leaf, _ in leaves(field.alias or name, field)
        if _is_of_project(path, leaf)
        and of_kestra & {one for one in _metadata(leaf) if isinstance(one, BeforeValidator)}
    ]
    assert wrong == []


def _is_of_project(path: str, field: FieldInfo) -> bool:
    extra: Any = field.json_schema_extra
    # The second secret manager has the keys of kestra:secret.
    ours = path.split(".")[0] in OURS and not path.startswith("store.also.")
    return ours or extra["source"] == SOURCE_PROJECT


def _metadata(field: FieldInfo) -> list[Any]:
    parts = get_args(field.annotation)
    return [*field.metadata, *(one for part in parts for one in get_args(part))]

"""Keys that data is encrypted with: new ones are strong, those that data is bound to stay as they are."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from components.rendering.configuration import render
from components.settings import Problem, SettingsError
from components.validation import load, load_file
from components.validation.rules.keys import decoded_size
from sandbox.report.paths import recovery_place
from tests.components.recording_support import run
from tests.conftest import stack_document
from tests.settings.malformed_fixtures import KEY, enterprise, oss

SHORT = "Pl4nted-Short-Key"
PATH = "kestra:encryption.secret-key"


def key(size: int) -> str:
    return base64.b64encode(bytes(range(size))).decode()


def problems(document: dict[str, Any]) -> dict[str, Problem]:
    """Path to problem or warning; one each."""
    try:
        reported = load(document, source="f.yaml").warnings
    except SettingsError as error:
        reported = error.problems
    assert len({p.path for p in reported}) == len(reported)
    return {p.path: p for p in reported}


def encryption(**block: Any) -> dict[str, Any]:
    return oss(encryption={name.replace("_", "-"): value for name, value in block.items()})


def internal(kind: str = "jdbc", encryption: Any = None, **block: Any) -> dict[str, Any]:
    return enterprise(secret={"type": kind, kind: block}, encryption=encryption or {})


@pytest.mark.parametrize(("size", "cipher"), [(16, "AES-128"), (24, "AES-192")])
def test_a_weak_key_is_kept_with_a_warning_where_data_is_bound_to_it(
    size: int, cipher: str
) -> None:
    refused = problems(encryption(secret_key=key(size)))[PATH]
    assert refused.severity == "error"
    assert f"decodes to {size} bytes" in refused.message
    assert "kestra:encryption.existing" in refused.fix
    (kept,) = problems(encryption(secret_key=key(size), existing=True)).values()
    assert (kept.path, kept.severity) == (PATH, "warning")
    assert "existing" in kept.message
    assert cipher in kept.message
    assert key(size) not in kept.line() + refused.line()


@pytest.mark.parametrize("value", [key(32), key(32).rstrip("="), "${KESTRA_KEY:}"])
def test_existing_says_nothing_of_a_key_that_is_strong_or_elsewhere(value: str) -> None:
    assert problems(encryption(secret_key=value, existing=True)) == {}


@pytest.mark.parametrize("value", ["", key(31), key(33), key(8), "no base64!", key(32)[:20] + "\n"])
def test_a_key_that_kestra_never_took_is_refused_even_where_it_exists(value: str) -> None:
    refused = problems(encryption(secret_key=value, existing=True))[PATH]
    assert refused.severity == "error"
    assert "16, 24 or 32 bytes" in refused.rule
    assert "the key that Kestra runs with" in refused.fix
    new = problems(encryption(secret_key=value, existing=False))[PATH]
    assert "existing" not in new.line()


@pytest.mark.parametrize("kind", ["jdbc", "elasticsearch"])
def test_nothing_is_generated_in_place_of_a_key_that_exists(kind: str) -> None:
    for document, path in (
        (encryption(existing=True), PATH),
        (encryption(existing="true", secret_key=None), PATH),
        (internal(kind, existing=True), f"kestra:secret.{kind}.secret"),
    ):
        missing = problems(document)[path]
        assert missing.severity == "error"
        assert "none is generated in its place" in missing.rule
        assert f"pulumi config set --path --secret '{path}'" in missing.fix
    assert problems(encryption(existing=False)) == {}
    assert problems(internal(kind, existing=False)) == {}


def test_a_misspelled_key_is_not_called_missing_too() -> None:
    assert set(problems(encryption(existing=True, secret_kye=KEY))) == {
        "kestra:encryption.secret-kye"
    }


@pytest.mark.parametrize("kind", ["jdbc", "elasticsearch"])
def test_a_short_key_of_the_internal_store_is_kept_where_it_exists(kind: str) -> None:
    path = f"kestra:secret.{kind}.secret"
    refused = problems(internal(kind, secret=SHORT))[path]
    assert f"set kestra:secret.{kind}.existing to true" in refused.fix
    kept = problems(internal(kind, secret=SHORT, existing=True))[path]
    assert (kept.severity, "existing" in kept.message) == ("warning", True)
    empty = problems(internal(kind, secret="", existing=True))[path]
    assert (empty.severity, empty.message) == ("error", "is empty")
    assert SHORT not in refused.line() + kept.line()


@pytest.mark.parametrize(
    ("of_store", "of_encryption"), [(True, False), (False, True), (True, True)]
)
def test_one_key_for_two_purposes_is_kept_where_it_exists(
    of_store: bool, of_encryption: bool
) -> None:
    for value in (KEY, "${KESTRA_KEY:}"):
        document = internal(secret=value, existing=of_store)
        document["encryption"] = {"secret-key": value, "existing": of_encryption}
        (kept,) = problems(document).values()
        assert (kept.path, kept.severity) == ("kestra:secret.jdbc.secret", "warning")
        assert "existing" in kept.message
        (refused,) = problems(internal(secret=value, encryption={"secret-key": value})).values()
        assert refused.severity == "error"
        assert "kestra:secret.jdbc.existing" in refused.fix


def test_existing_is_not_rendered() -> None:
    document = internal(secret=SHORT, existing=True)
    document["encryption"] = {"secret-key": key(16), "existing": True}
    text = render(load(document, source="f").settings).yaml()
    assert "existing" not in text
    assert "secret-key" in text


def test_an_encrypted_key_that_exists_is_accepted_unread(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(
        "config:\n  kestra:server: {basic-auth: {username: a@b.c}}\n"
        "  kestra:encryption: {existing: true, secret-key: {secure: AAABAH}}\n"
    )
    assert load_file(file).warnings == ()


def test_of_a_key_that_exists_the_store_keeps_a_copy() -> None:
    document = stack_document("local-vault")
    document["encryption"] = {"existing": True, "secret-key": key(24)}
    recorded = run(document)
    assert "store-encryption-key" in recorded.of("SecretV2")
    assert not [n for n in recorded.of("RandomPassword") if "encryption" in n]
    assert recovery_place(load(document, source="f").settings)


def test_the_command_that_encrypts_a_key_does_not_ask_for_another_one(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.x.yaml"
    file.write_text(
        f"config:\n  kestra:server: {{basic-auth: {{username: a@b.c}}}}\n"
        f"  kestra:encryption: {{secretKey: {KEY}}}\n"
    )
    (warning,) = load_file(file).warnings
    assert "kestra:encryption.secretKey" in warning.fix
    assert "the same one" in warning.fix
    assert "new value" not in warning.fix


def test_a_key_is_read_as_java_reads_it() -> None:
    assert decoded_size(key(16).rstrip("=")) == 16
    assert decoded_size(key(24)) == 24
    for wrong in ("A", "AAAAA", "AA=A", "AAA==", "====", "AA-_", "A A=", "ä"):
        assert decoded_size(wrong) is None, wrong

"""Keys that data is encrypted with are kept, or said to exist; keys that never encrypted anything are made anew."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.importing.installation_support import imported, installation

COMMAND = "pulumi config set --path --secret 'kestra:{}'"


def _key(size: int) -> str:
    return base64.b64encode(bytes(range(size))).decode()


@pytest.mark.parametrize("key", [_key(16), _key(24), _key(32), "${KESTRA_KEY}", "${KESTRA_KEY:}"])
def test_a_usable_key_is_never_replaced_by_a_generated_one(key: str, tmp_path: Path) -> None:
    result = imported(tmp_path, installation(f"kestra: {{encryption: {{secret-key: '{key}'}}}}"))
    block = result.config["encryption"]
    assert block["existing"] is True
    assert (
        COMMAND.format("encryption.secret-key") in result.commands() or block["secret-key"] == key
    )
    assert result.unexpected_problems() == []
    assert key.startswith("$") or key not in result.shown()


@pytest.mark.parametrize("key", [_key(16), _key(32)])
def test_with_a_passphrase_the_key_is_in_the_file(
    key: str, tmp_path: Path, passphrase: str
) -> None:
    result = imported(tmp_path, installation(f"kestra: {{encryption: {{secret-key: '{key}'}}}}"))
    assert set(result.config["encryption"]["secret-key"]) == {"secure"}
    assert result.config["encryption"]["existing"] is True
    assert result.commands() == []
    assert result.unexpected_problems() == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (base64.b64encode(b"planted-encryption-key-32-bytes!\n").decode(), "33 bytes"),
        (_key(20), "20 bytes"),
        (base64.urlsafe_b64encode(b"\xfb\xff" * 16).decode(), "no standard base64"),
        ("", "empty"),
    ],
)
def test_a_key_that_encrypted_nothing_is_made_anew(key: str, words: str, tmp_path: Path) -> None:
    result = imported(tmp_path, installation(f"kestra: {{encryption: {{secret-key: '{key}'}}}}"))
    assert "encryption" not in result.config
    assert result.commands() == []
    result.line("encryption.secret-key", words)


@pytest.mark.parametrize("kind", ["jdbc", "elasticsearch"])
def test_the_key_of_the_internal_secret_store_is_kept(kind: str, tmp_path: Path) -> None:
    text = f"kestra: {{secret: {{type: {kind}, {kind}: {{secret: planted-short-key}}}}}}"
    result = imported(tmp_path, installation(text))
    assert result.config["secret"][kind] == {"existing": True}
    assert COMMAND.format(f"secret.{kind}.secret") in result.commands()
    assert result.unexpected_problems() == []
    assert "planted-short-key" not in result.shown()


def test_one_key_for_two_purposes_exists_for_both(tmp_path: Path, passphrase: str) -> None:
    key = _key(32)
    text = f"kestra: {{encryption: {{secret-key: '{key}'}}, secret: {{type: jdbc, jdbc: {{secret: '{key}'}}}}}}"
    result = imported(tmp_path, installation(text))
    assert (
        result.config["encryption"]["existing"]
        is result.config["secret"]["jdbc"]["existing"]
        is True
    )
    assert result.unexpected_problems() == []
    assert result.commands() == []

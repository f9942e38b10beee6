"""The search finds what is planted, in every disguise."""

from __future__ import annotations

import base64
import urllib.parse
from pathlib import Path

import pytest

from sandbox.leaks import search, search_text

VALUE = "pl4nted/Secret+Value~Zq81"
SECRETS = {"PASSWORD": VALUE}

PLANTED = {
    "in clear": VALUE.encode(),
    "in a sentence": f"the password is {VALUE}.".encode(),
    "base64": base64.b64encode(VALUE.encode()),
    "base64 behind one byte": base64.b64encode(b"x" + VALUE.encode() + b"tail"),
    "base64 behind two bytes": base64.b64encode(b"xy" + VALUE.encode() + b"t"),
    "base64 of a log-in": base64.b64encode(f"admin@kestra.io:{VALUE}".encode()),
    "hexadecimal": VALUE.encode().hex().encode(),
    "URL-encoded": urllib.parse.quote(VALUE, safe="").encode(),
}


@pytest.mark.parametrize("data", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_value_is_found(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "below" / "log"
    file.parent.mkdir()
    file.write_bytes(b"\0\1\2" + data + b"\n")
    found = search([tmp_path], SECRETS)
    assert {leak.name for leak in found} == {"PASSWORD"}
    assert VALUE not in repr(found)


def test_other_bytes_are_no_leak(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("nothing here\n" + base64.b64encode(b"another value").decode())
    assert search([tmp_path], SECRETS) == []
    assert search_text(b"", "nowhere", SECRETS) == []


def test_a_folder_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(VALUE)
    assert search([tmp_path], SECRETS, without=[tmp_path / "log"]) == []

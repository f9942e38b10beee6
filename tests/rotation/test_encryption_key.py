"""A real Kestra, booted on one database with key A, with key B, and with key A again."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.progress import Progress
from tests.rotation.kestra_boots_support import (
    FLOW,
    KEEPING,
    Boot,
    boot,
    keeping_flow,
    secret_flow,
    with_key,
)
from tests.rotation.rotation_support import section

pytestmark = pytest.mark.kestra

A = base64.b64encode(bytes(range(32))).decode()
B = base64.b64encode(bytes(range(1, 33))).decode()
OLD, NEW = "Pl4nted-Old-Zq81", "Pl4nted-New-Zq82"
TAG = "AEADBadTagException: Tag mismatch"

Run = Mapping[str, Any]


def _read(run: Run, flow: str = FLOW) -> list[dict[str, str]]:
    """What a boot reads of the executions of a flow, in their order."""
    return [stored["read"] for stored in run["stored"] if stored["flow"] == flow]


@pytest.fixture(scope="module")
def boots(tmp_path_factory: pytest.TempPathFactory, progress: Progress) -> list[Run]:
    folder = tmp_path_factory.mktemp("keys")
    old = Boot("a", with_key(A), (secret_flow(OLD),))
    keeps = keeping_flow(A, B)
    new = Boot("b", with_key(B), (secret_flow(NEW),), (keeps,), replay=(f"every {FLOW}",))
    back = Boot("again", with_key(A))
    return boot(folder, [old, new, back], progress)


def test_every_boot_starts_without_a_word_about_the_key(boots: list[Run]) -> None:
    for run in boots:
        assert "error" not in run
        assert set(run["services"].values()) == {"RUNNING"}


def test_what_was_stored_with_one_key_is_unreadable_with_another(boots: list[Run]) -> None:
    first, other, _ = boots
    assert _read(first) == [{"input": OLD, "output": OLD}]
    old, new = sorted(_read(other), key=len, reverse=True), {"input": NEW, "output": NEW}
    assert {"input error": TAG, "output error": TAG} in old
    assert new in old
    # What the user interface shows is what is stored: the encrypted text, as before.
    stored = {s["id"]: (s["inputs"], s["outputs"]) for s in first["stored"]}
    assert stored.items() <= {s["id"]: (s["inputs"], s["outputs"]) for s in other["stored"]}.items()


def test_an_execution_of_before_fails_when_it_goes_on_with_another_key(boots: list[Run]) -> None:
    first, other, _ = boots
    (old,) = (stored["id"] for stored in first["stored"])
    replays = dict(other["replays"])
    failed = replays.pop(old)
    assert failed["state"] == "FAILED"
    assert "Tag mismatch" in "\n".join(failed["logs"])
    assert OLD not in str(failed)
    # One of the new key can be replayed.
    assert {replay["state"] for replay in replays.values()} == {"SUCCESS"}
    assert len(replays) == 1


def test_with_the_key_of_before_everything_of_before_is_back(boots: list[Run]) -> None:
    first, other, back = boots
    (old,) = (stored["id"] for stored in first["stored"])
    reads = {stored["id"]: stored["read"] for stored in back["stored"] if stored["flow"] == FLOW}
    assert reads[old] == {"input": OLD, "output": OLD}
    written = {s["id"] for s in other["stored"] if s["read"].get("output") == NEW}
    assert written
    assert all(reads[id_]["output error"] == TAG for id_ in written)


def test_the_query_of_the_page_finds_what_is_encrypted(boots: list[Run]) -> None:
    assert "like '%io.kestra.datatype:aes_encrypted%'" in section("The encryption key")
    # On H2, whose columns are quoted; on PostgreSQL the page's own words.
    assert boots[0]["holders"] == {FLOW: 1}


def test_a_flow_of_the_page_keeps_an_old_value_under_the_new_key(boots: list[Run]) -> None:
    (kept,) = (flow for flow in boots[1]["flows"] if flow["id"] == KEEPING)
    assert kept["state"] == "SUCCESS"
    stored = kept["output"]
    assert (stored["decrypted"], stored["otherKey"]) == (OLD, "refused")
    # Neither the value nor the key of before is in clear in the database.
    rows = "\n".join(boots[1]["tables"].values())
    assert KEEPING in rows
    assert OLD not in rows
    assert A not in rows

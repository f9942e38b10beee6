"""The committed catalogue has every key that an artifact of Kestra's names."""

from __future__ import annotations

import pytest

from components.catalogue import KEYS, catalogue, lookup, segments
from components.catalogue.artifacts import artifacts
from components.catalogue.evidence import gather, unsettable
from components.catalogue.generate import generate, rows, written
from sandbox.kestra import RELEASES

pytestmark = pytest.mark.kestra


def test_the_committed_file_is_what_the_generator_writes() -> None:
    assert written(generate()) == KEYS.read_text(encoding="utf-8"), (
        "run python -m components.catalogue.generate"
    )


@pytest.mark.parametrize("version", list(RELEASES))
def test_no_artifact_has_a_key_that_the_catalogue_lacks(version: str) -> None:
    jars = artifacts(version)
    dropped = [row["key"] for row in rows("decisions.tsv") if row["column"] == "drop"]
    no_text = {name for name, _ in unsettable(jars)}
    named = {row["name"] for _, row in jars.metadata()} - no_text
    assert len(named) > 600
    looked_up = {fact.key for fact in gather(jars)} | {name.replace("[*]", "[]") for name in named}
    lacking = {
        key
        for key in looked_up
        if lookup(tuple(0 if part == "[]" else part for part in segments(key))).kind == "unknown"
        and not any(
            key == name or (name.endswith(".") and key.startswith(name)) for name in dropped
        )
    }
    assert lacking == set()
    read = sum(row.is_in(version) and row.edition != "enterprise" for row in catalogue())
    print(f"{read} open-core keys of {version}")

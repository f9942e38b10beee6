"""Hundreds of valid documents registered, none with a wrong name, tag or secret; of invalid ones, nothing."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulumi.runtime import config as runtime_config

from components.program import deploy
from components.validation import load
from sandbox.progress import Progress
from tests.components.recording_support import Recorder
from tests.faults import hostile_documents_support as documents
from tests.faults import hostile_kestra_support as real
from tests.faults.hostile_judge_support import Tally
from tests.faults.hostile_program_support import faults, plugins
from tests.faults.test_hostile_settings import hostile
from tests.tiers import long

__all__ = ["plugins"]
#: Documents that are grown, and how many of the valid ones a real Kestra binds; the first is the sample.
FEW, MANY = 15, 300
AMOUNTS = pytest.mark.parametrize(
    "amount", [pytest.param(FEW, id="sample"), pytest.param(MANY, id="all", marks=long("hostile"))]
)


@cache
def grown(amount: int) -> Tally:
    """Documents as in the tests of the settings, always the same ones."""
    tally = Tally()

    @settings(hostile, max_examples=amount)
    @given(st.data())
    def grow(data: st.DataObject) -> None:
        documents.grow(data.draw, tally.judge)

    grow()
    return tally


def different(found: list[documents.Document]) -> list[documents.Document]:
    return list({repr(d): d for d in found}.values())


@AMOUNTS
@pytest.mark.usefixtures("plugins")
def test_no_valid_document_registers_what_its_target_refuses(amount: int) -> None:
    valid = different(grown(amount).valid)
    assert len(valid) >= amount // 3
    wrong = [(fault, d) for d in valid for fault in faults(d)]
    assert wrong == []


@AMOUNTS
def test_no_invalid_document_registers_anything(
    monkeypatch: pytest.MonkeyPatch, amount: int
) -> None:
    refused = 0
    for document in different(grown(amount).invalid)[:300]:
        try:
            texts = {
                f"kestra:{k}": v if isinstance(v, str) else json.dumps(v)
                for k, v in document.items()
            }
        except (TypeError, ValueError):
            continue  # Pulumi cannot hold it
        recorder = Recorder()
        pulumi.runtime.set_mocks(recorder, project="kestra", stack="test", preview=False)
        monkeypatch.setattr(runtime_config, "CONFIG", _Configuration(texts))
        with pytest.raises(pulumi.RunError) as told:
            deploy()
        assert documents.PLANTED not in str(told.value)
        assert recorder.resources == {}
        refused += 1
    assert refused > amount // 3


def _is_bound_by_1_3(document: documents.Document) -> bool:
    chosen = load(document, source="f.yaml").settings
    return chosen.version == "1.3" and not chosen.is_secrets_alone


class _Configuration:
    """Stands in for the stack's configuration as the language host has it."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def get(self) -> dict[str, str]:
        return self._texts


@AMOUNTS
@pytest.mark.kestra
def test_a_real_kestra_binds_what_was_meant(
    tmp_path: Path, progress: Progress, amount: int
) -> None:
    fitting = [d for d in different(grown(amount).valid) if _is_bound_by_1_3(d)]
    boots = amount // 6
    sample = real.chosen(fitting, boots)
    assert len(sample) == boots
    wrong: list[Any] = []
    for document, report in zip(sample, real.bind(sample, tmp_path, progress), strict=True):
        assert report.bound
        wrong += [(mismatch, document) for mismatch in report.mismatches]
    assert wrong == []

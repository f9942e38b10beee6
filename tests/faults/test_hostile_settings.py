"""At least ten thousand documents that nobody would write: each gives a report, or settings that render exactly."""

from __future__ import annotations

import contextlib
import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from components.__main__ import main
from components.settings import SettingsError
from components.validation import load_file
from tests.faults import hostile_documents_support as documents
from tests.faults import hostile_texts_support as texts
from tests.faults.hostile_judge_support import Tally, check_rendered, check_report
from tests.faults.hostile_keys_support import LEAVES, PLANTED, keys
from tests.tiers import long

#: `HOSTILE_DOCUMENTS=100000 pytest tests/faults/test_hostile_settings.py` runs more, of other ones.
AT_LEAST = 10_000
MANY = int(os.environ.get("HOSTILE_DOCUMENTS", AT_LEAST))
#: What the quick tiers run of them, of the same kinds.
FEW = 300
AMOUNTS = pytest.mark.parametrize(
    "amount", [pytest.param(FEW, id="sample"), pytest.param(MANY, id="all", marks=long("hostile"))]
)

hostile = settings(
    derandomize="HOSTILE_DOCUMENTS" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
        HealthCheck.large_base_example,
        HealthCheck.function_scoped_fixture,
    ],
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
TALLY = Tally()


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    """A document that is never done with fails in place of hanging."""

    def late(*_: Any) -> None:
        raise AssertionError("no answer in ten minutes")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(600)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@AMOUNTS
def test_what_is_grown_from_the_models_is_reported_or_renders_exactly(amount: int) -> None:
    each = -(-amount * 16 // 100 // len(LEAVES))
    # The sample has one document for each of some keys, evenly spread over all of them.
    for key in LEAVES[:: max(1, len(LEAVES) * 100 // (amount * 16))]:
        grown_with(key, each)
    if amount == MANY:
        # Few documents with these are valid: their values depend on one another.
        for key in never_valid():
            grown_with(key, 40)


def never_valid() -> list[documents.Key]:
    """Keys that no valid document had; below store.also stand those of the secret manager once more."""
    counted = [key for key in LEAVES if key.path[:2] != ("store", "also")]
    return [key for key in counted if key.path not in TALLY.keys]


def grown_with(key: documents.Key, amount: int) -> None:
    """Some documents with the key."""

    @settings(hostile, max_examples=amount)
    @given(st.data())
    def grow(data: st.DataObject) -> None:
        documents.grow(data.draw, TALLY.judge, key)

    grow()


@AMOUNTS
def test_what_is_broken_is_reported_or_renders_exactly(amount: int) -> None:
    @settings(hostile, max_examples=amount * 45 // 100)
    @given(documents.broken())
    def judge(document: documents.Document) -> None:
        TALLY.judge(document)

    judge()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile") / "Pulumi.hostile.yaml"


def judge_file(file: Path) -> None:
    """The loader and both commands say the same of a file, and nothing but a report comes out."""
    try:
        loaded = load_file(file)
    except SettingsError as error:
        check_report(error, None)
        expected = 1
    else:
        check_rendered(loaded)
        expected = 0
    for command in ("check", "render") if not expected else ("check",):
        # A terminal that takes whole characters only.
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict", newline="")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            assert main([command, str(file)]) == expected
        out.flush()
        told = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
        assert PLANTED not in told
        assert "Traceback" not in told


@AMOUNTS
def test_a_stack_file_with_raw_text_in_it_is_reported_or_renders_exactly(
    file: Path, amount: int
) -> None:
    @settings(hostile, max_examples=amount * 4 // 100)
    @given(texts.texts())
    def judge(text: str) -> None:
        TALLY.seen.add(hash(text))
        file.write_bytes(text.encode())
        judge_file(file)

    judge()


@pytest.mark.parametrize("content", [pytest.param(c, id=n) for n, c in texts.dangerous()])
def test_a_file_that_yaml_makes_dangerous_is_soon_answered(file: Path, content: bytes) -> None:
    TALLY.seen.add(hash(content))
    file.write_bytes(content)
    judge_file(file)


#: Every which one: the quick tiers take one in twelve, which meets every form and all parts of the settings.
STEPS = pytest.mark.parametrize(
    "step", [pytest.param(12, id="sample"), pytest.param(1, id="all", marks=long("hostile"))]
)


@STEPS
def test_a_secret_in_any_form_under_any_sensitive_key_is_in_no_report(step: int) -> None:
    for key, form in list(documents.misplaced())[::step]:
        TALLY.judge(documents.only(key, form))


@STEPS
@pytest.mark.parametrize(
    "form", [PLANTED, {"x": PLANTED}, [PLANTED], PLANTED * 50, [{"x": PLANTED}]]
)
def test_no_value_of_any_key_is_in_a_report(form: Any, step: int) -> None:
    for key in list(keys())[::step]:
        TALLY.judge(documents.only(key, form), rendered=False)


def test_the_sample_was_of_valid_and_invalid_documents() -> None:
    if not TALLY.seen:
        pytest.skip("the documents are those of the tests above")
    assert len(TALLY.seen) >= FEW // 2
    assert len(TALLY.valid) >= FEW // 10
    assert len(TALLY.invalid) >= FEW // 10
    assert len(TALLY.rules) >= 20


@long("hostile")
def test_there_were_ten_thousand_different_documents_and_every_key_was_set() -> None:
    never = [str(key) for key in never_valid()]
    print(
        f"{len(TALLY.seen)} different documents: {len(TALLY.valid)} valid and {len(TALLY.invalid)} invalid, "
        f"{len(TALLY.rules)} different problems; {len(never)} of {len(LEAVES)} keys never set validly"
    )
    assert len(TALLY.seen) >= AT_LEAST
    assert len(TALLY.valid) >= AT_LEAST // 10
    print("never set validly:", ", ".join(never))
    assert len(never) <= len(LEAVES) // 30, never

"""At least ten thousand documents that nobody would write: each gives a report, or settings that render exactly."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.faults import hostile_documents_support as documents
from tests.faults.hostile_judge_support import Tally

#: `HOSTILE_DOCUMENTS=100000 pytest tests/faults/test_hostile_settings.py` runs more, of other ones.
AT_LEAST = 10_000
MANY = int(os.environ.get("HOSTILE_DOCUMENTS", AT_LEAST))

hostile = settings(
    derandomize="HOSTILE_DOCUMENTS" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
TALLY = Tally()


@settings(hostile, max_examples=MANY * 15 // 100)
@given(st.data())
def test_what_is_grown_from_the_models_is_reported_or_renders_exactly(data: st.DataObject) -> None:
    documents.grow(data.draw, TALLY.judge)


@settings(hostile, max_examples=MANY * 7 // 10)
@given(documents.broken())
def test_what_is_broken_is_reported_or_renders_exactly(document: documents.Document) -> None:
    TALLY.judge(document)

"""How often a server is asked, and until when. The clock is the test's own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.providers.runtime import retry
from sandbox.providers.runtime.retry import (
    DeadlineExceeded,
    deadline,
    retry_after,
    retry_until,
    run_with_deadline,
)


class Clock:
    """Time that passes by waiting only."""

    def __init__(self) -> None:
        self.now, self.waited = 100.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(retry, "time", made)
    return made


def test_it_asks_until_the_outcome_stands(clock: Clock) -> None:
    outcomes: list[int | Exception] = [503, OSError("gone"), 200]

    def send() -> int:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    answer = retry_until(
        send, lambda asked, outcome: None if outcome == 200 else float(asked), OSError
    )
    assert (answer, clock.waited) == (200, [1.0, 2.0])


def test_the_last_answer_or_failure_stands_when_the_time_is_over(clock: Clock) -> None:
    assert retry_until(lambda: 503, lambda _asked, _outcome: 4.0, OSError, clock.now + 10) == 503
    assert clock.waited == [4.0, 4.0]

    def gone() -> int:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        retry_until(gone, lambda _asked, _outcome: 4.0, OSError, clock.now + 5)


def test_an_operation_has_the_time_that_the_engine_gives_or_the_usual(clock: Clock) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert run_with_deadline(pool, 7, deadline) == 107.0
        assert run_with_deadline(pool, 0, deadline) == 100.0 + retry.OPERATION_SECONDS


def test_an_operation_that_does_not_end_is_left() -> None:
    ends = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        with pytest.raises(DeadlineExceeded, match=r"context deadline exceeded.* within 0\.05 s"):
            run_with_deadline(pool, 0.05, ends.wait)
        assert time.monotonic() - begun < 5
        ends.set()


def test_an_operations_own_timeout_is_its_own_error() -> None:
    def late() -> None:
        raise TimeoutError("its own")

    with ThreadPoolExecutor(1) as pool, pytest.raises(TimeoutError, match="its own"):
        run_with_deadline(pool, 5, late)


@pytest.mark.parametrize(("value", "seconds"), [("0", 0.0), ("12", 12.0), ("", None), (None, None), ("Wed", None)])  # fmt: skip
def test_only_whole_seconds_say_when_to_ask_again(value: str | None, seconds: float | None) -> None:
    assert retry_after(value) == seconds

"""What the program needs of the SDK's log, which sends each line to the engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime import settings as sdk

from components.safeguards.error_hooks import suppress_log_errors_after_engine_exit


class EndedEngine:
    """An engine that has ended: no call is answered."""

    version = "3"

    def Log(self, request: Any) -> None:
        raise grpc.RpcError(request.message)


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    properties: Any = sdk.SETTINGS
    before, properties.engine = properties.engine, EndedEngine()
    yield
    properties.engine = before


def test_a_line_after_the_engines_end_fails_the_sdk_without_the_program() -> None:
    # Where this does not raise any more, the program needs nothing of its own.
    with pytest.raises(grpc.RpcError, match="late"):
        pulumi.log.debug("late")


def test_a_line_after_the_engines_end_is_no_error() -> None:
    suppress_log_errors_after_engine_exit()
    pulumi.log.debug("late")
    engine: Any = sdk.get_engine()
    assert engine.version == "3"
    assert not hasattr(engine, "no_such_call")

"""Hooks of several programs in one process: each is answered as long as its own program runs."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime import settings
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import callback_pb2, callback_pb2_grpc, engine_pb2_grpc

Hook = Callable[[bytes], Coroutine[Any, Any, Any]]
SETTINGS: Any = settings.SETTINGS
#: Seconds after which a test that waits fails.
PATIENCE = 60.0


def _run(program: Callable[[], Coroutine[Any, Any, None]], name: str = "one") -> None:
    """Runs a program with settings of its own, as the Automation API does; no engine listens to its log."""
    own = contextvars.Context()
    own.run(_settings, name, None)
    # The SDK has settings for every context that is not a program's: those of the last that began in the process.
    with socket.create_server(("127.0.0.1", 0)) as free:
        ended = f"127.0.0.1:{free.getsockname()[1]}"
    with grpc.insecure_channel(ended) as channel:
        contextvars.Context().run(_settings, "ended", engine_pb2_grpc.EngineStub(channel))
        own.run(asyncio.run, asyncio.wait_for(program(), PATIENCE))


def _settings(project: str, engine: engine_pb2_grpc.EngineStub | None) -> None:
    SETTINGS.project, SETTINGS.engine = project, engine


def _ask(target: str) -> Any:
    """What the engine does when a hook is due."""
    with grpc.insecure_channel(target) as channel:
        stub = callback_pb2_grpc.CallbacksStub(channel)
        return stub.Invoke(callback_pb2.CallbackInvokeRequest(token="hook"), timeout=30)


async def _serving(hook: Hook) -> str:
    made = _CallbackServicer(None)  # type: ignore[arg-type]
    made._callbacks["hook"] = hook
    await made.serve()
    return made._target


async def _told(_: bytes) -> Any:
    return empty_pb2.Empty()


def test_a_hook_runs_on_the_event_loop_and_with_the_settings_of_its_program() -> None:
    async def program() -> None:
        where: list[Any] = []

        async def hook(_: bytes) -> Any:
            where.extend((asyncio.get_running_loop(), SETTINGS.project))
            return empty_pb2.Empty()

        target = await _serving(hook)
        await asyncio.to_thread(_ask, target)
        assert where == [asyncio.get_running_loop(), "one"]
        await _CallbackServicer.shutdown()

    _run(program)


def test_a_hook_that_fails_says_so_to_the_engine() -> None:
    async def hook(_: bytes) -> Any:
        raise ValueError("refused for a reason")

    async def program() -> None:
        target = await _serving(hook)
        with pytest.raises(grpc.RpcError, match="refused for a reason"):
            await asyncio.to_thread(_ask, target)
        await _CallbackServicer.shutdown()

    _run(program)


def test_the_end_of_one_program_ends_its_own_hooks_only() -> None:
    async def program() -> None:
        target = await _serving(_told)
        ended: list[str] = []

        async def another() -> None:
            ended.append(await _serving(_told))
            await _CallbackServicer.shutdown()

        await asyncio.to_thread(_run, another, "another")
        await asyncio.to_thread(_ask, target)
        with pytest.raises(grpc.RpcError):
            await asyncio.to_thread(_ask, ended[0])
        await _CallbackServicer.shutdown()

    _run(program)


def _close_an_interrupted_program() -> None:
    """As the interpreter does, whenever and wherever it comes by."""

    async def interrupted() -> None:
        try:
            await asyncio.sleep(0)
        finally:
            await _CallbackServicer.shutdown()

    left = interrupted()
    left.send(None)
    left.close()


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "left as it was"])
def test_a_program_that_was_cut_off_leaves_no_hooks(closed: bool) -> None:
    loop = asyncio.new_event_loop()
    target = loop.run_until_complete(_serving(_told))
    if closed:
        loop.close()
    _close_an_interrupted_program()
    with pytest.raises(grpc.RpcError):
        _ask(target)
    loop.close()


def test_what_is_left_of_a_program_is_closed_while_another_runs() -> None:
    async def program() -> None:
        target = await _serving(_told)
        await asyncio.to_thread(_close_an_interrupted_program)
        _close_an_interrupted_program()
        await asyncio.to_thread(_ask, target)
        await _CallbackServicer.shutdown()

    _run(program)


def test_the_end_of_a_program_does_not_wait_for_a_hook() -> None:
    begun = asyncio.Event()
    asked: list[Future[None]] = []

    async def hook(_: bytes) -> Any:
        begun.set()
        await asyncio.sleep(600)

    def ask(target: str) -> None:
        with pytest.raises(grpc.RpcError):
            _ask(target)

    with ThreadPoolExecutor(1) as pool:

        async def program() -> None:
            target = await _serving(hook)
            asked.append(pool.submit(ask, target))
            await begun.wait()
            await _CallbackServicer.shutdown()

        _run(program)
        asked[0].result(PATIENCE)

"""Serves the hooks of several programs in one process, one after another.

The SDK (3.259) serves a program's hooks with gRPC's server for asyncio, on the event loop of the program. gRPC keeps
one poller for all event loops of a process, so that what a program left behind is met by the next: hooks that
nobody answers ("connection refused"), and now and then the end of the process (a segmentation fault). Only the
Automation API runs several programs in a process; `pulumi up` has one for each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc
from pulumi.runtime import _callbacks


def serve_on_threads() -> None:
    """Has the SDK serve hooks from threads, from here on; a hook itself runs on its program's event loop as before."""
    _callbacks.aio = SimpleNamespace(server=_Server)  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]


class _Server:
    """What the SDK uses of `grpc.aio.Server`."""

    def __init__(self, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = asyncio.get_running_loop()
        self._threads = ThreadPoolExecutor(thread_name_prefix="hooks")
        self._server = grpc.server(self._threads, options=options)
        self._running: set[Future[Any]] = set()

    def add_insecure_port(self, address: str) -> int:
        return self._server.add_insecure_port(address)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers([_Handlers(h, self._answer) for h in handlers])

    async def start(self) -> None:
        self._server.start()

    async def stop(self, grace: float | None) -> None:
        # The SDK stops those of all programs when one ends.
        if asyncio.get_running_loop() is self._loop:
            self._server.stop(grace)
            for future in list(self._running):
                future.cancel()
            self._threads.shutdown(wait=False)

    def _answer(self, behavior: _Behavior, request: Any, context: grpc.ServicerContext) -> Any:
        future = asyncio.run_coroutine_threadsafe(behavior(request, _Context(context)), self._loop)
        self._running.add(future)
        try:
            return future.result()
        finally:
            self._running.discard(future)


class _Context:
    """What the SDK uses of `grpc.aio.ServicerContext`."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context

    async def abort(self, code: grpc.StatusCode, details: str) -> None:
        self._context.abort(code, details)


_Behavior = Callable[[Any, _Context], Coroutine[Any, Any, Any]]
_Answer = Callable[[_Behavior, Any, grpc.ServicerContext], Any]


class _Handlers(grpc.GenericRpcHandler):
    """Has the SDK's handlers answered by another thread than their own."""

    def __init__(self, handlers: grpc.GenericRpcHandler, answer: _Answer) -> None:
        self._handlers, self._answer = handlers, answer

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        found: Any = self._handlers.service(handler_call_details)
        if found is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._answer(found.unary_unary, request, context),
            request_deserializer=found.request_deserializer,
            response_serializer=found.response_serializer,
        )

"""Several programs in one process, one after another: what one leaves behind does not hold for the next.

gRPC keeps a failed connection of an engine that has ended for a while, and a new engine that got the same port was
refused by it ("connection refused") before anybody had asked it.

The SDK (3.259) serves a program's hooks with gRPC's server for asyncio, on the event loop of the program. gRPC keeps
one poller for all event loops of a process, so that what a program left behind is met by the next: hooks that
nobody answers ("connection refused"), and now and then the end of the process (a segmentation fault). Only the
Automation API runs several programs in a process; `pulumi up` has one for each.

This is the one place of the sandbox that changes private names of the SDK. The public ways that are missing: options of the
channels of a program, and a server for its hooks that is not shared by the event loops of a process. The other way, a
process for each program, would need a language host of our own in place of the Automation API's inline programs.
`tests/sandbox/test_callbacks.py` and `test_channels.py` fail when the SDK changes these names.
"""

from __future__ import annotations

import asyncio
import contextvars
import warnings
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import grpc
from pulumi.runtime import _callbacks, _grpc_settings

#: Each channel has connections of its own.
_OWN_CONNECTIONS = ("grpc.use_local_subchannel_pool", 1)


def share_process() -> None:
    """Has the SDK keep programs apart, from here on.

    Hooks are served from threads, and each runs on its program's event loop, with its program's context, as before.
    The Automation API's warnings of an event stream that breaks off are not shown: an engine that is interrupted closes
    it so, at any time until the next command. One of them quotes a whole event, with what it holds in clear.
    """
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pulumi\.automation\._stack")
    if _OWN_CONNECTIONS not in _grpc_settings._GRPC_CHANNEL_OPTIONS:
        _grpc_settings._GRPC_CHANNEL_OPTIONS.append(_OWN_CONNECTIONS)
    _callbacks.aio = SimpleNamespace(server=_Server)  # pyright: ignore[reportPrivateImportUsage, reportAttributeAccessIssue]


class _Server:
    """What the SDK uses of `grpc.aio.Server`."""

    def __init__(self, options: Sequence[tuple[str, Any]]) -> None:
        self._loop = asyncio.get_running_loop()
        # The SDK's settings are in it; elsewhere they are those of some other program.
        self._context = contextvars.copy_context()
        self._threads = ThreadPoolExecutor(thread_name_prefix="hooks")
        self._server = grpc.server(self._threads, options=options)
        self._running: set[Future[Any]] = set()
        self._ended = False
        self._end_with_its_loop()

    def add_insecure_port(self, address: str) -> int:
        return self._server.add_insecure_port(address)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers([_Handlers(h, self._answer) for h in handlers])

    async def start(self) -> None:
        self._server.start()

    async def stop(self, grace: float | None) -> None:
        """Ends it if its program is over.

        The SDK stops those of all programs, not only when one ends: the interpreter closes what an interrupted one left
        whenever it comes by, also from the event loop of one that runs.
        """
        if not self._loop.is_running():
            self._end()

    def _end(self) -> None:
        if self._ended:
            return
        # First, as the interpreter may come by in the middle of what follows, which holds locks.
        self._ended = True
        self._server.stop(0)
        for future in list(self._running):
            future.cancel()
        self._threads.shutdown(wait=False)

    def _end_with_its_loop(self) -> None:
        close = self._loop.close

        def closing() -> None:
            self._end()
            close()

        self._loop.close = closing

    def _answer(self, behavior: _Behavior, request: Any, context: grpc.ServicerContext) -> Any:
        future = self._context.copy().run(
            asyncio.run_coroutine_threadsafe, behavior(request, _Context(context)), self._loop
        )
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
        handler: Any = self._handlers.service(handler_call_details)
        if handler is None:
            return None
        return grpc.unary_unary_rpc_method_handler(
            lambda request, context: self._answer(handler.unary_unary, request, context),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

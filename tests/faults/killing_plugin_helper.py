"""A provider plugin in front of another one, that kills the engine, the plugin, or the command at one planned moment.

It hands every call on as it came, so it stands before an official plugin as before a stand-in: the first of the name
that PATH has after its own folder, else the one in Pulumi's plugin folder. Run as
`python -m tests.faults.killing_plugin_helper <own folder> <name> <plan> [engine's address]`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import psutil
from pulumi.runtime.proto import provider_pb2

REQUESTS: dict[str, Any] = {
    "Create": provider_pb2.CreateRequest,
    "Read": provider_pb2.ReadRequest,
    "Update": provider_pb2.UpdateRequest,
    "Delete": provider_pb2.DeleteRequest,
}
"""The calls that a plan can name: those that change or look at a resource."""
_OPTIONS = [(f"grpc.max_{way}_message_length", -1) for way in ("send", "receive")]


def next_plugin(folder: Path, name: str) -> str:
    """The plugin that the engine would start without the one in the folder."""
    path = [p for p in os.environ["PATH"].split(os.pathsep) if Path(p) != folder]
    if found := shutil.which(f"pulumi-resource-{name}", path=os.pathsep.join(path)):
        return found
    plugins = Path(os.environ["PULUMI_HOME"]) / "plugins"
    return str(next(plugins.glob(f"resource-{name}-v*/pulumi-resource-{name}")))


class Killer(grpc.GenericRpcHandler):
    """Hands calls on to a plugin, and strikes when one of them is the planned one."""

    def __init__(
        self, plugin: subprocess.Popen[str], channel: grpc.Channel, plan: Path, engine: int
    ) -> None:
        self._plugin, self._channel, self._plan = plugin, channel, plan
        self._lock, self._calls, self._engine = threading.Lock(), 0, engine

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        method = str(handler_call_details.method)
        act = self._channel.unary_unary(method)
        call = method.rpartition("/")[2]

        def forward(content: bytes, context: grpc.ServicerContext) -> bytes | None:
            with self._lock:
                self._calls += 1
            try:
                return self._forward(call, act, content, context)
            finally:
                with self._lock:
                    self._calls -= 1

        return grpc.unary_unary_rpc_method_handler(forward)

    def _forward(
        self, call: str, act: Callable[..., bytes], content: bytes, context: grpc.ServicerContext
    ) -> bytes | None:
        request = REQUESTS[call].FromString(content) if call in REQUESTS else None
        self._strike_if_planned(call, "before", request)
        try:
            answer = act(content)
        except grpc.RpcError as error:
            # What a resource that is not ready has is in the metadata.
            refused: Any = error
            context.set_trailing_metadata(refused.trailing_metadata() or ())
            context.abort(refused.code(), refused.details() or "")
            return None
        self._strike_if_planned(call, "after", request)
        return answer

    def _strike_if_planned(self, call: str, moment: str, request: Any) -> None:
        if request is None or getattr(request, "preview", False):
            return
        try:
            plan = json.loads(self._plan.read_text())
        except FileNotFoundError:
            return
        name = request.urn.rsplit("::", 1)[1]
        if (plan["call"], plan["name"], plan["moment"]) == (call, name, moment):
            self._strike(plan["whom"])

    def _strike(self, whom: str) -> None:
        """Kills whom the plan names; once only."""
        try:
            self._plan.rename(self._plan.with_suffix(".done"))
        except FileNotFoundError:
            return  # another call was quicker
        if whom == "plugin":
            self._plugin.kill()
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(
            psutil.Process(self._engine).ppid() if whom == "command" else self._engine,
            signal.SIGKILL,
        )
        if whom == "engine":
            # This call goes no further: "before" would become "after" a moment later.
            with self._lock:
                self._calls -= 1
            threading.Event().wait()

    def end_after_the_engine(self) -> None:
        """Ends the plugin once its engine is gone and no call is under way.

        So a kill tears no other call in two: what a plugin has begun it ends, as it would a moment later.
        """
        while self._calls or os.getppid() == self._engine:
            if self._plugin.poll() is not None:
                break
            time.sleep(0.02)
        self._plugin.kill()
        os._exit(0)


def main() -> None:
    folder, name, plan, *rest = sys.argv[1:]
    # The engine can be killed by another plugin's plan while this one still starts.
    engine = os.getppid()
    plugin = subprocess.Popen(
        [next_plugin(Path(folder), name), *rest], stdout=subprocess.PIPE, text=True
    )
    try:
        _serve(plugin, Path(plan), engine)
    finally:
        plugin.kill()


def _serve(plugin: subprocess.Popen[str], plan: Path, engine: int) -> None:
    assert plugin.stdout is not None
    port = int(plugin.stdout.readline())
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=_OPTIONS)
    killer = Killer(plugin, channel, plan, engine)
    server = grpc.server(ThreadPoolExecutor(64), handlers=[killer], options=_OPTIONS)
    own = server.add_insecure_port("127.0.0.1:0")
    # The engine ends its plugins by a signal; the one behind is ended with its engine.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server.start()
    print(own, flush=True)
    killer.end_after_the_engine()


if __name__ == "__main__":
    main()

"""A language host that only knows which packages the program uses: `pulumi import` asks, and runs no program.

It is on PATH for imports only: with a language host the engine would run a policy pack by it.
"""

from __future__ import annotations

import os
import threading
from concurrent import futures
from contextlib import suppress
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from sandbox.engine.official_plugins import sdk_versions


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers as the one of Python does for this project."""

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        packages = [
            plugin_pb2.PackageDependency(name=name, kind="resource", version=f"v{version}")
            for name, version in sdk_versions().items()
        ]
        return language_pb2.GetRequiredPackagesResponse(packages=packages)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="3.259.0")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()


def serve() -> None:
    """Serves it until the engine ends. Prints the port, as the engine expects."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    parent, never = os.getppid(), threading.Event()
    with suppress(KeyboardInterrupt):
        # An engine that fails does not always end it.
        while os.getppid() == parent:
            never.wait(1)


if __name__ == "__main__":
    serve()

"""What the engine asks of Python's language host for a plugin with a PulumiPlugin.yaml, and no more.

Pulumi's own is no Go module, so that it cannot be built here. As it does for a folder with a `__main__.py`, this one makes the
virtual environment that `options.virtualenv` names, and runs the folder in it. The packages are those of the tests, in place of
what `requirements.txt` would install.
"""

from __future__ import annotations

import os
import shlex
import site
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

from tests.conftest import ROOT


class Host(language_pb2_grpc.LanguageRuntimeServicer):
    """The two things."""

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version="3.259.0")

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        folder = Path(request.info.program_directory)
        if not (folder / "requirements.txt").is_file():
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "no requirements.txt")
        own = folder / _environment(request.info)
        venv.create(own, with_pip=False, symlinks=True)
        (packages,) = own.glob("lib/python*/site-packages")
        (packages / "shared.pth").write_text("\n".join(site.getsitepackages()) + "\n")
        yield language_pb2.InstallDependenciesResponse(stdout=b"installed\n")

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        folder = Path(request.info.program_directory)
        python = folder / _environment(request.info) / "bin" / "python"
        process = subprocess.Popen(
            [python, folder, *request.args],
            cwd=request.pwd,
            env=dict(one.partition("=")[::2] for one in request.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        context.add_callback(process.terminate)
        assert process.stdout is not None
        for line in process.stdout:
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())


def _environment(info: Any) -> str:
    return info.options.fields["virtualenv"].string_value


def write_host(directory: Path) -> Path:
    """Writes the executable that the engine looks for on PATH."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "pulumi-language-python"
    python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
    file.write_text(
        f"#!/bin/sh\nPYTHONPATH={root} exec {python} -m tests.releasing.language_host_support\n"
    )
    file.chmod(0o755)
    return directory


def serve() -> None:
    """Serves it until the engine ends. Prints the port, as the engine expects."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    parent, never = os.getppid(), threading.Event()
    while os.getppid() == parent:
        never.wait(1)


if __name__ == "__main__":
    serve()

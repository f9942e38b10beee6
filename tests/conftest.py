"""What tests share: the tools, real servers of their own, and the stack files."""

from __future__ import annotations

import copy
import gc
import io
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest
import yaml
from rich.console import Console

from components.settings.deployment import DEFAULT_TAGS
from sandbox.display import Events
from sandbox.engine.hook_server import share_process
from sandbox.progress import Progress
from sandbox.services import AwsServer, ControlPlane, Vault
from sandbox.tools import CONTROL_PLANE, ensure

ROOT = Path(__file__).parents[1]

# A job in the background ignores interruptions, and so would everything that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# A run in one process that is ended from outside leaves no servers behind either; a worker that is killed does.
signal.signal(signal.SIGTERM, signal.default_int_handler)

# Nothing is downloaded by a test that is not about downloads, wherever it runs.
os.environ.setdefault("KESTRA_SANDBOX_OFFLINE", "1")

# One process runs hundreds of engines here.
share_process()


def pytest_collection_finish() -> None:
    """Keeps Python's garbage collector from walking the providers' SDKs again and again: half a second each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


class _Server(Protocol):
    def start(self) -> object: ...

    def stop(self) -> None: ...


S = TypeVar("S", bound=_Server)


@contextmanager
def running(server: S) -> Iterator[S]:
    """A server that is started, and ended whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.stop()


def silent() -> Events:
    """Takes the engine's events and shows nothing."""
    return Events(Progress(Console(file=io.StringIO())))


@pytest.fixture(scope="session")
def progress(pytestconfig: pytest.Config) -> Progress:
    """Progress on the terminal, past pytest's capture: a build takes minutes."""
    terminal = pytestconfig.pluginmanager.get_plugin("terminalreporter")
    file = terminal._tw._file if terminal else None
    return Progress(Console(file=file, highlight=False, soft_wrap=True, force_terminal=False))


@pytest.fixture(scope="session")
def tools(progress: Progress) -> dict[str, Path]:
    """Every tool, built once into the cache."""
    return ensure(["pulumi", *CONTROL_PLANE, "vault"], progress)


@pytest.fixture(scope="session")
def control_plane(
    tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    """A Kubernetes control plane of the tests' own."""
    with running(ControlPlane(tmp_path_factory.mktemp("kubernetes"), tools)) as plane:
        yield plane


@pytest.fixture(scope="session")
def vault_server(
    tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Vault]:
    """A Vault of the tests' own."""
    with running(Vault(tmp_path_factory.mktemp("vault"), tools)) as vault:
        yield vault


@pytest.fixture(scope="session")
def aws_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """An AWS API server of the tests' own."""
    with running(AwsServer(tmp_path_factory.mktemp("aws"))) as server:
        yield server


def of_version(document: dict[str, Any], version: str) -> dict[str, Any]:
    """Settings with another `kestra:version`, and with its release where they name one beside a digest."""
    deployment = dict(document.get("deployment", {}))
    image = deployment.get("image", {})
    if "tag" in image:
        deployment["image"] = image | {"tag": DEFAULT_TAGS[version]}
        document = document | {"deployment": deployment}
    return document | {"version": version}


def stack_document(name: str) -> dict[str, object]:
    """The settings of a stack file, as Pulumi would hand them on."""
    return copy.deepcopy(_stack_document(name))


@cache
def _stack_document(name: str) -> dict[str, object]:
    config = yaml.safe_load((ROOT / "stacks" / f"Pulumi.{name}.yaml").read_text())["config"]
    # Keys of providers (`aws:region`) are not the program's.
    return {
        key.removeprefix("kestra:"): value
        for key, value in config.items()
        if key.startswith("kestra:")
    }

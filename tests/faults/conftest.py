"""The servers that fail, shared by the cases; each case has a stack of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.services import AwsServer, ControlPlane, GoogleCloud, Vault
from tests.conftest import running
from tests.faults.failing_support import Case, Servers


@pytest.fixture(scope="module")
def servers(
    vault_server: Vault,
    control_plane: ControlPlane,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Servers]:
    """Four real servers behind proxies; those of the clouds are the module's own."""
    directory = tmp_path_factory.mktemp("failing")
    with (
        running(AwsServer(directory / "aws")) as aws,
        running(GoogleCloud(directory / "gcp")) as google,
    ):
        made = Servers(directory, vault_server, control_plane, aws, google)
        yield made
        made.close()


@pytest.fixture
def make(servers: Servers, tools: dict[str, Path], tmp_path: Path) -> Iterator[Callable[..., Case]]:
    """Makes a case by its name; at the end its servers are well again."""

    def made(name: str, **more: Any) -> Case:
        return Case(name, servers, tmp_path / name, tools["pulumi"], **more)

    yield made
    servers.heal()

"""What the rotations share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.progress import Progress
from sandbox.services import ControlPlane, Vault
from tests.rotation.rotation_support import Rotating


@pytest.fixture(scope="module")
def rotating(
    control_plane: ControlPlane,
    tools: dict[str, Path],
    progress: Progress,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Rotating]:
    """Makes a stack of a name and settings, on the Vault that it is given; it is not up yet."""

    def make(
        name: str, document: dict[str, Any], vault: Vault | None = None, **more: Any
    ) -> Rotating:
        folder = tmp_path_factory.mktemp(f"rotation-{name}")
        return Rotating(folder, name, document, tools, control_plane, vault, progress, **more)

    return make

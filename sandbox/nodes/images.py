"""Kestra's image on a real node: the sandbox's own, or one that the user has."""

from __future__ import annotations

import re
from pathlib import Path

from components.kubernetes.pods import image as image_of
from components.settings import Settings
from sandbox.errors import SandboxError
from sandbox.nodes import REAL, image, machine_needs
from sandbox.nodes.node import Node
from sandbox.progress import Progress
from sandbox.tools import cache_folder


def check(archive: Path | None, nodes: str) -> None:
    """Nothing where the machine can have the nodes, and they the archive.

    Args:
        archive: that the user names; None: none.
        nodes: `simulated` or `real`.

    Raises:
        SandboxError: when it cannot be.
    """
    if nodes == REAL:
        machine_needs.require()
    if archive is None:
        return
    if nodes != REAL:
        raise SandboxError("--image goes with --nodes real: simulated pods have no containers.")
    if not archive.is_file():
        raise SandboxError(
            f"{archive} is no file. --image takes an archive: docker save --output kestra.tar {archive}"
        )


def load(node: Node, settings: Settings, archive: Path | None, progress: Progress) -> None:
    """Gives a node the image that the stack's pods ask for.

    Args:
        node: that runs.
        settings: the stack's settings, which name the image.
        archive: of the user; None: the sandbox's own image is built.
        progress: told what happens.

    Raises:
        SandboxError: when the archive holds no image, or the own one cannot be built.
    """
    name = whole_name(image_of(settings))
    if archive is None:
        archive = image.build(settings.version, cache_folder(), progress).archive
    with progress.step(f"Giving the node the image {name}"):
        node.load(archive, [name])


def whole_name(name: str) -> str:
    """The name of an image with its registry, by which containerd keeps it.

    Args:
        name: as a pod names it, with a tag or a digest.
    """
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if re.search(r"[.:]|^localhost$", first) else f"docker.io/{name}"

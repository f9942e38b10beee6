"""Kestra's image on a real node: the sandbox's own, or one that the user has."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from components.kubernetes.pods import image as image_of
from components.settings import Settings
from sandbox.errors import SandboxError
from sandbox.nodes import REAL, image, machine_needs
from sandbox.nodes.node import Node
from sandbox.progress import Progress
from sandbox.services import ControlPlane
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


def load(
    node: Node, settings: Settings, archive: Path | None, progress: Progress
) -> datetime | None:
    """Gives a node the image that the stack's pods ask for.

    The moment of it, where pods that were there before may run another image of the same name.

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
    moment = datetime.now(UTC).replace(microsecond=0)
    with progress.step(f"Giving the node the image {name}"):
        return moment if node.load(archive, [name]) else None


def replace_pods(
    plane: ControlPlane, settings: Settings, moment: datetime | None, progress: Progress
) -> None:
    """Has pods run the image that `load` gave the node under the name of another one.

    Args:
        plane: the cluster.
        settings: of the stack.
        moment: what `load` said.
        progress: told what happens.

    Raises:
        SandboxError: when the new pods do not get ready.
    """
    if moment is None:
        return
    # Its client is a large import, which simulated nodes do not need.
    from sandbox.nodes import pods

    with progress.step("Replacing the pods that run the image of before"):
        pods.replace_pods(plane.kubeconfig, settings.deployment.namespace, moment)


def whole_name(name: str) -> str:
    """The name of an image with its registry, by which containerd keeps it.

    Args:
        name: as a pod names it, with a tag or a digest.
    """
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{name}"
    return name if re.search(r"[.:]|^localhost$", first) else f"docker.io/{name}"

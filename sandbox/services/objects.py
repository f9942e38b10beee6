"""Objects that the sandbox itself writes into its API server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError
from sandbox.services.kubernetes import ControlPlane


def apply(plane: ControlPlane, path: str, document: Mapping[str, Any]) -> None:
    """Makes or changes an object, as its only owner.

    Args:
        plane: the API server.
        path: of the object, from the API server's root.
        document: the object, in full.

    Raises:
        SandboxError: when the API server refuses it.
    """
    answer = plane.session().patch(
        f"{plane.url}{path}",
        params={"fieldManager": "sandbox", "force": "true"},
        data=json.dumps(document),
        headers={"Content-Type": "application/apply-patch+yaml"},
        timeout=60,
    )
    if not answer.ok:
        name = document["metadata"]["name"]
        raise SandboxError(f"{name} is refused: {answer.json().get('message')}")

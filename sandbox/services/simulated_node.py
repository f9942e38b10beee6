"""The node that kwok simulates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

STAGES = Path(__file__).parent / "kwok"
"""By which steps its pods come and go."""


def simulated_node(name: str) -> dict[str, Any]:
    """The node with a name, and with more room than anybody needs."""
    room = {"cpu": "1k", "memory": "4Ti", "pods": "10k"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
            "labels": {
                "type": "kwok",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "amd64",
                "topology.kubernetes.io/zone": "simulated-a",
            },
        },
        "status": {"allocatable": room, "capacity": room},
    }

"""A namespace of the tests' own in the real Kubernetes API, and stacks of one test in it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from tests.plugins.kubernetes_stack_support import KubernetesStack


@pytest.fixture(scope="module")
def space(control_plane: Any) -> Iterator[str]:
    """A namespace that enforces the restricted profile; the namespace controller empties it."""
    config.load_kube_config(str(control_plane.kubeconfig), persist_config=False)
    core = client.CoreV1Api()
    name = f"t-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body: Any = {"metadata": {"name": name, "labels": labels}}
    core.create_namespace(body)
    yield name
    core.delete_namespace(name)


@pytest.fixture
def stack(
    tmp_path: Path, control_plane: Any, tools: dict[str, Path], space: str
) -> Iterator[KubernetesStack]:
    started = KubernetesStack(tmp_path, space, control_plane.kubeconfig, tools["pulumi"])
    yield started
    started.close()

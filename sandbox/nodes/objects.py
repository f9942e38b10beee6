"""What a cluster with a real node has besides the stack, written into the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template
from typing import Any

import yaml
from kubernetes.client.exceptions import ApiException
from kubernetes.dynamic import DynamicClient

from sandbox.errors import SandboxError
from sandbox.nodes import ADDRESS, DNS_SERVICE, NAME
from sandbox.nodes.node import DNS_IMAGE
from sandbox.nodes.pods import api_client, said

_CLUSTER = Path(__file__).with_name("cluster.yaml")
_VOLUMES = 8
"""How many volumes there are for claims that name no class of their own."""


def apply_cluster(kubeconfig: Path, volumes: Path, api_port: int) -> None:
    """Applies what the cluster itself consists of.

    Args:
        kubeconfig: of an administrator.
        volumes: a folder for what the volumes hold.
        api_port: of the API server.

    Raises:
        SandboxError: when the API server refuses one.
    """
    apply(kubeconfig, [*_cluster(api_port), *_volumes(volumes)])


def apply(kubeconfig: Path, documents: Iterable[dict[str, Any]]) -> None:
    """Creates objects, or makes them what they should be.

    Args:
        kubeconfig: of an administrator.
        documents: the objects, in full.

    Raises:
        SandboxError: when the API server refuses one.
    """
    with api_client(kubeconfig) as api:
        try:
            _apply(DynamicClient(api), documents)
        except ApiException as error:
            raise SandboxError(f"The cluster's own objects are refused: {said(error)}") from None


def _apply(client: DynamicClient, documents: Iterable[dict[str, Any]]) -> None:
    for document in documents:
        metadata = document["metadata"]
        client.server_side_apply(
            client.resources.get(api_version=document["apiVersion"], kind=document["kind"]),
            document,
            metadata["name"],
            namespace=metadata.get("namespace"),
            field_manager="sandbox",
            force_conflicts=True,
        )


def _cluster(api_port: int) -> Iterator[dict[str, Any]]:
    values = {
        "ADDRESS": ADDRESS,
        "API_PORT": str(api_port),
        "DNS_SERVICE": DNS_SERVICE,
        "DNS_IMAGE": DNS_IMAGE,
    }
    return yaml.safe_load_all(Template(_CLUSTER.read_text()).substitute(values))


def _volumes(folder: Path) -> Iterator[dict[str, Any]]:
    """Folders of the machine that belong to root: kubelet gives them to the pods' group."""
    here = {"key": "kubernetes.io/hostname", "operator": "In", "values": [NAME]}
    for number in range(1, _VOLUMES + 1):
        path = folder / str(number)
        path.mkdir(parents=True, exist_ok=True)
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"sandbox-{number}"},
            "spec": {
                "storageClassName": "sandbox",
                "capacity": {"storage": "1Ti"},
                "accessModes": ["ReadWriteOnce", "ReadWriteMany", "ReadOnlyMany"],
                "persistentVolumeReclaimPolicy": "Retain",
                "local": {"path": str(path)},
                "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [here]}]}},
            },
        }

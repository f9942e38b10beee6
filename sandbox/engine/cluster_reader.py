"""Reads what pods say from the sandbox's own API server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import requests

from components.kubernetes.cluster_reader import UnreadClusterError, decoded_values
from sandbox.services import ControlPlane

SECONDS = 10
"""How long one answer may take."""
_KINDS = {
    "Deployment": "apis/apps/v1/{}/deployments",
    "ReplicaSet": "apis/apps/v1/{}/replicasets",
    "Pod": "api/v1/{}/pods",
    "Event": "api/v1/{}/events",
}


class PlaneReader:
    """A `ClusterReader`."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    def objects(self, namespace: str) -> list[Mapping[str, Any]]:
        items: list[Mapping[str, Any]] = []
        for kind, path in _KINDS.items():
            listing = self._get(path.format(f"namespaces/{namespace}")).json()
            items += [{**item, "kind": kind} for item in listing.get("items") or ()]
        return items

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        query = f"container={container}&tailLines={lines}&previous={str(previous).lower()}"
        try:
            answer = self._get(f"api/v1/namespaces/{namespace}/pods/{pod}/log?{query}")
        except UnreadClusterError:
            # A simulated node has none.
            return ""
        # The server names no encoding, for which HTTP clients take another one.
        return answer.content.decode(errors="replace")

    def secret_values(self, namespace: str, names: Sequence[str]) -> list[str]:
        listing = self._get(f"api/v1/namespaces/{namespace}/secrets").json()
        return decoded_values(s for s in listing["items"] if s["metadata"]["name"] in names)

    def _get(self, path: str) -> requests.Response:
        try:
            answer = self._plane.session().get(f"{self._plane.url}/{path}", timeout=SECONDS)
        except (requests.RequestException, OSError) as error:
            raise UnreadClusterError(
                f"the API server does not answer ({type(error).__name__})"
            ) from None
        if not answer.ok:
            raise UnreadClusterError(f"the API server answers {answer.status_code}")
        return answer

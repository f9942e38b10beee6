"""The Kubernetes objects of a stack, read back from the API server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import requests

from sandbox.services import ControlPlane

HIDDEN = base64.b64encode(b"hidden").decode()
#: Who owns fields of an object that Pulumi's provider applied.
MANAGER = "pulumi-kubernetes"


def applied(plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    """Every object that Pulumi applied in a namespace, the namespace itself, and cluster-wide objects named after it.

    What the controllers make of them is left out. Objects are whole, but for the values of Secrets.
    """
    with plane.session() as session:
        return [
            o
            for o in _all(session, plane.url, namespace)
            if any(m["manager"].startswith(MANAGER) for m in o["metadata"].get("managedFields", []))
        ]


def get(session: requests.Session, url: str) -> dict[str, Any]:
    """A document of the API server."""
    answer = session.get(url, timeout=60)
    answer.raise_for_status()
    return answer.json()


def _all(session: requests.Session, url: str, namespace: str) -> Iterator[dict[str, Any]]:
    groups = [g["preferredVersion"]["groupVersion"] for g in get(session, f"{url}/apis")["groups"]]
    for version in ["v1", *groups]:
        path = f"{url}/{'api' if version == 'v1' else 'apis'}/{version}"
        for kind in get(session, path)["resources"]:
            if "/" in kind["name"] or "list" not in kind["verbs"]:
                continue
            inside = f"namespaces/{namespace}/" if kind["namespaced"] else ""
            for item in get(session, f"{path}/{inside}{kind['name']}").get("items") or []:
                name = item["metadata"]["name"]
                if inside or name == namespace or name.startswith(f"{namespace}-"):
                    # Items of a list do not say what they are.
                    yield _hidden({"apiVersion": version, "kind": kind["kind"], **item})


def _hidden(item: dict[str, Any]) -> dict[str, Any]:
    if item["kind"] != "Secret":
        return item
    return {**item, "data": dict.fromkeys(item.get("data") or {}, HIDDEN)}

"""What the pods of a stack need of others: on a real node there is nobody else, so the sandbox brings it.

Databases in the cluster, with the stand-in image alone, and Secrets of others that containers take variables from.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import yaml

from components.kubernetes.egress import destinations
from components.kubernetes.pods import image as image_of
from components.settings import Settings
from components.validation.rules.placeholders import variables_of_others
from sandbox.external_secrets import Cluster
from sandbox.meanwhile import meanwhile
from sandbox.nodes.control_plane import RealControlPlane
from sandbox.services import ControlPlane

_DATABASE = Path(__file__).with_name("database.yaml")
_SERVICE = re.compile(
    r"(?P<name>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)(\.svc(\.cluster\.local\.?)?)?"
)
_STARTED = "Nobody else runs a database at {}.{}:{} in this cluster: the sandbox started an H2 server there."
_LACKING = (
    "Nobody runs a database at {}.{}:{} in this cluster, and the sandbox has none for your image: start one there, "
    "or pods that need it do not get ready."
)
_CREATED = (
    "Nobody else makes the Secret {} in this cluster: the sandbox made it, with values for {}."
)


class Database(NamedTuple):
    """A Service of the cluster at which the settings have a database."""

    name: str
    namespace: str
    port: int


def databases(settings: Settings) -> list[Database]:
    """The databases that are Services of the cluster, each once; those elsewhere cannot be reached from pods.

    Args:
        settings: of the stack.
    """
    named = (
        (_SERVICE.fullmatch(d.host), d.port)
        for d in destinations(settings)
        if d.reason == "database"
    )
    services = [Database(m["name"], m["namespace"], port) for m, port in named if m and port]
    return list(dict.fromkeys(services))


def playing_others(
    plane: ControlPlane, settings: Settings, image: Path | None, notify: Callable[[str], None]
) -> AbstractContextManager[None]:
    """Brings what nobody has brought yet, while the stack is brought up; simulated pods need nothing.

    Args:
        plane: the cluster.
        settings: of the stack.
        image: archive of Kestra's image; None: the sandbox's own, which takes an H2 server for every database.
        notify: told of everything that is brought or lacking.
    """
    if not isinstance(plane, RealControlPlane):
        return nullcontext()
    missing = databases(settings)
    cluster = Cluster(plane, settings.deployment.namespace)
    variables = variables_of_others(settings)

    def bring() -> None:
        while missing:
            if not _is_there(cluster, missing[0]):
                if image is None:
                    _start_database(cluster, plane, missing[0], image_of(settings))
                notify((_STARTED if image is None else _LACKING).format(*missing[0]))
            missing.pop(0)
        for name, keys in _missing_secrets(cluster, variables).items():
            _create_secret(plane, cluster.namespace, name, keys)
            notify(_CREATED.format(name, ", ".join(keys) or "no variable"))

    return meanwhile(bring)


def _is_there(cluster: Cluster, database: Database) -> bool:
    path = f"/api/v1/namespaces/{database.namespace}/services/{database.name}"
    return "metadata" in cluster.get(path)


def _start_database(cluster: Cluster, plane: ControlPlane, database: Database, image: str) -> None:
    """Starts an H2 server.

    Raises:
        SandboxError: when the namespace of the stack is not there yet.
    """
    values = {
        "NAME": database.name,
        "NAMESPACE": database.namespace,
        "PORT": str(database.port),
        "IMAGE": image,
    }
    documents = list(yaml.safe_load_all(Template(_DATABASE.read_text()).substitute(values)))
    if database.namespace != cluster.namespace:
        metadata = {"name": database.namespace}
        documents.insert(0, {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    _apply(plane, documents)


def _missing_secrets(cluster: Cluster, variables: list[str]) -> dict[str, list[str]]:
    """Name to keys of the Secrets that containers take variables from, and that are not there."""
    needed: dict[str, set[str]] = {}
    path = f"/apis/apps/v1/namespaces/{cluster.namespace}/deployments"
    for deployment in cluster.get(path)["items"]:
        for name, key in _secret_keys(deployment["spec"]["template"]["spec"]):
            needed.setdefault(name, set()).update([key] if key else variables)
    delivered = {delivery.secret for delivery in cluster.deliveries()} if needed else set()
    return {
        name: sorted(keys)
        for name, keys in needed.items()
        if name not in delivered and "metadata" not in cluster.secret(name)
    }


def _secret_keys(pod: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Name and key of the Secrets that a pod cannot start without; no key: all that the Secret has."""
    for container in [*pod.get("initContainers", ()), *pod["containers"]]:
        for source in container.get("envFrom", ()):
            if (secret := source.get("secretRef")) and not secret.get("optional"):
                yield secret["name"], None
        for variable in container.get("env", ()):
            secret = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if secret and not secret.get("optional"):
                yield secret["name"], secret["key"]


def _create_secret(plane: ControlPlane, namespace: str, name: str, keys: list[str]) -> None:
    values = {key: f"sandbox-{secrets.token_hex(12)}" for key in keys}
    document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "stringData": values,
    }
    _apply(plane, [document])


def _apply(plane: ControlPlane, documents: list[dict[str, Any]]) -> None:
    # Its client is a large import, which simulated nodes do not need.
    from sandbox.nodes import objects

    objects.apply(plane.kubeconfig, documents)

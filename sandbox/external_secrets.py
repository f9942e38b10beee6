"""What the External Secrets Operator does in a stack's namespace, as the API server has it."""

from __future__ import annotations

import base64
import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.settings import Settings
from sandbox import custom_resources
from sandbox.errors import SandboxError
from sandbox.meanwhile import meanwhile
from sandbox.progress import Progress
from sandbox.services import AwsServer, ControlPlane, ExternalSecrets, GoogleCloud
from sandbox.services.gcp import PROJECT
from sandbox.services.objects import apply
from sandbox.state import State
from sandbox.store_owner import GoogleOwner, Remote, Servers, StoreOwner, owner_of
from sandbox.tools import EXTERNAL_SECRETS

if TYPE_CHECKING:
    from sandbox.engine.automation import Stack

_API = "/apis/external-secrets.io/v1"


@dataclass(frozen=True)
class Delivery:
    """One ExternalSecret: what it reads, and the Secret that the operator writes."""

    name: str
    spec: Mapping[str, Any]

    @property
    def secret(self) -> str:
        """Name of the Secret."""
        return (self.spec.get("target") or {}).get("name") or self.name

    @property
    def store(self) -> str:
        """Name of its SecretStore."""
        return self.spec["secretStoreRef"]["name"]

    @property
    def is_followed(self) -> bool:
        """Whether the operator reads it again and again."""
        return self.spec.get("refreshPolicy") != "CreatedOnce"

    @property
    def interval(self) -> float:
        """Seconds between two readings; 3600 where it names none, as for the operator."""
        return duration_seconds(self.spec.get("refreshInterval") or "1h")

    @property
    def remotes(self) -> dict[str, Remote]:
        """What it reads, by the name that its template knows it by."""
        return {
            entry["secretKey"]: Remote(
                entry["remoteRef"]["key"],
                entry["remoteRef"].get("property"),
                entry["remoteRef"].get("version"),
            )
            for entry in self.spec.get("data") or ()
        }

    def variable(self, name: str, value: str) -> tuple[str, str]:
        """Key and text that its Secret has for a value: base64, unless the template takes it as it is."""
        key = f"SECRET_{name.upper()}"
        template = self.spec["target"]["template"]["data"][key]
        encodes = "b64enc" in template
        return key, base64.b64encode(value.encode()).decode() if encodes else value


class Cluster:
    """The operator's objects in one namespace."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self._plane, self._session, self.namespace = plane, plane.session(), namespace

    def deliveries(self) -> list[Delivery]:
        """The ExternalSecrets."""
        return [
            Delivery(item["metadata"]["name"], item["spec"])
            for item in self.get(f"{_API}/namespaces/{self.namespace}/externalsecrets")["items"]
        ]

    def provider(self, store: str) -> Mapping[str, Any]:
        """`spec.provider` of a SecretStore."""
        path = f"{_API}/namespaces/{self.namespace}/secretstores/{store}"
        return self.get(path)["spec"]["provider"]

    def secret(self, name: str) -> dict[str, Any]:
        """A Secret; empty where there is none."""
        return self.get(f"/api/v1/namespaces/{self.namespace}/secrets/{name}")

    def texts(self, name: str) -> dict[str, str]:
        """The decoded data of a Secret. Secret."""
        data = self.secret(name).get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def environment_secrets(self) -> list[str]:
        """Names of the Secrets whose keys are variables of the pods, in the order in which they count."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        names: dict[str, None] = {}
        for deployment in self.get(path)["items"]:
            for container in deployment["spec"]["template"]["spec"]["containers"]:
                for source in container.get("envFrom") or ():
                    if "secretRef" in source:
                        names[source["secretRef"]["name"]] = None
        return list(names)

    def warnings(self, kind: str, name: str) -> list[str]:
        """What the operator says of an object, the oldest first."""
        answer = self.get(
            f"/api/v1/namespaces/{self.namespace}/events",
            fieldSelector=f"type=Warning,involvedObject.kind={kind},involvedObject.name={name}",
        )
        return [event["message"] for event in answer["items"]]

    def create(self, delivery: Mapping[str, Any]) -> None:
        """Makes an ExternalSecret.

        Raises:
            SandboxError: when it is refused.
        """
        path = f"{_API}/namespaces/{self.namespace}/externalsecrets/{delivery['metadata']['name']}"
        apply(self._plane, path, delivery)

    def remove(self, name: str) -> None:
        """Removes an ExternalSecret; its Secret goes with it."""
        path = f"{_API}/namespaces/{self.namespace}/externalsecrets/{name}"
        self._session.delete(f"{self._plane.url}{path}", timeout=30)

    def read_now(self, name: str) -> None:
        """Has the operator read anew what an ExternalSecret names, as its documentation says."""
        path = f"{_API}/namespaces/{self.namespace}/externalsecrets/{name}"
        change = {"metadata": {"annotations": {"force-sync": str(time.time_ns())}}}
        headers = {"Content-Type": "application/merge-patch+json"}
        self._session.patch(f"{self._plane.url}{path}", json=change, headers=headers, timeout=30)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """An object or a list; empty where there is none.

        Raises:
            SandboxError: when the API server refuses.
        """
        answer = self._session.get(f"{self._plane.url}{path}", params=query, timeout=30)
        if answer.status_code == 404:
            return {"items": []}
        if not answer.ok:
            raise SandboxError(f"The Kubernetes API says: {answer.json().get('message')}")
        return answer.json()


def duration_seconds(text: str) -> float:
    """Seconds of a duration as Go writes it (`1h0m0s`, `15s`)."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    total, number, unit = 0.0, "", ""
    for character in f"{text} ":
        if unit and not character.isalpha():
            total, number, unit = total + float(number) * units[unit], "", ""
        if character.isalpha():
            unit += character
        else:
            number += character.strip()
    return total


def start_operator(
    state: State, tools: Mapping[str, Path], plane: ControlPlane, progress: Progress
) -> None:
    """Has the API server serve the operator's kinds, and starts it, or finds it running.

    Args:
        state: the sandbox's.
        tools: with the operator's program.
        plane: the API server.
        progress: told of it.

    Raises:
        SandboxError: when it does not become healthy.
    """
    definitions = custom_resources.EXTERNAL_SECRETS
    custom_resources.install(plane, custom_resources.fetch(definitions, progress))
    folder = state.services
    aws, google = AwsServer(folder / "aws"), GoogleCloud(folder / "gcp")
    operator = ExternalSecrets(folder / EXTERNAL_SECRETS, tools, plane, aws, google)
    with progress.step("Starting the External Secrets Operator"):
        operator.start()


def playing_owners(
    stack: Stack, settings: Settings, notify: Callable[[str], None]
) -> contextlib.AbstractContextManager[None]:
    """Plays the others whose secrets a stack reads; see `owner_of_missing_values`."""
    if not settings.uses_external_secrets or settings.is_secrets_alone:
        return contextlib.nullcontext()
    servers = (stack.vault, stack.clouds.aws, stack.clouds.google)
    if stack.clouds.google is not None:
        # The stack grants access to a secret of others, which has to be there before.
        owner = GoogleOwner(stack.clouds.google, f"/v1/projects/{PROJECT}/secrets")
        for remote in _of_others(settings):
            if owner.read(remote) is None:
                _play(owner, remote, notify)
    return owner_of_missing_values(stack.plane, settings.deployment.namespace, servers, notify)


def owner_of_missing_values(
    plane: ControlPlane,
    namespace: str,
    servers: Servers,
    notify: Callable[[str], None],
) -> contextlib.AbstractContextManager[None]:
    """Puts values where an ExternalSecret reads what somebody else owns, and nobody has put one: there is nobody else
    on this machine.

    What the stack itself writes is read at its version, and is left alone.

    Args:
        plane: the API server.
        namespace: of the stack.
        servers: the sandbox's secret managers.
        notify: told of each.
    """

    def put_missing() -> None:
        for remote, owner in _missing(Cluster(plane, namespace), servers):
            _play(owner, remote, notify)

    return meanwhile(put_missing)


def _play(owner: StoreOwner, remote: Remote, notify: Callable[[str], None]) -> None:
    owner.write(remote, f"sandbox-{secrets.token_hex(12)}")
    notify(f"Nobody owns {remote.key} on this machine: the sandbox put a value there.")


def _of_others(settings: Settings) -> Iterator[Remote]:
    for declared in settings.declared_secrets.values():
        if declared.existing is not None and declared.existing.name is not None:
            yield Remote(declared.existing.name, declared.existing.value_property)


def _missing(cluster: Cluster, servers: Servers) -> Iterator[tuple[Remote, StoreOwner]]:
    for delivery in cluster.deliveries():
        owner = owner_of(cluster.provider(delivery.store), servers)
        if owner is None or not delivery.is_followed:
            continue
        for remote in delivery.remotes.values():
            if remote.version is None and owner.read(remote) is None:
                yield remote, owner

"""Reads what pods say from a cluster, with the caller's own kubeconfig."""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

import pulumi

from ..settings import Settings

SECONDS = 15
"""How long one answer may take."""
_KINDS = "deployments.apps,replicasets.apps,pods,events"

Object = Mapping[str, Any]


class UnreadClusterError(Exception):
    """The cluster could not be asked; the message says why, in a few words."""


class ClusterReader(Protocol):
    """What is read of a cluster. Every method may raise `UnreadClusterError`."""

    def objects(self, namespace: str) -> list[Object]:
        """Its Deployments, ReplicaSets, Pods and Events."""
        ...

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        """The last lines of a container's log; empty where there is none."""
        ...

    def secret_values(self, namespace: str, names: Sequence[str]) -> list[str]:
        """All values of some Secrets; of one that is not there none."""
        ...


class Kubectl:
    """Reads with `kubectl`, which knows every way to log in to a cluster."""

    def __init__(self, context: str | None = None, kubeconfig: str | None = None) -> None:
        """
        Args:
            context: of the kubeconfig (the stack's `kubernetes:context`; default: its current one).
            kubeconfig: a file, or the text of one (the stack's `kubernetes:kubeconfig`; default: as kubectl finds it).
        """
        self._context, self._kubeconfig = context, kubeconfig

    def objects(self, namespace: str) -> list[Object]:
        return self._get(namespace, _KINDS)

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        options = [
            f"--container={container}",
            f"--tail={lines}",
            f"--previous={str(previous).lower()}",
        ]
        try:
            return self._output(namespace, "logs", pod, *options)
        except UnreadClusterError:
            return ""

    def secret_values(self, namespace: str, names: Sequence[str]) -> list[str]:
        if not names:
            return []
        return decoded_values(self._get(namespace, "secrets", *names, "--ignore-not-found"))

    def _get(self, namespace: str, *what: str) -> list[Object]:
        output = self._output(namespace, "get", *what, "--output=json")
        try:
            document = json.loads(output) if output.strip() else {}
        except ValueError:
            raise UnreadClusterError("kubectl answers with something else than JSON") from None
        return document.get("items", [document] if document else [])

    def _output(self, namespace: str, *arguments: str) -> str:
        with self._options() as options:
            command = [
                "kubectl",
                *options,
                f"--namespace={namespace}",
                f"--request-timeout={SECONDS}s",
            ]
            try:
                done = subprocess.run(
                    [*command, *arguments],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=2 * SECONDS,
                    check=False,
                )
            except OSError:
                raise UnreadClusterError("kubectl is not installed") from None
            except subprocess.TimeoutExpired:
                raise UnreadClusterError("kubectl gets no answer") from None
        if done.returncode:
            # Its own words can quote what it read.
            raise UnreadClusterError(f"kubectl {arguments[0]} fails")
        return done.stdout

    @contextmanager
    def _options(self) -> Any:
        options = [f"--context={self._context}"] if self._context else []
        text = self._kubeconfig
        if not text:
            yield options
        elif "\n" not in text and Path(text).expanduser().exists():
            yield [*options, f"--kubeconfig={Path(text).expanduser()}"]
        else:
            file, path = tempfile.mkstemp()
            try:
                with os.fdopen(file, "w") as out:
                    out.write(text)
                yield [*options, f"--kubeconfig={path}"]
            finally:
                Path(path).unlink()


def decoded_values(secrets: Iterable[Object]) -> list[str]:
    """The values of Secrets as the API has them (base64), as text."""
    values: list[str] = []
    for secret in secrets:
        for encoded in (secret.get("data") or {}).values():
            try:
                values.append(base64.b64decode(encoded).decode())
            except (binascii.Error, UnicodeDecodeError):
                # A value that is no text stands in no log; its base64 may.
                values.append(encoded)
    return values


def of_caller() -> ClusterReader:
    """As the stack's configuration for Pulumi's Kubernetes provider says, else as kubectl finds it."""
    config = pulumi.Config("kubernetes")
    return Kubectl(config.get("context"), config.get("kubeconfig"))


READER: ContextVar[Callable[[], ClusterReader]] = ContextVar("reader", default=of_caller)
"""Gives what reads the cluster of the running program; the sandbox has its own."""


def cluster_reader(settings: Settings) -> ClusterReader:
    """What reads the cluster of the settings."""
    kubeconfig = settings.deployment.kubeconfig
    if kubeconfig is None:
        return READER.get()()
    return Kubectl(kubeconfig=kubeconfig.get_secret_value())

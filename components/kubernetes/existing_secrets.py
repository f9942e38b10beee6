"""Plain Kubernetes Secrets and files of others, encoded for open-source Kestra when a container starts."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import pulumi

from ..settings import Settings
from ..settings.declared import DeclaredSecret, ExistingSecret
from .pod_additions import SECRET_MODE

#: Of Stakater Reloader, which does nothing where it is not installed.
RELOAD = "secret.reloader.stakater.com/reload"
_VOLUME, _FOLDER = "existing-secrets", "/etc/kestra-secrets"


def followed(settings: Settings) -> list[str]:
    """Kubernetes Secrets of others, each once, sorted."""
    names = {one.kubernetes_secret for _, one in _existing(settings) if one.kubernetes_secret}
    return sorted(names)


def volumes(settings: Settings) -> list[dict[str, Any]]:
    """The volume of the Secrets' keys; a pod does not start while one of them is missing."""
    by_secret: dict[str, list[dict[str, str]]] = {}
    for name, one in _existing(settings):
        if one.kubernetes_secret is not None and one.data_key is not None:
            by_secret.setdefault(one.kubernetes_secret, []).append(
                {"key": one.data_key, "path": name}
            )
    sources = [{"secret": {"name": n, "items": items}} for n, items in sorted(by_secret.items())]
    return (
        [{"name": _VOLUME, "projected": {"sources": sources, "defaultMode": SECRET_MODE}}]
        if sources
        else []
    )


def mounts(settings: Settings) -> list[dict[str, Any]]:
    """Where Kestra's container has that volume."""
    is_there = bool(volumes(settings))
    return [{"name": _VOLUME, "mountPath": _FOLDER, "readOnly": True}] if is_there else []


def exports(settings: Settings) -> list[str]:
    """Shell commands that set SECRET_<NAME>, base64 as Kestra reads it; each fails where its file is missing.

    The value goes from the file to the variable. It stands in no command line, and Kestra's own process is the first
    one that has it in its environment.
    """
    commands = []
    for name, one in _existing(settings):
        path = one.file or posixpath.join(_FOLDER, name)
        read = f"cat {path}" if one.encoding == "base64" else f"base64 -w 0 {path}"
        own = f"SECRET_{name.upper()}"
        commands.append(f'{own}="$({read})" && export {own}')
    return commands


def reload_annotation(
    settings: Settings, delivered: Sequence[pulumi.Input[str]]
) -> dict[str, pulumi.Input[str]]:
    """The annotation by which Stakater Reloader rolls a Deployment when a Secret changes that others rotate.

    Args:
        settings: of the stack, for the Secrets of others.
        delivered: Secrets that External Secrets writes anew.
    """
    own = followed(settings)
    if not delivered:
        return {RELOAD: ",".join(own)} if own else {}
    return {RELOAD: pulumi.Output.all(*delivered, *own).apply(",".join)}


def _existing(settings: Settings) -> Iterator[tuple[str, ExistingSecret]]:
    for name, declared in sorted(settings.declared_secrets.items()):
        if (one := _of_pods(declared)) is not None:
            yield name, one


def _of_pods(declared: DeclaredSecret) -> ExistingSecret | None:
    existing = declared.existing
    return existing if existing and (existing.kubernetes_secret or existing.file) else None

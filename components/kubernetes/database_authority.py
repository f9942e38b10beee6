"""The volume with the authority of Kestra's database. Pure: fields of pods and of the stack's ConfigMap."""

from __future__ import annotations

from typing import Any

import pulumi

from ..settings import Settings
from ..settings.deployment import AUTHORITY_FOLDER

_VOLUME = "kestra-database-authority"


def configuration_data(settings: Settings) -> dict[str, str]:
    """What the stack's ConfigMap has besides: the certificates that the settings hold themselves."""
    authority = settings.deployment.database_authority
    if authority is None or authority.certificates is None:
        return {}
    return {authority.file: authority.certificates}


def volumes(settings: Settings, config_map: pulumi.Input[str]) -> list[dict[str, Any]]:
    """The volume; `config_map` is the stack's own."""
    authority = settings.deployment.database_authority
    if authority is None:
        return []
    items = [{"key": authority.file, "path": authority.file}]
    # Everybody may read it: it is no secret.
    source: dict[str, Any] = {"defaultMode": 0o444, "items": items}
    if authority.secret is not None:
        return [{"name": _VOLUME, "secret": {"secretName": authority.secret, **source}}]
    return [{"name": _VOLUME, "configMap": {"name": authority.config_map or config_map, **source}}]


def mounts(settings: Settings) -> list[dict[str, Any]]:
    """Where Kestra's container has it."""
    if settings.deployment.database_authority is None:
        return []
    return [{"name": _VOLUME, "mountPath": AUTHORITY_FOLDER, "readOnly": True}]

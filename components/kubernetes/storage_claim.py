"""The volume of Kestra's internal storage, where that is a folder of its containers."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_kubernetes import core

from ..settings import Settings
from .pods import stores_locally


def register_storage_claim(
    logical: str, settings: Settings, metadata: Any, parent: pulumi.Resource
) -> None:
    """Registers the PersistentVolumeClaim; nothing where the storage is elsewhere, or the claim is another's.

    Args:
        logical: name of the resource.
        settings: the stack's settings.
        metadata: of the claim.
        parent: whose child it is.
    """
    volume = settings.deployment.storage_volume
    if volume is None or volume.existing_claim or not stores_locally(settings):
        return
    distributed = settings.deployment.mode == "distributed"
    mode = volume.access_mode or ("ReadWriteMany" if distributed else "ReadWriteOnce")
    # In the Kubernetes API's own spelling, which the SDK's typed dictionaries do not know.
    spec: Any = {
        "accessModes": [mode],
        "resources": {"requests": {"storage": volume.size}},
        "storageClassName": volume.class_name,
    }
    core.v1.PersistentVolumeClaim(
        logical,
        metadata=metadata,
        spec=spec,
        opts=pulumi.ResourceOptions(parent=parent, protect=settings.protect),
    )

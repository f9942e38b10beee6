"""What a change of inputs means for an object: its changed paths, and whether it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from sandbox.providers.kubernetes import checkpoint, naming
from sandbox.providers.kubernetes.diff import compare
from sandbox.providers.kubernetes.immutable import IDENTITY, replacing_paths
from sandbox.providers.kubernetes.normalize import normalize, prune
from sandbox.providers.kubernetes.settings import ProviderSettings
from sandbox.providers.runtime.provider import Change, Diff, Urn
from sandbox.providers.runtime.values import UNKNOWN, Properties


def difference(
    urn: Urn,
    state: Properties,
    new: Properties,
    ignored: Collection[str],
    settings: ProviderSettings,
    namespaced: Callable[[naming.Kind], bool],
) -> Diff:
    """What changes from the live object (as the state has it) to the new inputs.

    Only what the old or the new inputs speak of is compared. A replacement deletes first when the
    new object must have the old one's name.
    """
    old_inputs, live = checkpoint.read(state)
    old_inputs = normalize(old_inputs)
    desired = normalize(checkpoint.manifest(new))
    kind = naming.kind_of(desired, naming.kind_from_urn(urn))
    before = prune(live, old_inputs)
    for side in (before, desired):
        meta = side.get("metadata")
        if not isinstance(meta, dict):
            if meta is UNKNOWN:
                continue
            meta = side["metadata"] = {}
        if namespaced(kind):
            meta["namespace"] = meta.get("namespace") or "default"
        else:
            meta.pop("namespace", None)
    before.setdefault("apiVersion", kind.api_version)
    before.setdefault("kind", kind.kind)
    if naming.object_name(desired):
        before["metadata"]["name"] = naming.object_name(live)
    replacing = (
        list(IDENTITY)
        if naming.is_patch(urn, kind)
        else replacing_paths(
            kind,
            desired,
            secrets_mutable=settings.secrets_mutable,
            config_maps_mutable=settings.config_maps_mutable,
        )
    )
    changes = compare(before, desired, replacing)
    if changes.get("metadata") and changes["metadata"].change is Change.DELETE:
        changes["metadata"] = replace(changes["metadata"], replaces=True)
    same_place = naming.object_name(desired) == naming.object_name(live) and (
        naming.namespace(desired) or ""
    ) == naming.namespace(live)
    fixed_name = bool(naming.object_name(desired)) and (
        naming.annotation(desired, naming.AUTONAMED) != "true"
    )
    return Diff(changes, delete_first=fixed_name and same_place).without(ignored)

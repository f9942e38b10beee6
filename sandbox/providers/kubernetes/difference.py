"""What a change of inputs means for an object: its changed paths, and whether it is replaced."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.providers.kubernetes import checkpoint, naming
from sandbox.providers.kubernetes.diff import Change, compare, ignore
from sandbox.providers.kubernetes.immutable import IDENTITY, replacing_paths
from sandbox.providers.kubernetes.normalize import normalize, prune
from sandbox.providers.kubernetes.outcomes import Difference, Properties
from sandbox.providers.kubernetes.settings import ProviderSettings
from sandbox.providers.kubernetes.values import UNKNOWN


def difference(
    urn: str,
    state: Properties,
    new: Properties,
    ignored: list[str],
    settings: ProviderSettings,
    namespaced: Callable[[naming.Kind], bool],
) -> Difference:
    """What changes from the live object (as the state has it) to the new inputs.

    Only what the old or the new inputs speak of is compared. A replacement deletes first when the
    new object must have the old one's name.
    """
    old_inputs, live = checkpoint.read(state)
    old_inputs = normalize(old_inputs)
    wanted = normalize(checkpoint.manifest(new))
    kind = naming.kind_of(wanted, naming.kind_from_urn(urn))
    before = prune(live, old_inputs)
    for side in (before, wanted):
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
    if naming.object_name(wanted):
        before["metadata"]["name"] = naming.object_name(live)
    replacing = (
        list(IDENTITY)
        if naming.is_patch(urn, kind)
        else replacing_paths(
            kind,
            wanted,
            secrets_mutable=settings.secrets_mutable,
            config_maps_mutable=settings.config_maps_mutable,
        )
    )
    changes = ignore(compare(before, wanted, replacing), ignored)
    replaces = [path for path, change in changes.items() if change.replaces]
    if changes.get("metadata") and changes["metadata"].change is Change.DELETE:
        replaces.append("metadata")
    same_place = naming.object_name(wanted) == naming.object_name(live) and (
        naming.namespace(wanted) or ""
    ) == naming.namespace(live)
    fixed_name = bool(naming.object_name(wanted)) and (
        naming.annotation(wanted, naming.AUTONAMED) != "true"
    )
    return Difference(changes, replaces, bool(replaces) and fixed_name and same_place)

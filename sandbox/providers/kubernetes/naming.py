"""Names, kinds and annotations: what an object is called and what its annotations ask for."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Urn
from sandbox.providers.runtime.values import UNKNOWN

AUTONAMED = "pulumi.com/autonamed"
SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds"
PATCH_FORCE = "pulumi.com/patchForce"
PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager"
DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy"
MANAGER_PREFIX = "pulumi-kubernetes-"


@dataclass(frozen=True)
class Kind:
    """A group, a version and a kind; the core group is the empty text."""

    group: str
    version: str
    kind: str

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def __str__(self) -> str:
        return f"{self.api_version}/{self.kind}"


def kind_from_urn(urn: Urn) -> Kind:
    """The kind that a type token names.

    Raises:
        ProviderError: when the token is not ``kubernetes:<group>/<version>:<Kind>``.
    """
    package, _, rest = urn.type.partition(":")
    module, _, kind = rest.partition(":")
    group, slash, version = module.partition("/")
    if package != "kubernetes" or not slash or not kind:
        raise ProviderError(f'unrecognized resource type: "{urn.type}" for this provider')
    return Kind("" if group == "core" else group, version, kind)


def kind_of(manifest: Mapping[str, Any], fallback: Kind) -> Kind:
    """The kind that a manifest states, else the one of its type token."""
    api_version = manifest.get("apiVersion")
    kind = manifest.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        return fallback
    group, slash, version = api_version.rpartition("/")
    return Kind(group if slash and group != "core" else "", version, kind)


def is_patch(urn: Urn, kind: Kind) -> bool:
    """Whether the resource only patches an object that someone else owns (``ConfigMapPatch``)."""
    token = urn.type.rsplit(":", 1)[-1]
    return token.endswith("Patch") and not kind.kind.endswith("Patch")


def metadata(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a manifest, empty when there is none or it is not known yet."""
    value = manifest.get("metadata")
    return value if isinstance(value, dict) else {}


def object_name(manifest: Mapping[str, Any]) -> str:
    value = metadata(manifest).get("name")
    return value if isinstance(value, str) else ""


def namespace(manifest: Mapping[str, Any]) -> str:
    value = metadata(manifest).get("namespace")
    return value if isinstance(value, str) else ""


def annotation(manifest: Mapping[str, Any], key: str) -> str:
    annotations = metadata(manifest).get("annotations")
    value = annotations.get(key) if isinstance(annotations, dict) else None
    return value if isinstance(value, str) else ""


def set_autonamed(manifest: dict[str, Any], name: str) -> None:
    """Gives a name made by the provider and says so in an annotation."""
    meta = manifest.setdefault("metadata", {})
    meta["name"] = name
    annotations = meta.get("annotations")
    if annotations is not UNKNOWN:
        meta["annotations"] = {**(annotations or {}), AUTONAMED: "true"}


def assign_name(manifest: dict[str, Any], base: str, seed: bytes) -> None:
    """Names an unnamed object ``<base>-<8 hex digits>``; the same seed gives the same name."""
    meta = manifest.get("metadata", {})
    if meta is UNKNOWN or meta.get("name") or meta.get("generateName"):
        return
    digits = hashlib.sha256(seed).hexdigest()[:8] if seed else secrets.token_hex(4)
    set_autonamed(manifest, f"{base}-{digits}")


def adopt_name(manifest: dict[str, Any], old: Mapping[str, Any]) -> None:
    """Keeps the name that the provider made for the old object, if the new one is unnamed."""
    meta = manifest.get("metadata", {})
    if meta is UNKNOWN or meta.get("name") or meta.get("generateName"):
        return
    if annotation(old, AUTONAMED) == "true" and object_name(old):
        set_autonamed(manifest, object_name(old))


def field_manager(manifest: Mapping[str, Any], state: Mapping[str, Any], apply: bool) -> str:
    """Who owns the fields: annotation, else the state's, else a new random one."""
    if not apply:
        return "pulumi-kubernetes"
    asked = annotation(manifest, PATCH_FIELD_MANAGER)
    if asked:
        return asked
    kept = state.get("__fieldManager")
    return kept if isinstance(kept, str) and kept else MANAGER_PREFIX + secrets.token_hex(4)


def identifier(manifest: Mapping[str, Any]) -> str:
    """The resource id: ``namespace/name``, or the name alone for a cluster-wide object."""
    space = namespace(manifest)
    return f"{space}/{object_name(manifest)}" if space else object_name(manifest)


def split_identifier(identity: str) -> tuple[str, str]:
    """Namespace (may be empty) and name of a resource id."""
    space, slash, name = identity.partition("/")
    return (space, name) if slash else ("", identity)


def timeout_seconds(manifest: Mapping[str, Any], asked: float, default: float) -> float:
    """Seconds to wait: customTimeouts, else the annotation, else the default."""
    if asked:
        return asked
    text = annotation(manifest, TIMEOUT_SECONDS)
    return float(text) if text.isdigit() else default


def skip_await(manifest: Mapping[str, Any]) -> bool:
    return annotation(manifest, SKIP_AWAIT) == "true"


def deletion_policy(manifest: Mapping[str, Any]) -> str:
    """How dependents go: Foreground unless the annotation says Background or Orphan."""
    asked = annotation(manifest, DELETION_PROPAGATION).lower()
    return {"orphan": "Orphan", "background": "Background"}.get(asked, "Foreground")

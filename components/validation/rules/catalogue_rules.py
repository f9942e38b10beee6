"""Keys of the catalogue: their version and edition, what has them here already, and what the pods assume."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from components.catalogue import CatalogueKey, KeyPath, lookup
from components.settings.findings import Finding
from components.settings.model import Settings
from components.validation.catalogue_keys import (
    ADDITIONAL,
    keys_below,
    leaves_of,
    setting_place,
)
from components.validation.forbidden_keys import owned, refused
from components.validation.schema import Loc, config_path

VERSIONS = ("1.3", "2.0")

#: Block that a version no longer has, or does not have yet, to what takes its place; the longest fits.
_INSTEAD = {
    "kestra.plugins.defaults": "write the defaults as kestra:policies",
    "kestra.tasks.defaults": "write the defaults as kestra:policies",
    "kestra.policies": "write what they set as kestra:plugins.defaults",
    "kestra.jdbc.cleaner": "write it as kestra:jdbc.queue.cleaner",
    "kestra.jdbc.cleaner.types": "write kestra:jdbc.queue.cleaner.retention, which holds for every type",
    "kestra.jdbc.queue.cleaner": "write it as kestra:jdbc.cleaner",
    "kestra.jdbc.executor.thread-count": "write it as kestra:executor.thread-count",
    "kestra.executor.thread-count": "write it as kestra:jdbc.executor.thread-count",
    "kestra.mail-service": "write it as kestra:ee.mail-service",
    "kestra.ee.custom-links": "write it as kestra:ee.right-sidebar.custom-links",
    "kestra.ee.tenants": "remove it: tenants are always on since 0.23; kestra:ee.tenants.fallback-tenant names the one "
    "that addresses without a tenant mean",
    "kestra.templates": "remove it: write a template's tasks as a flow, and call it with the task Subflow",
    "kestra.worker.group-key": "write the group under kestra:deployment.worker-groups",
    "flyway": "remove it: 2.0 changes its database with `kestra migrate`, set under kestra:migration",
    "kestra.migration": "remove it: 1.3 changes its database with Flyway, set under kestra:flyway",
}  # fmt: skip


def keys_of_the_catalogue(s: Settings) -> Iterator[Finding]:
    """Each key that its version or edition does not have, or that something else here sets."""
    reported: set[Loc] = set()
    for path, value in leaves_of(s.catalogue_keys):
        key = lookup(path).key
        if key is None:
            continue
        for finding in (
            _owned(s, path, key, value),
            _version(s, path, key),
            _edition(s, path, key),
        ):
            if finding is None:
                continue
            if finding.loc not in reported:
                reported.add(finding.loc)
                yield finding
            break
        else:
            if (warning := _other_root(path)) and warning.loc not in reported:
                reported.add(warning.loc)
                yield warning


def _owned(s: Settings, path: KeyPath, key: CatalogueKey, value: Any) -> Finding | None:
    problem = owned(s, key, path) or refused(s, path, value)
    return None if problem is None else Finding(setting_place(path), *problem)


def _edition(s: Settings, path: KeyPath, key: CatalogueKey) -> Finding | None:
    if key.edition != "enterprise" or s.is_enterprise:
        return None
    end = _highest(path, "edition")
    return Finding(
        setting_place(path[:end]),
        f"is {_kind(path, end)} of the Enterprise Edition",
        "open-source Kestra would ignore it without a word",
        "remove it, or set kestra:edition to enterprise",
    )


def _version(s: Settings, path: KeyPath, key: CatalogueKey) -> Finding | None:
    if key.is_in(s.version) or _is_in_map(path, s.version):
        return None
    is_new = bool(key.since) and _number(s.version) < _number(key.since)
    end = _highest(path, "since" if is_new else "until")
    instead = next(
        (fix for block, fix in sorted(_INSTEAD.items(), reverse=True) if _is_in(key.key, block)), ""
    )
    if is_new:
        fix = f"{instead or 'remove it'}, or set kestra:version to {key.since}"
        what = f"does not exist in Kestra {s.version}"
        return Finding(
            setting_place(path[:end]), what, f"{_name(path, end)} came with {key.since}", fix
        )
    what = f"does not exist in Kestra {s.version}"
    rule = f"{_name(path, end)} ended with {key.until}"
    return Finding(setting_place(path[:end]), what, rule, instead or "remove it")


def _is_in_map(path: KeyPath, version: str) -> bool:
    """Whether a map of this version holds the path, which takes everything."""
    above = (lookup(path[:end]).key for end in range(2, len(path)))
    return any(key is not None and key.type == "map" and key.is_in(version) for key in above)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _name(path: KeyPath, end: int) -> str:
    return ".".join(str(part) for part in path[:end] if isinstance(part, str))


def _kind(path: KeyPath, end: int) -> str:
    return "a block" if end < len(path) else "a key"


def _is_in(key: str, block: str) -> bool:
    return key == block or key.startswith((f"{block}.", f"{block}["))


def _highest(path: KeyPath, column: str) -> int:
    """The end of the highest block of a path whose keys all say the same of edition or version."""
    for end in range(2 if path[0] == "kestra" else 1, len(path)):
        if isinstance(path[end - 1], str) and _says_one(path[:end], column):
            return end
    return len(path)


@cache
def _says_one(block: KeyPath, column: str) -> bool:
    match = lookup(block)
    if match.kind != "block":
        return False
    pattern = [part if isinstance(part, str) else "[]" for part in block]
    values = {getattr(key, column) for key in keys_below(".".join(pattern).replace(".[]", "[]"))}
    return len(values) == 1 and (column != "edition" or values == {"enterprise"})


def _other_root(path: KeyPath) -> Finding | None:
    if path[:2] != ("tasks", "sdk"):
        return None
    return Finding(
        setting_place(path),
        "is rendered as the root key tasks.sdk of older releases",
        "later releases read kestra.tasks.sdk.authentication.{username,password,api-token}",
        "write api-token in place of token",
        warning=True,
    )


def additional(s: Settings) -> Iterator[Finding]:
    """The open way: not for what the settings have, nor for what they refuse; told as not checked."""
    reported: set[Loc] = set()
    for path, value in leaves_of(s.additional_configuration):
        if not path:
            continue
        at = (ADDITIONAL, *path)
        if problem := refused(s, path, value):
            yield Finding(at, *problem)
            continue
        end = next((n for n in range(1, len(path) + 1) if _is_key(path[:n])), None)
        # A value in place of a block would take the block away that the settings make.
        if end is not None or lookup(path).kind == "block":
            setting = config_path(setting_place(path)) if len(path) > 1 else "kestra:version"
            yield Finding(
                at,
                f"is the setting {setting}",
                f"{ADDITIONAL} is for keys that neither the settings nor the catalogue have",
                f"write it as {setting}, where it is checked",
            )
        elif at[:2] not in reported:
            reported.add(at[:2])
            yield Finding(
                at[:2],
                "is not checked",
                "neither the settings nor docs/catalogue.md have what stands here: Kestra gets it as it is written, and "
                "ignores a key that it does not know",
                "look it up in the documentation of Kestra, or of the plugin that reads it",
                warning=True,
            )


def _is_key(path: KeyPath) -> bool:
    return lookup(path).kind in ("key", "inside")

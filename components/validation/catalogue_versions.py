"""In which versions of Kestra a key of the catalogue exists, and what takes its place in the others."""

from __future__ import annotations

from functools import cache, lru_cache

from ..catalogue import CatalogueKey, KeyPath, catalogue, lookup
from ..settings.findings import Finding
from .schema import Loc

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


def setting_place(path: KeyPath) -> Loc:
    """The setting of a path in Kestra's file."""
    return tuple(path[1:]) if path[0] == "kestra" else tuple(path)


def keys_below(block: str) -> list[CatalogueKey]:
    """The keys of the catalogue at and below a block."""
    return [
        key
        for key in catalogue()
        if key.key == block or key.key.startswith((f"{block}.", f"{block}[]"))
    ]


def version_finding(version: str, path: KeyPath, key: CatalogueKey) -> Finding | None:
    """What is wrong with a key that a version does not have; None where it has it.

    Args:
        version: `1.3` or `2.0`.
        path: of a value, in Kestra's file.
        key: of the catalogue, at the path or above it.
    """
    if key.is_in(version) or _is_in_map(path, version):
        return None
    is_new = bool(key.since) and _number(version) < _number(key.since)
    end = highest_block(path, "since" if is_new else "until")
    instead = next(
        (fix for block, fix in sorted(_INSTEAD.items(), reverse=True) if _is_in(key.key, block)), ""
    )
    if is_new:
        fix = f"{instead or 'remove it'}, or set kestra:version to {key.since}"
        what = f"does not exist in Kestra {version}"
        return Finding(
            setting_place(path[:end]), what, f"{_name(path, end)} came with {key.since}", fix
        )
    what = f"does not exist in Kestra {version}"
    rule = f"{_name(path, end)} ended with {key.until}"
    return Finding(setting_place(path[:end]), what, rule, instead or "remove it")


def block_version_finding(version: str, place: Loc) -> Finding | None:
    """What is wrong with the highest block at or above a setting's place that a version has nothing of.

    Of what stands in such a block the version says more than its shape.
    """
    for path in (("kestra", *place), place):
        for end in range(2 if path[0] == "kestra" else 1, len(path) + 1):
            keys = _keys_at(path[:end])
            if keys and not any(key.is_in(version) for key in keys):
                return version_finding(version, path[:end], keys[0])
    return None


@lru_cache(maxsize=4096)
def _keys_at(path: KeyPath) -> tuple[CatalogueKey, ...]:
    match = lookup(path)
    if match.key is not None:
        return (match.key,)
    return tuple(keys_below(_pattern(path))) if match.kind == "block" else ()


def _is_in_map(path: KeyPath, version: str) -> bool:
    """Whether a map of this version holds the path, which takes everything."""
    above = (lookup(path[:end]).key for end in range(2, len(path)))
    return any(key is not None and key.type == "map" and key.is_in(version) for key in above)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _name(path: KeyPath, end: int) -> str:
    return ".".join(str(part) for part in path[:end] if isinstance(part, str))


def _is_in(key: str, block: str) -> bool:
    return key == block or key.startswith((f"{block}.", f"{block}["))


def highest_block(path: KeyPath, column: str) -> int:
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
    values = {getattr(key, column) for key in keys_below(_pattern(block))}
    return len(values) == 1 and (column != "edition" or values == {"enterprise"})


def _pattern(block: KeyPath) -> str:
    parts = (part if isinstance(part, str) else "[]" for part in block)
    return ".".join(parts).replace(".[]", "[]")

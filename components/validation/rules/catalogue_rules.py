"""Keys of the catalogue: their version and edition, what has them here already, and what the pods assume."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...catalogue import CatalogueKey, KeyPath, lookup
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.walk import walk_values
from ..catalogue_keys import ADDITIONAL
from ..catalogue_versions import (
    highest_block,
    setting_place,
    version_finding,
)
from ..forbidden_keys import owned, refused
from ..schema import Loc, config_path


def keys_of_the_catalogue(s: Settings) -> Iterator[Finding]:
    """Each key that its version or edition does not have, or that something else here sets."""
    reported: set[Loc] = set()
    for path, value in walk_values(s.catalogue_keys):
        key = lookup(path).key
        if key is None:
            continue
        for finding in (
            version_finding(s.version, path, key),
            _owned(s, path, key, value),
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
    end = highest_block(path, "edition")
    return Finding(
        setting_place(path[:end]),
        f"is {_kind(path, end)} of the Enterprise Edition",
        "open-source Kestra would ignore it without a word",
        "remove it, or set kestra:edition to enterprise",
    )


def _kind(path: KeyPath, end: int) -> str:
    return "a block" if end < len(path) else "a key"


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
    for path, value in walk_values(s.additional_configuration):
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

"""The secret manager: its block, its mode, its credentials."""

from __future__ import annotations

from collections.abc import Iterator

from ...backends.registry import BACKENDS, backend_of
from ...settings.findings import Finding
from ...settings.managers import CloudManager, FlatManager, Manager
from ...settings.model import Settings


def secret_manager(s: Settings) -> Iterator[Finding]:
    """The block of the type, and what each mode can use."""
    manager = s.secret
    if manager is None:
        return
    block, backend = manager.backend, backend_of(s)
    if block is None and backend.block_required and not s.uses_external_secrets:
        yield Finding(
            ("secret", manager.type),
            "is missing",
            f"type {manager.type} needs its block",
            "add it",
            kind="missing",
        )
    if backend.since > s.version and not s.uses_external_secrets:
        yield Finding(
            ("secret", "type"),
            f"is {manager.type} on Kestra {s.version}",
            f"no documentation of Kestra {s.version} knows it",
            f"set kestra:version to {backend.since}, or choose another manager",
        )
    for other in BACKENDS:
        if other != manager.type and manager.block(other) is not None:
            yield Finding(
                ("secret", other),
                f"is not the block of type {manager.type}",
                "Kestra reads only the block of its type",
                "remove it, or change kestra:secret.type",
            )
    if not backend.is_read_only_capable:
        if manager.read_only:
            yield Finding(
                ("secret", "read-only"),
                f"does not exist for {manager.type}",
                "only external managers can be read-only; this store belongs to Kestra",
                "remove it",
            )
        return
    if not isinstance(block, Manager):
        return
    at = ("secret", manager.type)
    if not manager.is_read_only:
        for name in ("filter-on-tags", "filter-on-prefix", "excluded-tags"):
            if getattr(block, name.replace("-", "_"), None):
                yield Finding(
                    (*at, name),
                    "works in read-only mode only",
                    "in managed mode Kestra finds its secrets by its own tags",
                    "set kestra:secret.read-only to true, or remove it",
                )
    elif block.tags:
        yield Finding(
            (*at, "tags"),
            "has no effect in read-only mode",
            "tags are put on secrets that Kestra creates; a read-only Kestra creates none",
            "use filter-on-tags to choose what is visible",
            warning=True,
            kind="relation",
        )


def prefixes(s: Settings) -> Iterator[Finding]:
    """An empty tag name or value."""
    block = s.secret and s.secret.backend
    if s.secret is None or not isinstance(block, Manager):
        return
    nested = block.filter_on_tags if isinstance(block, CloudManager) else None
    groups = {
        ("tags",): block.tags,
        ("excluded-tags",): block.excluded_tags,
        ("filter-on-tags",): block.filter_on_tags if isinstance(block, FlatManager) else {},
        ("filter-on-tags", "tags"): nested.tags if nested else {},
    }
    for at, tags in groups.items():
        for name, value in tags.items():
            if not name.strip() or not value.strip():
                yield Finding(
                    ("secret", s.secret.type, *at, name),
                    "is empty",
                    "a tag has a name and a value",
                    "set it",
                )


def cache(s: Settings) -> Iterator[Finding]:
    """Settings of a cache that is off."""
    block = s.secret and s.secret.cache
    if block and not block.enabled and (block.maximum_size or block.expire_after_write):
        yield Finding(
            ("secret", "cache", "enabled"),
            "is off, so the cache's other settings have no effect",
            "the cache works when it is enabled",
            "set it to true, or remove the block",
            warning=True,
        )


def isolation(s: Settings) -> Iterator[Finding]:
    """Services that exist, and those that flows need."""
    block = s.secret and s.secret.isolation
    if not block:
        return
    at = ("secret", "isolation")
    for i, service in enumerate(block.denied_services):
        if service == "CONTROLLER" and s.version != "2.0":
            yield Finding(
                (*at, "denied-services", i),
                "CONTROLLER does not exist in Kestra 1.3",
                "EXECUTOR, INDEXER, SCHEDULER, WEBSERVER or WORKER",
                "remove it, or set kestra:version to 2.0",
            )
        if service in ("WORKER", "WEBSERVER"):
            what = (
                "flows cannot read secrets"
                if service == "WORKER"
                else "the user interface cannot manage secrets"
            )
            yield Finding(
                (*at, "denied-services", i),
                f"denies {service}, so {what}",
                "EXECUTOR, INDEXER and SCHEDULER can do without secrets",
                "remove it unless that is meant",
                warning=True,
            )
        if service in block.denied_services[:i]:
            yield Finding(
                (*at, "denied-services", i), "is listed twice", "each service once", "remove one"
            )
    if block.enabled and not block.denied_services:
        yield Finding(
            (*at, "denied-services"),
            "is empty while isolation is enabled",
            "isolation denies the services of this list",
            "name the services, for example [EXECUTOR, INDEXER, SCHEDULER]",
        )
    if not block.enabled and block.denied_services:
        yield Finding(
            (*at, "enabled"),
            "is off, so denied-services has no effect",
            "isolation works when it is enabled",
            "set it to true",
            warning=True,
        )

"""What the chosen mode and platform can run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from ...policy_tables import Image
from ...settings.base import reveal
from ...settings.deployment import COMPONENTS_1, COMPONENTS_2
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.platform import StorageType
from ...settings.quantities import amount

#: Databases in Kestra's own process, which H2 closes in a shutdown hook unless the URL says otherwise.
#: Source: H2 documentation, features, "Don't Close a Database when the VM Exits".
_OWN_H2 = re.compile(r"jdbc:h2:(?!tcp:|ssl:)", re.IGNORECASE)
_KEPT_AT_EXIT = re.compile(r";\s*DB_CLOSE_ON_EXIT\s*=\s*FALSE\s*(;|$)", re.IGNORECASE)


def platform(s: Settings) -> Iterator[Finding]:
    """A database for the queue and the repository, and storage that every pod reaches."""
    for name, kind in (("queue", s.queue), ("repository", s.repository)):
        if (
            kind is not None
            and kind.type in ("postgres", "mysql", "h2")
            and kind.type not in s.datasources
        ):
            yield Finding(
                (name, "type"),
                f"{kind.type} has no datasource",
                "Kestra takes the datasource of the same name",
                f"add kestra:datasources.{kind.type}",
                adds=("datasources", kind.type),
            )
    for name in s.datasources:
        if name not in ("h2", "postgres", "mysql"):
            yield Finding(
                ("datasources", name),
                "is no datasource of Kestra",
                "h2, postgres or mysql",
                "rename it",
            )
    url = reveal(s.datasources["h2"].url) if "h2" in s.datasources else None
    if re.match(_OWN_H2, url or "") and not re.search(_KEPT_AT_EXIT, url or ""):
        yield Finding(
            ("datasources", "h2", "url"),
            "closes the database as soon as Kestra is asked to end",
            "tasks that still run then cannot store how they ended, and the pod waits for its whole grace period",
            "add ;DB_CLOSE_ON_EXIT=FALSE at its end",
            warning=True,
        )
    storage = s.storage
    if storage:
        for kind in get_args(StorageType)[1:]:
            if storage.type == kind and not _has_block(s, kind):
                yield Finding(
                    ("storage", kind),
                    "is missing",
                    f"type {kind} needs its block",
                    "add it",
                    kind="missing",
                )
        for kind in get_args(StorageType):
            if storage.type != kind and _has_block(s, kind):
                yield Finding(
                    ("storage", kind),
                    f"is not the block of type {storage.type}",
                    "Kestra reads only the block of its type",
                    "remove it, or change kestra:storage.type",
                )


def _has_block(s: Settings, kind: str) -> bool:
    return (
        getattr(s.storage, kind, None) is not None
        or s.catalogue_value("kestra", "storage", kind) is not None
    )


MOVING_TAGS = re.compile(r"(latest|develop|edge|main|master|stable)(-.*)?")


def deployment(s: Settings) -> Iterator[Finding]:
    """What the chosen mode can run."""
    d = s.deployment
    at = ("deployment",)
    if d.image.tag and MOVING_TAGS.fullmatch(d.image.tag) and not d.image.digest:
        yield Finding(
            (*at, "image", "tag"),
            "is a tag that moves",
            "a digest, or the tag of one release",
            "write for example v1.3.31",
        )
    # The tag of an image of one's own is no release of Kestra's.
    tag = d.image.tag or ""
    is_release = Image(d.image.repository or "kestra/kestra", tag, "").has_release_tag
    if is_release and (major := re.match(r"v?(\d+)\.", tag)) and major[1] != s.version[0]:
        yield Finding(
            (*at, "image", "tag"),
            f"is not of Kestra {s.version}",
            "the configuration is rendered for kestra:version",
            "change the tag or kestra:version",
        )
    shared = {"h2", "memory"}
    if d.mode == "distributed" and (
        s.queue is None
        or s.queue.type in shared
        or s.repository is None
        or s.repository.type in shared
    ):
        yield Finding(
            (*at, "mode"),
            "distributed needs a shared queue and repository",
            "h2 and memory live in one process",
            "set kestra:queue and kestra:repository to postgres, or mode to standalone",
            kind="relation",
        )
    local = s.storage is None or s.storage.type == "local"
    if d.mode == "distributed" and local and d.storage_volume is None:
        yield Finding(
            (*at, "storage-volume"),
            "is missing",
            "local storage of several pods is one volume that all of them mount (ReadWriteMany)",
            "add it, or set kestra:storage.type to an object store",
            kind="missing",
        )
    yield from _storage_volume(s)
    if d.storage_volume is not None and not local:
        yield Finding(
            (*at, "storage-volume"),
            "has no use",
            "a volume holds storage of type local",
            "remove it, or set kestra:storage.type to local",
            kind="relation",
        )
    for workload in s.workloads:
        resources = workload.component.resources
        for kind in ("cpu", "memory"):
            asked, most = getattr(resources.requests, kind), getattr(resources.limits, kind)
            if asked and most and amount(asked) > amount(most):
                yield Finding(
                    (*workload.loc, "resources", "requests", kind),
                    "is above the limit",
                    "requests <= limits",
                    "lower it, or raise the limit",
                    kind="relation",
                )
    replicas = d.components.standalone.replicas
    if d.mode == "standalone" and replicas > 1:
        yield Finding(
            (*at, "components", "standalone", "replicas"),
            "is more than one",
            "one pod holds every component in mode standalone",
            "set mode to distributed for more",
        )
    for name in d.components.model_fields_set:
        if name not in s.components:
            is_new = name in COMPONENTS_2 and name not in COMPONENTS_1 and s.version == "1.3"
            came = f"; the {name} came with 2.0" if is_new else ""
            instead = ", or set kestra:version to 2.0 and mode to distributed" if is_new else ""
            yield Finding(
                (*at, "components", name),
                f"is not deployed in mode {d.mode} of Kestra {s.version}",
                f"deployed are {', '.join(s.components)}{came}",
                f"remove it{instead}",
            )
    for name in d.environment:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            yield Finding(
                (*at, "environment", name),
                "is no name of a variable",
                "letters, digits and _",
                "rename it",
            )
        elif name.startswith(("STACK_", "SECRET_")):
            yield Finding(
                (*at, "environment", name),
                "is a name that this project sets",
                "STACK_* and SECRET_* are its own",
                "rename it; secrets belong under kestra:declared-secrets",
            )


def _storage_volume(s: Settings) -> Iterator[Finding]:
    volume, at = s.deployment.storage_volume, ("deployment", "storage-volume")
    if volume is None:
        return
    if volume.existing_claim is None and volume.size is None:
        yield Finding(
            (*at, "size"),
            "is missing",
            "a volume is claimed with a size, or is that of an existing claim",
            "add it, or name the claim under existing-claim",
            kind="missing",
        )
    if volume.existing_claim is not None:
        for name in ("size", "class_name"):
            if getattr(volume, name) is not None:
                yield Finding(
                    (*at, name.replace("_", "-")),
                    "has no use beside existing-claim",
                    "an existing claim has its size and its class",
                    "remove it",
                    kind="relation",
                )
    if s.deployment.mode != "distributed":
        return
    rule = "local storage of several pods is one volume that all of them mount (ReadWriteMany)"
    if volume.access_mode not in (None, "ReadWriteMany"):
        yield Finding(
            (*at, "access-mode"),
            "is not enough for several pods",
            rule,
            "write ReadWriteMany, or set kestra:storage.type to an object store",
        )
    elif volume.existing_claim is not None and volume.access_mode is None:
        yield Finding(
            (*at, "existing-claim"),
            "may be a volume that only one node mounts",
            rule,
            "set access-mode to ReadWriteMany when the claim has it",
            warning=True,
        )


def production(s: Settings) -> Iterator[Finding]:
    """What only production asks for."""
    if s.is_production and s.tags.owner is None:
        yield Finding(
            ("tags", "owner"),
            "is missing",
            "production has an owner",
            "set the team that answers for it",
            kind="missing",
        )

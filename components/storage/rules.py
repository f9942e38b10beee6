"""`kestra:storage-bucket`: a storage that takes an identity, its own block, and no credential beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..settings.findings import Finding
from ..settings.model import Settings
from ..settings.placeholders import find_placeholders
from .interface import storage_block, storage_key
from .registry import STORAGES, all_storages, object_storage, storage_of

AT = "storage-bucket"


def check(s: Settings) -> Iterator[Finding]:
    """What holds for every storage, and the checks of the chosen one."""
    bucket = s.storage_bucket
    if bucket is None:
        yield from _static(s)
        return
    chosen = storage_of(s)
    if chosen is None or storage_block(s) is None:
        if s.storage is None or s.storage.type not in STORAGES:
            yield Finding(
                (AT,),
                "has no bucket that it belongs to",
                f"it works with kestra:storage.type {' or '.join(STORAGES)}: others know no identity of a pod",
                "remove it, or change kestra:storage",
                kind="missing",
            )
        return
    for other in all_storages():
        if other.cloud != chosen.cloud and other.cloud in bucket.model_fields_set:
            yield Finding(
                (AT, other.cloud),
                f"is not the block of type {chosen.type}",
                f"it belongs to kestra:storage.type {other.type}",
                "remove it, or change kestra:storage.type",
            )
    yield from _credentials(s)
    for rule in chosen.rules:
        yield from rule(s)


def _static(s: Settings) -> Iterator[Finding]:
    """A credential of a storage that takes an identity."""
    if s.storage is None or s.storage.type not in STORAGES or storage_block(s) is None:
        return
    chosen = object_storage(s.storage.type)
    if not chosen.takes_identity(s):
        return
    for name in chosen.credentials:
        if getattr(storage_block(s), name.replace("-", "_"), None) is not None:
            yield Finding(
                ("storage", chosen.type, name),
                "is a static credential",
                f"in {chosen.title} Kestra's pods can be somebody by their service account: nothing to keep, to rotate or "
                "to lose",
                f"remove the credential and add kestra:{AT} (docs/storage.md)",
                warning=True,
            )
            return


def _credentials(s: Settings) -> Iterator[Finding]:
    chosen = storage_of(s)
    assert chosen is not None
    for name in chosen.credentials:
        if getattr(storage_block(s), name.replace("-", "_"), None) is not None:
            yield Finding(
                ("storage", chosen.type, name),
                f"stands beside kestra:{AT}",
                "Kestra would use this credential and not the identity of its pods",
                f"remove it, or remove kestra:{AT}",
            )


def annotation_of_account(s: Settings, annotation: str, rule: str) -> Iterator[Finding]:
    """An annotation of Kestra's service account that names an identity in the cloud by hand.

    Args:
        s: the settings.
        annotation: its name.
        rule: which identity the pods have.
    """
    if annotation in s.identity.service_account.annotations:
        yield Finding(
            ("identity", "service-account", "annotations", annotation),
            f"stands beside kestra:{AT}",
            rule,
            f"remove it, or remove kestra:{AT}",
        )


def read_here(s: Settings, *names: str) -> Iterator[Finding]:
    """Keys of the storage's block that this stack itself has to know, where a placeholder stands.

    Args:
        s: the settings.
        names: the keys.
    """
    assert s.storage is not None
    for name in names:
        value = getattr(storage_block(s), name.replace("-", "_"), None) or storage_key(s, name)
        if isinstance(value, str) and any(find_placeholders(value)):
            yield Finding(
                ("storage", s.storage.type, name),
                "is a placeholder",
                f"with kestra:{AT} this stack makes permissions of it, and only Kestra resolves placeholders",
                "write the value itself",
            )


def of_a_new_bucket(s: Settings, cloud: str, *names: str) -> Iterator[Finding]:
    """Keys that say something about a bucket that the stack makes, where it makes none.

    Args:
        s: the settings.
        cloud: key of the block in `kestra:storage-bucket`.
        names: the keys.
    """
    bucket = s.storage_bucket
    if bucket is None or bucket.create:
        return
    block = getattr(bucket, cloud)
    for name in names:
        if name.replace("-", "_") in block.model_fields_set:
            yield Finding(
                (AT, cloud, name),
                "stands beside create: false",
                "this stack changes nothing about a bucket that it did not make",
                "remove it, or write create: true",
            )


def path_below(
    s: Settings, form: str, characters: str, depth: str = "folders"
) -> Iterator[Finding]:
    """`path` as the beginning of the names of objects, in which no character means more than itself.

    Args:
        s: the settings.
        form: regular expression of a whole path.
        characters: what it may consist of, for people.
        depth: how many folders, for people.
    """
    assert s.storage is not None
    path = storage_key(s, "path")
    if path is None or (isinstance(path, str) and any(find_placeholders(path))):
        return
    at = ("storage", s.storage.type, "path")
    if (
        not isinstance(path, str)
        or not re.fullmatch(form, path)
        or {".", ".."} & set(path.split("/"))
    ):
        yield Finding(
            at,
            "cannot stand in a permission as it is",
            f"{depth} of {characters}, none of them . or .."
            + (", with / between them and none at the beginning" if depth == "folders" else ""),
            "write for example kestra-production",
        )
    elif s.is_enterprise:
        yield Finding(
            at,
            "leaves out what belongs to the whole instance",
            "Kestra puts such files at the root of the bucket, outside of path (kestra-io/kestra, StorageInterface.getPath), "
            "where its identity may do nothing",
            "give the installation a bucket of its own, without path",
            warning=True,
        )

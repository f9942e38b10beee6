"""Google Cloud Storage by identity: one service account, values that stand in conditions, a bucket that Google makes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backends.gcp.names import ACCOUNT
from ...settings.durations import milliseconds
from ...settings.findings import Finding
from ...settings.identity import GCP_ACCOUNT_ID
from ...settings.model import Settings
from ...settings.placeholders import find_placeholders
from ...settings.store import GcpKey
from ..rules import AT, annotation_of_account, of_a_new_bucket, path_below, read_here
from .principals import (
    key_location,
    operator_has_account,
    own_account_id,
    shares_account,
)

_LABEL = r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?"
#: Source: Google Cloud documentation, Cloud Storage, about buckets (names).
_BUCKET = (
    rf"(?!goog)(?!.*(?:google|g00gle))(?!\d+\.\d+\.\d+\.\d+$)(?=.{{3,222}}$){_LABEL}(?:\.{_LABEL})*"
)
_DAY = 24 * 60 * 60 * 1000


def identity(s: Settings) -> Iterator[Finding]:
    """A service account that Kestra's own Kubernetes service account may act as."""
    bucket, chosen = s.storage_bucket, s.identity.gcp
    assert bucket is not None
    if not chosen.workload_pool:
        yield Finding(
            ("identity", "gcp"),
            "names no identity",
            f"kestra:{AT} gives the bucket to the Google service account of Kestra's pods",
            "add workload-pool, `<project>.svc.id.goog`, to have one made with the least it needs",
            kind="missing",
        )
    elif not shares_account(s) and not re.match(GCP_ACCOUNT_ID, own_account_id(s)):
        of_operator = operator_has_account(s)
        yield Finding(
            (AT, "gcp", "account-id") if of_operator else ("identity", "gcp", "account-id"),
            "is missing, and `<namespace>-<service account>` is no id of a Google service account",
            "6 to 30 lower-case letters, digits and hyphens, beginning with a letter",
            "write account-id",
            kind="missing",
        )
    if bucket.gcp.account_id is not None and not operator_has_account(s):
        yield Finding(
            (AT, "gcp", "account-id"),
            "names a service account that is not made",
            "Kestra's pods have one in Google Cloud, which kestra:identity.gcp.account-id names",
            "remove it",
        )
    yield from annotation_of_account(
        s,
        ACCOUNT,
        "the Google service account of Kestra's pods is the one that kestra:identity.gcp describes",
    )


def names(s: Settings) -> Iterator[Finding]:
    """Values that stand in grants and conditions."""
    block = s.storage.gcs if s.storage else None
    assert block is not None
    yield from read_here(s, "bucket", "project-id", "path")
    at = ("storage", "gcs")
    if not any(find_placeholders(block.bucket)) and not re.fullmatch(_BUCKET, block.bucket):
        yield Finding(
            (*at, "bucket"),
            "is no name of a bucket",
            "3 to 63 lower-case letters, digits, - and _, beginning and ending with a letter or digit, without the word "
            "google; with dots up to 222, each part between them like such a name, and no address",
            "correct it",
        )
    elif s.storage_bucket and s.storage_bucket.create and "." in block.bucket:
        yield Finding(
            (*at, "bucket"),
            "is the name of a domain",
            "Google makes such a bucket only for who has shown that the domain is theirs (Search Console)",
            "choose a name without dots, or show it before",
            warning=True,
        )
    if block.project_id is None:
        yield Finding(
            (*at, "project-id"),
            "is missing",
            "the roles of Kestra's service account, and a bucket that is made, are in a project",
            "add it",
            kind="missing",
        )
    # Kestra asks for each folder above, and is refused.
    yield from path_below(
        s, r"[A-Za-z0-9!_.'()-]+/?", "letters, digits and ! _ . ' ( ) -", depth="one folder"
    )


def bucket(s: Settings) -> Iterator[Finding]:
    """Where the bucket is, with what key, and nothing about a bucket of others."""
    chosen = s.storage_bucket
    assert chosen is not None
    block, at = chosen.gcp, (AT, "gcp")
    yield from of_a_new_bucket(
        s, "gcp", "location", "kms", "noncurrent-days", "incomplete-upload-days"
    )
    if not chosen.create:
        return
    if block.location is None:
        yield Finding(
            (*at, "location"),
            "is missing",
            "a bucket is made in one place, and stays there",
            "add it, for example europe-west3",
            kind="missing",
        )
    elif (
        block.kms.enabled
        and block.kms.name is not None
        and block.kms.name.split("/")[3] != key_location(block.location)
    ):
        yield Finding(
            (*at, "kms", "name"),
            f"is a key in {block.kms.name.split('/')[3]}",
            f"objects in {block.location} are encrypted with a key in {key_location(block.location)}",
            "name a key there, or leave it out to have one made",
        )
    yield from _unused_of_the_key(block.kms, (*at, "kms"))
    for name, value, most in (
        ("rotation-period", block.kms.rotation_period, 36500),
        ("destroy-after", block.kms.destroy_after, 120),
    ):
        length = milliseconds(value) or 0
        if not _DAY <= length <= most * _DAY or length % 1000:
            yield Finding(
                (*at, "kms", name),
                "is out of range",
                f"1 to {most} days, in whole seconds",
                "correct it",
            )


def _unused_of_the_key(kms: GcpKey, at: tuple[str, ...]) -> Iterator[Finding]:
    """What is said of a key that is not made."""
    if not kms.enabled:
        names, why, other = (
            ("name", "rotation-period", "destroy-after"),
            "enabled: false",
            "enabled",
        )
    elif kms.name is not None:
        names, why, other = (
            ("rotation-period", "destroy-after"),
            "the name of an existing key",
            "name",
        )
    else:
        return
    for name in names:
        if name.replace("-", "_") in kms.model_fields_set:
            yield Finding(
                (*at, name),
                f"stands beside {why}",
                "this stack changes nothing about a key that it did not make",
                f"remove it, or remove {other}",
            )

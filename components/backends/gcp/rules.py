"""Google Cloud: a project, names and times that it accepts, one way to an identity."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings.durations import milliseconds
from ...settings.findings import Finding
from ...settings.identity import GCP_ACCOUNT_ID
from ...settings.model import Settings
from ..secret_naming import prefix, recovery_name
from .names import TYPE, account_id

DAY = 24 * 60 * 60 * 1000
ALIAS = re.compile(r"(?!(latest|NEW)$)[A-Za-z][A-Za-z0-9_-]{0,62}")
MOST_ALIASES = 50
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]+")
PREFIX = re.compile(r"[A-Za-z0-9_-]{1,255}")


def _is_google(s: Settings) -> bool:
    return s.secret is not None and s.secret.type == TYPE


def identity(s: Settings) -> Iterator[Finding]:
    """One way to an identity, an id that Google accepts, and something that it may read."""
    if s.secret is None or not _is_google(s):
        return
    block, chosen = s.secret.google_secret_manager, s.identity.gcp
    if chosen.workload_pool and s.store.gcp is None:
        yield from _project(s)
    key = block is not None and block.service_account is not None
    if not chosen.workload_pool:
        if not key and not s.uses_external_secrets:
            yield Finding(
                ("identity", "gcp"),
                "names no identity",
                "without a key Kestra uses whatever its pod or node has",
                "add workload-pool to have a service account made with the least it needs",
                warning=True,
            )
        return
    at = ("identity", "gcp", "workload-pool")
    if key:
        yield Finding(
            at,
            "stands beside a service-account key",
            "Kestra would use the key of its block and not this identity",
            "remove service-account, or this",
        )
    if not re.match(GCP_ACCOUNT_ID, account_id(s)):
        yield Finding(
            ("identity", "gcp", "account-id"),
            "is missing, and `<namespace>-<service account>` is no id of a Google service account",
            "6 to 30 lower-case letters, digits and hyphens, beginning with a letter",
            "write account-id",
            kind="missing",
        )
    if s.secret.is_read_only:
        if s.store.gcp is None and (block is None or block.filter_on_prefix is None):
            yield Finding(
                at,
                "makes an identity that reads no secret yet",
                "without kestra:store.gcp and filter-on-prefix the stack knows no secret to grant",
                "add one of them, or grant roles/secretmanager.secretAccessor to the output principal",
                warning=True,
            )
        return
    yield from _prefix(s)


def _project(s: Settings) -> Iterator[Finding]:
    block = s.secret.google_secret_manager if s.secret else None
    if block is None or block.project is None:
        yield Finding(
            ("secret", TYPE, "project"),
            "is missing",
            "a stack that provisions names the project",
            "add it",
            kind="missing",
        )


def _prefix(s: Settings) -> Iterator[Finding]:
    """Managed mode: Kestra administers all below its prefix, so the recovery copy is not below it."""
    begin = prefix(s)
    at = ("secret", TYPE, "prefix")
    if not PREFIX.fullmatch(begin):
        yield Finding(
            at,
            "cannot begin the name of a secret",
            "255 letters, digits, _ and - at most",
            "correct it",
        )
    elif s.store.gcp and recovery_name(s).startswith(begin):
        yield Finding(
            at,
            f"is how {recovery_name(s)} begins",
            "Kestra could read and delete the recovery copy of the encryption key",
            "choose another prefix",
        )


def store(s: Settings) -> Iterator[Finding]:
    """A project, and locations, keys and times that Google accepts."""
    chosen = s.store.gcp
    if chosen is None or not _is_google(s):
        return
    yield from _project(s)
    at = ("store", "gcp")
    for i, region in enumerate(chosen.regions):
        if not REGION.fullmatch(region):
            yield Finding(
                (*at, "regions", i),
                "is no region",
                "secrets are replicated to regions, for example europe-west1",
                "name a region, or leave regions out for automatic replication",
            )
        if region in chosen.regions[:i]:
            yield Finding(
                (*at, "regions", i), "is listed twice", "one replica a region", "remove one"
            )
    if chosen.kms.name is not None:
        location = chosen.kms.name.split("/")[3]
        if (chosen.regions or ("global",)) != (location,):
            yield Finding(
                (*at, "kms", "name"),
                f"is a key in {location}",
                "the key is where the secrets are: their one region, or global for automatic replication",
                "name a key there, or leave it out to have one made in each region",
            )
    for place, value, least, most in (
        (("kms", "rotation-period"), chosen.kms.rotation_period, 1, 36500),
        (("kms", "destroy-after"), chosen.kms.destroy_after, 1, 120),
        (("destroy-ttl",), chosen.destroy_ttl or "24h", 1, 1000),
    ):
        length = milliseconds(value) or 0
        if not least * DAY <= length <= most * DAY:
            yield Finding((*at, *place), "is out of range", f"{least} to {most} days", "correct it")
        elif length % 1000:
            yield Finding(
                (*at, *place), "is no whole second", "Google Cloud counts seconds", "round it"
            )


def aliases(s: Settings) -> Iterator[Finding]:
    """Aliases of versions as Secret Manager takes them."""
    if not _is_google(s):
        return
    for name, declared in s.declared_secrets.items():
        at = ("declared-secrets", name, "version-aliases")
        for alias, version in declared.version_aliases.items():
            if not ALIAS.fullmatch(alias):
                yield Finding(
                    (*at, alias),
                    "is no alias that Secret Manager takes",
                    "a letter, then 62 letters, digits, _ and - at most; neither latest nor NEW",
                    "rename it",
                )
            if version < 1:
                yield Finding(
                    (*at, alias), "names no version", "versions count from 1", "correct it"
                )
        if len(declared.version_aliases) > MOST_ALIASES:
            yield Finding(at, "has too many aliases", f"{MOST_ALIASES} at most", "remove some")

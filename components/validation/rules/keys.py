"""Keys that data is encrypted with: that of `kestra.encryption`, and that of Kestra's own secret store."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from ... import COMMAND
from ...backends.registry import backend_of
from ...settings.base import OPAQUE, is_readable, reveal
from ...settings.external_key import has_external_key
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.secret import InternalStore
from ..schema import Loc, config_path

#: Bytes of a key to the cipher that Kestra's EncryptionService then uses; it fails with any other.
CIPHERS = {16: "AES-128", 24: "AES-192", 32: "AES-256"}
#: Characters that Kestra's documentation asks of the key of its own secret store.
INTERNAL_LENGTH = 32


def decoded_size(key: str) -> int | None:
    """Bytes of a key in standard base64; None where Java's decoder refuses it.

    Java takes a key without the `=` at its end, too.
    """
    padding = "" if "=" in key else "=" * (-len(key) % 4)
    try:
        return len(base64.b64decode(key + padding, validate=True))
    except (binascii.Error, ValueError):
        return None


def encryption_key(s: Settings) -> Iterator[Finding]:
    """32 bytes; 16 and 24 where data is encrypted with the key already. Kestra fails on others at first use."""
    block, at = s.encryption, ("encryption", "secret-key")
    value = reveal(block.secret_key)
    if value is None or has_external_key(s):
        if block.existing and value is None:
            yield _missing(at, ("encryption", "existing"))
        return
    if not is_readable(value):
        return
    size = decoded_size(value)
    if size == 32:
        return
    message = "is no standard base64" if size is None else f"decodes to {size} bytes"
    cipher = CIPHERS.get(size or 0)
    if cipher and block.existing:
        yield Finding(
            at,
            f"{message}: {cipher} instead of AES-256, kept because of existing",
            "a new key has 32 bytes; this one stays, since Kestra reads what it stored with no other",
            "keep it as long as Kestra has to read that data (docs/rotation.md)",
            warning=True,
        )
    elif cipher:
        yield Finding(
            at,
            message,
            "base64 of exactly 32 bytes; Kestra checks nothing at start and encrypts weaker with fewer",
            "make one with `openssl rand -base64 32`, or leave the key out to have it generated; where Kestra has "
            "encrypted data with this one already, keep it and set kestra:encryption.existing to true",
        )
    elif block.existing:
        yield Finding(
            at,
            message,
            "Kestra takes base64 of 16, 24 or 32 bytes and fails with anything else at first use, so that no data is "
            "encrypted with this key",
            "give the key that Kestra runs with, as its configuration has it; without one remove existing and the key "
            "to have it generated",
        )
    else:
        yield Finding(
            at,
            message,
            "base64 of exactly 32 bytes; Kestra checks nothing at start and fails at first use",
            "make one with `openssl rand -base64 32`, or leave the key out to have it generated",
        )


def external_key(s: Settings) -> Iterator[Finding]:
    """A key that others make: one source of it, a manager that keeps it, and a fingerprint that the guard knows."""
    block, at = s.encryption, ("encryption", "external")
    if not block.external:
        if block.fingerprint is not None:
            yield Finding(
                ("encryption", "fingerprint"),
                "has no effect",
                "it stands for a key that the stack does not have; of its own the stack knows the fingerprint",
                "remove it, or set kestra:encryption.external to true",
            )
        return
    if not has_external_key(s):
        yield Finding(
            at,
            "stands beside secret-key",
            "an external key is in the secret manager and never in the settings",
            f"remove kestra:encryption.secret-key, and put that key there with `{COMMAND} secret set "
            "encryption.secret-key`; or remove external",
        )
    manager = backend_of(s)
    is_kept = manager.takes_external and manager.provisions(s)
    if not is_kept:
        yield Finding(
            at,
            "has no secret manager that could keep the key",
            "its place is beside the secrets that the stack provisions in AWS, Azure Key Vault, Google Secret Manager "
            "or Vault",
            "remove external to have the key generated; or give a Secret of yours to the pods with "
            "kestra:deployment.extra-env, and its variable as secret-key: ${NAME}",
        )
    if block.fingerprint is None and is_kept:
        yield Finding(
            ("encryption", "fingerprint"),
            "is missing",
            "without it no guard sees that another key takes the place of the one that Kestra encrypted with",
            f"set what `{COMMAND} secret generate encryption.secret-key` prints",
            warning=True,
            kind="missing",
        )


def internal_key(s: Settings) -> Iterator[Finding]:
    """A long key of its own for Kestra's own secret store, unless it has encrypted secrets already."""
    kind = s.secret.type if s.secret else ""
    block = s.secret.backend if s.secret else None
    if not isinstance(block, InternalStore):
        return
    at, existing = ("secret", kind, "secret"), ("secret", kind, "existing")
    value = reveal(block.secret)
    if value is None:
        if block.existing:
            yield _missing(at, existing)
        return
    if value == OPAQUE:
        return
    kept = (
        f"; where Kestra has encrypted secrets with it already, set {config_path(existing)} to true"
    )
    if not value:
        yield Finding(
            at, "is empty", "a key has a value", "set it, or leave it out to have it generated"
        )
    elif is_readable(value) and len(value) < INTERNAL_LENGTH:
        fewer = f"is shorter than {INTERNAL_LENGTH} characters"
        rule = f"{INTERNAL_LENGTH} characters at least"
        if block.existing:
            yield _kept(at, fewer, rule)
        else:
            fix = "make one with `openssl rand -base64 32`, or leave it out to have it generated"
            yield Finding(at, fewer, rule, fix + kept)
    if value and value == reveal(s.encryption.secret_key):
        same, rule = "is the key of kestra:encryption.secret-key", "one key, one purpose"
        if block.existing or s.encryption.existing:
            yield _kept(at, same, rule)
        else:
            fix = "make another, or leave it out to have it generated"
            yield Finding(at, same, rule, fix + kept)


def _missing(at: Loc, existing: Loc) -> Finding:
    return Finding(
        at,
        "is missing",
        f"with {config_path(existing)} data is bound to a key that exists, so none is generated in its place",
        f"set the key with `pulumi config set --path --secret '{config_path(at)}'`, which asks for the value; for a "
        "new installation remove existing",
        kind="missing",
    )


def _kept(at: Loc, message: str, rule: str) -> Finding:
    return Finding(
        at,
        f"{message}, kept because of existing",
        f"{rule}; this one stays, since Kestra reads the secrets that it stored with no other",
        "keep it as long as Kestra has to read them (docs/rotation.md)",
        warning=True,
    )

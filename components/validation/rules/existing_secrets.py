"""`declared-secrets.<NAME>.existing`: secrets that others made, for flows of open-source Kestra."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backends.registry import backend_of
from ...settings.declared import DeclaredSecret, ExistingSecret
from ...settings.findings import Finding
from ...settings.model import Settings

_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}"
_PARAMETER = r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*"
_PATH = r"(?!.*(^|/)\.{1,2}(/|$))[^\s/*+\"\\{}]+(/[^\s/*+\"\\{}]+)*"
#: Type of the store to what the name of an existing secret looks like, and the rule for people; else its name rule.
_NAMES = {
    "aws-secret-manager": (
        rf"[A-Za-z0-9/_+=.@-]{{1,512}}|{_ARN}",
        "512 letters, digits and / _ + = . @ - at most, or the whole ARN of a secret",
    ),
    "aws-ssm-parameter-store": (
        _PARAMETER,
        "letters, digits and . - _, with / between the parts of a path",
    ),
    "vault": (
        _PATH,
        "names with single slashes between them, below the engine and without data/, no wildcards, quotes and braces",
    ),
}
#: What belongs to a secret that this stack writes.
_WRITTEN = ("description", "tags", "content_type", "expires", "rotation", "version_aliases")
_PLACES = ("name", "kubernetes_secret", "file")


def check(s: Settings) -> Iterator[Finding]:
    """One place for each, that the stack can read."""
    for name, secret in s.declared_secrets.items():
        if secret.existing is None:
            continue
        at = ("declared-secrets", name, "existing")
        if s.is_enterprise:
            yield Finding(
                at,
                "belongs to the open-source edition",
                "the Enterprise Edition reads its secret manager itself, and there what others wrote",
                "remove the declaration; flows read the secret where it is",
            )
            continue
        yield from _place(s, at, secret.existing)
        yield from _unwritten(("declared-secrets", name), secret)


def _place(s: Settings, at: tuple[str, ...], existing: ExistingSecret) -> Iterator[Finding]:
    places = [place for place in _PLACES if getattr(existing, place) is not None]
    rule = "exactly one of name (in the secret manager), kubernetes-secret and file"
    if len(places) > 1:
        words = " and ".join(place.replace("_", "-") for place in places)
        yield Finding(at, f"names {words}", rule, "keep one of them")
    elif not places:
        yield Finding(at, "names no place", rule, "add one of them", kind="missing")
    if places == ["kubernetes_secret"] and existing.data_key is None:
        yield Finding(
            (*at, "key"),
            "is missing",
            "a Kubernetes Secret holds several values, each under a key",
            "add the key",
            kind="missing",
        )
    if existing.data_key is not None and existing.kubernetes_secret is None:
        yield Finding(
            (*at, "key"),
            "has no kubernetes-secret that it belongs to",
            "it names a key of a Kubernetes Secret; a field of a value in the secret manager is property",
            "add kubernetes-secret, or write property",
            kind="missing",
        )
    for part, value in (("property", existing.value_property), ("version", existing.version)):
        if value is not None and existing.name is None:
            yield Finding(
                (*at, part),
                "has no name that it belongs to",
                "it is part of a secret in the secret manager",
                "add name, or remove it",
                kind="missing",
            )
    if existing.file is not None and ".." in existing.file.split("/"):
        yield Finding(
            (*at, "file"), "leads out of its folder", "a path without ..", "write the path itself"
        )
    if existing.name is not None:
        yield from _name(s, (*at, "name"), existing.name)


def _name(s: Settings, at: tuple[str, ...], name: str) -> Iterator[Finding]:
    if s.store.type is None:
        yield Finding(
            at,
            "has no secret manager that it could be in",
            "a name is looked up in the secret manager of kestra:store.type",
            "set kestra:store.type, or name a kubernetes-secret or a file",
            kind="missing",
        )
        return
    backend = backend_of(s)
    if not s.uses_external_secrets:
        return
    pattern, text = _NAMES.get(backend.type, ("", ""))
    if not pattern and backend.name_rule is not None:
        pattern, text = backend.name_rule.pattern, backend.name_rule.text
    if (pattern and not re.fullmatch(pattern, name)) or not name.isprintable():
        yield Finding(at, f"cannot be a name of {backend.type}", text, "write it as it is there")


def _unwritten(at: tuple[str, ...], secret: DeclaredSecret) -> Iterator[Finding]:
    for part in _WRITTEN:
        if part in secret.model_fields_set and getattr(secret, part):
            yield Finding(
                (*at, part.replace("_", "-")),
                "has no effect on a secret that others made",
                "this stack reads it and changes nothing about it",
                "remove it",
            )

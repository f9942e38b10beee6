"""The secrets that the stack itself provides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.backends.registry import all_backends, backend_of, backends_of
from components.settings.base import reveal
from components.settings.declared import DeclaredSecret
from components.settings.findings import Finding
from components.settings.model import Settings


def declared_secrets(s: Settings) -> Iterator[Finding]:
    """Names that Kestra can look up, a value or a generator, and a mode in which Kestra sees them."""
    names: dict[str, str] = {}
    for name, secret in s.declared_secrets.items():
        at = ("declared-secrets", name)
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,126}", name):
            yield Finding(
                at,
                "is no name that flows can use",
                "a letter, then letters, digits and _ (127 characters at most)",
                "rename it",
            )
        if name.upper() in names and not s.is_enterprise:
            yield Finding(
                at,
                f"is the same as {names[name.upper()]} to Kestra",
                "open-source Kestra upper-cases the names of secrets",
                "rename one of them",
            )
        names.setdefault(name.upper(), name)
        if s.is_enterprise and not secret.namespace:
            yield Finding(
                (*at, "namespace"),
                "is missing",
                "in the Enterprise Edition a secret belongs to a namespace of Kestra's",
                "add the namespace whose flows read it",
                kind="missing",
            )
        yield from _source(at, secret)
        if secret.value is not None and not reveal(secret.value):
            yield Finding((*at, "value"), "is empty", "a secret has a value", "set it")


def _source(at: tuple[str, ...], secret: DeclaredSecret) -> Iterator[Finding]:
    sources = {"value": secret.value, "generate": secret.generate, "existing": secret.existing}
    given = [name for name, source in sources.items() if source is not None]
    if len(given) > 1:
        words = f"both {' and '.join(given)}" if len(given) == 2 else ", ".join(given)
        rule = "exactly one of value, generate and existing"
        yield Finding(
            at, f"has {words}", rule, "keep one of them" if len(given) > 2 else "remove one"
        )
    elif not given:
        yield Finding(
            at,
            "has neither value nor generate",
            "exactly one of value, generate and (in open source) existing",
            "set value with `pulumi config set --path --secret`, or add generate: {}",
            kind="missing",
        )


def where(s: Settings) -> Iterator[Finding]:
    """Whether the stack can write them, and Kestra see them."""
    if not s.written_secrets or s.secret is None:
        return
    at, backend = ("declared-secrets",), backend_of(s)
    if s.uses_external_secrets and not backend.provisions(s):
        # The missing block of kestra:store is reported where it belongs.
        return
    if reason := backend.not_writable(s):
        yield Finding(
            at, reason.message, reason.rule, reason.fix, kind=reason.kind, adds=reason.adds
        )
    if backend.writes_secrets and not s.secret.is_read_only:
        yield Finding(
            at,
            "needs read-only mode",
            "in managed mode Kestra is the index of its secrets and does not see those that others wrote",
            "set kestra:secret.read-only to true, or create them in Kestra",
            kind="relation",
        )


def only_here(s: Settings) -> Iterator[Finding]:
    """Keys of a declared secret that no manager of the stack has."""
    own = backends_of(s)
    types = " and ".join(backend.type for backend in own) or "a stack without kestra:secret"
    for owner in all_backends():
        if owner in own:
            continue
        for name, secret in s.declared_secrets.items():
            for key in owner.declared_keys:
                if getattr(secret, key.replace("-", "_")):
                    yield Finding(
                        ("declared-secrets", name, key),
                        f"does not exist for {types}",
                        f"it belongs to {owner.type}",
                        "remove it",
                    )

"""The secrets that the stack itself provides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.settings.base import revealed
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
        if (secret.value is None) == (secret.generate is None):
            both = secret.value is not None
            yield Finding(
                at,
                "has both value and generate" if both else "has neither value nor generate",
                "exactly one of value and generate",
                "remove one"
                if both
                else "set value with `pulumi config set --path --secret`, or add generate: {}",
            )
        if secret.value is not None and not revealed(secret.value):
            yield Finding((*at, "value"), "is empty", "a secret has a value", "set it")
    if not s.declared_secrets or s.secret is None:
        return
    if s.secret.type in ("jdbc", "elasticsearch"):
        yield Finding(
            ("declared-secrets",),
            f"cannot be written to {s.secret.type}",
            "only Kestra itself writes to its internal store",
            "create them in Kestra, or choose an external manager",
        )
    elif s.secret.type != "vault":
        yield Finding(
            ("declared-secrets",),
            f"cannot be written to {s.secret.type}",
            "this version writes secrets to Vault only",
            f"create them in {s.secret.type} yourself and remove them here, or choose vault",
        )
    elif not s.secret.is_read_only:
        yield Finding(
            ("declared-secrets",),
            "needs read-only mode",
            "in managed mode Kestra is the index of its secrets and does not see those that others wrote",
            "set kestra:secret.read-only to true, or create them in Kestra",
        )

"""The secrets that the stack itself provides."""

from __future__ import annotations

import re
from collections.abc import Iterator

from components.settings.base import reveal
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
        if (secret.value is None) == (secret.generate is None):
            both = secret.value is not None
            yield Finding(
                at,
                "has both value and generate" if both else "has neither value nor generate",
                "exactly one of value and generate",
                "remove one"
                if both
                else "set value with `pulumi config set --path --secret`, or add generate: {}",
                kind="value" if both else "missing",
            )
        if secret.value is not None and not reveal(secret.value):
            yield Finding((*at, "value"), "is empty", "a secret has a value", "set it")


def where(s: Settings) -> Iterator[Finding]:
    """Whether the stack can write them, and Kestra see them."""
    if not s.declared_secrets or s.secret is None:
        return
    at, kind, cloud = ("declared-secrets",), s.secret.type, s.secret.cloud
    if kind in ("jdbc", "elasticsearch"):
        yield Finding(
            at,
            f"cannot be written to {kind}",
            "only Kestra itself writes to its internal store",
            "create them in Kestra, or choose an external manager",
        )
    elif cloud is None and kind != "vault":
        yield Finding(
            at,
            f"cannot be written to {kind}",
            "this project provisions nothing there: no Pulumi provider of its own writes to it",
            f"create them in {kind} itself and remove them here",
        )
    elif cloud is not None and getattr(s.store, cloud) is None:
        yield Finding(
            at,
            f"has no kestra:store.{cloud}",
            "a stack that writes secrets also provisions their key and their protection",
            f"add kestra:store.{cloud}",
            kind="missing",
            adds=("store", cloud),
        )
    if not s.secret.is_read_only and (cloud is not None or kind == "vault"):
        yield Finding(
            at,
            "needs read-only mode",
            "in managed mode Kestra is the index of its secrets and does not see those that others wrote",
            "set kestra:secret.read-only to true, or create them in Kestra",
            kind="relation",
        )


#: Key of a declared secret to the one manager that has it.
ONLY = {
    "content-type": "azure-key-vault",
    "expires": "azure-key-vault",
    "rotation": "aws-secret-manager",
    "version-aliases": "google-secret-manager",
}


def only_here(s: Settings) -> Iterator[Finding]:
    """Keys of a declared secret that no manager of the stack has."""
    kinds = [manager.type for manager in s.managers]
    for name, secret in s.declared_secrets.items():
        for key, owner in ONLY.items():
            if owner not in kinds and getattr(secret, key.replace("-", "_")):
                yield Finding(
                    ("declared-secrets", name, key),
                    f"does not exist for {' and '.join(kinds) or 'a stack without kestra:secret'}",
                    f"it belongs to {owner}",
                    "remove it",
                )

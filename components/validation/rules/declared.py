"""The secrets that the stack itself provides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ... import COMMAND
from ...backends.registry import all_backends, backend_of, backends_of
from ...settings.base import reveal
from ...settings.declared import DeclaredSecret
from ...settings.findings import Finding
from ...settings.model import Settings

_KEPT_OUT = ("generate", "keep-from-state")


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
        yield from _without_effect(s, name, secret)
        yield from _sources(at, secret)
        if secret.value is not None and not reveal(secret.value):
            yield Finding((*at, "value"), "is empty", "a secret has a value", "set it")


def _without_effect(s: Settings, name: str, secret: DeclaredSecret) -> Iterator[Finding]:
    """A namespace or tenant that is taken for a limit of who reads the secret."""
    if s.is_enterprise or s.is_secrets_alone:
        # In a stack of secrets alone it says where in the store a secret of the team is.
        return
    fix, backend = "remove it", backend_of(s)
    if s.uses_external_secrets and s.secret and s.secret.backend:
        alone = secret.model_copy(update={"namespace": "", "tenant": "main"})
        now, then = (backend.secret_name(s, name, one) for one in (secret, alone))
        if now != then:
            fix = f"remove it; without it the secret is {then} there, where the value of an external one is put again"
    for key, value, default in (
        ("namespace", secret.namespace, ""),
        ("tenant", secret.tenant, "main"),
    ):
        if value != default:
            yield Finding(
                ("declared-secrets", name, key),
                "keeps no flow from reading it",
                "open-source Kestra has one tenant and no secrets of namespaces: every flow reads every secret",
                fix,
                warning=True,
            )


def _sources(at: tuple[str, str], secret: DeclaredSecret) -> Iterator[Finding]:
    """Exactly one says where the value comes from."""
    sources = {
        "value": secret.value is not None,
        "generate": secret.generate is not None,
        "external": secret.external,
        "existing": secret.existing is not None,
    }
    chosen = [name for name, is_set in sources.items() if is_set]
    rule = "exactly one of value, generate, external: true and (in open source) existing"
    if not chosen:
        yield Finding(
            at,
            "has neither value nor generate nor external",
            rule,
            "set value with `pulumi config set --path --secret`, add generate: {}, or external: true for a value that "
            "others put into the secret manager",
            kind="missing",
        )
    elif len(chosen) > 1:
        both = "both " if len(chosen) == 2 else ""
        yield Finding(
            at,
            f"has {both}{' and '.join(chosen)}",
            rule,
            f"keep external: true alone, and put the value into the secret manager with `{COMMAND} secret "
            f"set {at[1]}`"
            if secret.external
            else "remove one",
        )


def _at(node: Any, path: Sequence[str]) -> Any:
    """What stands at a path of keys; None where a block on the way is missing."""
    for key in path:
        node = None if node is None else getattr(node, key.replace("-", "_"))
    return node


def external(s: Settings) -> Iterator[Finding]:
    """Values that others write: only where a secret manager keeps them, and nothing that needs the value here."""
    for name, secret in s.declared_secrets.items():
        generate = secret.generate
        if generate is not None and generate.password_policy and not generate.keep_from_state:
            yield Finding(
                ("declared-secrets", name, "generate", "password-policy"),
                "makes no value that the stack keeps",
                f"Vault makes it for `{COMMAND} secret generate`; what the stack generates has length and "
                "special",
                "set keep-from-state: true beside it, or remove it",
            )
        if not secret.is_external:
            continue
        at = ("declared-secrets", name, *(("external",) if secret.external else _KEPT_OUT))
        # That the Enterprise Edition has none at all is reported as a whole.
        if not s.is_enterprise and not s.uses_external_secrets:
            yield Finding(
                at,
                "has no secret manager that could keep the value",
                "without one Kestra reads SECRET_<NAME> from a Secret that this stack writes, so that the value is in "
                "the stack's state",
                "set kestra:store.type to the secret manager that keeps it; or give value or generate: {}; or leave it "
                f"out here and name a Secret of yours, with the variable SECRET_{name.upper()}, in "
                "kestra:deployment.environment-from",
            )
        if generate is not None and generate.keep_from_state and generate.rotation is not None:
            yield Finding(
                ("declared-secrets", name, "generate", "rotation"),
                "makes no other value",
                "what is kept from the state is made by the command alone",
                f"remove it, and run `{COMMAND} secret generate --again {name}`",
            )
        if secret.rotation is not None:
            yield Finding(
                ("declared-secrets", name, "rotation"),
                "needs a value that is there at once",
                "AWS rotates what has a value, and an external secret has none when its place is made",
                "remove it; when the value is there, turn the rotation on with `aws secretsmanager rotate-secret "
                "--rotation-lambda-arn`",
            )


def where(s: Settings) -> Iterator[Finding]:
    """Whether the stack can write them, and Kestra see them."""
    is_used = s.is_enterprise or s.uses_external_secrets
    if not s.written_secrets or s.secret is None or not is_used:
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
                path = key.split(".")
                if _at(secret, path):
                    yield Finding(
                        ("declared-secrets", name, *path),
                        f"does not exist for {types}",
                        f"it belongs to {owner.type}",
                        "remove it",
                    )

"""A second secret manager, while a stack moves from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...backends.registry import configured_backends
from ...settings.findings import Finding
from ...settings.model import Settings
from . import declared, secret, secret_naming


def _check(s: Settings) -> Iterator[Finding]:
    """What holds for each of the two managers."""
    yield from secret.secret_manager(s)
    for backend in configured_backends(s):
        for rule in backend.setting_rules:
            yield from rule(s)
    yield from secret.prefixes(s)
    yield from declared.where(s)
    yield from secret_naming.declared_names(s)


def secondary_store(s: Settings) -> Iterator[Finding]:
    """The second manager: another type, with something to write to it, valid as the first is."""
    second = s.secondary
    if second is None or second.secret is None:
        return
    at = ("store", "also")
    if s.uses_external_secrets:
        yield Finding(
            at,
            "stands beside kestra:store.type",
            "a second secret manager belongs to the Enterprise Edition, whose secrets others may have entered; in open "
            "source the stack has every value that it declares, and writes it to another manager when type changes",
            "remove it",
        )
        return
    if s.secret is None or s.secret.type == second.secret.type:
        yield Finding(
            (*at, "type"),
            "is no other secret manager than that of kestra:secret",
            "a stack moves from one to another",
            "change it, or remove the block",
        )
        return
    if not s.declared_secrets:
        yield Finding(
            at,
            "has nothing to write",
            "declared secrets are written to it; those that Kestra created, Kestra does not move",
            "remove the block",
            kind="missing",
        )
    for name, declaration in s.declared_secrets.items():
        if declaration.rotation is not None:
            yield Finding(
                ("declared-secrets", name, "rotation"),
                "changes the value in AWS alone while the stack has a second secret manager",
                "the other one is written the value that the stack knows, which AWS no longer has",
                "write the current value as value, and remove rotation until the stack has moved",
            )
    known = set(_check(s))
    for finding in _check(second):
        if finding.warning or finding in known:
            continue
        loc, fix = finding.loc, finding.fix.replace("kestra:secret", "kestra:store.also")
        yield replace(finding, loc=(*at, *loc[1:]) if loc[0] == "secret" else loc, fix=fix)

"""Editions, accounts, roles and password rules."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...settings import permissions as words
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.password_rules import expression, structured


def editions(s: Settings) -> Iterator[Finding]:
    """Open-source Kestra ignores Enterprise blocks without a word, and the other way round."""
    if s.is_enterprise:
        yield from _enterprise(s)
        return
    for name, block, instead in (
        (
            "secret",
            s.secret,
            "remove it, and declare secrets under kestra:declared-secrets: flows read them with secret('NAME'), and "
            "kestra:store.type keeps them in a secret manager of your own",
        ),
        ("security", s.security, "use kestra:server.basic-auth for the log-in"),
    ):
        if s.uses_external_secrets and name == "secret":
            continue
        if block is not None and (name == "secret" or block.model_fields_set):
            yield Finding(
                (name,),
                "is a block of the Enterprise Edition",
                "open-source Kestra would ignore it without a word",
                f"{instead}; or set kestra:edition to enterprise",
            )
    for name, kind in (("queue", s.queue), ("repository", s.repository)):
        if kind is not None and kind.type in ("kafka", "elasticsearch", "amqp", "redis"):
            yield Finding(
                (name, "type"),
                f"{kind.type} needs the Enterprise Edition",
                "open-source Kestra knows h2, memory, postgres and mysql",
                "use postgres, or set kestra:edition to enterprise",
            )


def _enterprise(s: Settings) -> Iterator[Finding]:
    if s.secret is None and s.declared_secrets:
        yield Finding(
            ("declared-secrets",),
            "has no secret manager to be written to",
            "the Enterprise Edition reads secrets from its secret manager",
            "set kestra:secret to an external manager in read-only mode",
            kind="missing",
        )
    elif s.secret is None:
        yield Finding(
            ("secret",),
            "is missing",
            "the Enterprise Edition needs a secret manager since 0.20",
            "set kestra:secret.type, at least to jdbc",
            warning=True,
            kind="missing",
        )
    if s.server.basic_auth is not None:
        yield Finding(
            ("server", "basic-auth"),
            "has no effect in the Enterprise Edition",
            "the Enterprise Edition has its own accounts",
            "use kestra:security.super-admin and remove this block",
            warning=True,
            kind="relation",
        )


def super_admin(s: Settings) -> Iterator[Finding]:
    """One break-glass account."""
    security = s.security
    if not security:
        return
    if security.super_admin and security.instance_owner:
        yield Finding(
            ("security", "instance-owner"),
            "stands beside super-admin",
            "both name the same account: super-admin on 1.3, instance-owner on 2.0",
            "keep one of them",
        )


def default_role(s: Settings) -> Iterator[Finding]:
    """Words of the version, or words that can be translated faithfully."""
    role = s.security and s.security.default_role
    if not role:
        return
    at = ("security", "default-role", "permissions")
    first = words.is_first_vocabulary(role.permissions)
    if s.version == "1.3" or first:
        resources: frozenset[str] = words.RESOURCES_1
        actions: frozenset[str] = frozenset(words.ACTIONS_1)
        vocabulary = "Kestra 1.x"
    else:
        resources, actions, vocabulary = words.RESOURCES_2, words.ACTIONS_2, "Kestra 2.0"
    for resource, granted in role.permissions.items():
        if resource not in resources:
            yield Finding(
                (*at, resource),
                f"is no resource of {vocabulary}",
                "Kestra would grant nothing for an unknown resource",
                f"use one of {', '.join(sorted(resources))}",
            )
        elif s.version == "2.0" and resource in words.DROPPED:
            yield Finding(
                (*at, resource),
                "has no counterpart in Kestra 2.0",
                "a permission is translated only where 2.0 has the same",
                "remove it; for IMPERSONATE write USER: [IMPERSONATE] in 2.0's words",
                kind="relation",
            )
        if not granted:
            yield Finding(
                (*at, resource), "grants nothing", "a resource lists its actions", "remove it"
            )
        for i, action in enumerate(granted):
            if action not in actions:
                yield Finding(
                    (*at, resource, i),
                    f"is no action of {vocabulary}",
                    f"one of {', '.join(sorted(actions))}",
                    "correct it; words of 2.0 have no faithful counterpart on 1.3",
                )
            elif s.version == "2.0" and first and words.lost(resource, action):
                if resource in words.DROPPED:
                    continue
                yield Finding(
                    (*at, resource, i),
                    f"{action} has no counterpart in Kestra 2.0 and is left out",
                    "a permission is translated only where 2.0 has the same",
                    "remove it, or write the role in 2.0's words",
                    warning=True,
                )
    if s.version == "2.0" and first and not words.translate(role.permissions):
        yield Finding(
            at,
            "grants nothing in Kestra 2.0",
            "a default role grants something",
            "write the role in 2.0's words",
        )


_STRUCTURED = (
    "password-min-length",
    "password-require-special",
    "password-min-digits",
    "password-min-lower-case",
    "password-min-upper-case",
    "password-allowed-special-characters",
)


def password_rules(s: Settings) -> Iterator[Finding]:
    """One regular expression on 1.3, structured rules on 2.0; neither can be translated."""
    rules = s.security and s.security.basic_auth
    if not rules:
        return
    at = ("security", "basic-auth")
    if rules.password_regexp is not None:
        if s.version == "2.0":
            yield Finding(
                (*at, "password-regexp"),
                "does not exist in Kestra 2.0",
                "it ended with 1.3; 2.0 has structured rules, and a regular expression cannot be translated faithfully",
                _structured_instead(rules.password_regexp),
            )
        elif not rules.password_regexp or _unbalanced(rules.password_regexp):
            yield Finding(
                (*at, "password-regexp"),
                "is no regular expression",
                "a Java regular expression with balanced brackets",
                "correct it",
            )
    if s.version == "1.3":
        written = {name: getattr(rules, name.replace("-", "_")) for name in _STRUCTURED}
        for name in _STRUCTURED:
            if name.replace("-", "_") in rules.model_fields_set:
                yield Finding(
                    (*at, name),
                    "does not exist in Kestra 1.3",
                    "structured rules came with 2.0; 1.3 takes one regular expression",
                    f"write password-regexp: '{expression(written)}' instead of the structured rules, "
                    "or set kestra:version to 2.0",
                )


def _structured_instead(regexp: str) -> str:
    near = structured(regexp)
    if near is None:
        return f"write {', '.join(_STRUCTURED[:5])} in its place"
    rules = ", ".join(f"{name}: {str(value).lower()}" for name, value in near.items())
    return f"write {rules} in its place"


def _unbalanced(regexp: str) -> bool:
    # Only what Python and Java agree on is judged: possessive quantifiers and classes differ.
    try:
        re.compile(regexp)
    except RecursionError:
        return True
    except (re.error, OverflowError) as error:
        return any(
            w in str(error)
            for w in ("missing )", "unbalanced", "unterminated", "nothing to repeat")
        )
    return False

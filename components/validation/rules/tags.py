"""Tags that can be expressed wherever a stack puts them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...backends.registry import backends_of
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.tag_rules import (
    CONVENTION,
    KUBERNETES_LABELS,
    TagLimits,
    convention,
    problems,
)


def check(s: Settings) -> Iterator[Finding]:
    """Tags of the stack and of declared secrets, for each secret manager and for Kubernetes."""
    at = ("tags", "additional")
    for name in s.tags.additional:
        if name in CONVENTION:
            yield Finding(
                (*at, name),
                "is a name of the convention",
                f"{', '.join(CONVENTION)} are keys of their own",
                f"set kestra:tags.{name}",
            )
    own = convention(s.tags)
    checked: list[TagLimits] = []
    for backend in backends_of(s):
        limits = backend.tag_limits
        if limits is None or limits in checked:
            continue
        checked.append(limits)
        yield from _of_stack(own, limits)
        for secret, declared in s.declared_secrets.items():
            tags = backend.declared_tags(declared)
            yield from _of_secret(secret, tags, declared.tags, own, limits)
    if not s.is_secrets_alone:
        yield from _of_stack(own, KUBERNETES_LABELS)


def _of_stack(tags: Mapping[str, str], limits: TagLimits) -> Iterator[Finding]:
    for name, message, rule in problems(tags, limits):
        at = ("tags", "additional", name)
        place = ("tags", name) if name in CONVENTION else at if name else ("tags",)
        yield Finding(place, message, rule, "shorten or rename it")


def _of_secret(
    secret: str,
    tags: Mapping[str, str],
    written: Mapping[str, str],
    of_stack: Mapping[str, str],
    limits: TagLimits,
) -> Iterator[Finding]:
    """Tags of one declaration; what is not written as a tag is a key of the declaration."""
    at = ("declared-secrets", secret)
    for name, message, rule in problems(tags, limits):
        key = ("tags", name) if name in written else (name,) if name else ("tags",)
        place = (*at, *key)
        yield Finding(place, message, rule, "shorten or rename it")
    if len({**of_stack, **tags}) > limits.count >= max(len(of_stack), len(tags)):
        yield Finding(
            (*at, "tags"),
            f"are with those of the stack too many for {limits.name}",
            f"{limits.count} at most",
            "remove some",
        )

"""Declared secrets that the secret manager can name, and that a read-only Kestra sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...backends.registry import backend_of
from ...backends.secret_naming import RESERVED_TAGS, cloud_block, required_tags
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.tag_rules import TagLimits, convention, problems


def declared_names(settings: Settings) -> Iterator[Finding]:
    """Declared secrets that the cloud cannot name, or that Kestra would not see."""
    block, backend = cloud_block(settings), backend_of(settings)
    if block is None or backend.name_rule is None:
        return
    names: dict[str, str] = {}
    for name, declared in settings.written_secrets.items():
        at = ("declared-secrets", name)
        full = backend.secret_name(settings, name, declared)
        if not re.fullmatch(backend.name_rule.pattern, full):
            yield Finding(
                at,
                f"cannot be a name of {backend.type}",
                backend.name_rule.text,
                "rename it or the prefix",
            )
        folded = full.lower() if backend.name_rule.ignores_case else full
        if folded in names:
            yield Finding(
                at,
                f"is the same as {names[folded]} in {backend.type}",
                "each secret has a name of its own there",
                "rename one of them",
            )
        names.setdefault(folded, name)
        for tag in RESERVED_TAGS:
            if tag in declared.tags:
                yield Finding(
                    (*at, "tags", tag),
                    "is a tag that Kestra itself reads",
                    "this stack sets namespace, tenant, key and prefix",
                    "remove it",
                )
        own = convention(settings.tags) | declared.tags
        for tag, value in required_tags(settings).items():
            if own.get(tag, value) != value:
                yield Finding(
                    (*at, "tags", tag) if tag in declared.tags else at,
                    f"has another value for {tag} than filter-on-tags asks for",
                    "a read-only Kestra sees only secrets with all tags of filter-on-tags",
                    "use the same value",
                )
        tags = backend.secret_tags(settings, name, declared)
        if backend.tag_limits is not None:
            yield from _inexpressible(at, tags, own, backend.tag_limits)
        for tag, value in block.excluded_tags.items():
            if tags.get(tag) == value:
                yield Finding(
                    at,
                    f"is hidden by excluded-tags: {tag}",
                    "a read-only Kestra does not see secrets with a tag of excluded-tags",
                    f"change the tag, or kestra:secret.{backend.type}.excluded-tags",
                )


def _inexpressible(
    at: tuple[str, ...], tags: Mapping[str, str], own: Mapping[str, str], limits: TagLimits
) -> Iterator[Finding]:
    """Tags that the stack adds and the cloud cannot hold; those of the settings themselves are checked there."""
    for tag, message, rule in problems(tags, limits):
        if (tag and tag in own) or (not tag and len(own) > limits.count):
            continue
        what = f"tag {tag} {message}" if tag else f"with the stack's own tags, {message}"
        yield Finding(at, what, rule, "shorten or rename it" if tag else "remove some")

"""The tags of every resource, and what of them a target can express."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .tags import TagSettings


@dataclass(frozen=True)
class TagLimits:
    """What a target allows of tags. Source of the one that is here: Kubernetes documentation, labels."""

    name: str
    count: int
    key: re.Pattern[str]
    key_rule: str
    value: re.Pattern[str]
    value_rule: str
    most_bytes: tuple[int, int] | None = None
    """Bytes of a name and of a value at most, each printable; None where characters count."""
    ignores_case: str = ""
    """The rule, where names that differ in their case alone are the same."""


KUBERNETES_LABELS = TagLimits(
    "Kubernetes labels",
    64,
    re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"),
    "63 letters, digits, . _ and - at most, beginning and ending with a letter or digit",
    re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"),
    "63 letters, digits, . _ and - at most, beginning and ending with a letter or digit",
)

#: Names of the convention; `additional` cannot use them.
CONVENTION = ("application", "environment", "owner", "data-class")


def convention(tags: TagSettings) -> dict[str, str]:
    """All tags of the stack in one spelling, the convention first."""
    named = {
        "application": tags.application,
        "environment": tags.environment,
        "owner": tags.owner,
        "data-class": tags.data_class,
    }
    return {k: v for k, v in named.items() if v is not None} | dict(tags.additional)


def problems(tags: Mapping[str, str], limits: TagLimits) -> Iterator[tuple[str, str, str]]:
    """Tag, what is wrong, and the limit, for each tag that the target cannot express."""
    if len(tags) > limits.count:
        yield "", f"{len(tags)} tags are too many for {limits.name}", f"{limits.count} at most"
    most_of_name, most_of_value = limits.most_bytes or (None, None)
    folded: dict[str, str] = {}
    for name, value in tags.items():
        if not limits.key.fullmatch(name) or not _fits(name, most_of_name):
            yield name, f"cannot be a name of {limits.name}", limits.key_rule
        if not limits.value.fullmatch(value) or not _fits(value, most_of_value):
            yield name, f"has a value that {limits.name} cannot hold", limits.value_rule
        if limits.ignores_case and name.lower() in folded:
            yield name, f"is the same as {folded[name.lower()]}", limits.ignores_case
        folded.setdefault(name.lower(), name)


def _fits(text: str, most_bytes: int | None) -> bool:
    return most_bytes is None or (text.isprintable() and len(text.encode()) <= most_bytes)

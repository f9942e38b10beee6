"""What each cloud allows of tags, and the checks that every tag can be expressed where it goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from components.settings.findings import Finding
from components.settings.model import Settings
from components.settings.tags import TagSettings

Target = Literal["aws", "azure", "gcp", "vault", "kubernetes"]


@dataclass(frozen=True)
class Limits:
    """What a target allows.

    Sources: AWS General Reference (tags), Azure Resource Manager (tag limits), Google Cloud (label
    requirements), Vault API (custom_metadata), Kubernetes (labels).
    """

    name: str
    count: int
    key: re.Pattern[str]
    key_rule: str
    value: re.Pattern[str]
    value_rule: str


_AWS_CHARACTERS = r"[\w\s.:/=+\-@]"
LIMITS: Mapping[Target, Limits] = {
    "aws": Limits(
        "AWS tags",
        50,
        re.compile(rf"(?!(?i:aws):){_AWS_CHARACTERS}{{1,128}}"),
        "1 to 128 letters, digits, spaces and . : / = + - @ _, not beginning with aws:",
        re.compile(rf"{_AWS_CHARACTERS}{{0,256}}"),
        "256 letters, digits, spaces and . : / = + - @ _ at most",
    ),
    "azure": Limits(
        "Azure tags",
        50,
        re.compile(r"(?!(?i:microsoft|azure|windows))[^<>%&\\?/]{1,512}"),
        r"512 characters at most without < > % & \ ? /, not beginning with microsoft, azure or windows",
        re.compile(r".{0,256}", re.DOTALL),
        "256 characters at most",
    ),
    "gcp": Limits(
        "Google Cloud labels",
        64,
        re.compile(r"[a-z][a-z0-9_-]{0,62}"),
        "a lower-case letter, then 62 lower-case letters, digits, _ and - at most",
        re.compile(r"[a-z0-9_-]{0,63}"),
        "63 lower-case letters, digits, _ and - at most",
    ),
    "vault": Limits(
        "Vault custom metadata",
        64,
        re.compile(r".{1,128}"),
        "1 to 128 bytes on one line",
        re.compile(r".{1,512}"),
        "1 to 512 bytes on one line",
    ),
    "kubernetes": Limits(
        "Kubernetes labels",
        64,
        re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"),
        "63 letters, digits, . _ and - at most, beginning and ending with a letter or digit",
        re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?"),
        "63 letters, digits, . _ and - at most, beginning and ending with a letter or digit",
    ),
}

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


def problems(tags: Mapping[str, str], target: Target) -> Iterator[tuple[str, str, str]]:
    """Tag, what is wrong, and the limit, for each tag that the target cannot express."""
    limits = LIMITS[target]
    if len(tags) > limits.count:
        yield "", f"{len(tags)} tags are too many for {limits.name}", f"{limits.count} at most"
    folded: dict[str, str] = {}
    for name, value in tags.items():
        if not limits.key.fullmatch(name) or (target == "vault" and not _printable(name, 128)):
            yield name, f"cannot be a name of {limits.name}", limits.key_rule
        if not limits.value.fullmatch(value) or (target == "vault" and not _printable(value, 512)):
            yield name, f"has a value that {limits.name} cannot hold", limits.value_rule
        if target == "azure" and name.lower() in folded:
            yield (
                name,
                f"is the same as {folded[name.lower()]}",
                "Azure ignores the case of tag names",
            )
        folded.setdefault(name.lower(), name)


def _printable(text: str, most: int) -> bool:
    # Vault counts bytes.
    return text.isprintable() and len(text.encode()) <= most


def targets(settings: Settings) -> tuple[Target, ...]:
    """Where the tags of a stack go."""
    found: list[Target] = ["vault"] if any(m.type == "vault" for m in settings.managers) else []
    return (*found, *sorted(settings.clouds), "kubernetes")


def check(settings: Settings) -> Iterator[Finding]:
    """Tags that cannot be expressed, as findings of the settings."""
    at = ("tags", "additional")
    for name in settings.tags.additional:
        if name in CONVENTION:
            yield Finding(
                (*at, name),
                "is a name of the convention",
                f"{', '.join(CONVENTION)} are keys of their own",
                f"set kestra:tags.{name}",
            )
    every = convention(settings.tags)
    for target in targets(settings):
        for name, message, rule in problems(every, target):
            place = ("tags", name) if name in CONVENTION else (*at, name) if name else ("tags",)
            yield Finding(place, message, rule, "shorten or rename it")
        if target == "kubernetes":
            continue
        for secret, declared in settings.declared_secrets.items():
            declaration = ("declared-secrets", secret)
            own = declared.tags
            if target == "vault" and declared.description:
                own = {"description": declared.description} | own
            for name, message, rule in problems(own, target):
                place = (*declaration, "tags", name)
                if name == "description" and name not in declared.tags:
                    place = (*declaration, name)
                yield Finding(place, message, rule, "shorten or rename it")
            most = LIMITS[target].count
            if len(every | own) > most >= max(len(every), len(own)):
                yield Finding(
                    (*declaration, "tags"),
                    f"are with those of the stack too many for {LIMITS[target].name}",
                    f"{most} at most",
                    "remove some",
                )

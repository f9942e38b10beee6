"""Secrets that stand in clear where a text and a secret are both allowed, or where no secret belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...settings.credentials import credential_sign
from ...settings.findings import Finding
from ...settings.model import Settings
from ..schema import Loc
from .values import leaves

_READABLE = "stands in the stack file, in Pulumi's state and in the specification of the pods"


def variables(s: Settings) -> Iterator[Finding]:
    """A variable of the containers in clear: in the stack file, in Pulumi's state, in the specification of the pods."""
    for name, value in s.deployment.plain_environment.items():
        if sign := credential_sign(name, value):
            yield Finding(
                ("deployment", "environment", name),
                f"{sign} and stands in clear",
                f"a variable in clear {_READABLE}; an encrypted one is kept in the stack's Secret",
                "encrypt it",
                warning=True,
                encrypts=True,
            )


#: Settings whose texts are the user's own, and stand in objects of Kubernetes or of a cloud.
_BLOCKS = ("deployment", "identity", "storage-bucket", "tags")
#: Maps whose keys the user names.
_NAMED = (
    "annotations", "labels", "matchLabels", "nodeSelector", "node-selector", "volumeAttributes", "options", "additional",
)  # fmt: skip
_COMMANDS = ("command", "args", "extra-args")
#: Names of a Secret, rather than a secret: `auth-secret: kestra/basic-auth` of an ingress controller.
_REFERENCE = re.compile(r"(?i)(secrets?|credentials?)$")
#: What a shell, or Kubernetes, puts in the place of a name.
_EXPANSION = re.compile(r"\$\([^)]*\)|\$\{[^}]*\}|\$[A-Za-z_]\w*|`[^`]*`")
_OPTION = re.compile(r"(?<![\w-])--?(?P<name>[A-Za-z][\w-]*)(?:[= ]+(?P<value>[^\s=]\S*))?")
_LOG_IN = re.compile(r"(?<![\w-])(-u|--user)[= ]?[^\s:/]+:(?!true\b)[^\s:/]+")


def free_texts(s: Settings) -> Iterator[Finding]:
    """Commands, arguments, annotations and the like, which no setting encrypts."""
    texts = [(loc, text) for loc, text in leaves(s) if loc[0] in _BLOCKS and isinstance(text, str)]
    known = dict(texts)
    for loc, text in texts:
        if _is_variable(loc):
            continue
        is_command = _is_command(loc)
        sign = (
            _in_command(loc, text, known)
            if is_command
            else credential_sign(_name(loc, known), text)
        )
        if sign:
            yield Finding(
                loc,
                f"{sign} and stands in clear",
                f"what is written here {_READABLE}, and cannot be encrypted",
                _fix(loc, is_command=is_command),
                warning=True,
            )


def _is_variable(loc: Loc) -> bool:
    is_listed = loc[-1] == "value" and bool({"env", "extra-env"}.intersection(loc))
    return loc[:2] == ("deployment", "environment") or is_listed


def _is_command(loc: Loc) -> bool:
    return isinstance(loc[-1], int) and loc[-2] in _COMMANDS


def _fix(loc: Loc, *, is_command: bool) -> str:
    if not is_command:
        return "remove it, or name a Secret that has it where the reader takes one"
    place = "extra-env" if loc[-2] == "extra-args" else "the env of the container"
    return f"write $(NAME) in its place, and add NAME to {place} with its value encrypted"


def _name(loc: Loc, known: Mapping[Loc, Any]) -> str:
    """What names a text: the key that the user gave it, or the name beside it; empty where nothing does."""
    name = str(loc[-1])
    if loc[-1] == "value":
        name = str(known.get((*loc[:-1], "name"), ""))
    elif len(loc) < 2 or loc[-2] not in _NAMED:
        return ""
    return "" if _REFERENCE.search(name) else name


def _in_command(loc: Loc, text: str, known: Mapping[Loc, Any]) -> str | None:
    """What shows that a part of a command is a credential, by itself or by the option before it."""
    # `true` is no credential wherever it stands, but in an address.
    text = re.sub(rf"({_EXPANSION.pattern})(?=@)", "", text)
    text = _EXPANSION.sub("true", text)
    if sign := credential_sign("", text):
        return sign
    *list_, position = loc
    before = str(known.get((*list_, int(position) - 1), ""))
    both = f"{before} {text}" if before.startswith("-") and " " not in before else text
    if _LOG_IN.search(both):
        return "holds a credential"
    options = ((match["name"], match["value"]) for match in _OPTION.finditer(both))
    if any(value and credential_sign(name, value.strip("\"'")) for name, value in options):
        return "holds a credential"
    return None

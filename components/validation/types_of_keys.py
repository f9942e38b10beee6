"""Values of the catalogue's types: number, boolean, duration, size, list, text."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from ..settings.durations import KESTRA_DURATION
from ..settings.placeholders import PLACEHOLDER
from ..settings.sizes import FORMS, size_in_bytes

Wrong = tuple[str, str, str]
"""What is wrong, the rule, the fix."""

_NUMBER = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
NOT_A_LIST: Wrong = ("is not a list", "this key takes a list", "write it as a YAML list")


def not_text(
    value: Any, *, is_required: bool = False, is_meant: bool = True, what: str = "key"
) -> Wrong:
    """What is wrong with a value where text belongs.

    Args:
        value: the value.
        is_required: whether it cannot be left out.
        is_meant: whether the same in quotes is accepted.
        what: the thing that would be left out.
    """
    fix = "write it in quotes" if is_meant else "write a text"
    if value is None:
        fix = "write a text" if is_required else f"write a text, or remove the {what}"
    elif isinstance(value, (Mapping, list)):
        fix = "write one text in its place"
    return ("is not text", "this key takes text", fix)


def is_scalar(value: Any) -> bool:
    """Whether a value is one that a key can hold, and neither block nor list."""
    return isinstance(value, (str, bool, int, SecretStr)) or (
        isinstance(value, float) and math.isfinite(value)
    )


def whole(value: Any) -> Any:
    """The value, a number without a fraction as a whole one: so Pulumi hands it on."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def typed(kind: str, value: Any) -> tuple[Any, Wrong | None]:
    """The value as the file has it, or what is wrong with it.

    Args:
        kind: a type of the catalogue, but `map`.
        value: as it was written. An encrypted one and one with a placeholder are taken as they are: Kestra converts
            what they stand for.
    """
    if isinstance(value, SecretStr) or (isinstance(value, str) and PLACEHOLDER.search(value)):
        return value, None
    return _TYPES[kind](whole(value))


def _text(value: Any) -> tuple[Any, Wrong | None]:
    # A number with a fraction is not what was written any more: 1.10 is 1.1.
    is_text = isinstance(value, str) or (isinstance(value, int) and is_scalar(value))
    return value, None if is_text else not_text(value)


def _number(value: Any) -> tuple[Any, Wrong | None]:
    if isinstance(value, str) and len(value) < 64 and _NUMBER.fullmatch(value):
        number = float(value)
        value = int(value) if re.fullmatch(r"[-+]?[0-9]+", value) else whole(number)
    is_number = is_scalar(value) and not isinstance(value, (bool, str))
    return value, None if is_number else (
        "is not a number",
        "this key takes a number",
        "write a number",
    )


def _boolean(value: Any) -> tuple[Any, Wrong | None]:
    if isinstance(value, str) and value in ("true", "false"):
        value = value == "true"
    rule = "Kestra reads anything else as false"
    return value, None if isinstance(value, bool) else (
        "is not true or false",
        rule,
        "write true or false",
    )


#: Nothing is a duration too; what it means is up to the key.
_DURATION = replace(KESTRA_DURATION, least=0)


def _duration(value: Any) -> tuple[Any, Wrong | None]:
    try:
        return _DURATION.check(value), None
    except PydanticCustomError as error:
        context = error.context or {}
        return value, (context["message"], context["rule"], context["fix"])


def _size(value: Any) -> tuple[Any, Wrong | None]:
    if size_in_bytes(value) is not None:
        return value, None
    return value, ("is no size that Kestra binds", FORMS, "write for example 10MB")


def _list(value: Any) -> tuple[Any, Wrong | None]:
    # Micronaut makes a list of a text with commas.
    if isinstance(value, str):
        return value, None
    if not isinstance(value, list):
        return value, NOT_A_LIST
    items = list(map(whole, value))
    for item in items:
        if not isinstance(item, SecretStr) and _text(item)[1] is not None:
            wrong = not_text(item, what="item")
            return items, (
                "has an item that is not text",
                "this key takes a list of texts",
                wrong[2],
            )
    return items, None


_TYPES = {
    "text": _text,
    "number": _number,
    "boolean": _boolean,
    "duration": _duration,
    "size": _size,
    "list": _list,
}

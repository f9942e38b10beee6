"""Values that no setting can hold, whatever its key: found before anything else looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from ..settings.base import OPAQUE, reveal
from ..settings.findings import Finding
from .schema import Loc

#: Bytes of one value: a process takes 131,071 for an environment variable with its name.
MOST_BYTES = 100_000
#: Bytes of all values: a ConfigMap and a Secret of Kubernetes hold 1 MiB each.
MOST_ALTOGETHER = 700_000
_WHOLE = 2**63


def find_invalid_values(data: Mapping[str, Any], others: Iterable[Any] = ()) -> Iterator[Finding]:
    """Each such value; the document itself is at the place ().

    Args:
        data: the settings.
        others: further values, judged already, that count for the size.
    """
    size = sum(map(_bytes, others))
    for loc, value in _values(data):
        if (wrong := reject_reason(value)) is not None:
            yield Finding(loc, *wrong)
        else:
            size += _bytes(value)
    if size > MOST_ALTOGETHER:
        yield Finding(
            (),
            "are too large",
            f"all settings together have at most {MOST_ALTOGETHER:,} bytes: Kubernetes keeps 1 MiB in one object",
            "keep large values outside and name where they are",
        )


def _values(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            # A name that cannot be used is reported at the block that has it.
            yield loc, name
            yield from _values(item, (*loc, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _values(item, (*loc, i))
    else:
        yield loc, value


def _bytes(value: Any) -> int:
    value = reveal(value)
    if not isinstance(value, str):
        return 8
    size = len(value.encode())
    # An unprintable character takes four bytes in YAML.
    return size if value.isprintable() else 4 * size


def reject_reason(value: Any) -> tuple[str, str, str] | None:
    """What is wrong with a value, the rule and the fix; None where nothing is."""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        return None if text == OPAQUE else _wrong_text(text)
    if isinstance(value, str):
        return _wrong_text(value)
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        return ("is too large a number", "numbers have 64 bits", "write a smaller number")
    if isinstance(value, (bytes, set, tuple)):
        return (
            "is a kind of value that settings do not have",
            "a value is a text, a number, true, false, a list or a block of keys",
            "write it without a YAML tag",
        )
    return None


def _wrong_text(value: str) -> tuple[str, str, str] | None:
    if "\0" in value:
        return (
            "holds a NUL character",
            "no environment variable and no name can hold one",
            "write it without",
        )
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return ("holds half a character", "text is valid Unicode", "write the whole character")
    if size > MOST_BYTES:
        return (
            f"has {size:,} bytes",
            f"a value has at most {MOST_BYTES:,}: it must fit into an environment variable",
            "shorten it",
        )
    return None

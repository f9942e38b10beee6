"""A value from a hidden prompt or from standard input."""

from __future__ import annotations

import getpass
import sys
import warnings

MOST_BYTES = 1 << 20
"""Of a value."""


class RefusedError(Exception):
    """What was asked for cannot be done; nothing was written. The message holds no value."""


def read_value(name: str, *, keep_newline: bool = False) -> str:
    """The value: typed twice at a hidden prompt, or all of standard input without the newline at its end. Secret.

    Args:
        name: of the secret, for the prompt.
        keep_newline: whether a newline at the end belongs to the value.

    Raises:
        RefusedError: there is none, or it is no text.
    """
    if sys.stdin is None:
        raise RefusedError("No value was given: there is no standard input.")
    value = _typed(name) if sys.stdin.isatty() else _piped(keep_newline=keep_newline)
    if not value:
        raise RefusedError(f"The value of {name} is empty; flows would fail with it.")
    if "\0" in value:
        raise RefusedError(f"The value of {name} is no text: it has a zero byte.")
    return value


def _typed(name: str) -> str:
    with warnings.catch_warnings():
        # Without a terminal that can be kept silent the value would be shown.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            first = getpass.getpass(f"Value of {name} (hidden): ")
            second = getpass.getpass("The same once more: ") if first else ""
        except getpass.GetPassWarning:
            raise RefusedError(
                "The terminal cannot hide what is typed. Pass the value on standard input."
            ) from None
        except EOFError:
            raise RefusedError("No value was given.") from None
    if first != second:
        raise RefusedError("The two values differ.")
    try:
        first.encode()
    except UnicodeEncodeError:
        raise RefusedError(f"The value of {name} is no text in UTF-8.") from None
    return first


def _piped(*, keep_newline: bool) -> str:
    data = sys.stdin.buffer.read(MOST_BYTES + 1)
    if not data:
        raise RefusedError(
            "No value was given: standard input is empty, and it is no terminal that could be asked."
        )
    if len(data) > MOST_BYTES:
        raise RefusedError("The value is longer than 1 MiB, which no secret manager takes.")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise RefusedError(
            "The value is no text in UTF-8. Encode it, for instance with base64, and have the flow decode it."
        ) from None
    if keep_newline or not text.endswith("\n"):
        return text
    return text.removesuffix("\n").removesuffix("\r")

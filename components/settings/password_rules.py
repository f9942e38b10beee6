"""Rules for passwords in the words of the other Kestra version, as a suggestion: what is near is not the same."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PARTS = (
    (r"\(\?=\.\{([0-9]{1,6}),\}\$?\)", "password-min-length"),
    (r"\(\?=\.\*\[a-z\]\)", "password-min-lower-case"),
    (r"\(\?=\.\*\[A-Z\]\)", "password-min-upper-case"),
    (r"\(\?=\.\*(?:\[0-9\]|\\d)\)", "password-min-digits"),
)
#: Kestra 2.0 takes no shorter passwords.
_SHORTEST = 8


def structured(expression: str) -> dict[str, int | bool] | None:
    """2.0's rules that ask for what a regular expression of 1.3 asks for; None where that is not plain.

    Plain are expressions that only look ahead for a length, a lower-case or an upper-case letter, and a digit:
    `^(?=.{12,})(?=.*[a-z])(?=.*\\d).*$`. What they leave out is set to 0 or false, since 2.0 asks for it by itself.
    """
    rest = expression.removeprefix("^").removesuffix("$")
    rules: dict[str, int] = {}
    if end := re.search(r"\.(?:\*|\+|\{([0-9]{1,6}),\})$", rest):
        rest = rest[: end.start()]
        rules["password-min-length"] = int(end[1] or 0)
    while rest:
        for part, name in _PARTS:
            if match := re.match(part, rest):
                asked = int(match[1]) if match.groups() else 1
                rules[name] = max(asked, rules.get(name, 0))
                rest = rest[match.end() :]
                break
        else:
            return None
    counted = {name: rules.get(name, 0) for _, name in _PARTS}
    counted["password-min-length"] = max(_SHORTEST, counted["password-min-length"])
    return {**counted, "password-require-special": False}


def expression(rules: Mapping[str, int | bool | str | None]) -> str:
    """A regular expression of 1.3 that asks for what 2.0's rules ask for, its own defaults included.

    The special characters that are allowed are asked for where one is needed; others are not refused.
    """

    def number(name: str, default: int) -> int:
        value = rules.get(name)
        return default if value is None else int(value)

    length = number("password-min-length", _SHORTEST)
    expression_text = "".join(
        f"(?=(.*{kind}){{{least}}})"
        for name, kind in (
            ("password-min-lower-case", "[a-z]"),
            ("password-min-upper-case", "[A-Z]"),
            ("password-min-digits", "[0-9]"),
        )
        if (least := number(name, 1))
    )
    if rules.get("password-require-special") is not False:
        allowed = str(rules.get("password-allowed-special-characters") or "")
        # What is no special character is none of these, and may have come here by mistake.
        special = "".join(c for c in allowed if not c.isalnum()) or "!@#$%^&*"
        expression_text += "(?=.*[" + re.sub(r"([\\\]\[^&-])", r"\\\1", special) + "])"
    return f"{expression_text}.{{{length},}}"

"""`${…}` in the values of Kestra's configuration: which texts are placeholders, what they name, their default.

As Micronaut's `DefaultPropertyPlaceholderResolver` reads them, measured with Micronaut 4.10.20 and 4.10.26:

- A placeholder ends at the first `}`. None stands within another: `${A:${B}}` gives the value of `A` with a `}` behind it.
- Its name is that of an environment variable or of a property: `${DB_PASSWORD}`, `${db.password}`, `${my-key}`.
- Each `:` begins another name, and what follows the last one is the default: `${A:b.c:x}`. A default with a `:` of its
  own stands in backticks: ``${URL:`http://host:80`}``. Without them `${URL:http://host:80}` gives `80`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

_NAME = r"[A-Za-z_][A-Za-z0-9_.\[\]-]*"
PLACEHOLDER = re.compile(rf"\$\{{\s*(?P<name>{_NAME})(?::(?P<rest>[^{{}}]*)|\s*)\}}")
"""A placeholder within a text; `rest` is what stands behind the first colon, None where there is no colon."""

_ESCAPED = re.compile(r"(.+)?:`([^`]+?)`")
#: One placeholder within another, which Micronaut does not resolve.
_NESTED = re.compile(rf"\$\{{\s*{_NAME}:[^{{}}]*\$\{{")
#: A name that somebody may have meant as a further one: a variable, or a property of more than one word.
_SECOND_NAME = re.compile(r"[A-Z][A-Z0-9_]*|[A-Za-z][A-Za-z0-9_]*([.-][A-Za-z0-9_.\[\]-]+)+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Placeholder:
    """One placeholder of a text."""

    text: str
    """As written, with `${` and `}`."""
    name: str
    """The first name."""
    rest: str | None
    """What stands behind the first colon: further names and a default, which may be secret. None: no colon."""

    @cached_property
    def _parts(self) -> tuple[tuple[str, ...], str | None]:
        return _split(self.text[2:-1].strip())

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, in the order in which Micronaut looks them up."""
        return self._parts[0]

    @property
    def default(self) -> str | None:
        """The text that counts where no name has a value; None where Kestra then does not start. May be secret."""
        return self._parts[1]

    @property
    def loses_default(self) -> bool:
        """Whether its default seems to have a colon, so that Micronaut keeps only what stands behind the last one."""
        others, default = self.names[1:], self.default
        if not others or default is None:
            return False
        if "/" in default or not all(map(_SECOND_NAME.fullmatch, others)):
            return True
        return default.isdecimal() and any(other != other.upper() for other in others)


def _split(expression: str) -> tuple[tuple[str, ...], str | None]:
    if match := _ESCAPED.search(expression):
        return (match[1] or "",), match[2]
    name, colon, rest = expression.partition(":")
    if not colon:
        return (name,), None
    if ":" not in rest:
        return (name,), rest
    names, default = _split(rest)
    return (name, *names), default


def find_placeholders(text: str) -> Iterator[Placeholder]:
    """The placeholders of a text, in their order."""
    for match in PLACEHOLDER.finditer(text):
        yield Placeholder(match[0], match["name"], match["rest"])


def as_placeholder(text: str) -> Placeholder | None:
    """The placeholder that a whole text is; None where it is anything else."""
    match = PLACEHOLDER.fullmatch(text)
    return Placeholder(match[0], match["name"], match["rest"]) if match else None


def is_placeholder(text: str) -> bool:
    """Whether a whole text is one placeholder: `${NAME}`, `${a.name}`, `${NAME:default}`."""
    return PLACEHOLDER.fullmatch(text) is not None


def has_nested_placeholder(text: str) -> bool:
    """Whether one placeholder stands in the default of another."""
    return _NESTED.search(text) is not None


def is_variable_name(name: str) -> bool:
    """Whether a placeholder's name can be that of an environment variable; one with a dot or a hyphen is a property."""
    return _VARIABLE.fullmatch(name) is not None


def variable_of(name: str) -> str:
    """The environment variable by which a property gets its value: `DB_PASSWORD` for `db.password`."""
    return (
        name if is_variable_name(name) else re.sub(r"[^A-Za-z0-9]+", "_", name).upper().strip("_")
    )


def resolve_placeholders(text: str, values: Mapping[str, str]) -> str:
    """A text with its placeholders resolved by values, and by the defaults in it; what is unknown stays.

    Args:
        text: for example `http://${HOST}:${PORT:9000}`.
        values: environment variable to its value.
    """

    def value(match: re.Match[str]) -> str:
        placeholder = Placeholder(match[0], match["name"], match["rest"])
        for name in placeholder.names:
            known = values.get(name, values.get(variable_of(name)) if name else None)
            if known is not None:
                return known
        return match[0] if placeholder.default is None else placeholder.default

    # The value of a variable may name another one.
    for _ in range(4):
        resolved = PLACEHOLDER.sub(value, text)
        if resolved == text:
            break
        text = resolved
    return text

"""Which configuration keys an environment variable sets, as Micronaut 4.10 binds it.

Source: Micronaut 4.10 (Kestra 1.3 and 2.0), `EnvironmentPropertySource`, `EnvironmentProperties` and
`PropertySourcePropertyResolver`; `tests/kestra/test_environment_variables.py` compares it with them.

- `_` and one or two digits, before `_` or the end, are an index: `A_0` sets `a[0]`. The `_` behind
  the digits belongs to the index, so that `A_0_B` sets nothing of `a[0].b`: it leaves a null in the list.
  `A_0__B` sets `a[0].b`.
- The name is lower-cased, and each other `_` is a `.` and a `-`: a variable sets every combination.
- What reads a block as a map takes the combination with dots alone for the names in it.

The program and the policy pack both ask it; like the pack it needs nothing of the program.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

SECRET_FAMILIES = ("KESTRA_", "SECRET_", "STACK_", "DATASOURCES_", "MICRONAUT_", "ENDPOINTS_")
"""Beginnings of the names of variables with secrets and settings: Kestra's own, flows' secrets, this project's."""

_INDEX = re.compile(r"_([0-9]{1,2})(?:_|$)")
_SEPARATOR = re.compile(r"[.\-]")
_WORD_END = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_BRACKET = re.compile(r"\[([0-9]+)\]")


def canonical(key: str) -> str:
    """A key in the one form in which every spelling of it is equal.

    Lower case, words separated by dots: `kestra.server.basicAuth` and `kestra.server.basic-auth`
    are both `kestra.server.basic.auth`. An index stays: `a[0].b`.
    """
    return _SEPARATOR.sub(".", _WORD_END.sub("-", key).lower())


@dataclass(frozen=True)
class Binding:
    """What one variable sets."""

    #: Name of the variable.
    variable: str
    #: What it sets, in the canonical form, the index included: `a.b[0].c`.
    path: str

    @property
    def key(self) -> str:
        """The key before its first index, in the canonical form."""
        return self.path.partition("[")[0]

    @property
    def has_index(self) -> bool:
        """Whether the variable sets an item of a list."""
        return "[" in self.path

    @property
    def is_null_item(self) -> bool:
        """Whether Micronaut finds no place for the value, and the list gets a null at its index.

        So it is where text follows an index without a dot: `A_0_NAME`, `A_0_1`.
        """
        rest = self.path[len(self.key) :]
        return bool(rest) and _lost(rest)

    def sets(self, key: str) -> bool:
        """Whether it sets the key: the whole of it, or an item where the key is a list."""
        name = canonical(key)
        # Micronaut looks up `a[100]` as `a.100` too, which is what `A_100` sets.
        return name in (self.key, self.path) or _BRACKET.sub(r".\1", name) == self.path

    def sets_below(self, block: str) -> bool:
        """Whether it sets something within a block (`datasources`), not the block itself."""
        name = canonical(block)
        return self.path.startswith((f"{name}.", f"{name}["))

    def map_names(self, block: str) -> tuple[str, ...]:
        """The names of nested maps below a block that is read as a map, all in lower case.

        `KESTRA_STORAGE_S3_STS_ROLE_ARN` below `kestra.storage.s3` is `("sts", "role", "arn")`.
        """
        name = canonical(block)
        return tuple(self.path[len(name) + 1 :].split(".")) if self.sets_below(block) else ()

    def names(self) -> Iterator[str]:
        """Every name of a property that Micronaut derives, the one with dots alone first.

        There are two to the number of separators; take as many as are needed.
        """
        parts = self.path.split(".")
        for separators in itertools.product(".-", repeat=len(parts) - 1):
            yield parts[0] + "".join(
                s + part for s, part in zip(separators, parts[1:], strict=True)
            )


def _lost(rest: str) -> bool:
    """Whether the value finds no place behind an index, as `expandProperty` walks it.

    Of the separators after an index one is a dot in some combination, which is enough.
    """
    while rest:
        if index := re.match(r"\[[^\]]*\]", rest):
            rest = rest[index.end() :]
        elif rest.startswith("."):
            following = rest.find("[")
            rest = rest[following:] if following >= 0 else ""
        else:
            return True
    return False


def bind(variable: str) -> Binding:
    """What a variable of this name sets; the value plays no part."""
    indexed = _INDEX.sub(r"[\1]", variable)
    return Binding(variable, _SEPARATOR.sub(".", indexed.lower().replace("_", ".")))


def variable_name(key: str) -> str:
    """A variable that sets the key, as people write it: `kestra.url` by `KESTRA_URL`."""
    name = _BRACKET.sub(r"_\1_", canonical(key)).replace(".", "_").upper()
    return name.removesuffix("_") if key.endswith("]") else name

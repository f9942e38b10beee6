"""Interpolation of compose files: `${X}`, `${X:-default}`, `${X:?error}`, `$X`, and `$$` for a dollar sign.

Source: docs.docker.com, compose file reference, Interpolation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .documents import Override

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: What a template's variable is called where compose would see a name with a default: `${license-key}`.
_HYPHENATED = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
#: What Micronaut takes for a placeholder, with the brace behind it.
_LITERAL = re.compile(r"([A-Za-z_][\w.]*)(:[^{}]*)?\}")
_DEEPEST = 20


@dataclass
class Interpolation:
    """Replaces variables, and remembers those that nothing gives."""

    variables: Mapping[str, str] = field(repr=False)
    missing: dict[str, None] = field(default_factory=dict)
    """Variables that no input gives; what names them keeps `${NAME}`."""
    used: set[str] = field(default_factory=set)
    """Variables whose values stand in the files now."""
    signs: int = 0
    """How often a `$` stands before letters that name no variable."""
    defaults: dict[str, None] = field(default_factory=dict)
    """Variables that no input gives, where the default of the compose file was taken."""

    def tree(self, node: Any) -> Any:
        """A node with every text of it replaced; keys stay."""
        if isinstance(node, dict):
            return {key: self.tree(item) for key, item in node.items()}
        if isinstance(node, list):
            return [self.tree(item) for item in node]
        if isinstance(node, Override):
            return Override(self.tree(node.value))
        return self.text(node) if isinstance(node, str) and "$" in node else node

    def text(self, text: str, depth: int = 0) -> str:
        """A text with its variables replaced."""
        if depth > _DEEPEST:
            return text
        parts: list[str] = []
        position = 0
        while (sign := text.find("$", position)) >= 0:
            parts.append(text[position:sign])
            following = text[sign + 1 : sign + 2]
            if following == "$":
                parts.append("$")
                position = sign + 2
            elif following == "{":
                end = _closing(text, sign + 2)
                if end is None:
                    parts.append(text[sign:])
                    position = len(text)
                else:
                    parts.append(self._braces(text[sign + 2 : end], depth))
                    position = end + 1
            elif match := _NAME.match(text, sign + 1):
                parts.append(self._bare(match[0], text[sign - 1 : sign] if sign else ""))
                position = match.end()
            else:
                parts.append("$")
                position = sign + 1
        return "".join(parts) + text[position:]

    def is_open(self, text: str) -> bool:
        """Whether a text names a variable that no input gave. `$${X}` has become `${X}`, which is a text."""
        return any(
            (match := _LITERAL.fullmatch(inner)) is None or match[1] in self.missing
            for inner in re.findall(r"\$\{([^}]*\}?)", text)
        )

    def _bare(self, name: str, before: str) -> str:
        """`$NAME`: what looks like a piece of a password is no name, and is never repeated in a message."""
        if name not in self.variables and (
            before.isalnum() or not (name.isupper() or "_" in name[1:-1])
        ):
            self.signs += 1
            return f"${name}"
        return self._plain(name)

    def _plain(self, name: str) -> str:
        if (value := self.variables.get(name)) is not None:
            self.used.add(name)
            return value
        self.missing[name] = None
        return f"${{{name}}}"

    def _braces(self, inner: str, depth: int) -> str:
        match = _NAME.match(inner)
        if match is None or (_HYPHENATED.fullmatch(inner) and match[0] not in self.variables):
            return self._foreign(inner)
        name, rest = match[0], inner[match.end() :]
        value = self.variables.get(name)
        if not rest:
            return self._plain(name)
        sign = re.match(r":?[-?+]", rest)
        if sign is None:
            # Not compose's own, as `${X:default}` of Micronaut.
            return f"${{{inner}}}"
        word = rest[sign.end() :]
        absent = value is None or (sign[0].startswith(":") and not value)
        if sign[0].endswith("+"):
            return "" if absent else self.text(word, depth + 1)
        if not absent:
            self.used.add(name)
            return str(value)
        if sign[0].endswith("?"):
            self.missing[name] = None
            return f"${{{name}}}"
        if value is None:
            self.defaults[name] = None
        return self.text(word, depth + 1)

    def _foreign(self, inner: str) -> str:
        if re.fullmatch(r"[A-Za-z_][\w.-]*", inner):
            self.missing[inner] = None
        return f"${{{inner}}}"


def _closing(text: str, start: int) -> int | None:
    depth = 1
    for position in range(start, len(text)):
        if text[position] == "{" and text[position - 1] == "$":
            depth += 1
        elif text[position] == "}":
            depth -= 1
            if depth == 0:
                return position
    return None


def unresolved(text: str) -> bool:
    """Whether a text still names a variable that no input gave."""
    return "${" in text

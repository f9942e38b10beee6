"""Files with variables: env files of compose and Docker, `EnvironmentFile` of systemd, variables alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from .installation import Variable
from .readers import Part

if TYPE_CHECKING:
    from .assembly import Assembly

Style = Literal["compose", "systemd", "raw"]

#: A variable, or a dotted key as in application.properties.
_NAME = r"[A-Za-z_][A-Za-z0-9_]*(?:[.-][A-Za-z0-9_]+)*"
_LINE = re.compile(rf"\s*(?:export\s+)?(?P<name>{_NAME})\s*(?P<sign>=|:(?=\s))?(?P<rest>.*)")
#: A value that is another variable's, as a shell or a platform writes it.
_SHELL_REFERENCE = re.compile(r"\$[A-Z_][A-Z0-9_]*|\$\(\w+\)|\$\{\{\s*[\w.-]+\s*\}\}")
_DOUBLE = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


@dataclass(frozen=True)
class Line:
    """One variable of a file."""

    name: str
    value: str | None = field(repr=False)
    """None: the name stands alone, so its value comes from elsewhere."""
    number: int
    """The line, from 1."""
    is_literal: bool = False
    """Whether it stood in single quotes, so that nothing in it is replaced."""


@lru_cache(maxsize=8)
def parse(text: str, style: Style = "compose") -> tuple[list[Line], list[int]]:
    """The variables of a file, and the numbers of lines that are none.

    Args:
        text: of the file.
        style: whose rules count. `compose`: quotes, escapes in double quotes, ` #` begins a comment; `systemd`:
            quotes, a line goes on behind a backslash; `raw`: everything behind `=` (`docker run --env-file`).
    """
    lines: list[Line] = []
    wrong: list[int] = []
    rows = text.split("\n")
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row) + 1)
    number = 0
    while number < len(rows):
        first, row = number, rows[number]
        number += 1
        if not row.strip() or row.lstrip().startswith(("#", ";") if style == "systemd" else "#"):
            continue
        match = _LINE.fullmatch(row)
        if match is None or not _is_name(match["name"], match["sign"], match["rest"]):
            wrong.append(first + 1)
            continue
        if match["sign"] is None:
            lines.append(Line(match["name"], None, first + 1))
            continue
        rest = match["rest"]
        if style == "raw":
            lines.append(Line(match["name"], rest, first + 1, is_literal=True))
            continue
        quote = rest.lstrip()[:1]
        if quote and quote in "'\"":
            start = starts[first] + len(row) - len(rest.lstrip())
            end = _end(text, quote, start)
            if end is None:
                wrong.append(first + 1)
                continue
            # A value in quotes may have several lines.
            number += text.count("\n", start, end)
            value = _unquoted(text[start + 1 : end], quote)
            lines.append(Line(match["name"], value, first + 1, quote == "'"))
            continue
        if style == "systemd":
            while rest.endswith("\\") and number < len(rows):
                rest = rest[:-1] + rows[number]
                number += 1
        elif rest.lstrip().startswith("#"):
            rest = ""
        else:
            rest = re.split(r"\s#", rest, maxsplit=1)[0]
        lines.append(Line(match["name"], rest.strip(), first + 1))
    return lines, wrong


def _is_name(name: str, sign: str | None, rest: str) -> bool:
    """Whether a line names a variable, and is no piece of a value: a secret of several lines must not become a name."""
    if "-" in name and "." not in name:
        return False
    if sign is None:
        return not rest.strip() and re.fullmatch(r"[A-Z_][A-Z0-9_]*", name) is not None
    is_base64 = (
        len(name) >= 12 and rest.strip() in ("", "=") and name not in (name.upper(), name.lower())
    )
    return not is_base64


def _end(text: str, quote: str, start: int) -> int | None:
    """Where a value ends whose quote is at `start`; None where its quote is open."""
    if quote == "'":
        end = text.find("'", start + 1)
        return end if end >= 0 else None
    match = _DOUBLE.match(text, start + 1)
    return match.end() - 1 if match else None


def _unquoted(inner: str, quote: str) -> str:
    if quote == "'":
        return inner
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), inner, flags=re.DOTALL)


def is_env_text(text: str) -> bool:
    """Whether a text is a file of variables: every line that says something is one, and one has a value."""
    lines, wrong = parse(text)
    # `NAME: value` is compose's too, but a file with such lines is more likely YAML.
    is_yaml = re.search(rf"(?m)^{_NAME}:(\s|$)", text) is not None
    return not wrong and not is_yaml and any(line.value is not None for line in lines)


class EnvFileReader:
    """Variables of Kestra's process that stand in files of their own."""

    def recognizes(self, part: Part) -> bool:
        """Whether the part is such a file, by its content, or by its name where lines of it are damaged."""
        if isinstance(part.document, (dict, list)):
            return False
        named = re.fullmatch(r"\.env.*|.*\.env|env|environment", part.name) is not None
        return is_env_text(part.text) or (
            named and any(line.value is not None for line in parse(part.text)[0])
        )

    def kind(self, part: Part) -> str:
        """What it is."""
        return "variables of the environment"

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Adds the variables of the files that no other input has read."""
        for part in parts:
            if assembly.is_used(part):
                continue
            if part.is_of_directory and assembly.is_environment_known:
                assembly.note(
                    "not carried",
                    part.file,
                    "a file of variables that nothing of the installation names",
                    "give the file itself if Kestra's process has these variables",
                    part.origin(),
                )
                continue
            for line in read_lines(part, assembly):
                value = (
                    None if line.value and _SHELL_REFERENCE.fullmatch(line.value) else line.value
                )
                assembly.add_variable(
                    line.name, Variable(part.origin(f"line {line.number}"), value)
                )


def read_lines(part: Part, assembly: Assembly, style: Style = "compose") -> Iterator[Line]:
    """The variables of a file; lines that are none are noted by their number."""
    lines, wrong = parse(part.text, style)
    for number in wrong[:20]:
        assembly.note(
            "not carried",
            f"line {number} of {part.file}",
            "it is no NAME=value",
            "correct the line, and import again",
            part.origin(f"line {number}"),
        )
    yield from lines

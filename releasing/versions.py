"""The version of this project, which stands in one place, and the places that follow it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_ADDRESS = r"of this repository>@v([\w.+-]+)"
PLACE = "components/__init__.py"
_WRITTEN = re.compile(r'^__version__ = "([^"]*)"$', re.MULTILINE)
#: Both in the form of Python's packages and in that of Pulumi's plugins.
_FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


@dataclass(frozen=True)
class Follower:
    """A file that has to name the version because its readers look for it there."""

    file: str
    pattern: str
    """A regular expression with the version as its group."""


#: No file outside of these names the version.
FOLLOWERS = (
    Follower("docs/support.md", r"^Version (\S+) of this project is tested"),
    Follower("README.md", _ADDRESS),
    Follower("docs/package.md", _ADDRESS),
    Follower("examples/package/go/go.mod", r"/sdk/go/kestra-platform v(\S+)$"),
    Follower("policy/PulumiPolicy.yaml", r"^version: (\S+)$"),
    Follower("policy/archive/PulumiPolicy.yaml", r"^version: (\S+)$"),
    Follower("components/package/schema.json", r'^ "version": "([^"]+)",$'),
)


def version_of(root: Path) -> str:
    """The version of a source tree.

    Raises:
        ValueError: when the place does not have it in the form of `_WRITTEN`.
    """
    match = _WRITTEN.search((root / PLACE).read_text(encoding="utf-8"))
    if match is None:
        raise ValueError(f'{PLACE} has no line __version__ = "…"')
    return match[1]


def is_release_version(version: str) -> bool:
    """Whether a release may have it: three numbers."""
    return _FORM.fullmatch(version) is not None


def as_numbers(version: str) -> tuple[int, ...]:
    """For comparisons: `0.10.0` is newer than `0.9.0`."""
    return tuple(int(number) for number in version.partition("+")[0].split("."))


def follower_problems(root: Path, version: str) -> Iterator[str]:
    """The places that name another version than the one of the program, or none."""
    for follower in FOLLOWERS:
        text = (root / follower.file).read_text(encoding="utf-8")
        named = set(re.findall(follower.pattern, text, re.MULTILINE))
        if named != {version}:
            has = " and ".join(sorted(named)) or "none"
            yield (
                f"{follower.file} names version {has}, {PLACE} has {version}. Run: python -m releasing version {version}"
            )


def write_version(root: Path, version: str) -> list[str]:
    """Writes a version into its place and into those that follow it.

    Returns:
        The files that changed, relative to the root.
    """
    changed = []
    for file, pattern in ((PLACE, _WRITTEN.pattern), *((f.file, f.pattern) for f in FOLLOWERS)):
        path = root / file
        text = path.read_text(encoding="utf-8")
        new = re.sub(pattern, lambda m: _with_group(m, version), text, flags=re.MULTILINE)
        if new != text:
            path.write_text(new, encoding="utf-8")
            changed.append(file)
    return changed


def _with_group(match: re.Match[str], version: str) -> str:
    begin, end = (at - match.start() for at in match.span(1))
    return match[0][:begin] + version + match[0][end:]

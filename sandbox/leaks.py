"""Searches what the sandbox wrote for values that must not be there, in clear or in the usual disguises."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Leak:
    """A secret found where it must not be. Names the secret, never its value."""

    name: str
    form: str
    place: str


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """The value and its disguises: base64 at each alignment, hexadecimal, URL-encoded."""
    raw = value.encode()
    yield "in clear", raw
    for offset in range(3):
        # The characters that do not depend on what stands before and after the value.
        encoded = base64.b64encode(b"\0" * offset + raw)
        begin = -(-offset * 8 // 6)
        inner = encoded[begin : (offset + len(raw)) * 8 // 6]
        if len(inner) >= 8:
            yield "base64", inner
    yield "hexadecimal", raw.hex().encode()
    quoted = urllib.parse.quote(value, safe="").encode()
    if quoted != raw:
        yield "URL-encoded", quoted


def search_text(data: bytes, place: str, secrets: Mapping[str, str]) -> list[Leak]:
    """Leaks in some bytes."""
    return [
        Leak(name, form, place)
        for name, value in secrets.items()
        for form, disguised in forms(value)
        if disguised in data
    ]


def search(
    paths: Iterable[Path], secrets: Mapping[str, str], *, without: Iterable[Path] = ()
) -> list[Leak]:
    """Leaks in files, and in all files below folders, but for those left out."""
    left_out = [p.resolve() for p in without]
    found: list[Leak] = []
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            place = file.resolve()
            if file.is_file() and not any(place.is_relative_to(p) for p in left_out):
                found += search_text(file.read_bytes(), str(file), secrets)
    return found

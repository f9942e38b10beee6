"""Searches what the sandbox wrote for values that must not be there, in clear or in a disguise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from components.redaction import search as texts
from components.redaction.search import Leak, redacted, search_text

__all__ = ["Leak", "Search", "redacted", "search", "search_text"]


class Search(texts.Search):
    """Looks for some secrets in texts and files; a clean file is not read again while it stays as it is."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._clean: set[tuple[str, int, int, int]] = set()
        super().__init__(secrets)

    def add(self, secrets: Mapping[str, str]) -> None:
        """Looks for these too from here on; what was clean is read again."""
        super().add(secrets)
        self._clean.clear()

    def files(self, paths: Iterable[Path], *, without: Iterable[Path] = ()) -> list[Leak]:
        """Leaks in files, and in all files below folders, but for those left out."""
        left_out = [p.resolve() for p in without]
        found: list[Leak] = []
        for file in _files(paths):
            place = file.resolve()
            if any(place.is_relative_to(p) for p in left_out):
                continue
            try:
                about = file.stat()
                content = file.read_bytes()
            except FileNotFoundError:
                continue  # a server's own, gone meanwhile
            seen = (str(place), about.st_ino, about.st_size, about.st_mtime_ns)
            if seen in self._clean:
                continue
            leaks = self.text(content, str(file))
            leaks += self.text(file.name.encode(errors="surrogateescape"), f"name of {file}")
            if not leaks:
                self._clean.add(seen)
            found += leaks
        return found


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            # What a link leads to is searched where it is; tools and plugins are not what the sandbox wrote.
            if file.is_file() and not file.is_symlink():
                yield file


def search(
    paths: Iterable[Path], secrets: Mapping[str, str], *, without: Iterable[Path] = ()
) -> list[Leak]:
    """Leaks in files, and in all files below folders, but for those left out."""
    return Search(secrets).files(paths, without=without)

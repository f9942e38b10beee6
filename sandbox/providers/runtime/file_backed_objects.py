"""Objects that no server on one machine can hold: kept in a file, as the cloud would keep them.

Secret values are never written here.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.values import Properties, Secret, Unknown
from sandbox.services.process import private

_SPACE = uuid.UUID("6f1a3e0c-52f0-5d5e-9d2b-0d4c4b7b1f6a")


def stable_uuid(*parts: str) -> str:
    """A UUID that is the same for the same parts."""
    return str(uuid.uuid5(_SPACE, "\0".join(parts)))


class FileBackedObjects:
    """The objects by their id, in one JSON file that only its owner can read."""

    def __init__(self, file: Path) -> None:
        self._file = file
        file.parent.mkdir(parents=True, exist_ok=True)

    @classmethod
    def named_by(cls, variable: str) -> FileBackedObjects:
        """The store in the file that a variable of the environment names.

        Raises:
            ProviderError: when it names none.
        """
        file = os.environ.get(variable)
        if not file:
            raise ProviderError(
                f"set {variable} to the file in which this stand-in keeps its objects"
            )
        return cls(Path(file))

    @contextmanager
    def open(self) -> Iterator[dict[str, Properties]]:
        """All objects, for looking and changing at once; what was changed is kept unless it fails."""
        with FileLock(f"{self._file}.lock"):
            text = self._file.read_text() if self._file.exists() else "{}"
            objects = json.loads(text)
            yield objects
            after = json.dumps(objects, indent=1, sort_keys=True)
            if after != text:
                private(self._file, after)

    def get(self, id_: str) -> Properties | None:
        """An object, or None."""
        with self.open() as objects:
            return objects.get(id_)

    def put(self, id_: str, properties: Properties) -> None:
        """Keeps an object."""
        with self.open() as objects:
            objects[id_] = properties

    def remove(self, id_: str) -> None:
        """Forgets an object; one that is not there is no error."""
        with self.open() as objects:
            objects.pop(id_, None)


Same = Callable[[Any, Any], bool]


def changes(before: Any, after: Any, same: Same, path: str = "") -> set[str]:
    """The paths, as in `a.b[0].c`, at which two values differ.

    Args:
        before: a value without marks.
        after: a value that may have unknowns, which count as differences.
        same: whether two values that are not both objects or both lists are the same.
        path: where the values stand.
    """
    if isinstance(after, Secret):
        after = after.value
    if isinstance(after, Unknown):
        return {path}
    if isinstance(before, dict) and isinstance(after, dict):
        names = {k for k in (*before, *after) if not k.startswith("__")}
        pairs = {f"{path}.{k}" if path else k: (before.get(k), after.get(k)) for k in names}
    elif isinstance(before, list) and isinstance(after, list):
        short, length = min(len(before), len(after)), max(len(before), len(after))
        pairs = {f"{path}[{i}]": (before[i], after[i]) for i in range(short)}
        return set().union(
            *(changes(*pair, same, p) for p, pair in pairs.items()),
            {f"{path}[{i}]" for i in range(short, length)},
        )
    else:
        return set() if same(before, after) else {path}
    return set().union(*(changes(*pair, same, p) for p, pair in pairs.items()))

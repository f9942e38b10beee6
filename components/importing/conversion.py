"""The state of one import: what was read, the draft of its settings, and what the report says of it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ..validation.schema import config_path
from .draft import Draft, Place
from .installation import Installation, Note, Origin


@dataclass(frozen=True)
class ToSet:
    """What a person has to give, and how."""

    setting: str
    """`kestra:datasources.postgres.password`."""
    why: str
    command: str
    covers: tuple[str, ...] = ()
    """Other paths at which `check` says that it is missing."""
    is_asked_by_check: bool = False
    """Whether it is only named because `check` misses it."""


@dataclass
class Conversion:
    """One import."""

    installation: Installation
    draft: Draft = field(default_factory=Draft)
    username: str | None = None
    """E-mail address for a log-in where the installation has none that can be used."""
    namespace: str | None = None
    """Kubernetes namespace, where it is another than the installation's."""
    notes: list[Note] = field(default_factory=list)
    to_set: list[ToSet] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set, repr=False)
    """Every secret value that was seen, carried or not: none of them may be shown."""

    def where(self, origin: Origin | None) -> str:
        """An origin for people: without the file's folder where no two inputs have one name, and without the file where
        there is one input alone."""
        if origin is None:
            return ""
        files = {name for name, _ in self.installation.sources}
        if files == {origin.file} and origin.place:
            return origin.place
        name = Path(origin.file).name
        if origin.file in files and [Path(file).name for file in files].count(name) == 1:
            return str(replace(origin, file=name))
        return str(origin)

    def note(
        self,
        kind: Literal["changed", "not carried", "refused"],
        what: str,
        why: str,
        fix: str = "",
        origin: Origin | None = None,
    ) -> None:
        """Adds a line to the report, once."""
        line = Note(kind, what, why, fix, origin)
        if line not in self.notes:
            self.notes.append(line)

    def changed(self, place: Place, why: str, fix: str = "") -> None:
        """Says what became of a setting, under its name in Kestra's file."""
        self.note("changed", self.draft.name(place), why, fix, self.draft.origin(place))

    def drop(self, place: Place, why: str, fix: str = "") -> None:
        """Leaves a setting out, and says why."""
        self.changed(place, why, fix)
        self.draft.remove(*place)

    def cover(self, below: str, path: str) -> bool:
        """Says that `check` names another path too until a setting is given; whether there is such a setting.

        Args:
            below: a setting, or one above it.
            path: what `check` names.
        """
        for i, item in enumerate(self.to_set):
            if item.setting == below or item.setting.startswith((below + ".", below + "[")):
                if path not in item.covers:
                    self.to_set[i] = replace(item, covers=(*item.covers, path))
                return True
        return False

    def ask(
        self,
        place: Place,
        why: str,
        *,
        secret: bool = False,
        covers: Iterable[str] = (),
        by_check: bool = False,
    ) -> None:
        """Names a setting that a person has to give, once."""
        setting = config_path(place)
        if all(item.setting != setting for item in self.to_set):
            command = set_command(setting, secret=secret)
            self.to_set.append(ToSet(setting, why, command, tuple(covers), by_check))


def set_command(setting: str, *, secret: bool) -> str:
    """The command that asks for the value of a setting; no value stands on its command line."""
    return f"pulumi config set --path {'--secret ' if secret else ''}{_quoted(setting)}"


def _quoted(setting: str) -> str:
    return shlex.quote(setting) if "'" in setting else f"'{setting}'"


#: What may be shown of a value that is left out: numbers, words in capitals, switches, paths, releases.
_SHOWABLE = re.compile(
    r"-?[0-9.]{1,12}|[A-Z][A-Z_]{1,30}|true|false|/[\w./-]{1,80}|v?[0-9]+(\.[0-9]+)*(-[a-z]+)*"
    r"|[0-9]+ ?[a-zA-Z]{1,3}|[0-9]{1,3}(\.[0-9]{1,3}){3}|(\$\{[A-Za-z_][\w.-]*\})+"
)


def shown(value: object, *, names: bool = False) -> str:
    """A value for a line of the report; empty for one that might be a secret.

    Args:
        value: the value.
        names: whether it may be any name, as of Kubernetes' objects and labels.
    """
    text = str(value).lower() if isinstance(value, bool) else str(value)
    is_name = names and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}", text)
    return text if is_name or _SHOWABLE.fullmatch(text) else ""

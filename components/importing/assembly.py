"""Puts together what readers find: files, variables and options of one installation, as Kestra merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Literal

from components.importing.installation import Installation, Note, Origin, Variable
from components.importing.readers import Part


class Rank(IntEnum):
    """Where configuration comes from; what is higher wins (Micronaut 4.10 and Kestra's launcher)."""

    FILE = 1
    """`MICRONAUT_CONFIG_FILES`, `KESTRA_CONFIGURATION`, `confs/application.yml`."""
    VARIABLE = 2
    """Variables of the environment that Micronaut binds."""
    OPTION = 3
    """Files given with `--config`, which Kestra puts above the environment."""
    COMMAND = 4
    """`--port` and its like."""


class Assembly:
    """What readers fill. Every method may be called in any order; later calls of one rank win."""

    def __init__(self, parts: Sequence[Part] = ()) -> None:
        self.installation = Installation()
        self.is_environment_known = False
        """Whether all variables of Kestra's container are known; then a placeholder that none of them provides has
        its default in force."""

    def note(
        self,
        kind: Literal["changed", "not carried", "refused"],
        what: str,
        why: str,
        fix: str = "",
        origin: Origin | None = None,
    ) -> None:
        """Adds a line to the report; one that is there already is not added again."""
        line = Note(kind, what, why, fix, origin)
        if line not in self.installation.notes:
            self.installation.notes.append(line)

    def add_configuration(
        self, document: Mapping[Any, Any], origin: Origin, rank: Rank = Rank.FILE
    ) -> None:
        """Adds a configuration file of Kestra's as it is written (any spelling of keys)."""
        raise NotImplementedError

    def add_configuration_text(self, text: str, origin: Origin, rank: Rank = Rank.FILE) -> bool:
        """Adds the text of a configuration file; a text that is no YAML is noted, and the result is False."""
        raise NotImplementedError

    def add_variable(self, name: str, variable: Variable, *, encodings: int = 1) -> None:
        """Adds a variable of the container's environment.

        Args:
            name: of the variable. One that Micronaut binds to a key becomes configuration, `SECRET_…` a declared
                secret, `KESTRA_CONFIGURATION` a file.
            variable: its value as the process sees it, or Kubernetes' reference.
            encodings: how often a value of `SECRET_…` is base64; Kestra decodes once.
        """
        raise NotImplementedError

    def add_setting(self, path: str, value: Any, origin: Origin | None = None) -> None:
        """Sets one of this project's settings: `deployment.components.worker.replicas`."""
        raise NotImplementedError

    def add_image(self, reference: str, origin: Origin) -> None:
        """Adds the container image: `registry.example:5000/kestra/kestra:v1.3.21@sha256:…`."""
        raise NotImplementedError

    def add_command(
        self, words: Sequence[str], origin: Origin, component: str | None = None
    ) -> str | None:
        """Adds the arguments of Kestra's process: `["server", "standalone", "--worker-thread=64"]`.

        Also `["/bin/sh", "-c", "exec /app/kestra server …"]` and `java … -jar kestra.jar server …`. Options become
        settings of the component, what cannot be kept a note.

        Returns:
            The server component that is started (`standalone`, `worker` …), or None.
        """
        raise NotImplementedError

    def companion(self, name: str, part: Part) -> Part | None:
        """The file that an input names, among the inputs or in the folder of the input; None where there is none."""
        raise NotImplementedError

    def finish(self) -> Installation:
        """Merges everything, resolves placeholders, and gives the result. Called once, after all readers."""
        raise NotImplementedError

"""Puts together what readers find: files, variables and options of one installation, as Kestra merges them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import Any, Literal

from . import merging
from .commands import Command, parse_command
from .documents import Unreadable, load_documents
from .images import image_settings
from .installation import Installation, Note, Origin, Sourced, Tree, Variable
from .key_tree import canonical_tree, get, merge, put
from .readers import ImportRefused, Part

#: A text that another program would have put in: `${CONFIG}`, `{{ config }}`.
_EXPRESSIONS = re.compile(r"(\s|\$\{[^{}]*\}|\$\w+|\{\{[^{}]*\}\}|<[\w-]+>)+")
_PORT = ("micronaut", "server", "port")


class Rank(IntEnum):
    """Where configuration comes from; what is higher wins (Micronaut 4.10 and Kestra's launcher)."""

    BASE = 0
    """A file of which no input says that Kestra reads it, besides others."""
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
        """Whether all variables of Kestra's container are known."""
        self.unprovided: set[str] = set()
        """Variables of another program (compose, a template) that no input gives."""
        self._unreadable: list[str] = []
        """Configuration that Kestra reads, and that is no YAML: where it stands, and what is wrong."""
        self._parts = list(parts)
        self._used: set[str] = set()
        self._layers: list[tuple[Rank, Tree]] = []

    # Notes and settings

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

    def add_setting(self, path: str, value: Any, origin: Origin | None = None) -> None:
        """Sets one of this project's settings: `deployment.components.worker.replicas`."""
        leaf = Sourced(value, origin) if origin and _is_scalar(value) else value
        put(self.installation.settings, tuple(path.split(".")), leaf)

    # Configuration

    def add_configuration(
        self, document: Mapping[Any, Any], origin: Origin, rank: Rank = Rank.FILE
    ) -> None:
        """Adds a configuration file of Kestra's as it is written (any spelling of keys)."""
        self._layers.append((rank, canonical_tree(document, origin)))

    def add_configuration_text(self, text: str, origin: Origin, rank: Rank = Rank.FILE) -> bool:
        """Adds the text of a configuration file; a text that is no YAML is noted, and the result is False."""
        try:
            loaded = load_documents(text)
        except Unreadable as error:
            self.note(
                "not carried",
                origin.place or origin.file,
                f"its text {error}; the keys in it are missing here",
                "correct it, and import again",
                origin,
            )
            self._unreadable.append(f"{origin} {error}")
            return False
        for remark in loaded.remarks:
            self.duplicate(origin, remark)
        for document in loaded.documents:
            if isinstance(document, Mapping):
                self.add_configuration(document, origin, rank)
        documents = [d for d in loaded.documents if d is not None]
        if documents and not any(isinstance(d, Mapping) for d in documents):
            place = origin.place or origin.file
            self.note("not carried", place, "is no mapping of keys", origin=origin)
            if _EXPRESSIONS.fullmatch(text):
                self.miss_configuration(place)
            else:
                self._unreadable.append(f"{origin} is no mapping of keys")
            return False
        return True

    def miss_configuration(self, what: str) -> None:
        """Says that Kestra reads configuration which no input holds."""
        if what not in self.installation.absent_configuration:
            self.installation.absent_configuration.append(what)

    def duplicate(self, origin: Origin, remark: str) -> None:
        """Notes a key that a file writes twice."""
        self.note(
            "changed",
            origin.place or origin.file,
            f"{remark} in the same block: the last one was in force and is carried",
            origin=origin,
        )

    def text_of(self, *path: str) -> str | None:
        """The text of a key as the files have it so far; None where none has it."""
        for _, tree in sorted(self._layers, key=lambda item: -item[0]):
            leaf = get(tree, path)
            if isinstance(leaf, Sourced) and leaf.value is not None:
                return str(leaf.value)
        return None

    @property
    def has_configuration(self) -> bool:
        """Whether any configuration was added so far."""
        return any(tree for _, tree in self._layers)

    # Variables, image, command

    def add_variable(self, name: str, variable: Variable) -> None:
        """Adds a variable of the container's environment, as its process sees it.

        One that Micronaut binds to a key becomes configuration when all is read; `KESTRA_CONFIGURATION` is a file.
        """
        if name == "KESTRA_CONFIGURATION":
            if variable.value:
                self.add_configuration_text(variable.value, variable.origin)
            elif variable.value is None:
                self.note(
                    "not carried",
                    name,
                    "Kestra's whole configuration came from it, and no input holds its text",
                    "give the text as a file, for example application.yaml",
                    variable.origin,
                )
                self.miss_configuration(name)
            return
        self.installation.environment[name] = variable

    def add_image(self, reference: str, origin: Origin) -> None:
        """Adds the container image: `registry.example:5000/kestra/kestra:v1.3.21@sha256:…`."""
        image_settings(reference, origin, self)

    def add_command(
        self, words: Sequence[str], origin: Origin, component: str | None = None
    ) -> str | None:
        """Adds the arguments of Kestra's process: `["server", "standalone", "--worker-thread=64"]`.

        Also `["/bin/sh", "-c", "exec /app/kestra server …"]` and `java … -jar kestra.jar server …`. Options become
        settings of the component, what cannot be kept a note. A file of `--config` is the caller's to add.

        Returns:
            The server component that is started (`standalone`, `worker` …), or None.
        """
        command = parse_command(words)
        self.apply_command(command, origin, component)
        return command.component or None

    def apply_command(self, command: Command, origin: Origin, component: str | None = None) -> None:
        """Adds a command that the caller has read (`commands.parse_command`)."""
        name = component or command.component or "standalone"
        target = f"deployment.components.{name}"
        if command.threads is not None:
            self.add_setting(f"{target}.worker-threads", command.threads, origin)
        if command.arguments:
            self.add_setting(
                f"{target}.extra-args", [Sourced(a, origin) for a in command.arguments], origin
            )
        if command.java_options:
            self.add_setting(f"{target}.java-options", " ".join(command.java_options), origin)
        if command.port is not None:
            tree: Tree = {}
            put(tree, _PORT, Sourced(command.port, origin))
            self._layers.append((Rank.COMMAND, tree))
        for what, why, fix in command.lost:
            self.note("not carried", what, why, fix, origin)
        if command.dropped_words:
            self.note(
                "changed",
                "the words behind `sh -c`",
                "a shell runs only the first word behind -c; the others did not reach Kestra, and are carried as they "
                "were meant",
                "check that these options are wanted",
                origin,
            )

    # Other inputs

    def companion(self, name: str, part: Part) -> Part | None:
        """The file that an input names, among the inputs or in the folder of the input; None where there is none."""
        from .inputs import companion

        result = companion(name, part, self._parts)
        if result is not None:
            self.use(result)
            if result.file not in {p.file for p in self._parts}:
                # Not given, but read all the same: the report says so.
                self._parts.append(result)
                self.installation.sources.append(
                    (result.file, f"named by {part.file}, and read too")
                )
        return result

    def use(self, part: Part) -> None:
        """Says that a file was read as part of another input, so that no reader takes it for an input of its own."""
        self._used.add(part.file)

    def parts_of_variables(self) -> list[Part]:
        """The inputs that are files of variables."""
        from .env_files import EnvFileReader

        reader = EnvFileReader()
        return [part for part in self._parts if reader.recognizes(part)]

    def is_used(self, part: Part) -> bool:
        """Whether another input has read the file."""
        return part.file in self._used

    # The result

    def finish(self) -> Installation:
        """Merges everything and gives the result. Called once, after all readers.

        Raises:
            ImportRefused: where nothing of Kestra's configuration can be read.
        """
        if self._unreadable and not self.has_configuration:
            raise ImportRefused(
                f"Nothing was written: {'; '.join(self._unreadable)}. It is Kestra's configuration, without which its "
                "database, queue and storage are unknown. Correct or render it, and import again."
            )
        tree, options = self._merged(below=True), self._merged(below=False)
        merging.bind_variables(self, tree, options)
        merge(tree, options)
        self.installation.configuration = tree
        merging.leave_out(self)
        return self.installation

    def _merged(self, *, below: bool) -> Tree:
        """The layers below variables, or those above them."""
        tree: Tree = {}
        for rank, layer in sorted(self._layers, key=lambda item: item[0]):
            if (rank < Rank.VARIABLE) is below:
                merge(tree, layer)
        return tree


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))

"""Puts together what readers find: files, variables and options of one installation, as Kestra merges them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import IntEnum
from typing import Any, Literal

from components.importing import binding
from components.importing.commands import Command, parse_command
from components.importing.documents import Unreadable, load_documents
from components.importing.images import image_settings
from components.importing.installation import (
    Installation,
    Missing,
    Note,
    Origin,
    Sourced,
    Tree,
    Variable,
)
from components.importing.key_tree import (
    ROOTS,
    KeyPath,
    canonical_steps,
    canonical_tree,
    dotted,
    get,
    leaves,
    merge,
    put,
    remove,
)
from components.importing.readers import Part

COMMAND_KEYS = {
    "port": ("micronaut", "server", "port"),
}
#: Where a template's expression cannot be one that Kestra itself renders.
_NOT_RENDERED = (
    "datasources", "kestra.storage", "kestra.server", "kestra.encryption", "kestra.queue", "kestra.repository",
    "kestra.url", "kestra.secret", "kestra.security", "micronaut.security", "kestra.ee.license",
)  # fmt: skip
_REFERENCE = re.compile(r"ENC\[[A-Z0-9_]+,|op://|ref\+[a-z0-9]+://|vault:[\w/.-]+#|<path:[^>]*>")
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][\w.-]*)")
_PLACEHOLDER_END = re.compile(r"\$\{([A-Za-z_][\w.-]*)(.)")


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
            return False
        for remark in loaded.remarks:
            self.duplicate(origin, remark)
        for document in loaded.documents:
            if isinstance(document, Mapping):
                self.add_configuration(document, origin, rank)
        if loaded.documents and not any(isinstance(d, Mapping) for d in loaded.documents):
            self.note(
                "not carried", origin.place or origin.file, "is no mapping of keys", origin=origin
            )
            return False
        return True

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
            put(tree, COMMAND_KEYS["port"], Sourced(command.port, origin))
            self._layers.append((Rank.COMMAND, tree))
        for what, why, fix in command.lost:
            self.note("not carried", what, why, fix, origin)

    # Other inputs

    def companion(self, name: str, part: Part) -> Part | None:
        """The file that an input names, among the inputs or in the folder of the input; None where there is none."""
        from components.importing.inputs import companion

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
        from components.importing.env_files import EnvFileReader

        reader = EnvFileReader()
        return [part for part in self._parts if reader.recognizes(part)]

    def is_used(self, part: Part) -> bool:
        """Whether another input has read the file."""
        return part.file in self._used

    # The result

    def finish(self) -> Installation:
        """Merges everything and gives the result. Called once, after all readers."""
        result = self.installation
        tree: Tree = {}
        for rank, layer in sorted(self._layers, key=lambda item: item[0]):
            if rank < Rank.VARIABLE:
                merge(tree, layer)
        options: Tree = {}
        for rank, layer in sorted(self._layers, key=lambda item: item[0]):
            if rank >= Rank.VARIABLE:
                merge(options, layer)
        for name, variable in list(result.environment.items()):
            self._bind(name, variable, tree, options)
        self._read_java_options(tree)
        merge(tree, options)
        result.configuration = tree
        self._leave_out_unknown(tree)
        self._leave_out_expressions(tree)
        self._leave_out_missing(tree)
        return result

    def _bind(self, name: str, variable: Variable, tree: Tree, options: Tree) -> None:
        """Puts a variable that is configuration into the tree."""
        environment = self.installation.environment
        if name in binding.LAUNCHER_VARIABLES:
            why, fix = binding.LAUNCHER_VARIABLES[name]
            self.note("not carried", name, why, fix, variable.origin)
            del environment[name]
            return
        if name in binding.JSON_VARIABLES:
            if variable.value:
                self._bind_json(name, variable, tree)
            del environment[name]
            return
        path = binding.key_of(name, tree) or binding.key_of(name, options)
        if path is None:
            return
        key = dotted(path)
        there = get(options, path)
        is_named = isinstance(there, Sourced) and f"${{{name}" in str(there.value)
        if variable.value_from is None:
            del environment[name]
            if variable.value is None:
                self.unprovided.add(name)
            _replace_placeholders(name, variable, tree, options)
        if there is not None:
            if not is_named:
                self.note(
                    "changed",
                    name,
                    f"a file given with --config wins over variables, so {key} was what the file says",
                    origin=variable.origin,
                )
            return
        # Where its value comes from elsewhere, the variable stays, and the key names it.
        value = variable.value if variable.value is not None else f"${{{name}}}"
        leaf: Any = Sourced(value, variable.origin)
        if binding.is_list(path) and variable.value is not None:
            # Micronaut makes a list of a text with commas.
            leaf = [Sourced(item.strip(), variable.origin) for item in value.split(",")]
        if binding.is_word_of_map(name):
            self.note(
                "changed",
                name,
                f"carried as {key}; as a variable it set a key of single words, since Kestra reads kestra.storage "
                "as a map",
                origin=variable.origin,
            )
        put(tree, path, leaf)

    def _bind_json(self, name: str, variable: Variable, tree: Tree) -> None:
        try:
            documents = load_documents(variable.value or "").documents
        except Unreadable as error:
            self.note("not carried", name, f"its text {error}", origin=variable.origin)
            return
        for document in documents:
            if isinstance(document, Mapping):
                merge(tree, canonical_tree(document, variable.origin))

    def _read_java_options(self, tree: Tree) -> None:
        """Takes keys of the configuration out of `JAVA_OPTS`: system properties win over variables."""
        variable = self.installation.environment.get("JAVA_OPTS")
        if variable is None or variable.value is None:
            return
        words: list[str] = []
        for word in variable.value.split():
            key, _, value = word.removeprefix("-D").partition("=")
            path = canonical_steps((), key) if word.startswith("-D") else ()
            if not path or path[0] not in ROOTS:
                words.append(word)
            elif path[:3] != ("micronaut", "config", "files"):
                put(tree, path, Sourced(value.strip("\"'"), variable.origin))
        if len(words) < len(variable.value.split()):
            self.installation.environment["JAVA_OPTS"] = replace(variable, value=" ".join(words))

    def _leave_out_unknown(self, tree: Tree) -> None:
        """Names variables that look like Kestra's keys and are none, unless a placeholder names them."""
        environment = self.installation.environment
        used = {
            name
            for texts in (
                (leaf.value for _, leaf in leaves(tree)),
                (variable.value for variable in environment.values()),
            )
            for text in texts
            if isinstance(text, str)
            for name in _PLACEHOLDER.findall(text)
        }
        for name, variable in list(environment.items()):
            if name in used or binding.root_of(name) not in ("kestra", "datasources"):
                continue
            if variable.value is None and binding.key_of(name, tree) is not None:
                continue
            why, fix = binding.why_no_key(name)
            self.note("not carried", name, why, fix, variable.origin)
            del environment[name]

    def _leave_out_expressions(self, tree: Tree) -> None:
        """Leaves out what another program would have replaced by a value."""
        for path, leaf in list(leaves(tree)):
            key = dotted(path)
            if why := _why_no_value(key, leaf.value):
                fix = f"set kestra:{key.removeprefix('kestra.')} once the value is known"
                self.note("not carried", key, why, fix, leaf.origin)
                self._miss(tree, path, (), leaf.origin)
        for name, variable in self.installation.environment.items():
            if why := _why_no_value("", variable.value):
                self.note("not carried", name, why, origin=variable.origin)
                self.installation.environment[name] = replace(variable, value=None)

    def _leave_out_missing(self, tree: Tree) -> None:
        """Leaves out keys whose placeholders nothing can resolve: their names are known, their values are not."""
        environment = self.installation.environment
        nameless = {n for n, v in environment.items() if v.value is None and v.value_from is None}
        nameless |= {name for name in self.unprovided if name not in environment}
        for path, leaf in list(leaves(tree)):
            if not isinstance(leaf.value, str) or "${" not in leaf.value:
                continue
            names = [
                n for n, end in _PLACEHOLDER_END.findall(leaf.value) if n in nameless and end == "}"
            ]
            if names:
                self._miss(tree, path, tuple(dict.fromkeys(names)), leaf.origin)

    def _miss(self, tree: Tree, path: KeyPath, names: tuple[str, ...], origin: Origin) -> None:
        if isinstance(path[-1], int):
            # An item of a list has no setting of its own.
            return
        self.installation.missing.append(Missing(path, names, origin))
        remove(tree, path)


def _why_no_value(key: str, value: Any) -> str:
    """Why a text is no value, but what another program replaces by one; empty where it is a value."""
    if not isinstance(value, str):
        return ""
    if _REFERENCE.match(value):
        return "holds a reference to, or an encrypted text of, another program (SOPS, 1Password, vals), and no value"
    is_rendered = any(key == root or key.startswith(f"{root}.") for root in _NOT_RENDERED)
    if is_rendered and _EXPRESSION.search(value):
        return "holds an expression of a template that nobody rendered, and no value"
    return ""


def _replace_placeholders(name: str, variable: Variable, *trees: Tree) -> None:
    """Writes the value of a variable that becomes a key in place of the placeholders that name it."""
    if variable.value is None:
        return
    pattern = re.compile(rf"\$\{{{re.escape(name)}(:[^{{}}]*)?\}}")
    for tree in trees:
        for path, leaf in list(leaves(tree)):
            if isinstance(leaf.value, str) and (match := pattern.search(leaf.value)):
                is_alone = match[0] == leaf.value
                text = pattern.sub(lambda _: str(variable.value), leaf.value)
                put(tree, path, Sourced(text, variable.origin if is_alone else leaf.origin))


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))

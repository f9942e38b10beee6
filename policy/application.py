"""Kestra's configuration as one server has it, and the documents that a stack carries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .cluster_objects import CONFIG_MAP, SECRET, entries
from .configuration_sources import FileSource, Setting, Source
from .configuration_texts import UnreadableText, is_kestras, parse
from .container_variables import ContainerVariables
from .controls.kestra_servers import HELM, Server
from .core.model import Problem, Resource
from .core.values import UNKNOWN, Undecided, as_list, get_path, is_unknown, raw, reveal
from .pods import WORKLOADS, containers
from .task_definitions import TASK_DEFINITION, task_containers

SUPER_ADMINS = ("kestra.security.super-admin", "kestra.security.instance-owner")
CARRIERS = (CONFIG_MAP, SECRET, *HELM, *WORKLOADS, TASK_DEFINITION)
_REFERENCE = re.compile(r"\$\{[^:}]+\}")
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[^${}:]+)(?::(?P<default>[^${}]*))?\}")
_DEPTH = 8
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_HIDDEN = "[secret]"


@dataclass(frozen=True)
class MissingSetting(Problem):
    """A setting that nothing gives."""

    key: str = ""


@dataclass(frozen=True)
class Application:
    """The settings that Kestra has, of sources that win over each other.

    The order is Kestra's: the files of MICRONAUT_CONFIG_FILES, or KESTRA_CONFIGURATION in their place; then
    variables; then `-D` options; then the file of `--config`. That `--config` is above variables is read in
    Kestra's source, not run.
    """

    sources: Sequence[Source]
    """The weakest first."""
    server: Server | None = None
    """None: a document that no server of the stack reads."""
    variables: ContainerVariables | None = None

    @property
    def home(self) -> tuple[Resource, str]:
        """Resource and property to change for a setting that is missing: the strongest file, or the variables."""
        for source in reversed(self.sources):
            if isinstance(source, FileSource) and not source.mark:
                return source.resource, source.path
        assert self.server is not None
        return self.server.resource, self.server.path

    def setting(self, key: str) -> Setting | None:
        """What the strongest source that has a key gives it.

        Single entries of a list replace those of a weaker source's list.
        """
        entries: dict[int, Setting] = {}
        for source in reversed(self.sources):
            entries = {**source.entries(key), **entries}
            if (setting := source.get(key)) is not None:
                return _with_entries(setting, entries) if entries else setting
        return _with_entries(next(iter(entries.values())), entries) if entries else None

    def get(self, key: str) -> Any:
        """The value of a key, its placeholders resolved as far as the stack shows them; None when missing.

        Raises:
            Undecided: when it is unknown, or missing and may be given by what the stack does not show.
        """
        setting = self.setting(key)
        if setting is None:
            self.refuse_unseen(key)
            return None
        setting = self._resolved(setting, _DEPTH)
        if setting.value is UNKNOWN:
            raise setting.reason or Undecided(setting.where)
        return setting.value

    def seen(self, key: str) -> Any:
        """As `get`, but what the stack does not show is taken to leave the key alone."""
        return None if self.setting(key) is None else self.get(key)

    def known(self, key: str) -> Any:
        """The value of a key when it can be known; None when it is unknown or missing."""
        try:
            return self.seen(key)
        except Undecided:
            return None

    def get_list(self, key: str) -> list[Any]:
        """The entries of a list; a text is one with commas. Raises Undecided as `get`."""
        value = self.get(key)
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return as_list(value)

    def is_true(self, key: str) -> bool:
        """Whether a key is `true`, as `seen`."""
        return str(self.seen(key)).lower() == "true"

    def is_false(self, key: str) -> bool:
        """Whether a key is `false`, as `seen`."""
        return str(self.seen(key)).lower() == "false"

    def is_set(self, key: str) -> bool:
        """Whether a key has a value that is not empty; one that is unknown counts.

        Raises:
            Undecided: when it is missing and may be given by what the stack does not show.
        """
        setting = self.setting(key)
        if setting is None:
            self.refuse_unseen(key)
            return False
        value = self._resolved(setting, _DEPTH).value
        return value is UNKNOWN or bool(value.strip() if isinstance(value, str) else value)

    def has(self, block: str) -> bool:
        """Whether a key, or one below it, is there, be it empty."""
        return self.setting(block) is not None or self.has_inside(block)

    def has_inside(self, block: str) -> bool:
        """Whether a key below another one is there."""
        return self._inside(block) is not None

    def names(self, block: str) -> list[str]:
        """The names directly below a key whose own names are free (`clients`), as its files have them."""
        start = len(block) + 1
        keys = (key for source in self.sources for key in source.keys(block))
        return list(dict.fromkeys(key[start:].partition(".")[0] for key in keys))

    def _inside(self, block: str) -> Setting | None:
        inside = (source.inside(block) for source in reversed(self.sources))
        return next((setting for setting in inside if setting is not None), None)

    def strongest(self, *keys: str) -> str:
        """The key that the strongest source gives, the first of several; what none gives counts as the file's."""
        files = [n for n, source in enumerate(self.sources) if isinstance(source, FileSource)]
        least = max(files, default=0)

        def rank(key: str) -> int:
            ranks = [n for n, s in enumerate(self.sources) if s.get(key) is not None]
            return max(ranks, default=least)

        return max(keys, key=rank)

    def refuse_unseen(self, key: str) -> None:
        """Raises Undecided when what the stack does not show may give a key."""
        for source in self.sources:
            if (reason := source.unseen(key)) is not None:
                raise reason

    def shown(self, key: str, value: Any) -> Any:
        """A value of a key for a message: hidden when it comes from a Secret."""
        setting = self.setting(key)
        return _HIDDEN if setting and self._resolved(setting, _DEPTH).is_secret else value

    def problem(
        self,
        actual: str,
        expected: str,
        key: str,
        *,
        setting: str = "",
        position: int | None = None,
    ) -> Problem:
        """A problem with a key, at the source that gives it; or at `home` when nothing does."""
        source = self.setting(key) or self._inside(key)
        if source is None:
            resource, path = self.home
            return MissingSetting(actual, expected, f"{path}: {key}", resource, setting, key)
        if position in source.entries or (position is None and source.entries):
            source = source.entries[min(source.entries) if position is None else position]
        property_path = source.where
        if position is not None and isinstance(source.value, list):
            property_path = f"{property_path}.{position}"
        if names := self._variables_in(source.value):
            property_path = f"{property_path} (from the variable {', '.join(names)})"
        return Problem(actual, expected, property_path, source.resource, source.setting or setting)

    def _variables_in(self, value: Any) -> list[str]:
        """The variables of the container that a value's placeholders name."""
        known = self.variables.known if self.variables else {}
        names = [m["name"] for m in _PLACEHOLDER.finditer(value)] if isinstance(value, str) else []
        return [name for name in names if name in known]

    def _resolved(self, setting: Setting, depth: int) -> Setting:
        """A setting with the placeholders of its value replaced by what the container's variables say."""
        if isinstance(setting.value, list):
            own = [setting.entries.get(n) for n in range(len(setting.value))]
            parts = [
                self._resolved(entry or replace(setting, value=value), depth)
                for entry, value in zip(own, setting.value, strict=True)
            ]
            unknown = next((p for p in parts if p.value is UNKNOWN), None)
            secret = any(p.is_secret for p in parts)
            return unknown or replace(setting, value=[p.value for p in parts], is_secret=secret)
        if not isinstance(setting.value, str) or self.variables is None or not depth:
            return setting
        text, end, secret = "", 0, setting.is_secret
        for match in _PLACEHOLDER.finditer(setting.value):
            part = self._placeholder(match, setting, depth)
            if part.value is UNKNOWN:
                return part
            secret = secret or part.is_secret
            text += setting.value[end : match.start()] + str(part.value)
            end = match.end()
        return replace(setting, value=text + setting.value[end:], is_secret=secret)

    def _placeholder(self, match: re.Match[str], setting: Setting, depth: int) -> Setting:
        name, default = match["name"], match["default"]
        assert self.variables is not None
        known = self.variables.known.get(name)
        if known is not None:
            value = known.value if known.value is UNKNOWN else reveal(known.value)
            secret = known.is_secret
            part = replace(setting, value=value, reason=known.reason, is_secret=secret)
            return self._resolved(part, depth - 1)
        other = self.setting(name) if "." in name else None
        if other is not None:
            return self._resolved(other, depth - 1)
        for unseen in self.variables.unseen:
            if unseen.may_be(name):
                return replace(setting, value=UNKNOWN, reason=unseen.reason)
        return replace(setting, value=match[0] if default is None else default)


def _with_entries(setting: Setting, entries: Mapping[int, Setting]) -> Setting:
    values = setting.value if isinstance(setting.value, list) else []
    size = max(len(values), max(entries) + 1)
    merged = [values[n] if n < len(values) else None for n in range(size)]
    for position, entry in entries.items():
        merged[position] = entry.value
    return replace(setting, value=merged, entries=entries)


@dataclass(frozen=True)
class Document:
    """A document with Kestra's settings, whether or not a server of the stack reads it."""

    resource: Resource
    path: str
    """Where it is in the resource."""
    content: Mapping[str, Any]


def documents(resource: Resource) -> Iterator[Document]:
    """The documents with a first-level key `kestra` that a resource carries.

    Raises:
        Undecided: when a text that may be one is unknown.
    """
    unknown = ""
    for path, text in _texts(resource):
        if is_unknown(text):
            unknown = path if _may_be_document(resource, path) else unknown
            continue
        for content in _parsed(reveal(text), path):
            yield Document(resource, path, content)
    if unknown:
        raise Undecided(unknown)


def _may_be_document(resource: Resource, path: str) -> bool:
    """Whether an unknown text may be a document, by the name of its entry: a file's, or the launcher's variable."""
    if resource.type not in (CONFIG_MAP, SECRET):
        return True
    return "." in path.partition(".")[2] or path.endswith("KESTRA_CONFIGURATION")


def _parsed(text: Any, path: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(text, Mapping):
        read: Sequence[Any] = (text,)
    elif isinstance(text, str) and "kestra" in text:
        try:
            read = parse(text, path)
        except UnreadableText:
            return
    else:
        return
    yield from filter(is_kestras, read)


def _texts(resource: Resource) -> Iterator[tuple[str, Any]]:
    if resource.type in (CONFIG_MAP, SECRET):
        for _, entry in entries(resource):
            yield entry.path, entry.value
    elif resource.type in HELM:
        for path in ("configurations.application", "configuration", "secrets"):
            yield f"values.{path}", resource.get_path(f"values.{path}")
    elif resource.type == TASK_DEFINITION:
        for _, located in task_containers(resource):
            for path, entry in located:
                if get_path(entry, "name") == "KESTRA_CONFIGURATION":
                    yield f"{path}.value", raw(entry, "value")
    else:
        for container in containers(resource):
            for position, entry in enumerate(as_list(container.get_path("env"))):
                if get_path(entry, "name") == "KESTRA_CONFIGURATION":
                    yield f"{container.path}.env.{position}.value", raw(entry, "value")


def is_reference(value: Any) -> bool:
    """Whether a setting comes from the environment, without a default in clear."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def seconds(value: Any) -> float | None:
    """A duration as Kestra binds it (`45s`, `PT1M`, `P30D`); None for what it does not understand.

    Kestra then silently takes its default (docs/kestra-behaviour.md). A copy of the rules of
    components/settings/durations.py, so that the pack works without this project's program.
    """
    text = str(value)
    if match := re.fullmatch(r"(\d+)(ms|s|m|h|d)", text):
        return int(match[1]) * _SECONDS[match[2]]
    match = _ISO.fullmatch(text)
    if not match or not any(match.groups()):
        return None
    days, hours, minutes, rest = (int(part or 0) for part in match.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest

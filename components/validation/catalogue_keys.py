"""Keys of Kestra's that no model has: which the catalogue knows, checked against its types, secrets marked.

A setting stands for the key of the same name below `kestra`, or for the root key: `kestra:tasks.tmp-dir.path` is
`kestra.tasks.tmp-dir.path`, `kestra:micronaut.server.port` is `micronaut.server.port`. Two names are both (`tasks`,
`grpc`): the key below `kestra` counts where there is one, the root's where there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from ..catalogue import CatalogueKey, KeyPath, Match, lookup
from ..settings.base import SecretText, TextInClear, kebab
from ..settings.credentials import credential_sign
from ..settings.findings import Finding, Kind
from ..settings.placeholders import find_placeholders
from ..settings.references import UnreadValue
from .catalogue_versions import block_version_finding, setting_place
from .forbidden_keys import forbidden
from .schema import (
    ENCRYPTED,
    LONG_NAME,
    OURS,
    KeySpelling,
    Loc,
    Unmodelled,
    config_path,
    encrypted_fix,
    printable_key,
    unknown_key,
)
from .types_of_keys import (
    NOT_A_LIST,
    Wrong,
    is_scalar,
    typed,
    whole,
)
from .value_limits import reject_reason

ADDITIONAL = "additional-configuration"
#: A block whose keys Kestra reads as they are written: LDAP's `user-attributes.firstName`.
_AS_WRITTEN = ("user-attributes",)
#: Dots of one key outside of a free map; no key of Kestra's has so many.
_MOST_DOTS = 12
_BLOCK: Wrong = ("is not a block of keys", "this key takes a block of keys", "write keys under it")
_NO_VALUE: Wrong = (
    "is a kind of value that settings do not have",
    "a value is a text, a number, true, false, a list or a block of keys",
    "write it in quotes",
)


@dataclass(frozen=True)
class Leaf:
    """A value: its path in Kestra's file, its place as it was written, and its key of the catalogue, if it has one."""

    path: KeyPath
    written: Loc
    value: Any
    key: CatalogueKey | None
    #: What shows that it is a secret in clear, for a sentence.
    sign: str | None = None


@dataclass
class Reading:
    """What was read of the keys that no model has."""

    problems: list[Finding] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    left_out: list[Loc] = field(default_factory=list)
    """Places of blocks that nobody has read."""

    def tree(self) -> dict[str, Any]:
        """The leaves as they stand in Kestra's file: nested, with tuples for lists.

        Names are in the order of the alphabet, since Pulumi keeps no other.
        """
        root: dict[Any, Any] = {}
        values = {leaf.path for leaf in self.leaves if leaf.value not in ({}, [])}
        for leaf in self.leaves:
            path = _with_dots(leaf.path, values)
            node = root
            for part in path[:-1]:
                node = node.setdefault(part, {})
            if leaf.value in ({}, []):
                node.setdefault(path[-1], leaf.value)
            else:
                node[path[-1]] = leaf.value
        return _sorted(root)


def _with_dots(path: KeyPath, values: set[KeyPath]) -> KeyPath:
    """A path below a key that has a value itself, as one key with dots beside it: `traces.sampler.arg`."""
    for end in range(1, len(path)):
        if path[:end] in values:
            return (*path[: end - 1], ".".join(map(str, path[end - 1 :])))
    return path


def _sorted(node: Any) -> Any:
    if isinstance(node, dict):
        if node and all(isinstance(part, int) for part in node):
            return tuple(_sorted(node[i]) for i in sorted(node))
        names = sorted(node, key=str)
        return {str(name): _sorted(node[name]) for name in names}
    return tuple(map(_sorted, node)) if isinstance(node, list) else node


def frozen(node: Any) -> Any:
    """The same tree, which cannot be changed."""
    if isinstance(node, dict):
        return MappingProxyType({name: frozen(item) for name, item in node.items()})
    return tuple(map(frozen, node)) if isinstance(node, tuple) else node


def is_catalogue_root(name: str) -> bool:
    """Whether a first-level setting of this name, in the catalogue's spelling, is a block or key of the catalogue."""
    return name != "kestra" and any(lookup(path).kind != "unknown" for path in _paths((name,)))


def _paths(loc: Loc) -> list[KeyPath]:
    return [("kestra", *loc), *([loc] if loc[0] != "kestra" else [])]


def read(
    unmodelled: Iterable[Unmodelled],
    spelling: KeySpelling | None = None,
    version: str | None = None,
) -> Reading:
    """Reads keys that no model has, in the order in which they were written.

    Args:
        unmodelled: the keys.
        spelling: is told how each was written.
        version: of Kestra, `1.3` or `2.0`; None: not known.
    """
    reader = _Reader(spelling or KeySpelling(), version)
    for one in unmodelled:
        reader.read(one)
    return reader.reading


class _Reader:
    def __init__(self, spelling: KeySpelling, version: str | None) -> None:
        self.reading = Reading()
        self._version = version
        self._other_version: set[Loc] = set()
        self._spelling = spelling
        self._places: set[KeyPath] = set()
        self._seen: dict[KeyPath, Loc] = {}

    def read(self, one: Unmodelled) -> None:
        if one.loc[0] == ADDITIONAL:
            self._free(one.value, one.loc[1:], one.loc, one.written, None)
        else:
            self._value(_paths(one.loc), one)

    def _wrong(self, loc: Loc, wrong: Wrong, kind: Kind = "value") -> None:
        if self._version and (other := block_version_finding(self._version, loc)):
            if other.loc in self._other_version:
                return
            self._other_version.add(other.loc)
            self.reading.problems.append(other)
        else:
            kind = "not-a-list" if wrong is NOT_A_LIST else kind
            self.reading.problems.append(Finding(loc, *wrong, kind=kind))

    def _unknown(self, loc: Loc, wrong: Wrong, block: Loc) -> None:
        # Hints read the catalogue, which few stacks need.
        from .key_hints import meant_setting

        if meant_setting(kebab(str(loc[-1])), block):
            self.reading.problems.append(Finding(loc, *wrong, kind="unknown-key"))
        else:
            self._wrong(loc, wrong, "unknown-key")

    def _value(self, paths: list[KeyPath], one: Unmodelled, *, in_map: bool = False) -> None:
        last = one.written[-1]
        has_dots = isinstance(last, str) and (last.count(".") > _MOST_DOTS or len(last) > LONG_NAME)
        matches = [] if has_dots and not in_map else [lookup(path) for path in paths]
        known = [match for match in matches if match.kind != "unknown"]
        if not known:
            if problem := next(filter(None, map(forbidden, paths)), None):
                self._wrong(one.loc, problem)
                return
            known_below = {n for m in matches if m.known == len(m.path) - 1 for n in m.names}
            *above, name = one.loc
            block = setting_place(tuple(above)) if above else ()
            shown = (*above, printable_key(name))
            self._unknown(shown, unknown_key(str(last), known_below, block), block)
            return
        best = max(known, key=lambda m: (m.kind == "key", m.kind == "inside"))
        loc = setting_place(best.path)
        if self._seen.setdefault(best.path, one.written) != one.written:
            self._twice(loc, one.written)
            return
        if len(loc) == len(one.loc) and isinstance(last, str):
            self._spelling.note(loc, last)
        path = best.path
        is_map = best.key is not None and best.key.type == "map"
        is_block = best.kind != "inside" and (best.key is None or is_map)
        if is_block and isinstance(one.value, UnreadValue):
            self.reading.left_out.append(loc)
            return
        if one.value is None:
            return
        if path[-2:-1] == _AS_WRITTEN:
            path = (*path[:-1], last)
        if best.kind == "inside" or (in_map and best.key is not None and not is_scalar(one.value)):
            self._free(one.value, best.path, loc, one.written, best.key)
        elif best.names and (isinstance(one.value, (Mapping, list)) or best.key is None):
            self._block(known, one, loc, in_map=in_map or is_map)
        elif best.key is not None and is_map:
            if isinstance(one.value, Mapping):
                self._free(one.value, best.path, loc, one.written, best.key)
            else:
                self._structure(one, loc, _BLOCK)
        elif best.key is not None:
            self._typed(best.key, path, one, loc)

    def _block(
        self, known: list[Match], one: Unmodelled, loc: Loc, *, in_map: bool = False
    ) -> None:
        names = {name for match in known for name in match.names}
        if isinstance(one.value, list) and "[]" in names:
            items = [match.path for match in known if "[]" in match.names]
            for i, item in enumerate(one.value):
                at = (*loc, i)
                if item is None or (isinstance(item, Mapping) and not item):
                    self._wrong(at, _BLOCK)
                    continue
                inner = Unmodelled(at, (*one.written, i), item)
                self._value([(*path, i) for path in items], inner)
            return
        if not isinstance(one.value, Mapping) or names == {"[]"}:
            self._structure(one, loc, NOT_A_LIST if names == {"[]"} else _BLOCK)
            return
        for written_name, item in one.value.items():
            if (name := _name(written_name)) is None:
                self._wrong(loc, _wrong_name(written_name))
                continue
            at, written = (*loc, name), (*one.written, name)
            paths = [(*match.path, name) for match in known]
            self._value(paths, Unmodelled(at, written, item), in_map=in_map)

    def _twice(self, loc: Loc, written: Loc) -> None:
        what = f"is written twice, as {config_path(written)} too"
        self._wrong(loc, (what, "one spelling a key", "keep one of them"))

    def _structure(self, one: Unmodelled, loc: Loc, wrong: Wrong) -> None:
        if isinstance(one.value, SecretStr):
            wrong = (*ENCRYPTED, encrypted_fix(one.written, is_block=True))
        self._wrong(loc, wrong)

    def _typed(self, key: CatalogueKey, path: KeyPath, one: Unmodelled, loc: Loc) -> None:
        wrong = reject_reason(one.value)
        value = one.value
        if wrong is None:
            value, wrong = typed(key.type, value)
        if wrong is not None:
            self._wrong(loc, wrong)
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if (wrong := reject_reason(item)) is not None:
                    self._wrong((*loc, i), wrong)
                else:
                    self._leaf((*path, i), (*one.written, i), item, key)
            if not value:
                self._leaf(path, one.written, [], key)
        else:
            self._leaf(path, one.written, value, key)

    def _free(
        self, value: Any, path: KeyPath, loc: Loc, written: Loc, key: CatalogueKey | None
    ) -> None:
        """What stands below a map: everything, with its keys as they are written."""
        if isinstance(value, Mapping):
            if not value and path:
                self._leaf(path, written, {}, key)
            for written_name, item in value.items():
                if (name := _name(written_name)) is None:
                    self._wrong(loc, _wrong_name(written_name))
                    continue
                self._spelling.note((*loc, name), name)
                self._free(item, (*path, name), (*loc, name), (*written, name), key)
        elif isinstance(value, list):
            if not value:
                self._leaf(path, written, [], key)
            for i, item in enumerate(value):
                if item is None:
                    self._wrong((*loc, i), _NO_VALUE)
                else:
                    self._free(item, (*path, i), (*loc, i), (*written, i), key)
        elif (wrong := reject_reason(value)) is not None:
            self._wrong(loc, wrong)
        elif is_scalar(value):
            self._leaf(path, written, whole(value), key)
        elif value is not None:
            self._wrong(loc, _NO_VALUE)

    def _leaf(self, path: KeyPath, written: Loc, value: Any, key: CatalogueKey | None) -> None:
        if path in self._places:
            self._twice(setting_place(path), written)
            return
        self._places.add(path)
        name = next((part for part in reversed(path) if isinstance(part, str)), "")
        marked, sign = _marked(value, name, key)
        self.reading.leaves.append(Leaf(path, written, marked, key, sign))


def _name(name: object) -> str | None:
    """A name as Pulumi hands it on, which makes a text of a number; None where it is nothing of the kind."""
    if isinstance(name, bool):
        return str(name).lower()
    if isinstance(name, int):
        return str(name) if abs(name) < 2**63 else None
    is_usable = isinstance(name, str) and reject_reason(name) is None and "${" not in name
    return name if is_usable else None  # type: ignore[return-value]


def _wrong_name(name: object) -> Wrong:
    if isinstance(name, str) and (wrong := reject_reason(name)) is not None:
        message, rule, fix = wrong
        return (f"has a key whose name {message}", rule, fix)
    if isinstance(name, str):
        rule = "Kestra resolves ${NAME} in values, not in the names of keys"
        return ("has a key with ${ in its name", rule, "write the name itself")
    return ("has a key that is no text", "keys are text", "write it in quotes")


def _marked(value: Any, name: str, key: CatalogueKey | None) -> tuple[Any, str | None]:
    """The value, as a secret where it is one, and what shows that it is one in clear."""
    is_free = key is None or key.type == "map"
    is_sensitive = _is_sensitive(key)
    if isinstance(value, SecretStr):
        named = is_sensitive or (is_free and credential_sign(name, "x") is not None)
        return (value if named else SecretText(value.get_secret_value())), None
    if is_sensitive and isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value:
        return value, None
    sign = credential_sign(name if is_free else "", value)
    if is_sensitive and sign is None and _is_secret(value):
        sign = "is a secret"
    return (value, None) if sign is None else (TextInClear(value), sign)


def _is_sensitive(key: CatalogueKey | None) -> bool:
    """Whether every value of the key is a secret. Of a client's properties some are, by their names."""
    if key is None or not key.sensitive:
        return False
    return not (key.type == "map" and key.key.endswith((".properties", ".jdbc", ".amqp", ".redis")))


def _is_secret(value: str) -> bool:
    """Whether the value of a sensitive key is one in clear; what its placeholders leave out is not."""
    placeholders = list(find_placeholders(value))
    return not placeholders or any(placeholder.rest for placeholder in placeholders)


def clear_secrets(one: Unmodelled) -> Iterator[tuple[Loc, str]]:
    """Secrets that a key which no model has holds in clear, each with its place as it is written."""
    for leaf in read([one]).leaves:
        if leaf.sign is not None:
            yield leaf.written, leaf.value.get_secret_value()


def may_be_secret(place: Loc) -> bool:
    """Whether a text at the place of a setting that no model has may be a secret: a sensitive one, or any in a map."""
    if kebab(str(place[0])) in OURS:
        return kebab(str(place[0])) == ADDITIONAL
    keys = [key for path in _paths(place) if (key := lookup(path).key) is not None]
    return any(key.sensitive or key.type == "map" for key in keys)


def key_of(path: KeyPath) -> CatalogueKey | None:
    """The key of the catalogue to which a value at a path belongs."""
    return lookup(path).key

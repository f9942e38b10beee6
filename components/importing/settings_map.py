"""Kestra's keys as settings: `kestra.server.…` is `server.…`, other roots keep their name."""

from __future__ import annotations

from typing import Any, get_args

from ..catalogue import lookup
from ..settings.base import StrictBool, StrictInt
from ..validation.schema import config_path
from .conversion import Conversion
from .draft import ROOTS, Draft, Place, Value, as_values
from .secret_values import annotation_of, catalogue_row, is_secret

_LONGEST_KEY = 200
_ENTERPRISE_TYPES = {"queue": "kafka", "repository": "elasticsearch"}


def start(conversion: Conversion) -> None:
    """Fills the draft with what the installation decides and with its configuration."""
    draft, source = conversion.draft, conversion.installation
    # Ours first: the order of the stack file is that of Kestra's page, and version and edition lead it.
    chosen = as_values(source.settings, comment="chosen by the import")
    for name in ("version", "edition"):
        if name in chosen:
            draft.tree[name] = chosen.pop(name)
    for root, block in source.configuration.items():
        if root == "kestra":
            for key, item in _block(as_values(block)).items():
                draft.put((key,), item)
        else:
            _add_root(conversion, root, as_values(block))
    # Kubernetes' own objects mean something when they are empty (`emptyDir: {}`), Kestra's blocks do not.
    _prune(draft.tree)
    for name, block in chosen.items():
        _merge(draft, name, block)
    _move_renamed(draft)
    _platform(draft)
    _leave_out_unwritable(conversion)
    write_types(draft)


def _add_root(c: Conversion, root: str, block: Any) -> None:
    """Adds a root key of Kestra's file other than `kestra`: a first-level setting of its name, where it is one."""
    if root in ROOTS or block is None:
        _merge(c.draft, root, block)
        return
    inner = Draft()
    inner.tree[root] = block
    kinds = {place: _kinds(place) for place, _ in inner.leaves()}
    for place, (is_root, is_below) in reversed(kinds.items()):
        name = config_path(place).removeprefix("kestra:")
        if is_below and not is_root:
            c.note(
                "not carried",
                name,
                f"it stands at the root of the file, where Kestra does not read it; its key is kestra.{name}",
                f"set {config_path(setting_place(('kestra', *place)))} if it was meant",
                inner.origin(place),
            )
            inner.remove(*place)
        elif is_root and is_below:
            c.note("changed", name, f"carried as kestra.{name}, where later releases read it")
    if root not in inner.tree:
        return
    if any(is_root for is_root, _ in kinds.values()):
        _merge(c.draft, root, inner.tree[root])
        return
    c.note(
        "changed",
        root,
        "no root key that this program knows; carried unchecked, under kestra:additional-configuration",
        "compare it with Kestra's documentation",
        inner.origin((root,)),
    )
    _merge(c.draft, "additional-configuration", inner.tree)


def _kinds(place: Place) -> tuple[bool, bool]:
    """Whether a path is a key of the catalogue at the root of the file, and whether it is one below `kestra`."""
    known = ("key", "inside")
    return lookup(place).kind in known, _is_key(("kestra", *place))


def _is_key(path: Place) -> bool:
    place = setting_place(path)
    return lookup(path).kind in ("key", "inside") or annotation_of(place)[0]


def _leave_out_unwritable(conversion: Conversion) -> None:
    """Keys of more than 200 characters, and texts that are no Unicode: no stack file holds them."""
    draft, number = conversion.draft, 0
    for place, value in list(draft.leaves()):
        texts = [part for part in (*place, value.value) if isinstance(part, str)]
        long = any(isinstance(part, str) and len(part) > _LONGEST_KEY for part in place)
        if long or any("\ud800" <= ch <= "\udfff" for text in texts for ch in text):
            draft.remove(*place)
            number += 1
    if number:
        conversion.note(
            "not carried",
            f"{number} values",
            f"keys of more than {_LONGEST_KEY} characters, or texts that are no Unicode",
        )


def write_types(draft: Draft) -> None:
    """Writes numbers and switches as such where the settings take them, and as texts where they take texts."""
    for place, value in draft.leaves():
        value.value = _typed(place, value.value)


def setting_place(path: Place) -> Place:
    """The setting of a key of Kestra's file: `kestra.url` is `deployment.url`."""
    if path[:2] == ("kestra", "url"):
        return ("deployment", "url")
    return path[1:] if path[0] == "kestra" and len(path) > 1 else path


def _block(node: Any) -> dict[str, Any]:
    return node if isinstance(node, dict) else {}


def _merge(draft: Draft, name: str, block: Any) -> None:
    """Adds a block; what is there already stays."""
    if block is None:
        return
    there = draft.tree.get(name)
    draft.tree[name] = block if there is None else _merged(there, block)


def _merged(first: Any, second: Any) -> Any:
    if isinstance(first, dict) and isinstance(second, dict):
        names = [*first, *(name for name in second if name not in first)]
        return {
            name: _merged(first[name], second[name])
            if name in first and name in second
            else first.get(name, second.get(name))
            for name in names
        }
    return first


def _prune(block: dict[str, Any]) -> None:
    """Takes out blocks that hold nothing."""
    for name, item in list(block.items()):
        if isinstance(item, dict):
            _prune(item)
        if item in ({}, []):
            del block[name]


def _move_renamed(draft: Draft) -> None:
    """`kestra.url` is a setting of the deployment."""
    url = draft.remove("url")
    if isinstance(url, Value) and not draft.at("deployment", "url"):
        draft.put(("deployment", "url"), url)
        draft.names["deployment", "url"] = "kestra.url"


def _platform(draft: Draft) -> None:
    """The edition and the mode, where no input says them."""
    if draft.at("edition") is None:
        draft.tree["edition"] = _edition(draft)
    if draft.at("deployment", "mode") is None:
        draft.put(("deployment", "mode"), Value("standalone", comment="chosen: one pod"))
    if draft.at("version") is None:
        draft.tree["version"] = Value("1.3", comment="chosen: no input says the version")
    order = ("version", "edition")
    draft.tree = {n: draft.tree[n] for n in order} | {
        n: block for n, block in draft.tree.items() if n not in order
    }


def _edition(draft: Draft) -> Value:
    for key in ("ee", "secret", "security", "kafka", "elasticsearch"):
        if draft.at(key) is not None:
            return Value(
                "enterprise", draft.origin((key,)), comment=f"because of {draft.name((key,))}"
            )
    for key, kind in _ENTERPRISE_TYPES.items():
        if draft.text(key, "type") == kind:
            return Value("enterprise", comment=f"because of kestra.{key}.type")
    return Value("oss", comment="chosen: no input needs the Enterprise Edition")


def _typed(place: Place, value: Any) -> Any:
    """A number or switch that was written as a text, where the setting takes no text."""
    if not isinstance(value, str):
        return _as_text(place, value)
    known, annotation = annotation_of(place)
    row = None if known else catalogue_row(place)
    kind = row.type if row is not None else ""
    text = value.strip()
    if (_is(annotation, StrictBool) or kind == "boolean") and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if (
        (_is(annotation, StrictInt) or kind == "number")
        and text.lstrip("-").isdecimal()
        and len(text) < 19
    ):
        return int(text)
    return value


def _as_text(place: Place, value: Any) -> Any:
    """A number where the setting takes a text or a secret, as in variables, annotations and passwords."""
    known, annotation = annotation_of(place)
    parts = (annotation, *get_args(annotation))
    wants_text = known and str in parts and int not in parts and not _is(annotation, StrictBool)
    if wants_text or place[:2] == ("deployment", "environment") or _is_secret_number(place, value):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _is_secret_number(place: Place, value: Any) -> bool:
    """Whether a number is a secret, as `password: 12345678` without quotes; Kestra reads its digits."""
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and is_secret(place, str(value))
    )


def _is(annotation: Any, kind: Any) -> bool:
    base = get_args(kind)[0]
    return annotation is base or base in get_args(annotation) or kind in get_args(annotation)

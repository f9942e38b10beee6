"""Keys and shapes: which keys exist, how they were spelled, and what pydantic says of the values."""

from __future__ import annotations

import copy
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from ..backends.settings_model import settings_model
from ..settings.base import Model, kebab
from ..settings.findings import INVALID_SETTING, Finding, Kind
from ..settings.model import Settings
from ..settings.pods import object_fields
from .types_of_keys import not_text

Loc = tuple[str | int, ...]

#: First-level settings that are no keys of Kestra's.
OURS = (
    "version", "edition", "declared-secrets", "rotation", "deployment", "identity", "store", "storage-bucket", "tags",
    "additional-configuration",
)  # fmt: skip


@dataclass(frozen=True)
class Canonical:
    """What was read without its faults, its keys in the canonical spelling."""

    value: Any


@dataclass(frozen=True)
class LeftOut:
    """The place of a value that nobody has read, and that the data is without."""

    loc: Loc


@dataclass(frozen=True)
class Unmodelled:
    """A key that no model has: its place as the settings spell it and as it was written, and its value."""

    loc: Loc
    written: Loc
    value: Any


#: Characters of a key that a report shows and compares with the known ones.
LONG_NAME = 200

#: What and rule of an encrypted value whose key takes no secret; the fix names the key (`encrypted_fix`).
ENCRYPTED = (
    "is encrypted, but its key is not sensitive",
    "a secret stands under a key that docs/settings.md marks secret, or is a variable of "
    "kestra:deployment.environment; other values stand readable in the rendered configuration and in Kubernetes",
)


def config_path(place: Iterable[str | int]) -> str:
    """`kestra:server.basic-auth.password`, as `pulumi config set --path` takes it."""
    first, *rest = place
    parts = (
        f"[{p}]" if isinstance(p, int) else f".{p}" if re.fullmatch(r"[\w-]+", p) else f'["{p}"]'
        for p in rest
    )
    return f"kestra:{first}{''.join(parts)}"


def encrypted_fix(place: Iterable[str | int], *, is_block: bool) -> str:
    """What to do about an encrypted value whose key takes no secret.

    Args:
        place: its keys, as they were written.
        is_block: whether keys or a list belong there, which no one command writes.
    """
    path = config_path(place)
    if is_block:
        return (
            f"remove it with `pulumi config rm --path '{path}'`, write what it holds as YAML, and encrypt in it only "
            "values of keys that take a secret"
        )
    return (
        f"if it is no secret, write it in clear with `pulumi config set --path --plaintext '{path}'`, which asks for "
        "the value; if it is one, put it under a key that takes a secret"
    )


class KeySpelling:
    """How the user wrote each key."""

    def __init__(self) -> None:
        self._written: dict[Loc, str] = {}

    def note(self, loc: Loc, written: str) -> None:
        self._written[loc] = written

    def place(self, loc: Loc) -> list[str | int]:
        """The keys of a place, as written."""
        ends = range(1, len(loc) + 1)
        return [self._written.get(loc[:end], loc[end - 1]) for end in ends]

    def path(self, loc: Loc) -> str:
        """`kestra:server.basicAuth.open-urls[0]`, as written."""
        text = ""
        for end in range(1, len(loc) + 1):
            part = loc[end - 1]
            if isinstance(part, int):
                text += f"[{part}]"
            else:
                written = self._written.get(loc[:end], printable_key(part))
                if len(written) > LONG_NAME:
                    written = f"{written[:LONG_NAME]}… ({len(written):,} characters)"
                text += ("." if text else "kestra:") + written
        return text or "config"


def models_in(annotation: Any) -> tuple[type[Model] | None, type[Model] | None]:
    """The model of a field, and the model of the values when it is a mapping of models."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation, None
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        for part in get_args(annotation):
            models = models_in(part)
            if models != (None, None):
                return models
    if origin is dict:
        return None, models_in(get_args(annotation)[1])[0]
    if origin is typing.Annotated:
        return models_in(get_args(annotation)[0])
    return None, None


def canonicalize_keys(
    model: type[Model], data: Mapping[Any, Any], spelling: KeySpelling, loc: Loc = ()
) -> Iterator[Finding | Unmodelled | LeftOut | Canonical]:
    """Yields what is wrong with the keys, keys that may be of the catalogue's, and last the data in Kestra's spelling."""
    by_alias = {field.alias or name: field for name, field in model.model_fields.items()}
    clean: dict[str, Any] = {}
    for written, value in data.items():
        if not isinstance(written, str):
            at = (*loc, printable_key(written))
            fix = f"write one of {_listing(by_alias)}"
            yield Finding(at, "is no text key", "keys are text", fix)
            continue
        name = written if written in by_alias else kebab(written)
        at = (*loc, name)
        if name in clean:
            other = spelling.path(at)
            what = f"is written twice, as {other} too"
            yield Finding(at, what, "one spelling a key", "keep one of them")
            continue
        spelling.note(at, written)
        if (type_ := object_fields(model).get(name)) is not None:
            # It stands on this module, and few stacks have such a key.
            from .kubernetes_objects import canonicalize_objects

            yield from _into(clean, name, canonicalize_objects(type_, value, spelling, at))
            continue
        if name in by_alias:
            one, many = models_in(by_alias[name].annotation)
        elif model.OTHERS is not None:
            one, many = model.OTHERS, None
        else:
            if at[0] in OURS or at == ("kestra",) or not all(isinstance(part, str) for part in at):
                yield Finding(at, *unknown_key(name, by_alias, loc), kind="unknown-key")
            else:
                yield Unmodelled(at, tuple(spelling.place(at)), value)
            continue
        if one is not None and isinstance(value, Mapping):
            yield from _into(clean, name, canonicalize_keys(one, value, spelling, at))
        elif many is not None and isinstance(value, Mapping):
            inner: dict[str, Any] = {}
            clean[name] = inner
            for item, block in value.items():
                if not isinstance(item, str):
                    yield Finding(
                        (*at, printable_key(item)),
                        "is no text key",
                        "names are text",
                        "write it in quotes",
                    )
                elif isinstance(block, Mapping):
                    yield from _into(
                        inner, item, canonicalize_keys(many, block, spelling, (*at, item))
                    )
                else:
                    inner[item] = copy.deepcopy(block)
        elif value is None and one is not None:
            # `kubernetes:` with nothing after it means an empty block.
            clean[name] = {}
        else:
            # What is invalid is taken out of the data later; the caller's document stays as it is.
            clean[name] = copy.deepcopy(value)
    yield Canonical(clean)


def _into(
    clean: dict[str, Any],
    name: str,
    items: Iterator[Finding | Unmodelled | LeftOut | Canonical],
) -> Iterator[Finding | Unmodelled | LeftOut]:
    for item in items:
        if isinstance(item, Canonical):
            clean[name] = item.value
        else:
            yield item


_QUOTATION_MARKS = ("'", '"')


def printable_key(key: object) -> str:
    """A key of a document as text, whatever it is.

    YAML reads a quotation mark after `kestra:` as part of the key. What follows it may be a value, which is not shown.
    """
    if isinstance(key, str) and key[:1] in _QUOTATION_MARKS:
        return f"{key[0]}…"
    # Python refuses to write a number of more than 4,300 digits.
    large = isinstance(key, int) and abs(key) >= 2**63
    return key if isinstance(key, str) else "a number" if large else str(key)


def _listing(names: Mapping[str, Any]) -> str:
    return ", ".join(sorted(names))


def unknown_key(name: str, known: Iterable[str], loc: Loc) -> tuple[str, str, str]:
    """What to say of a key that nobody knows.

    Args:
        name: the key.
        known: the keys that its block has.
        loc: the place of its block.
    """
    # Hints read the catalogue, which few stacks need.
    from .key_hints import hint

    if name[:1] in _QUOTATION_MARKS:
        rule = "YAML reads a quotation mark in the middle of a key as part of it"
        return ("is no known key", rule, "quote the whole key with its namespace, or nothing of it")
    rule = "Kestra would ignore an unknown key without a word"
    if loc[:1] and loc[0] in OURS:
        rule = "this part of the settings is not Kestra's, and has no other keys"
    return ("is no known key", rule, hint(name[:LONG_NAME], known, loc))


def translate_error(error: ErrorDetails, value: Any = "") -> tuple[str, str, str]:
    """Message, rule and fix for pydantic's error; never its input.

    Args:
        error: the error.
        value: what stands at its place, for what to write in place of it.
    """
    kind, ctx = error["type"], error.get("ctx", {})
    if kind in ("string_type", "string_sub_type"):
        loc = _block(error["loc"])
        field = _field(loc)
        what = "item" if isinstance(loc[-1], int) else "key"
        return not_text(
            value,
            is_required=field is not None and field.is_required(),
            is_meant=field is None or _takes(field, value),
            what=what,
        )
    if kind == "missing":
        return ("is missing", "the key is required", "add it")
    if kind == "literal_error":
        return (
            "is not an allowed value",
            f"one of {ctx['expected']}, spelled exactly so",
            "write one of them",
        )
    if kind == INVALID_SETTING:
        return (ctx["message"], ctx["rule"], ctx["fix"])
    if kind == "string_pattern_mismatch":
        return ("has a form that is not allowed", f"it matches {ctx['pattern']}", "correct it")
    if kind in ("greater_than_equal", "less_than_equal"):
        word = "at least" if kind.startswith("greater") else "at most"
        return ("is out of range", f"{word} {ctx.get('ge', ctx.get('le'))}", "correct it")
    if kind in ("string_too_short", "string_too_long", "too_short", "too_long"):
        limit = ctx.get("min_length", ctx.get("max_length"))
        word = "at least" if "short" in kind else "at most"
        return ("has a length that is not allowed", f"{word} {limit}", "correct it")
    if kind == "extra_forbidden":
        return ("is no known key", "Kestra would ignore it", "remove it")
    expected = {
        "string_unicode": ("valid unicode text", "correct it"),
        "int_type": ("a whole number", "write a number"),
        "int_parsing": ("a whole number", "write a number"),
        "int_parsing_size": ("a whole number", "write a smaller number"),
        "int_from_float": ("a whole number", "write a number without a fraction"),
        "tuple_type": ("a list", "write it as a YAML list"),
        "dict_type": ("a block of keys", "write keys under it"),
        "model_type": ("a block of keys", "write keys under it"),
        "model_attributes_type": ("a block of keys", "write keys under it"),
    }
    if kind in expected:
        what, fix = expected[kind]
        return (f"is not {what}", f"this key takes {what}", fix)
    return ("has a wrong value", f"the value must satisfy {kind.replace('_', ' ')}", "correct it")


def _field(loc: Loc) -> FieldInfo | None:
    """The field at a place; None where that is an item, or a key that is no field."""
    model: type[Model] | None = settings_model()
    names: type[Model] | None = None
    field = None
    for part in loc:
        if names is not None:
            model, names, field = names, None, None
            continue
        fields = model.model_fields.items() if model else ()
        field = next((one for name, one in fields if part == (one.alias or name)), None)
        model, names = models_in(field.annotation) if field else (None, None)
    return field


def _is_secret(loc: Loc) -> bool:
    """Whether a secret belongs to a place, so that what is wrong is the secret itself."""
    from .sensitive import takes_secret

    field = _field(loc)
    return field is not None and takes_secret(field.annotation)


def _takes(field: FieldInfo, value: Any) -> bool:
    """Whether a field takes a number or a flag once it is written in quotes."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    form: Any = field.annotation
    if field.metadata:
        form = Annotated[form, *field.metadata]
    try:
        TypeAdapter(form).validate_python(text)
    except ValidationError:
        return False
    return True


def _value_at(data: Any, loc: Loc) -> Any:
    for part in loc:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def remove(data: Any, loc: Loc) -> bool:
    """Takes out what stands at the place, or the nearest enclosing block that exists."""
    for end in range(len(loc), 0, -1):
        parent = _value_at(data, loc[: end - 1])
        if isinstance(parent, dict) and loc[end - 1] in parent:
            del parent[loc[end - 1]]
            return True
    return False


_KINDS: Mapping[str, Kind] = {
    "missing": "missing",
    "extra_forbidden": "unknown-key",
    "tuple_type": "not-a-list",
}
_BLOCKS = ("tuple_type", "dict_type", "model_type", "model_attributes_type")


def validate(
    data: dict[str, Any], spelling: KeySpelling
) -> tuple[Settings, list[Finding], list[Loc]]:
    """The settings as far as they are valid, what is wrong, and the places that were left out."""
    findings: list[Finding] = []
    removed: dict[Loc, None] = {}
    model = settings_model()
    for _ in range(10_000):
        try:
            return model.model_validate(data), findings, list(removed)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                loc = _block(detail["loc"])
                kind = _KINDS.get(detail["type"], "value")
                value = _value_at(data, loc)
                finding = Finding(loc, *translate_error(detail, value), kind=kind)
                if isinstance(value, SecretStr) and not _is_secret(loc):
                    is_block = detail["type"] in _BLOCKS
                    fix = encrypted_fix(spelling.place(loc), is_block=is_block)
                    finding = Finding(loc, *ENCRYPTED, fix)
                # Asked of the place's own ends, since a list may have a hundred thousand wrong items.
                if not any(loc[:end] in removed for end in range(len(loc) + 1)):
                    findings.append(finding)
                gone = loc[:-1] if detail["type"] == "missing" else loc
                removed[gone] = None
                if not remove(data, gone):
                    data.clear()
    raise AssertionError("every round removes something")


def _block(loc: Loc) -> Loc:
    """Pydantic's place without what it adds for keys of mappings."""
    return tuple(part for part in loc if part != "[key]")

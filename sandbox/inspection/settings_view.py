"""The effective settings of a stack, leaf by leaf, with where each comes from; never a secret value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from components.backends.registry import is_provisioned
from components.rendering.configuration import Configuration, GeneratedValueRef
from components.settings import Settings
from components.settings.base import OPAQUE
from components.settings.credentials import credential_sign
from components.settings.placeholders import is_placeholder
from components.settings.walk import walk_values
from components.validation.catalogue_versions import setting_place

Source = Literal["stack file", "default", "generated", "provided", "added"]
#: What each source means, in the order of the report's legend.
SOURCES: Mapping[Source, str] = {
    "stack file": "written in the stack file",
    "default": "the default of this project's model of the settings",
    "generated": "generated once by the stack, and kept as a Pulumi secret",
    "provided": "made by the secret store or the identity of this stack",
    "added": "added to Kestra's configuration by this project, for a safe start",
}
HIDDEN = "secret, not shown"

_CREDENTIAL_IN_URL = re.compile(
    r"(?i)[?&;](password|pwd|sslpassword|token|sig)=|//[^/?@\s]*:[^/?@\s]*@"
)
_SECRETIVE = re.compile(r"(?i)(password|passwd|pwd|secret|token|credential|api_?key|private_?key)")
_LONGEST = 160


@dataclass(frozen=True)
class Row:
    """One setting."""

    key: str
    """Without `kestra:`."""
    value: str
    source: Source
    is_secret: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Section:
    """A first-level key."""

    key: str
    text: str
    rows: tuple[Row, ...]
    unset: tuple[str, ...]
    """Keys that are neither written nor have a default."""


def sections(settings: Settings, configuration: Configuration) -> list[Section]:
    """Every first-level key, in the order of Kestra's page."""
    needed = {s.key for s in configuration.environment.values() if isinstance(s, GeneratedValueRef)}
    if settings.uses_external_secrets:
        # Made of kestra:store, and written in no stack file.
        settings = settings.model_copy(update={"secret": None})
    shown_sections: list[Section] = []
    for name, field in Settings.model_fields.items():
        key = field.alias or name
        leaves = list(_leaves(settings, name, field, key, True))
        rows = [_shown(path, value, written, info) for path, value, written, info in leaves]
        below = {n for n in map(_modern(settings), needed) if n.split(".")[0] == key}
        needed_rows = [_needed(r, below) for r in rows]
        shown = {r.key for r in needed_rows if r is not None}
        needed_rows += [_provision(n) for n in sorted(below - shown)]
        shown_sections.append(
            Section(
                key,
                (field.description or "").rstrip("."),
                tuple(r for r in needed_rows if r is not None and r.value),
                tuple(r.key for r in needed_rows if r is not None and not r.value),
            )
        )
    return _with_keys(shown_sections, settings)


def _with_keys(shown_sections: list[Section], settings: Settings) -> list[Section]:
    """The sections with the keys of Kestra's that no model has."""
    rows: dict[str, list[Row]] = {}
    for path, value in _catalogue_keys(settings):
        text, is_secret = show(path, value)
        rows.setdefault(re.split(r"[.\[]", path)[0], []).append(
            Row(path, text or "empty", "stack file", is_secret)
        )
    out = [replace(s, rows=(*s.rows, *rows.pop(s.key, []))) for s in shown_sections]
    text = "Keys of Kestra's, as docs/catalogue.md has them"
    return [*out, *(Section(key, text, tuple(below), ()) for key, below in rows.items())]


def _catalogue_keys(settings: Settings) -> Iterator[tuple[str, Any]]:
    for path, value in walk_values(settings.catalogue_keys):
        place = setting_place(path)
        parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
        if place:
            yield "".join(parts).removeprefix("."), value


def _modern(settings: Settings) -> Any:
    # The administrator's password is asked for under one name, whatever the stack file calls the account.
    owner = settings.security is not None and settings.security.instance_owner is not None
    old, new = "security.super-admin.", "security.instance-owner."
    return lambda key: key.replace(old, new) if owner else key


def _leaves(
    model: BaseModel, name: str, field: FieldInfo, path: str, written: bool
) -> Iterator[tuple[str, Any, bool, FieldInfo]]:
    written = written and name in model.model_fields_set
    yield from _below(getattr(model, name), field, path, written)


def _below(
    value: Any, field: FieldInfo, path: str, written: bool
) -> Iterator[tuple[str, Any, bool, FieldInfo]]:
    if isinstance(value, BaseModel):
        for name, inner in type(value).model_fields.items():
            key = inner.alias or name
            yield from _leaves(value, name, inner, f"{path}.{key}", written)
        for key, other in (value.model_extra or {}).items():
            yield from _below(other, field, f"{path}.{key}", written)
    elif isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _below(inner, field, f"{path}.{key}", written)
    elif isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        for position, inner in enumerate(value):
            yield from _below(inner, field, f"{path}[{position}]", written)
    else:
        yield path, value, written, field


def _shown(path: str, value: Any, written: bool, field: FieldInfo) -> Row:
    extra: Any = field.json_schema_extra or {}
    text, is_secret = show(path, value)
    return Row(path, text, "stack file" if written else "default", is_secret, extra.get("unit", ""))


def show(path: str, value: Any) -> tuple[str, bool]:
    """What may be shown of a value, and whether it is a secret; empty where there is none."""
    if isinstance(value, SecretStr):
        text = value.get_secret_value()
        if is_placeholder(text):
            # What follows the colon is a default, and secret.
            return f"${{{text[2:-1].split(':', 1)[0]}}}, from Kestra's environment", True
        return HIDDEN, True
    if value is None or value in ((), {}):
        return "", False
    if isinstance(value, bool):
        return str(value).lower(), False
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (tuple, list)):
        shown = [show(path, item) for item in value]
        return ", ".join(text for text, _ in shown), any(secret for _, secret in shown)
    text = str(value)
    name = path.removeprefix("deployment.environment.")
    is_credential = name != path and (_SECRETIVE.search(name) or credential_sign(name, text))
    if _CREDENTIAL_IN_URL.search(text) or is_credential:
        return HIDDEN, True
    if len(text) > _LONGEST:
        return f"{text[:60]}… ({len(text)} characters)", False
    return text, False


def _object(value: Mapping[str, Any]) -> tuple[str, bool]:
    """What may be shown of an object of Kubernetes; the value of a variable is judged by the variable's name."""
    variable = value.get("name")
    shown = {
        key: show(f"deployment.environment.{variable}" if key == "value" else key, item)
        for key, item in value.items()
    }
    text = ", ".join(f"{key}: {text}" for key, (text, _) in shown.items())
    if len(text) > _LONGEST:
        text = f"{text[:60]}… ({len(text)} characters)"
    return f"{{{text}}}", any(is_secret for _, is_secret in shown.values())


def _needed(row: Row, needed: set[str]) -> Row | None:
    if row.key in needed:
        return _provision(row.key) if not row.value else row
    if row.key.startswith("declared-secrets.") and row.key.endswith(".value") and not row.value:
        return Row(row.key, HIDDEN, "generated", True)
    return row


def _provision(key: str) -> Row:
    return Row(key, HIDDEN, "provided" if is_provisioned(key) else "generated", True)


def added(
    settings: Settings, configuration: Configuration, shown_sections: list[Section]
) -> list[Row]:
    """What Kestra is told beyond the settings: leaves of its configuration that no setting asked for."""
    keys = {r.key for s in shown_sections for r in s.rows if r.source != "default"}
    keys |= {key.removeprefix("additional-configuration.") for key in keys}
    keys |= {key.replace("security.instance-owner.", "security.super-admin.") for key in keys}
    keys |= {key.replace("security.super-admin.", "security.instance-owner.") for key in keys}
    rows = []
    for path, value in _document(configuration.document):
        key = path.removeprefix("kestra.")
        if key in keys or key.startswith(("security.default-role.", "datasources.")):
            continue
        if key == "url" or any(key.startswith(f"{t}[") or t.startswith(f"{key}[") for t in keys):
            continue
        name = configuration.environment.get(str(value)[2:-1])
        if isinstance(name, GeneratedValueRef):
            continue
        text, is_secret = (HIDDEN, True) if name is not None else show(key, value)
        rows.append(Row(path, text, "added", is_secret))
    return rows


def _document(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _document(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for position, inner in enumerate(value):
            yield from _document(inner, f"{path}[{position}]")
    else:
        yield path, value


def secret_values(settings: Settings) -> dict[str, str]:
    """Setting to value of every secret that came in with the settings; to search for, never to show."""
    secrets_by_key: dict[str, str] = {}
    values = [
        (path, value)
        for name, field in Settings.model_fields.items()
        for path, value, _, _ in _leaves(settings, name, field, field.alias or name, True)
    ]
    for path, value in [*values, *_catalogue_keys(settings)]:
        text = value.get_secret_value() if isinstance(value, SecretStr) else None
        if text is not None and text != OPAQUE:
            # Of a placeholder only the default is secret.
            text = text[2:-1].partition(":")[2] if is_placeholder(text) else text
            if text:
                secrets_by_key[path] = text
    return secrets_by_key

"""The settings of the current stack as Pulumi's engine hands them on, with what is encrypted in the stack file marked.

The engine decrypts every value. Of what was encrypted it names only the first-level keys that hold such a value
somewhere. So the places of `secure:` come from the stack file, as `python -m components check` reads it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import config as runtime_config
from pydantic import SecretStr

from .settings import Settings
from .validation import read_file
from .validation.secret_texts import all_secret
from .validation.yaml_scalars import dates_of_pulumi

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
#: First-level keys that are texts, whatever they look like.
_TEXTS = ("version", "edition")


def read_config(project: Path | None = None) -> dict[str, object]:
    """First-level key to its value in Pulumi's configuration; an encrypted value is a `SecretStr`.

    Args:
        project: folder of `Pulumi.yaml`; None: the one that Pulumi names, or the working directory.

    Raises:
        SettingsError: when the stack's file is there and cannot be used.
    """
    config = pulumi.Config("kestra")
    values = {key: text for key in _keys() if (text := config.get(key)) is not None}
    secret = [key for key in values if pulumi.runtime.is_config_secret(f"kestra:{key}")]
    return decode_config(values, secret, stack_file(project) if secret else None)


def decode_config(
    values: Mapping[str, str], secret: Collection[str], file: Path | None
) -> dict[str, object]:
    """First-level key to its value; an encrypted value is a `SecretStr`.

    Args:
        values: first-level key to its text, decrypted; blocks as JSON.
        secret: the keys that Pulumi names as secret.
        file: the stack file; None: there is none.

    Raises:
        SettingsError: when the file cannot be used.
    """
    written = read_file(file) if file and secret else {}
    document = {
        key: _marked(key, text, written.get(key)) if key in secret else _value(key, text)
        for key, text in values.items()
    }
    return dates_of_pulumi(document)


def stack_file(project: Path | None = None) -> Path | None:
    """The current stack's file; None where there is none, for instance under the Automation API.

    Args:
        project: folder of `Pulumi.yaml`; None: the one that Pulumi names, or the working directory.
    """
    # Pulumi names no folder to an inline program.
    named = pulumi.get_root_directory()
    folders = [project] if project else [*([Path(named)] if named else []), Path.cwd()]
    files = (folder / name for folder in folders for name in _PROJECT_FILES)
    if (project_file := next((file for file in files if file.is_file()), None)) is None:
        return None
    try:
        settings = yaml.safe_load(project_file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return None
    directory = settings.get("stackConfigDir") if isinstance(settings, Mapping) else None
    name = f"Pulumi.{pulumi.get_stack().replace('/', '-')}{project_file.suffix}"
    file = project_file.parent / str(directory or "") / name
    return file if file.is_file() else None


def config_values() -> dict[str, str]:
    """The stack's whole configuration: key with its namespace to text, secrets decrypted; sorted."""
    return dict(sorted({**runtime_config.get_config_env(), **runtime_config.CONFIG.get()}.items()))


def _keys() -> list[str]:
    """First-level keys: those that exist, and those that the stack has besides, for the check to name."""
    known = [field.alias or name for name, field in Settings.model_fields.items()]
    names = {key.removeprefix("kestra:") for key in config_values() if key.startswith("kestra:")}
    return [*known, *sorted(names - set(known))]


def _value(key: str, text: str) -> object:
    if key in _TEXTS:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        # A text where a block belongs stays a text: the check says so.
        return text


def _marked(key: str, text: str, written: object) -> object:
    """The value of a key that Pulumi names as secret, what is encrypted in it as `SecretStr`.

    Args:
        key: first-level key.
        text: its value, decrypted.
        written: what the stack file has under the key; None: nothing.
    """
    if isinstance(written, SecretStr):
        return SecretStr(text)
    value = _value(key, text)
    if _fits(value, written) and _has_secret(marked := _as_written(value, written)):
        return marked
    # Nothing says which of the others are encrypted: all that may be.
    return all_secret(key, _as_written(value, written))


def _has_secret(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_secret, value.values()))
    if isinstance(value, list):
        return any(map(_has_secret, value))
    return isinstance(value, SecretStr)


def _pairs(value: object, written: object) -> Iterable[tuple[object, object]]:
    """Each value of a block or list with what the file has in its place."""
    if isinstance(value, Mapping):
        # Pulumi makes a text of every key.
        keys = {str(k): w for k, w in written.items()} if isinstance(written, Mapping) else {}
        return [(inner, keys.get(name)) for name, inner in value.items()]
    assert isinstance(value, list)
    items = written if isinstance(written, list) else []
    return [(inner, items[i] if i < len(items) else None) for i, inner in enumerate(value)]


def _fits(value: object, written: object) -> bool:
    """Whether every text of the value is in the file, encrypted or the same in clear.

    It is not where the values come from elsewhere: another file, an environment of Pulumi ESC, the Automation API.
    """
    if isinstance(written, SecretStr):
        return isinstance(value, str)
    if isinstance(value, (Mapping, list)):
        return all(_fits(*pair) for pair in _pairs(value, written))
    return not isinstance(value, str) or dates_of_pulumi(value) == _day(written)


def _day(written: object) -> object:
    return written.date() if isinstance(written, datetime.datetime) else written


def _as_written(value: Any, written: object) -> object:
    if isinstance(written, SecretStr) and isinstance(value, str):
        return SecretStr(value)
    if isinstance(value, (Mapping, list)):
        inner = [_as_written(*pair) for pair in _pairs(value, written)]
        return dict(zip(value, inner, strict=True)) if isinstance(value, Mapping) else inner
    return value

"""A stack file's settings as Pulumi's engine hands them to the program: texts, decrypted, secret keys named.

What Pulumi does was seen with its engine 3.259 (`test_engine_config.py` asks it again): blocks are JSON, every key of
them is a text, a key without a value is an empty text, a whole number is written without a fraction.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml

from components.program import read_settings
from components.settings import Problem, Settings, SettingsError
from components.validation import Loaded, load_file
from components.validation.stack_file import BoundedLoader
from tests.components.recording_support import Recorder

Said = set[tuple[str, str, str, str, str]]
"""Path, message, rule, fix and severity of every problem."""


def is_encrypted(value: object) -> bool:
    """Whether a value of a stack file is `secure: …`."""
    return isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)


def _holds_encrypted(value: object) -> bool:
    if isinstance(value, dict):
        return is_encrypted(value) or any(map(_holds_encrypted, value.values()))
    return isinstance(value, list) and any(map(_holds_encrypted, value))


def _decrypted(value: Any) -> Any:
    """What is encrypted in the tests' files is its own plain text."""
    if is_encrypted(value):
        return value["secure"]
    if isinstance(value, dict):
        keys = {True: "true", False: "false", None: "<nil>"}
        return {
            keys.get(k, k) if not isinstance(k, str) else k: _decrypted(v) for k, v in value.items()
        }
    if isinstance(value, list):
        return [_decrypted(item) for item in value]
    if isinstance(value, datetime.date):
        time = value.strftime("%H:%M:%S")
        return f"{value:%Y-%m-%d} {time} +0000 UTC"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def engine_config(config: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """Configuration of Pulumi, and its secret keys, for the block `config` of a stack file."""
    defaults = {f"kestra:{f.alias or n}": "{}" for n, f in Settings.model_fields.items()}
    values = defaults | {"kestra:version": "1.3", "kestra:edition": "oss"}
    for key, value in config.items():
        plain = _decrypted(value)
        if plain is None:
            values[key] = ""
        else:
            values[key] = plain if isinstance(plain, str) else json.dumps(plain)
    return values, [key for key, value in config.items() if _holds_encrypted(value)]


def project(folder: Path, text: str, stack: str = "test") -> Path:
    """A project of Pulumi with one stack file; the file."""
    (folder / "stacks").mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: kestra\nruntime: python\nstackConfigDir: stacks\n")
    file = folder / "stacks" / f"Pulumi.{stack}.yaml"
    file.write_text(text)
    return file


def configure(config: Mapping[str, str], secret: list[str], stack: str = "test") -> Recorder:
    """Has the program find this configuration; what it would register is recorded."""
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="kestra", stack=stack, preview=False)
    pulumi.runtime.set_all_config(dict(config), secret)
    return recorder


def by_check(file: Path) -> tuple[Loaded | None, Said]:
    """What `python -m components check` makes of a stack file."""
    try:
        loaded = load_file(file)
    except SettingsError as error:
        return None, _said(error.problems)
    return loaded, _said(loaded.warnings)


def parse(text: str) -> Any:
    """A stack file as Pulumi parses it (`test_engine_config.py`)."""
    return yaml.load(text, Loader=BoundedLoader)


def by_engine(folder: Path, text: str) -> tuple[Loaded | None, str]:
    """What the program makes of it under the engine; the settings, or the report."""
    configure(*engine_config(parse(text)["config"]))
    try:
        return read_settings(folder), ""
    except pulumi.RunError as error:
        return None, str(error)


def _said(problems: tuple[Problem, ...]) -> Said:
    return {(p.path, p.message, p.rule, p.fix, p.severity) for p in problems}


def lines(said: Said) -> set[str]:
    """The lines of a report, but for the file's name."""
    return {Problem(path, "", *rest).line() for path, *rest in said}  # type: ignore[arg-type]


def report_lines(report: str) -> set[str]:
    """The same of a report's text."""
    return {": " + line.split(": ", 1)[1] for line in report.splitlines() if line.startswith("  ")}

"""What users of a release rely on by name: settings, outputs, controls, commands. Snapshots of it, one a release.

The schema of the component package has a snapshot of its own (`releasing/checks.py`).
"""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from components.backends.settings_model import settings_model
from components.catalogue import catalogue
from components.package.components import OUTPUT_NAMES, KestraStack
from components.validation.model_keys import leaves, model_fields
from docsgen.policies import option_rows
from docsgen.settings import default_text, type_text
from policy import controls
from policy.core.levels import ENVIRONMENTS, level
from releasing.versions import as_numbers

ROOT = Path(__file__).parents[1]
FOLDER = Path(__file__).parent / "surfaces"

Surface = Mapping[str, Mapping[str, Mapping[str, str]]]
"""Name of a kind (`KINDS`) to names, to what is said of each: `{"default": "90", "type": "number"}`."""


@dataclass(frozen=True)
class Kind:
    """One sort of names."""

    noun: str
    """In the words of the changelog."""
    prefix: str = ""
    """That users write before its names."""
    separator: str = "."
    """Between the parts of its names."""
    is_announced: bool = True
    """Whether the changelog names what is new. The keys of Kestra's catalogue are Kestra's own."""


KINDS = {
    "settings": Kind("setting", "kestra:"),
    "catalogue": Kind("key of Kestra's", is_announced=False),
    "outputs": Kind("output"),
    "controls": Kind("control"),
    "options": Kind("option of the policy pack"),
    "commands": Kind("command", separator=" "),
    "targets": Kind("target", "make "),
}


@cache
def surface() -> Surface:
    """That of the program as it is now."""
    return {
        "settings": dict(_settings()),
        "catalogue": {
            row.key: {
                "type": row.type,
                "first version": row.since,
                "last version": row.until,
            }
            for row in catalogue()
            if not row.owner
        },
        "outputs": dict(_outputs()),
        "controls": {
            control.id: {f"level in {one}": level(control, one) for one in ENVIRONMENTS}
            for control in controls.ALL
        },
        "options": {name: {"default": default} for name, _, default, _ in option_rows()},
        "commands": {command: {} for command in _commands()},
        "targets": {target: {} for target in _targets()},
    }


def _settings() -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, field in model_fields(settings_model()):
        for path, leaf, _ in leaves(name, field):
            yield path, {"type": _plain(type_text(leaf)), "default": _plain(default_text(leaf))}


def _plain(cell: str) -> str:
    """The text of a cell of a table, without the marks of Markdown."""
    return cell.replace("\\|", "|").replace("`", "").replace("**", "")


def _outputs() -> Iterator[tuple[str, Mapping[str, str]]]:
    of_stack = {component: stack for stack, component in OUTPUT_NAMES.items()}
    for name, one in KestraStack.OUTPUTS.items():
        yield (
            of_stack.get(name, name),
            {"type": f"secret {one.type}" if one.is_secret else one.type},
        )


def _commands() -> Iterator[str]:
    from components.__main__ import main as of_settings
    from policy.command import main as of_pack
    from sandbox.arguments import parser

    yield from _below("python -m components", of_settings, ())
    yield from _below("python -m sandbox", parser().parse_args, ())
    yield from _below("kestra-policy-pack", of_pack, ())


def _below(
    command: str, run: Callable[[Sequence[str]], object], words: tuple[str, ...]
) -> Iterator[str]:
    """A command, its options and its subcommands, as its help has them."""
    text = _help(run, words)
    yield command
    for option in sorted(set(re.findall(r"^  (?:-\w, )?(--[a-z][a-z-]*)", text, re.MULTILINE))):
        if option != "--help":
            yield f"{command} {option}"
    for word in re.findall(r"^ {4}([a-z][a-z-]*)(?= |$)", text, re.MULTILINE):
        yield from _below(f"{command} {word}", run, (*words, word))


def _help(run: Callable[[Sequence[str]], object], words: Sequence[str]) -> str:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        run([*words, "--help"])
    return shown.getvalue()


def _targets() -> list[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE)


def as_text(document: Surface) -> str:
    """A surface as its snapshot has it: a name a line."""
    kinds = []
    for kind, names in document.items():
        rows = ",\n".join(f"  {_json(name)}: {_json(names[name])}" for name in sorted(names))
        kinds.append(f" {_json(kind)}: {{\n{rows}\n }}")
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def snapshots() -> dict[str, Surface]:
    """Version to the surface of its release, the oldest first."""
    files = sorted(FOLDER.glob("*.json"), key=lambda file: as_numbers(file.stem))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}

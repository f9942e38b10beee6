"""`kestra-policy-pack`: what Pulumi's engine starts, and what judges a saved state, preview or plan.

pulumi preview --policy-pack "$(command -v kestra-policy-pack)"
kestra-policy-pack judge state.json --environment production --config policy.json
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from . import controls
from .core.judge import Judge, Judged, Violation
from .core.levels import ENVIRONMENTS, Level, environment_of, environment_of_process
from .core.model import Severity, Stack
from .core.options import NAME, Options, configuration_faults
from .manifest import VERSION
from .saved import Saved, UnreadableFile, read

_ADDRESS = re.compile(r"[\w.-]+:\d+|\d+")
_REFUSED, _UNUSABLE = 1, 2
_SETTABLE = (*get_args(Level), "disabled")


class UnusableConfiguration(ValueError):
    """A configuration file with problems; the message has all of them, one a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves the engine, whose address is the first argument, or runs a command.

    Returns:
        0; 1 when something mandatory is violated; 2 when a file or an option cannot be used.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and _ADDRESS.fullmatch(words[0]):
        from .core.analyzer import serve

        try:
            serve()
        except ValueError as error:
            print(error, file=sys.stderr)
            return _UNUSABLE
        return 0
    options = _parser().parse_args(words)
    try:
        return _judge(options)
    except (UnreadableFile, UnusableConfiguration, ValueError) as error:
        print(error, file=sys.stderr)
        return _UNUSABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kestra-policy-pack",
        description="Judges Kestra stacks. Pulumi starts it: pulumi preview --policy-pack <this command's path>.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    judge = commands.add_parser(
        "judge",
        help="judge what Pulumi saved, without Pulumi",
        description="Judges a state (pulumi stack export), a preview (pulumi preview --json --show-sames) or a plan "
        "(pulumi preview --save-plan). Ends with 1 when a mandatory control is violated, with 2 when a file cannot "
        "be used. Secrets that are encrypted count as set, and are never shown.",
    )
    judge.add_argument("file", type=Path)
    judge.add_argument("--config", type=Path, help="the file of --policy-pack-config")
    judge.add_argument(
        "--environment",
        choices=ENVIRONMENTS,
        default="",
        help="whose levels count (default: what the stack's name says, else production)",
    )
    judge.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    return parser


def _judge(options: argparse.Namespace) -> int:
    saved = read(options.file)
    first = options.environment or environment_of_process(os.environ)
    environment = environment_of({}, saved.stack, first)
    written, levels = configuration(options.config) if options.config else ({}, {})
    judge = Judge(environment, Options.read(written), levels)
    judged = list(everything(judge, saved))
    violations = [violation for one in judged for violation in one.violations]
    undecided = [(one.control.id, one.undecided) for one in judged if one.undecided]
    lines = (
        _document(judge, violations, undecided)
        if options.json
        else _lines(judge, violations, undecided)
    )
    print("\n".join(lines))
    return _REFUSED if any(v.level == "mandatory" for v in violations) else 0


def everything(judge: Judge, saved: Saved) -> Iterator[Judged]:
    """What all controls say of what was saved, as the engine asks them: one by one, then of the whole."""
    for resource in saved.single:
        yield from judge.of_resource(resource)
    yield from judge.of_stack(Stack(saved.whole))


def configuration(file: Path) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Options and levels of a configuration file.

    Raises:
        UnusableConfiguration: with all that is wrong with it.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusableConfiguration(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise UnusableConfiguration(f"{file} is no JSON document ({error}).") from None
    if not isinstance(document, Mapping):
        raise UnusableConfiguration(f"{file} is no JSON object.")
    known = [control.id for control in controls.ALL]
    properties: dict[str, Any] = {}
    levels: dict[str, Any] = {}
    for name, entry in document.items():
        own = dict(entry) if isinstance(entry, Mapping) else {"enforcementLevel": entry}
        if "enforcementLevel" in own:
            levels[name] = own.pop("enforcementLevel")
        # `environments` are Pulumi ESC's, which the engine reads.
        if name != "environments":
            properties[name] = own
    faults = [
        f"the level of `{name}` is none of {', '.join(_SETTABLE)}"
        for name, level in levels.items()
        if name in properties and level not in _SETTABLE
    ]
    faults += configuration_faults(properties, known)
    if faults:
        raise UnusableConfiguration("\n".join(f"{file}: {fault}" for fault in faults))
    every = dict.fromkeys(known, levels["all"]) if "all" in levels else {}
    return properties.get(NAME, {}), {**every, **levels}


def _most_urgent(violation: Violation) -> tuple[bool, int, str]:
    """Mandatory ones first, then by severity."""
    severity = get_args(Severity).index(violation.control.severity)
    return violation.level != "mandatory", -severity, violation.control.id


def _lines(
    judge: Judge, violations: Sequence[Violation], undecided: Iterable[tuple[str, str]]
) -> Iterator[str]:
    yield f"Kestra's policy pack {VERSION}, at the levels of {judge.environment}"
    by_control: dict[tuple[str, str], list[Violation]] = {}
    for violation in sorted(violations, key=_most_urgent):
        by_control.setdefault((violation.level, violation.control.id), []).append(violation)
    for (level, _), same in by_control.items():
        control = same[0].control
        yield f"[{level}] [{control.severity}] {control.id} {control.title}"
        yield f"  {control.risk}"
        yield from (f"    {violation.text}" for violation in same)
    for control, reason in dict.fromkeys(undecided):
        yield f"[undecided] {control} {reason}"
    refusing = sum(v.level == "mandatory" for v in violations)
    yield f"violations: {len(violations)}, mandatory: {refusing}"


def _document(
    judge: Judge, violations: Sequence[Violation], undecided: Iterable[tuple[str, str]]
) -> Iterator[str]:
    document = {
        "version": VERSION,
        "environment": judge.environment,
        "violations": [
            {
                "control": v.control.id,
                "title": v.control.title,
                "severity": v.control.severity,
                "level": v.level,
                "resource": v.urn,
                "message": v.text,
            }
            for v in violations
        ],
        "undecided": [
            {"control": control, "reason": reason} for control, reason in dict.fromkeys(undecided)
        ],
    }
    yield json.dumps(document, indent=2, ensure_ascii=False)

"""`python -m components import FILE…`: reads, writes the stack file, and reports."""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from pathlib import Path

import yaml

from .. import COMMAND
from ..settings import SettingsError
from ..validation import load_file
from .arguments import Arguments
from .conversion import Conversion, ToSet
from .convert import convert
from .installation import Installation
from .readers import ImportRefused
from .report import Report
from .sealing import HEADER, find_seal
from .secret_values import Redaction
from .writer import text_of, write

_DIRECTORY = Path("stacks")
UNEXPECTED = "The inputs have a form that this program does not expect"
#: Names of files that say nothing of the installation.
_GENERIC = re.compile(
    r"(docker-)?compose.*|application.*|values.*|kestra|config.*|deployment|manifests?|\.env.*|-"
)


def run(arguments: argparse.Namespace) -> int:
    """Imports, writes and reports; 0, or 1 where nothing could be imported."""
    try:
        report = import_files(
            Arguments(
                files=tuple(arguments.files),
                output=arguments.output,
                name=arguments.name,
                namespace=arguments.namespace,
                username=arguments.username,
                stack=arguments.stack,
                force=arguments.force,
            )
        )
    except ImportRefused as error:
        print(error, file=sys.stderr)
        return 1
    except OSError:
        print(
            "An input, or a file that it names, cannot be read; nothing was written.",
            file=sys.stderr,
        )
        return 1
    except RecursionError:
        print("The inputs are nested too deeply; nothing was written.", file=sys.stderr)
        return 1
    except Exception as error:
        # A traceback could show a line of an input; class and place are enough for a report of the fault.
        print(f"{UNEXPECTED}: {_place_of(error)}. Nothing was written.", file=sys.stderr)
        return 1
    print(report.json() if arguments.json else report.text(), end="")
    return 0


def _place_of(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def import_files(arguments: Arguments) -> Report:
    """Reads the inputs and writes the stack file.

    Raises:
        ImportRefused: with one sentence, where nothing is written.
    """
    from .inputs import read

    return import_installation(read(arguments.files), arguments)


def import_installation(installation: Installation, arguments: Arguments) -> Report:
    """Writes the stack file of an installation that was read.

    Raises:
        ImportRefused: with one sentence, where nothing is written.
    """
    existing = _stack_file(arguments.stack)
    name = _stack_name(arguments, existing)
    file = (
        Path(arguments.output)
        if arguments.output
        else existing or _DIRECTORY / f"Pulumi.{name}.yaml"
    )
    _refuse_overwriting(file, arguments, is_stack=file == existing)
    seal = find_seal(existing or (file if file.exists() else None))
    c, warnings = convert(
        installation, seal, username=arguments.username, namespace=arguments.namespace
    )
    redact = Redaction(c.secrets)
    sources = [f"{source} ({kind})" for source, kind in installation.sources]
    try:
        write(file, text_of(c.draft, seal.header, sources, redact, c.where))
    except (OSError, ValueError):
        raise ImportRefused(f"{file} cannot be written.") from None
    _ask_for_the_rest(c, file)
    return Report(c, warnings, seal, str(file), name, redact)


def _ask_for_the_rest(c: Conversion, file: Path) -> None:
    """Whatever the check still says of the file itself is named as to be set."""
    try:
        load_file(file)
    except SettingsError as error:
        for problem in error.problems:
            covered = any(problem.path in (i.setting, *i.covers) for i in c.to_set)
            if problem.severity == "error" and not covered:
                why = f"{problem.message}: {problem.rule}; {problem.fix}"
                c.to_set.append(ToSet(problem.path, why, f"{COMMAND} check {file}"))


def _stack_file(stack: str | None) -> Path | None:
    """The stack file that `--stack` names."""
    if stack is None:
        return None
    short = stack.rpartition("/")[2]
    for file in (Path(stack), _DIRECTORY / f"Pulumi.{short}.yaml", Path(f"Pulumi.{short}.yaml")):
        if file.is_file():
            return file
    raise ImportRefused(
        f"There is no stack file of {stack}; `pulumi stack init {short}` makes one, or leave --stack out."
    )


def _stack_name(arguments: Arguments, existing: Path | None) -> str:
    """The stack's name: as asked for, that of the file, or of the first input that has a telling one."""
    if arguments.name:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", arguments.name):
            raise ImportRefused("--name takes letters, digits, hyphens, dots and underscores.")
        return arguments.name
    for file in (arguments.output, existing):
        if file and (match := re.fullmatch(r"Pulumi\.(.+)\.ya?ml", Path(file).name)):
            return match[1]
    for file in arguments.files:
        path = Path(file)
        names = [path.name.split(".")[0]]
        if file != "-":
            names.append(path.resolve().parent.name)
        for name in names:
            slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50]
            if slug and not _GENERIC.fullmatch(slug):
                return slug
    return "imported"


def _refuse_overwriting(file: Path, arguments: Arguments, *, is_stack: bool) -> None:
    """A file with settings is only written over with `--force`; what `pulumi stack init` wrote has none."""
    if arguments.force or not file.exists():
        return
    if is_stack and _has_only_header(file):
        return
    raise ImportRefused(
        f"{file} exists; --force writes over it, --name or --output chooses another."
    )


def _has_only_header(file: Path) -> bool:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return False
    return isinstance(document, dict) and bool(document) and set(document) <= set(HEADER)

"""What a stack takes from elsewhere, from files of the command line: outputs of other stacks, opened environments."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .validation import Loaded, load_file
from .validation.environments import merged, opened
from .validation.stack_file import read_stack_file
from .validation.stack_outputs import StackOutputs


class InputError(Exception):
    """An option names something else than it takes."""


@dataclass(frozen=True)
class StackInputs:
    """What files say of other stacks."""

    outputs: Mapping[str, StackOutputs] = field(default_factory=dict)
    """Name of a stack to its outputs."""
    environments: Sequence[Mapping[str, Any]] = ()
    """What opened environments of Pulumi ESC bring; later ones win."""

    @classmethod
    def of(cls, chosen: argparse.Namespace) -> StackInputs:
        """What the options of a command name.

        Raises:
            InputError: one of them is not what it should be.
        """
        return cls(_outputs(chosen.outputs), [_environment(file) for file in chosen.esc])

    def load(self, file: Path | str) -> Loaded:
        """A stack file, with the values that there are (see `load_file`).

        Raises:
            SettingsError: with every problem.
        """
        return load_file(file, self.outputs.get, self.environments)

    def option(self, file: Path | str) -> Callable[[str], str | None]:
        """What gives an option of a provider (`aws:region`) by its key, from a stack file and its environments."""
        read = read_stack_file(file)
        return replace(read, config=merged(read.config, self.environments)).option


def _environment(file: str) -> dict[str, Any]:
    try:
        return opened(_json(file))
    except (ValueError, RecursionError):
        command = "pulumi env open NAME --format detailed"
        raise InputError(f"--esc: {file} is not what `{command}` writes") from None


def _outputs(options: Sequence[str]) -> dict[str, StackOutputs]:
    outputs: dict[str, StackOutputs] = {}
    for option in options:
        stack, _, file = option.partition("=")
        if not stack or not file:
            raise InputError(
                "--outputs takes STACK=FILE, for example acme/cluster/production=cluster.json"
            )
        values = _json(file)
        if not isinstance(values, dict):
            command = f"pulumi stack output --json --stack {stack}"
            raise InputError(f"--outputs: {file} is not what `{command}` writes")
        outputs[stack] = StackOutputs(values)
    return outputs


def _json(file: str) -> Any:
    """The content of a file; None where it is no JSON."""
    try:
        return json.loads(sys.stdin.read() if file == "-" else Path(file).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None

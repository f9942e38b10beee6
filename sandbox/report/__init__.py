"""`python -m sandbox report STACK`: the security of a stack on one page, for people who do not read programs."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path

import yaml

from components.rendering.configuration import render
from components.sdk_packages import missing_packages
from components.stack_inputs import StackInputs
from policy.core.options import NAME, Options
from sandbox.errors import SandboxError
from sandbox.inspection.resources import StackResources, read_resources, record_resources
from sandbox.report.page import Report, html, make
from sandbox.services.process import private
from sandbox.state import Last, State


def build(
    state: State,
    stack: str,
    file: Path,
    policy_config: Path | None = None,
    inputs: StackInputs = StackInputs(),
) -> Report:
    """The report of a stack: its last update's resources, else those that the program registers.

    Args:
        state: the sandbox's state.
        stack: name of the stack.
        file: its stack file; encrypted values stay closed.
        policy_config: configuration of the policy pack (`--policy-pack-config` of Pulumi).
        inputs: what the stack takes from elsewhere.

    Raises:
        SettingsError: with every problem of the file.
        SandboxError: when state, configuration or program cannot be used.
    """
    settings = inputs.load(os.path.relpath(file)).completed().settings
    stack_resources = read_resources(state.checkpoint(stack))
    if stack_resources is None:
        if missing := missing_packages(settings):
            raise SandboxError(missing)
        stack_resources = record_resources(settings, stack)
    options, levels = _pack_config(policy_config)
    return make(
        stack,
        os.path.relpath(file),
        settings,
        render(settings),
        stack_resources,
        options=options,
        levels=levels,
        config=_others(file),
        judged_at=_when(stack_resources, Last.read(state.stack(stack))),
    )


def write(report: Report, target: Path) -> None:
    """Writes the page, readable by its owner only: it tells where secrets are.

    Raises:
        SandboxError: when a secret value would be on it.
    """
    page = html(report)
    target.parent.mkdir(parents=True, exist_ok=True)
    private(target, page)


def _when(resources: StackResources, last: Last | None) -> str:
    if resources.origin == "recorded":
        return "as the program registers them; the stack is not up in the sandbox"
    if last is None:
        return "of the last update in the sandbox"
    at = datetime.datetime.fromtimestamp(last.at, datetime.UTC)
    return (
        f"after the last {last.operation} in the sandbox ({last.result}, {at:%Y-%m-%d %H:%M} UTC)"
    )


def _pack_config(file: Path | None) -> tuple[Options, dict[str, str]]:
    """Options and levels of the policy pack's configuration."""
    if file is None:
        return Options(), {}
    try:
        document = dict(json.loads(file.read_text(encoding="utf-8")))
        options = Options.read(document.pop(NAME, {}))
        # A level alone, or beside other properties.
        levels = {
            k: v if isinstance(v, str) else v["enforcementLevel"] for k, v in document.items()
        }
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        raise SandboxError(
            f"{file} is no configuration of the policy pack: a JSON document with options under {NAME} and"
            " levels under the controls (docs/policies.md)."
        ) from None
    return options, levels


def _others(file: Path) -> Mapping[str, str]:
    """Keys that are not the program's: `kestra-policy:environment`."""
    with contextlib.suppress(OSError, yaml.YAMLError, AttributeError):
        config = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("config") or {}
        return {k: str(v) for k, v in config.items() if not str(k).startswith("kestra:")}
    return {}

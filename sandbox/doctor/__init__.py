"""`python -m sandbox doctor STACK`: machine, releases, settings and permissions on one page. Changes nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from components.rendering.configuration import render
from components.settings import Settings, report
from components.stack_inputs import StackInputs
from sandbox.clouds import required_services
from sandbox.doctor.certificates import examine_certificates
from sandbox.doctor.cluster_apis import examine_apis
from sandbox.doctor.external_secrets import examine_operator
from sandbox.doctor.external_values import examine_external_values
from sandbox.doctor.log_in import examine_log_in
from sandbox.doctor.machine import Check, examine
from sandbox.doctor.namespaces import examine_namespaces
from sandbox.doctor.permissions import Answer, ask
from sandbox.doctor.releases import examine_releases
from sandbox.inspection.resources import StackResources, read_resources, record_resources
from sandbox.inspection.settings_view import Row, sections
from sandbox.state import Last, State

_SIGNS = {True: "ok", False: "lacks", None: "-"}


def doctor(
    state: State,
    stack: str,
    file: Path,
    console: Console,
    inputs: StackInputs = StackInputs(),
    *,
    own: bool = False,
    everything: bool = False,
) -> bool:
    """Prints the page.

    Args:
        state: the sandbox's state.
        stack: name of the stack.
        file: its stack file; encrypted values stay closed.
        console: where to.
        inputs: what the stack takes from elsewhere.
        own: whether the caller's own clouds, cluster and Vault are asked, instead of the sandbox's servers.
        everything: whether defaults are shown one by one.

    Returns:
        Whether nothing is lacking.

    Raises:
        SettingsError: with every problem of the file.
    """
    loaded = inputs.load(os.path.relpath(file)).completed()
    settings = loaded.settings
    console.print(f"Stack {stack}, {os.path.relpath(file)}", style="bold", markup=False)
    if loaded.warnings:
        console.print(report(loaded.warnings), style="yellow", markup=False)
    machine = list(examine(state, settings, required_services(state, stack, settings)))
    releases = list(examine_releases(settings))
    _checks(console, "Machine", machine)
    if releases:
        _checks(console, "Releases", releases)
    _stacks(console, state, stack)
    _settings(console, settings, everything=everything)
    resources = read_resources(state.checkpoint(stack)) or record_resources(settings, stack)
    apis = [
        *examine_apis(state, resources, own=own),
        *examine_operator(state, resources, own=own, installs=settings.store.install),
        *examine_certificates(settings, own=own),
        *examine_namespaces(state, settings, own=own),
    ]
    if apis:
        _checks(console, "Cluster", apis)
    values = list(examine_external_values(settings, inputs.option(file), own=own))
    if values:
        _checks(console, "Values that others write", values)
    log_in = list(examine_log_in(settings, own=own))
    if log_in:
        _checks(console, "Log-in", log_in)
    answers = ask(state, settings, resources, own=own)
    _permissions(console, resources, answers)
    lacking = [c for c in (*machine, *releases, *apis, *values, *log_in) if c.is_well is False]
    denied = [a for a in answers if a.lacking]
    if not lacking and not denied:
        problems = (
            "Nothing is lacking"
            if all(a.was_asked for a in answers)
            else "Nothing of what could be asked is lacking"
        )
        console.print(f"\n{problems}.", style="green")
        return True
    problems = [c.name for c in lacking] + [f"permissions in {a.owner}" for a in denied]
    console.print(f"\nLacking: {', '.join(problems)}.", style="red", markup=False)
    return False


def _title(console: Console, text: str) -> None:
    console.print(f"\n{text}", style="bold", markup=False)


def _checks(console: Console, title: str, checks: Iterable[Check]) -> None:
    _title(console, title)
    for check in checks:
        style = "red" if check.is_well is False else None
        line = f"  {_SIGNS[check.is_well]:<6} {check.name:<22} {check.state}"
        console.print(line, style=style, markup=False)
        if check.remedy and check.is_well is False:
            console.print(f"         {check.remedy}", style="yellow", markup=False)


def _stacks(console: Console, state: State, stack: str) -> None:
    _title(console, f"State, {state.directory}")
    if not state.directory.exists():
        console.print("  Nothing yet; the first `up` makes it.")
        return
    last = Last.read(state.stack(stack))
    if last is None:
        console.print(f"  {stack} was never brought up here.", markup=False)
        return
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at))
    console.print(f"  Last operation: {last.operation} {last.result}, {when}.", markup=False)
    try:
        latest = state.latest(stack)
    except (OSError, ValueError, KeyError, TypeError):
        return
    console.print(f"  Resources in the state: {len(latest.get('resources') or [])}.")
    for operation in latest.get("pending_operations") or []:
        urn = operation["resource"]["urn"]
        console.print(
            f"  Interrupted while {operation['type']} {urn}; the next `up` goes on.",
            style="yellow",
            markup=False,
        )


def _settings(console: Console, settings: Settings, *, everything: bool) -> None:
    _title(console, "Settings as resolved (secrets are not shown)")
    for section in sections(settings, render(settings)):
        defaults: list[Row] = []
        for row in section.rows:
            if row.source == "default" and not everything:
                defaults.append(row)
                continue
            source = "" if row.source == "stack file" else f"  ({row.source})"
            console.print(f"  {row.key}: {row.value}{source}", markup=False)
        if defaults:
            text = ", ".join(
                f"{row.key.partition('.')[2] or row.key}={row.value}" for row in defaults
            )
            console.print(f"  {section.key}, by default: {text}", style="dim", markup=False)


def _permissions(console: Console, stack_resources: StackResources, answers: list[Answer]) -> None:
    origin = (
        "the last update" if stack_resources.origin == "state" else "what the program registers"
    )
    _title(console, f"Permissions to deploy it (by the resources of {origin})")
    for answer in answers:
        console.print(f"  {answer.headline}", style="red" if answer.lacking else None, markup=False)
        for need in answer.lacking:
            where = f" on {need.where}" if need.where else ""
            console.print(f"    lacks {need.what}{where}", style="red", markup=False)
        if answer.remedy:
            console.print(f"    {answer.remedy}", style="yellow", markup=False)

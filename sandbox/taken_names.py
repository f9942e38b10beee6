"""A name that is taken in the sandbox: most often another stack of the same state folder has it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from components.safeguards import name_conflicts
from components.safeguards.failed_resource import FailedResource
from components.safeguards.name_conflicts import OTHERWISE
from sandbox.state import State

#: Inputs that tell one object from all others of its type, where they are given.
_IDENTIFYING = (
    "name",
    "path",
    "mount",
    "type",
    "project",
    "location",
    "keyRing",
    "secretId",
    "accountId",
    "resourceGroupName",
    "vaultName",
    "secretName",
    "resourceName",
)


def suggest_fix(state: State, stack: str, failed: FailedResource) -> str:
    """What a person can do about a name that is taken; empty where nothing is known of it.

    Args:
        state: the folder of the stacks.
        stack: the one that could not make it.
        failed: what it could not make.
    """
    answer = name_conflicts.answer_to(failed)
    owner = owner_of(state, stack, failed) if answer else None
    if answer is None or owner is None:
        return name_conflicts.suggest_fix(failed)
    name, is_protected = owner
    noun = failed.type.rpartition(":")[2]
    protected = " --unprotect" if is_protected else ""
    return (
        f"Stack {name} of this state folder has this {noun} already.\n  To take it away there:\n"
        f"    python -m sandbox destroy {name}{protected} --state {shlex.quote(str(state.directory))}\n"
        f"  {OTHERWISE} {answer[2]}"
    )


def owner_of(state: State, stack: str, failed: FailedResource) -> tuple[str, bool] | None:
    """The other stack of the folder that has the object, and whether it is protected; None where none has it."""
    target = _identity(failed.inputs)
    for other in state.stacks():
        if other == stack or not target:
            continue
        try:
            resources = state.latest(other).get("resources") or ()
        except (OSError, ValueError, KeyError, TypeError):
            # Never brought up, or its state is being written.
            continue
        for resource in resources:
            same = _identity(resource.get("inputs") or {}) == target
            if same and resource["type"] == failed.type:
                return other, bool(resource.get("protect"))
    return None


def _identity(inputs: Mapping[str, Any]) -> dict[str, str]:
    """What tells an object from others of its type; of Kubernetes' namespace and name."""
    metadata = inputs.get("metadata")
    if isinstance(metadata, Mapping):
        return {k: str(metadata[k]) for k in ("namespace", "name") if metadata.get(k)}
    return {k: inputs[k] for k in _IDENTIFYING if isinstance(inputs.get(k), str)}

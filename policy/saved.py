"""Resources of what Pulumi saved: a state, a preview, or a plan. Nothing here needs Pulumi."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .core.model import Resource, plain_type
from .core.wire import decode

_GONE = ("delete", "delete-replaced", "remove-pending-replace", "discard", "discard-replaced")


class UnreadableFile(ValueError):
    """A file that is none of these; the message says what to do, and quotes nothing of it."""


@dataclass(frozen=True)
class Saved:
    """The resources of a stack, as controls of single resources and as controls of whole stacks see them."""

    stack: str
    """The stack's name."""
    single: tuple[Resource, ...]
    """With what the program asks for."""
    whole: tuple[Resource, ...]
    """With what the provider makes of it, as far as it is known."""


def read(file: Path) -> Saved:
    """What a file holds.

    Args:
        file: `pulumi stack export`, `pulumi preview --json`, or `pulumi preview --save-plan`.

    Raises:
        UnreadableFile: when it is none of these.
    """
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFile(f"{file} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UnreadableFile(f"{file} is no JSON document. {_EXPECTED}") from None
    entries = _entries(document)
    if entries is None:
        raise UnreadableFile(f"{file} is neither a state nor a preview or plan. {_EXPECTED}")
    known = [entry for entry in entries if _is_resource(entry)]
    return Saved(
        next((str(entry["urn"]).split("::")[0].removeprefix("urn:pulumi:") for entry in known), ""),
        tuple(_resource(entry, entry.get("inputs")) for entry in known),
        tuple(_resource(entry, entry.get("outputs") or entry.get("inputs")) for entry in known),
    )


_EXPECTED = (
    "Write one with `pulumi stack export --file state.json`, `pulumi preview --json --show-sames > preview.json` or "
    "`pulumi preview --save-plan plan.json`."
)


def _entries(document: Any) -> list[Any] | None:
    if not isinstance(document, Mapping):
        return None
    deployment = document.get("deployment")
    if isinstance(deployment, Mapping):
        resources = deployment.get("resources") or []
        return [r for r in resources if isinstance(r, Mapping) and not r.get("delete")]
    if isinstance(plans := document.get("resourcePlans"), Mapping):
        return list(_of_plan(plans))
    if isinstance(steps := document.get("steps"), list):
        return list(_of_preview(steps, (document.get("changeSummary") or {}).get("same", 0)))
    return None


def _of_preview(steps: list[Any], unchanged: int) -> Iterator[Any]:
    """The resources that there are after the steps; of a replacement the last step says most.

    Raises:
        UnreadableFile: when those that do not change are left out.
    """
    if unchanged > sum(isinstance(step, Mapping) and step.get("op") == "same" for step in steps):
        raise UnreadableFile(
            f"The preview has what changes alone, and a stack is judged whole. {_EXPECTED}"
        )
    after: dict[str, Any] = {}
    for step in steps:
        if not isinstance(step, Mapping) or step.get("op") in _GONE:
            continue
        if isinstance(state := step.get("newState"), Mapping):
            after[str(step.get("urn"))] = state
    yield from after.values()


def _of_plan(plans: Mapping[str, Any]) -> Iterator[Any]:
    for urn, plan in plans.items():
        steps = plan.get("steps") or []
        goal = plan.get("goal")
        if not isinstance(goal, Mapping) or (steps and all(step in _GONE for step in steps)):
            continue
        # Of a resource that exists already, a plan has the changed inputs alone, and all outputs.
        changes = goal.get("inputDiff") or {}
        outputs = plan.get("state") or {}
        inputs = {**outputs, **changes.get("adds", {}), **changes.get("updates", {})}
        yield {**goal, "urn": urn, "inputs": inputs, "outputs": outputs}


def _is_resource(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("urn"), str)


def _resource(entry: Mapping[str, Any], properties: Any) -> Resource:
    urn = str(entry["urn"])
    type_ = str(entry.get("type") or urn.rsplit("::", 2)[-2].rpartition("$")[2])
    decoded = decode(properties) if isinstance(properties, Mapping) else {}
    return Resource(
        plain_type(type_),
        urn.rpartition("::")[2],
        decoded,
        urn,
        bool(entry.get("protect")),
        {
            name: tuple(urns or ())
            for name, urns in (entry.get("propertyDependencies") or {}).items()
        },
    )

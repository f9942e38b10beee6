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
    except RecursionError:
        raise UnreadableFile(f"{file} is nested too deeply. {_EXPECTED}") from None
    try:
        known = _entries(document)
        return Saved(
            next((entry["urn"].split("::")[0].removeprefix("urn:pulumi:") for entry in known), ""),
            tuple(_resource(entry, entry.get("inputs")) for entry in known),
            tuple(_resource(entry, entry.get("outputs") or entry.get("inputs")) for entry in known),
        )
    except _MalformedError as error:
        raise UnreadableFile(f"{file} {error}. {_EXPECTED}") from None
    except RecursionError:
        raise UnreadableFile(f"{file} is nested too deeply. {_EXPECTED}") from None


class _MalformedError(Exception):
    """The file is not as Pulumi writes it; the message is the rest of a sentence about it.

    Nothing is judged then: a resource that is passed over would count as a good one.
    """


_EXPECTED = (
    "Write one with `pulumi stack export --file state.json`, `pulumi preview --json --show-sames > preview.json` or "
    "`pulumi preview --save-plan plan.json`."
)


def _entries(document: Any) -> list[Mapping[str, Any]]:
    if not isinstance(document, Mapping):
        raise _MalformedError("is neither a state nor a preview or plan")
    deployment = document.get("deployment")
    if isinstance(deployment, Mapping):
        resources = _list(deployment.get("resources"), "deployment.resources")
        places = [(one, f"deployment.resources[{i}]") for i, one in enumerate(resources)]
        states = [_mapping(one, place) for one, place in places]
        entries = [(one, place) for one, (_, place) in zip(states, places, strict=True)]
        entries = [(one, place) for one, place in entries if not one.get("delete")]
    elif "resourcePlans" in document:
        entries = list(_of_plan(_mapping(document["resourcePlans"], "resourcePlans")))
    elif "steps" in document:
        steps = _list(document["steps"], "steps")
        same = _mapping(document.get("changeSummary"), "changeSummary").get("same")
        entries = list(_of_preview(steps, same if isinstance(same, int) else 0))
    else:
        raise _MalformedError("is neither a state nor a preview or plan")
    for entry, place in entries:
        urn = entry.get("urn")
        if not isinstance(urn, str) or urn.count("::") < 3:
            raise _MalformedError(f"has no resource's URN in {place}")
    return [entry for entry, _ in entries]


def _list(value: Any, place: str) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise _MalformedError(f"has no list in {place}")
    return value or []


def _mapping(value: Any, place: str) -> Mapping[str, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise _MalformedError(f"has no object in {place}")
    return value or {}


def _of_preview(steps: list[Any], unchanged: int) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The resources that there are after the steps; of a replacement the last step says most.

    Raises:
        UnreadableFile: when those that do not change are left out.
    """
    if unchanged > sum(isinstance(step, Mapping) and step.get("op") == "same" for step in steps):
        raise UnreadableFile(
            f"The preview has what changes alone, and a stack is judged whole. {_EXPECTED}"
        )
    after: dict[str, tuple[Mapping[str, Any], str]] = {}
    for i, written in enumerate(steps):
        step = _mapping(written, f"steps[{i}]")
        if step.get("op") in _GONE or step.get("newState") is None:
            continue
        place = f"steps[{i}].newState"
        after[str(step.get("urn"))] = _mapping(step["newState"], place), place
    yield from after.values()


def _of_plan(plans: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    for i, (urn, written) in enumerate(plans.items()):
        place = f"resourcePlans (number {i + 1})"
        plan = _mapping(written, place)
        steps = _list(plan.get("steps"), f"steps of {place}")
        if plan.get("goal") is None or (steps and all(step in _GONE for step in steps)):
            continue
        goal = _mapping(plan["goal"], f"goal of {place}")
        # Of a resource that exists already, a plan has the changed inputs alone, and all outputs.
        changes = _mapping(goal.get("inputDiff"), f"inputDiff of {place}")
        outputs = _mapping(plan.get("state"), f"state of {place}")
        adds, updates = (_mapping(changes.get(k), f"{k} of {place}") for k in ("adds", "updates"))
        yield (
            {**goal, "urn": urn, "inputs": {**outputs, **adds, **updates}, "outputs": outputs},
            place,
        )


def _resource(entry: Mapping[str, Any], properties: Any) -> Resource:
    urn = str(entry["urn"])
    type_ = str(entry.get("type") or urn.rsplit("::", 2)[-2].rpartition("$")[2])
    dependencies = _mapping(entry.get("propertyDependencies"), "propertyDependencies of a resource")
    return Resource(
        plain_type(type_),
        urn.rpartition("::")[2],
        decode(_mapping(properties, "inputs or outputs of a resource")),
        urn,
        bool(entry.get("protect")),
        {
            name: tuple(_list(urns, "propertyDependencies of a resource"))
            for name, urns in dependencies.items()
        },
    )

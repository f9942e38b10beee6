"""Kestra as a task of Amazon ECS: the containers of a task definition, as those of a pod.

Source: reference of the ECS API (ContainerDefinition): `environment` is shown to whoever may describe the task, `secrets` are
references to Secrets Manager or Parameter Store.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .core.model import Resource
from .core.values import Undecided, as_list, get_path, is_unknown, raw, reveal
from .pods import Container

TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
_PATH = "containerDefinitions"


Located = tuple[tuple[str, Any], ...]
"""Entries of `env`, each with its property."""


def task_containers(task: Resource) -> Iterator[tuple[Container, Located]]:
    """The containers of a task definition with the names that a pod's have, each with its variables.

    Raises:
        Undecided: when they are not known, or no JSON.
    """
    text = task.get_path(_PATH)
    if is_unknown(text):
        raise Undecided(_PATH)
    try:
        definitions = json.loads(str(reveal(text)))
    except ValueError:
        raise Undecided(_PATH) from None
    for position, own in enumerate(as_list(definitions)):
        if not isinstance(own, Mapping):
            continue
        path = f"{_PATH}.{position}"
        located = tuple((f"{path}.{where}", entry) for where, entry in _environment(own))
        props = {
            "image": raw(own, "image"),
            "command": as_list(raw(own, "entryPoint")),
            "args": as_list(raw(own, "command")),
            "env": [entry for _, entry in located],
        }
        yield Container(str(raw(own, "name")), path, props, "containers"), located


def _environment(own: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Property and entry of each variable, as a pod has it."""
    for position, entry in enumerate(as_list(raw(own, "environment"))):
        value = {"name": raw(entry, "name"), "value": raw(entry, "value")}
        yield f"environment.{position}", value
    for position, entry in enumerate(as_list(raw(own, "secrets"))):
        reference = {
            "name": raw(entry, "name"),
            "valueFrom": {"secret": get_path(entry, "valueFrom")},
        }
        yield f"secrets.{position}", reference

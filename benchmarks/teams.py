"""Ten stacks of a hundred secrets, each a team's, against one stack of a thousand: time, memory, size of the state."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.measure import Pair, Usage
from benchmarks.results import Result, of_pair, result
from benchmarks.rig import Change, Prepared, Rig

TEAMS, SECRETS = 10, 100
QUICK = (2, 10)
"""Teams and secrets of each with `--quick`."""
OPERATIONS = {"preview": "preview", "up": "up", "change": "up"}
"""Figure to the engine's operation, in this order on each new stack."""
_MIB = 1024 * 1024


def secrets_alone(name: str, count: int, changed: str = "") -> Change:
    """Has a stack be of secrets alone: so many of team `name`, in an engine of its own.

    Args:
        name: of the stack and of its team.
        count: of secrets.
        changed: what the value of the first one ends with.
    """

    def change(config: dict[str, Any]) -> None:
        del config["kestra:deployment"]["namespace"]
        del config["kestra:secret"]["vault"]["kubernetes"]
        config["kestra:identity"] = {"vault": {"mount-engine": True}}
        config["kestra:store"] = {"teams": {name: {"namespaces": [f"company.{name}"]}}}
        one = {"namespace": f"company.{name}", "tags": {"rotation": "external"}}
        config["kestra:declared-secrets"] = {
            f"SECRET_{n:05d}": one | {"value": f"of-no-worth-{n:05d}{'' if n else changed}"}
            for n in range(count)
        }

    return change


def teams(rig: Rig, count: int = TEAMS, secrets: int = SECRETS) -> Iterator[Result]:
    """Preview, first update, an update with one secret changed; and the states.

    A value is of all stacks of teams in turn (its memory the highest of one), the floor that of the one stack with all
    of their secrets; `each` is the median of one team's stack. The one secret that changes is in one stack: that one
    alone is updated.

    Args:
        rig: the servers.
        count: of teams.
        secrets: of each.
    """
    names = [f"team-{n}" for n in range(count)]
    sizes = dict.fromkeys(names, secrets) | {"all-teams": count * secrets}
    stacks = {name: _prepare(rig, name, size) for name, size in sizes.items()}
    whole = stacks.pop("all-teams")
    for figure, operation in OPERATIONS.items():
        if figure == "change":
            first = names[0]
            stacks = {first: _prepare(rig, first, secrets, "-2")}
            whole = _prepare(rig, "all-teams", count * secrets, "-2")
        used = [stack.operate(operation) for stack in stacks.values()]
        pair = Pair((_together(used),), (whole.operate(operation),))
        yield from of_pair(f"teams.{figure}", pair)
        each = Usage(
            *(statistics.median(values) for values in zip(*map(_fields, used), strict=True))
        )
        if figure != "change":
            yield from of_pair(f"teams.{figure}.each", Pair((each,), pair.floor))
    written = [rig.state.checkpoint(name).stat().st_size / _MIB for name in names]
    floor = rig.state.checkpoint("all-teams").stat().st_size / _MIB
    yield result("teams.state", sum(written), "MiB", floor)
    yield result("teams.state.each", statistics.median(written), "MiB", floor)


def _prepare(rig: Rig, name: str, count: int, changed: str = "") -> Prepared:
    return rig.prepare(
        name, "example-team-secrets", secrets_alone(name, count, changed), bare=False
    )


def _fields(usage: Usage) -> tuple[float, float, float]:
    return usage.seconds, usage.cpu, usage.mebibytes


def _together(used: Sequence[Usage]) -> Usage:
    """Commands one after another."""
    return Usage(
        sum(one.seconds for one in used),
        sum(one.cpu for one in used),
        max(one.mebibytes for one in used),
    )

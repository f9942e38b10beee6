"""What a person reads of a rollout that did not end: pods, events, last log lines, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .pod_problems import Problem, warnings_about
from .rollout_state import Rollout

#: Stands in every report, and in no server's own words.
MARK = "new pods are ready"
LOG_LINES, READ_LINES = 10, 200
"""Last lines of a container's log that are shown, and that are read: a value of several lines may begin before."""
_PROBLEMS, _EVENTS, _LONGEST = 3, 5, 400

Redact = Callable[[str], str]


def report(
    rollout: Rollout, logs: Mapping[Problem, str], redact: Redact, commands: Sequence[str]
) -> str:
    """The whole report, without secret values.

    Args:
        rollout: as it was when the wait ended.
        logs: the log of each container that has one to show.
        redact: takes secret values out of a text.
        commands: that show more.
    """
    problems = rollout.problems
    lines = [f"{rollout.ready} of {rollout.desired} {MARK}."]
    for problem in problems[:_PROBLEMS]:
        place = f"{problem.place}: " if problem.pod else ""
        message = f": {_short(redact(problem.message))}" if problem.message else ""
        lines.append(f"{place}{problem.reason}{message}")
        if text := logs.get(problem):
            # As one text, so that a value that lines cut is taken out too.
            lines.append(
                f"  The end of its log{' before the restart' * (problem.log == 'previous')}:"
            )
            lines += [f"    {_short(line)}" for line in redact(text).splitlines()[-LOG_LINES:]]
    if len(problems) > _PROBLEMS:
        lines.append(f"Pods with other problems: {len(problems) - _PROBLEMS} more.")
    shown = {problem.message for problem in problems}
    if events := [text for text, message in _events(rollout) if message not in shown]:
        lines += ["Events:", *(f"  {_short(redact(text))}" for text in events[-_EVENTS:])]
    lines.append(_what_serves(rollout))
    advice = list(dict.fromkeys(p.advice for p in problems[:_PROBLEMS] if p.advice))
    lines += [f"To go on: {text}" for text in advice or ("Look at what the pods say.",)]
    lines.append(
        "Then run the same command again. What the old pods refer to (ConfigMap, Secret) stays until all pods are new."
    )
    return "\n".join([*lines, "More:", *(f"  {command}" for command in commands)])


def wanted_logs(rollout: Rollout) -> list[Problem]:
    """The problems of which a container's log says more."""
    return [problem for problem in rollout.problems[:_PROBLEMS] if problem.log]


def secret_names(rollout: Rollout) -> list[str]:
    """The Secrets whose values the pods can have: variables, and files of volumes."""
    names: dict[str, None] = {}
    for pod in [*rollout.new_pods, *rollout.old_pods]:
        spec = pod.get("spec") or {}
        for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
            sources = [source.get("secretRef") for source in container.get("envFrom") or ()]
            sources += [
                (variable.get("valueFrom") or {}).get("secretKeyRef")
                for variable in container.get("env") or ()
            ]
            names |= {source["name"]: None for source in sources if source}
        for volume in spec.get("volumes") or ():
            if secret := volume.get("secret"):
                names[secret["secretName"]] = None
            for source in (volume.get("projected") or {}).get("sources") or ():
                if secret := source.get("secret"):
                    names[secret["name"]] = None
    return list(names)


def commands_for(namespace: object, selector: Mapping[str, Any]) -> list[str]:
    """The commands that show what the pods of a selector say."""
    chosen = ",".join(f"{name}={value}" for name, value in sorted(selector.items()))
    return [
        f"kubectl --namespace {namespace} describe pods --selector {chosen}",
        f"kubectl --namespace {namespace} logs --all-containers --selector {chosen}",
    ]


def _what_serves(rollout: Rollout) -> str:
    if rollout.serving:
        return f"Old pods that go on serving: {rollout.serving}."
    if rollout.ending:
        seconds = max(p["metadata"].get("deletionGracePeriodSeconds") or 0 for p in rollout.ending)
        names = ", ".join(pod["metadata"]["name"] for pod in rollout.ending)
        return f"Not ended yet: {names} (its tasks have up to {seconds} s). No other pod serves."
    if rollout.ready:
        return f"New pods that serve: {rollout.ready}."
    if rollout.strategy == "Recreate":
        return (
            "No pod serves: with the strategy Recreate the old pod ends before the new one starts."
        )
    return "No pod serves."


def _events(rollout: Rollout) -> list[tuple[str, str]]:
    """Each warning once, with how often it came, and its message; oldest first."""
    owners = [rollout.deployment, *([rollout.replica_set] if rollout.replica_set else [])]
    uids = [one["metadata"]["uid"] for one in [*owners, *rollout.new_pods]]
    counts: dict[tuple[str, str], int] = {}
    for event in warnings_about(uids, rollout.events):
        key = (str(event.get("reason", "")), str(event.get("message", "")))
        series = event.get("series") or {}
        # Behind those that came before it: the last ones are shown.
        counts[key] = counts.pop(key, 0) + (series.get("count") or event.get("count") or 1)
    return [
        (f"{reason}{f' ({count} times)' if count > 1 else ''}: {message}", message)
        for (reason, message), count in counts.items()
    ]


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"


def progress(rollouts: Iterable[tuple[str, Rollout]]) -> str:
    """What the Deployments wait for, in one line; empty when they wait for nothing."""
    waits = ((name, rollout.progress()) for name, rollout in rollouts)
    return "; ".join(f"{name}: {words}" for name, words in waits if words)

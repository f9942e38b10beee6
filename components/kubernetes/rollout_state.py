"""How far the rollout of a Deployment is, from the objects of its namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .pod_problems import Problem, is_ready, problem_of, problems_without_pods

Object = Mapping[str, Any]
_TEMPLATE_HASH = "pod-template-hash"


@dataclass(frozen=True)
class Rollout:
    """A Deployment and what belongs to it, at one moment."""

    deployment: Object
    replica_sets: Sequence[Object]
    pods: Sequence[Object]
    """Those of its ReplicaSets."""
    events: Sequence[Object]
    """Those of the namespace."""

    @classmethod
    def of(cls, name: str, objects: Iterable[Object]) -> Rollout | None:
        """The rollout of a Deployment; None where there is no such Deployment.

        Args:
            name: of the Deployment.
            objects: Deployments, ReplicaSets, Pods and Events of its namespace, in any order.
        """
        by_kind: dict[str, list[Object]] = {}
        for item in objects:
            by_kind.setdefault(str(item.get("kind")), []).append(item)
        deployment = next(
            (d for d in by_kind.get("Deployment", ()) if d["metadata"]["name"] == name), None
        )
        if deployment is None:
            return None
        replica_sets = _owned([deployment], by_kind.get("ReplicaSet", ()))
        pods = _owned(replica_sets, by_kind.get("Pod", ()))
        return cls(deployment, replica_sets, pods, by_kind.get("Event", ()))

    @property
    def desired(self) -> int:
        """How many pods there shall be."""
        return _part(self.deployment, "spec").get("replicas", 1)

    @property
    def strategy(self) -> str:
        """`Recreate` or `RollingUpdate`."""
        return _part(self.deployment, "spec", "strategy").get("type", "RollingUpdate")

    @property
    def is_observed(self) -> bool:
        """Whether the controller has seen the newest specification."""
        observed = _part(self.deployment, "status").get("observedGeneration", 0)
        return observed >= self.deployment["metadata"].get("generation", 0)

    @property
    def replica_set(self) -> Object | None:
        """That of the newest template. The revision names another one until the controller has made it."""
        template = _comparable(_part(self.deployment, "spec", "template"))
        same = [
            s for s in self.replica_sets if _comparable(_part(s, "spec", "template")) == template
        ]
        return min(same, key=lambda s: str(s["metadata"].get("creationTimestamp")), default=None)

    @property
    def new_pods(self) -> list[Object]:
        """Those of the newest template that nobody has asked to end."""
        current = self.replica_set
        pods = _owned([current], self.pods) if current else []
        return [pod for pod in pods if not pod["metadata"].get("deletionTimestamp")]

    @property
    def old_pods(self) -> list[Object]:
        """Those of older templates; some may be ending."""
        current = self.replica_set
        new = _owned([current], self.pods) if current else []
        return [pod for pod in self.pods if pod not in new]

    @property
    def ready(self) -> int:
        """How many of the new pods are ready."""
        return sum(map(is_ready, self.new_pods))

    @property
    def serving(self) -> int:
        """How many of the old pods are ready, and stay so."""
        return sum(
            is_ready(pod) and not pod["metadata"].get("deletionTimestamp") for pod in self.old_pods
        )

    @property
    def ending(self) -> list[Object]:
        """The old pods that were asked to end and have not."""
        return [pod for pod in self.old_pods if pod["metadata"].get("deletionTimestamp")]

    @property
    def is_paused(self) -> bool:
        """Whether somebody keeps the controller from rolling it out."""
        return bool(_part(self.deployment, "spec").get("paused"))

    @property
    def is_done(self) -> bool:
        """Whether all pods are new and ready."""
        rolled = self.is_observed and self.replica_set is not None and not self.is_paused
        left = self.ending if self.strategy == "Recreate" else []
        return rolled and self.ready >= self.desired and not (self.serving or left)

    @property
    def problems(self) -> list[Problem]:
        """What keeps the new pods from being ready; of pods with the same problem the first one."""
        distinct: dict[tuple[str, str, str], Problem] = {}
        if self.is_paused:
            paused = Problem(
                "Paused",
                "Somebody paused the Deployment: no new pod is made.",
                advice=f"`kubectl rollout resume deployment {self.deployment['metadata']['name']}` lets it go on.",
            )
            distinct[paused.kind] = paused
        for pod in self.new_pods:
            if not is_ready(pod) and (problem := problem_of(pod, self.events)):
                distinct.setdefault(problem.kind, problem)
        if not self.new_pods and self.desired and not self.is_paused:
            current = self.replica_set
            for problem in problems_without_pods(self.deployment, current, self.events):
                distinct.setdefault(problem.kind, problem)
        return list(distinct.values())

    def progress(self) -> str:
        """What is waited for, in a few words that quote no text of a server; empty when it is done."""
        if self.is_done:
            return ""
        if not self.is_observed:
            return "not seen by the Deployment controller yet"
        if self.strategy == "Recreate" and self.ending and not self.new_pods:
            return f"waiting for the old pod {self.ending[0]['metadata']['name']} to end"
        words = f"{self.ready} of {self.desired} new pods ready"
        if reasons := list(dict.fromkeys(problem.reason for problem in self.problems)):
            words += f" ({', '.join(reasons)})"
        if self.serving:
            words += f", {self.serving} old ones serve"
        return words


def _owned(owners: Sequence[Object], objects: Iterable[Object]) -> list[Object]:
    uids = {owner["metadata"]["uid"] for owner in owners}
    return [
        one
        for one in objects
        if any(o.get("uid") in uids for o in one["metadata"].get("ownerReferences") or ())
    ]


def _comparable(template: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pod template without the label by which a ReplicaSet tells its pods from others."""
    metadata = dict(_part(template, "metadata"))
    labels = {k: v for k, v in _part(metadata, "labels").items() if k != _TEMPLATE_HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _part(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for step in path:
        value = value.get(step) or {}
    return value

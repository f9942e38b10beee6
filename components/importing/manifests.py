"""Kubernetes objects that run Kestra: which pods and which container, what they are to each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from . import charts
from .assembly import Assembly
from .commands import Command, parse_command
from .images import is_kestra
from .kubernetes_objects import KubernetesObject, Objects, dig, listed
from .pod_volumes import claim_objects, with_claim_templates
from .workloads import Workload, group_name, words

_CONTROLLERS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout", "Pod")
_JOBS = ("Job", "CronJob")
_SERVER = re.compile(
    r"\bserver\s+(standalone|local|webserver|executor|indexer|scheduler|worker|controller)\b"
)
_PARTS = {
    "image": "image",
    "env": "env",
    "envFrom": "envFrom",
    "resources": "resources",
    "volumeMounts": "volumeMounts",
    "livenessProbe": "livenessProbe",
    "readinessProbe": "readinessProbe",
    "startupProbe": "startupProbe",
    "securityContext": "securityContext",
    "imagePullPolicy": "imagePullPolicy",
    "configuration": "volumeMounts",
    "command": "command",
    "enabled": "command",
}
#: What Kubernetes itself puts into a Deployment; `kubectl get` shows it.
_DEFAULT_STRATEGY = {
    "type": "RollingUpdate",
    "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
}


def workloads(objects: Objects, assembly: Assembly) -> list[Workload]:
    """The pods of Kestra's among the objects; the others are noted."""
    result: list[tuple[KubernetesObject, Workload]] = []
    for item in objects.of(*_CONTROLLERS, *_JOBS):
        if item.mapping("metadata").get("ownerReferences"):
            continue
        workload = _workload(item, objects, assembly) if item.kind in _CONTROLLERS else None
        if workload is not None:
            result.append((item, workload))
            continue
        why = (
            "a database or queue that Kestra uses is not made by the stack; it stays as it is"
            if _is_server(item)
            else "these pods are not Kestra's server; they are not touched"
        )
        assembly.note("not carried", item.title, why, origin=item.origin())
    return list(_of_one_installation(result, assembly))


def note_others(objects: Objects, assembly: Assembly) -> None:
    """Notes the pods of the inputs where the values of a release say which ones are Kestra's."""
    for item in objects.of(*_CONTROLLERS, *_JOBS):
        assembly.note(
            "not carried",
            item.title,
            "these pods stand beside the release's; they are not touched",
            origin=item.origin(),
        )


def _is_server(item: KubernetesObject) -> bool:
    text = str(item.get("spec", "template", "spec", "containers"))
    return (
        re.search(r"postgres|mysql|mariadb|kafka|elasticsearch|opensearch|minio", text) is not None
    )


def _of_one_installation(
    workloads_: list[tuple[KubernetesObject, Workload]], assembly: Assembly
) -> Iterator[Workload]:
    """One workload a component, all of one namespace."""
    if not workloads_:
        return
    namespace = workloads_[0][0].namespace
    if namespace is not None:
        item = workloads_[0][0]
        assembly.add_setting("deployment.namespace", namespace, item.origin("metadata.namespace"))
    seen: dict[str, KubernetesObject] = {}
    for item, workload in workloads_:
        if item.namespace not in (namespace, None) and namespace is not None:
            assembly.note(
                "not carried",
                item.title,
                f"it is of another namespace ({item.namespace}) than {namespace}, so of another installation",
                "import each installation by itself",
                item.origin("metadata.namespace"),
            )
        elif workload.target in seen:
            name = workload.group or workload.component
            assembly.note(
                "not carried",
                item.title,
                f"further pods of {name} beside {seen[workload.target].title}; the stack has one set of them",
                f"look at kestra:{workload.target}, replicas above all",
                item.origin(),
            )
        else:
            seen[workload.target] = item
            yield workload


def _workload(item: KubernetesObject, objects: Objects, assembly: Assembly) -> Workload | None:
    template = item.document if item.kind == "Pod" else item.mapping("spec", "template")
    pod = dig(template, "spec")
    containers = [c for c in listed(pod, "containers") if isinstance(c, Mapping)]
    index = _kestras(containers)
    if index is None or not isinstance(pod, Mapping):
        return None
    container = dict(containers[index])
    if item.kind == "StatefulSet":
        pod = with_claim_templates(pod, item)
        for claim in claim_objects(item):
            objects.add(claim, item.file)
    if item.kind in ("DaemonSet", "Pod", "Rollout"):
        why = f"a {item.kind} ran it; the stack makes a Deployment"
        assembly.note("changed", item.title, why, origin=item.origin("kind"))
    container["image"] = _replaced(str(container.get("image", "")), objects)
    command = parse_command(words(container))
    component, key = _component(item, container, command)
    at = "spec" if item.kind == "Pod" else "spec.template.spec"
    places = {
        part: f"{item.title}: {at}.containers[{index}].{name}" for part, name in _PARTS.items()
    }
    places["podSecurityContext"] = f"{item.title}: {at}.securityContext"
    labels = dig(template, "metadata", "labels")
    labels = labels if isinstance(labels, Mapping) else {}
    selector = item.mapping("spec", "selector", "matchLabels")
    annotations = dig(template, "metadata", "annotations")
    others = [c for i, c in enumerate(containers) if i != index]
    strategy = item.get("spec", "strategy") or item.get("spec", "updateStrategy")
    if pod.get("schedulerName") == "default-scheduler":
        pod = {k: v for k, v in pod.items() if k != "schedulerName"}
    return Workload(
        component=component,
        group=group_name(key),
        group_key=key,
        file=item.file,
        prefix=f"{item.title}: ",
        pod={**pod, "containers": others},
        container=container,
        annotations=annotations if isinstance(annotations, Mapping) else {},
        labels={k: v for k, v in labels.items() if k not in selector},
        replicas=item.get("spec", "replicas"),
        strategy=strategy if strategy not in (None, _DEFAULT_STRATEGY) else None,
        places=places,
        names=frozenset((item.name,)),
        match_labels=labels,
    )


def _replaced(image: str, objects: Objects) -> str:
    """The image that a kustomization puts in place of another."""
    name, at, digest = image.partition("@")
    front, slash, last = name.rpartition("/")
    base, _, tag = last.partition(":")
    repository = f"{front}{slash}{base}"
    for change in objects.images:
        if change.get("name") != repository:
            continue
        repository = str(change.get("newName") or repository)
        if change.get("newTag"):
            tag, at, digest = str(change["newTag"]), "", ""
        if change.get("digest"):
            at, digest = "@", str(change["digest"])
    return f"{repository}{':' + tag if tag else ''}{at}{digest}"


def _kestras(containers: list[Mapping[str, Any]]) -> int | None:
    """The position of Kestra's container: the one with a server of it, else with its image, else of its name."""

    def first(test: Any) -> int | None:
        return next((i for i, c in enumerate(containers) if test(c)), None)

    def is_server(container: Mapping[str, Any]) -> bool:
        return _SERVER.search(" ".join(words(container))) is not None and (
            "kestra" in str(container.get("image", "")) + str(container.get("name", ""))
            or "kestra" in " ".join(words(container))
        )

    for test in (
        is_server,
        lambda c: is_kestra(str(c.get("image", ""))) and "operator" not in str(c.get("image")),
    ):
        index = first(test)
        if index is not None:
            return index
    return None


def _component(
    item: KubernetesObject, container: Mapping[str, Any], command: Command
) -> tuple[str, str]:
    """The server component, and the worker group."""
    component = command.component
    if not component and (match := _SERVER.search(" ".join(words(container)))):
        component = match.group(1)
    if component == "local":
        component = "standalone"
    if component not in charts.COMPONENTS:
        named = f"{item.name} {container.get('name', '')}"
        component = next((n for n in charts.COMPONENTS if n in named), "standalone")
    return component, command.worker_group if component == "worker" else ""

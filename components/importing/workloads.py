"""Pods that run Kestra, in Kubernetes' own form, and what the program's settings make of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..settings.credentials import credential_sign
from . import pull_secrets
from .assembly import Assembly
from .commands import parse_command
from .installation import Origin, Sourced
from .kubernetes_objects import as_list, as_mapping, dig, number, scalar_text
from .restricted_pods import container_refusal, note_decided, volume_refusal
from .secret_values import is_secret_text

#: Options of pods that are carried as they are: Kubernetes' name to the setting's.
OPTIONS = {
    "nodeSelector": "node-selector",
    "tolerations": "tolerations",
    "affinity": "affinity",
    "topologySpreadConstraints": "topology-spread-constraints",
    "priorityClassName": "priority-class",
    "annotations": "annotations",
    "labels": "labels",
    "volumes": "extra-volumes",
    "volumeMounts": "extra-volume-mounts",
    "initContainers": "init-containers",
    "containers": "extra-containers",
    "hostAliases": "host-aliases",
    "dnsConfig": "dns-config",
    "runtimeClassName": "runtime-class",
}

_CPU = re.compile(r"[0-9]+m|[0-9]+(\.[0-9]+)?")
_MEMORY = re.compile(r"[0-9]+(\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?")


@dataclass(frozen=True)
class Workload:
    """The pods of one component, or of one worker group."""

    component: str
    file: str
    prefix: str
    """What stands before the name of a part in the report: `deployments.worker.`, `Deployment kestra: `."""
    pod: Mapping[str, Any] = field(repr=False)
    """The pod's specification."""
    container: Mapping[str, Any] = field(repr=False)
    """Kestra's container in it."""
    group: str = ""
    """The worker group, as a name of objects; empty: none."""
    group_key: str = ""
    """The key of the group in Kestra, where it is another than the name."""
    annotations: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Any] = field(default_factory=dict)
    replicas: Any = None
    strategy: Any = None
    places: Mapping[str, str] = field(default_factory=dict)
    """Part to where the input decides it, where that is not `prefix` and the part's name."""
    is_tag_of_chart: bool = False
    """Whether the chart's release gives the image its tag where the values have none."""
    names: frozenset[str] = frozenset()
    """Names by which autoscalers point at it."""
    match_labels: Mapping[str, Any] = field(default_factory=dict)
    """All labels of its pods, by which Services and budgets choose them."""

    @property
    def target(self) -> str:
        """The setting below which its own options stand."""
        if self.group:
            return f"deployment.worker-groups.{self.group}"
        return f"deployment.components.{self.component}"

    def place(self, part: str) -> str:
        """Where the input decides a part: `common.nodeSelector`."""
        return self.places.get(part, self.prefix + part)

    def origin(self, part: str) -> Origin:
        """The origin of a part."""
        return Origin(self.file, self.place(part))


def words(container: Mapping[str, Any]) -> list[str]:
    """The words of a container's command and arguments."""
    return [
        str(word)
        for part in ("command", "args")
        for word in as_list(container.get(part))
        if isinstance(word, (str, int, float))
    ]


def add_workloads(
    workloads: Sequence[Workload], scaled: frozenset[str], assembly: Assembly
) -> None:
    """Adds what pods have beside configuration and variables: the mode, sizes, images, options.

    Args:
        workloads: with those volumes alone that are to be carried.
        scaled: names of workloads that an autoscaler scales.
        assembly: where everything goes.
    """
    _add_images(workloads, assembly)
    _add_mode(workloads, assembly)
    for workload in workloads:
        _add_command(workload, assembly)
        _add_resources(workload, assembly)
        if not scaled & workload.names:
            _add_replicas(workload, assembly)
        note_decided(workload, assembly)
    for part, option in OPTIONS.items():
        values = {w.target: _carried(w, part, assembly) for w in workloads}
        origins = {w.target: w.origin(part) for w in workloads}
        spread(assembly, option, values, origins)


def spread(
    assembly: Assembly,
    option: str,
    values: Mapping[str, Any],
    origins: Mapping[str, Origin],
) -> None:
    """Sets an option: what all pods share for all of them, the rest for each.

    Options of a component add to those of `deployment`: maps key by key, lists item by item.

    Args:
        assembly: where it is set.
        option: the setting's name: `node-selector`.
        values: `deployment.components.worker` to the value; empty where it has none.
        origins: the same to where the value stands.
    """
    shared: Any = None
    candidates = list(values.values())
    first: Any = candidates[0] if candidates else None
    if all(value == first for value in candidates):
        shared = first
    elif all(isinstance(value, Mapping) for value in candidates) and option != "affinity":
        shared = {k: v for k, v in first.items() if all(o.get(k) == v for o in candidates)}
    elif all(isinstance(value, list) for value in candidates):
        shared = [item for item in first if all(item in other for other in candidates)]
    if shared:
        origin = next(iter(origins.values()))
        assembly.add_setting(f"deployment.{option}", sourced(shared, origin), origin)
    for target, value in values.items():
        rest = _without(value, shared)
        if rest:
            origin = origins[target]
            assembly.add_setting(f"{target}.{option}", sourced(rest, origin), origin)


def group_name(key: str) -> str:
    """The key of a worker group as a name of objects: lower-case letters, digits and `-`, 40 at most."""
    return re.sub(r"[^a-z0-9-]", "-", key.lower())[:40].strip("-")


def sourced(node: Any, origin: Origin) -> Any:
    """A value in Kubernetes' form whose leaves know where they came from."""
    if isinstance(node, Mapping):
        return {str(key): sourced(item, origin) for key, item in node.items() if item is not None}
    if isinstance(node, list):
        return [sourced(item, origin) for item in node if item is not None]
    return Sourced(node, origin)


def _add_command(workload: Workload, assembly: Assembly) -> None:
    entries = [e for e in as_list(workload.container.get("env")) if isinstance(e, Mapping)]
    variables = {str(e.get("name")): scalar_text(e.get("value")) for e in entries}
    command = parse_command(words(workload.container), variables)
    origin = workload.origin("command")
    if not workload.group:
        assembly.apply_command(command, origin, workload.component)
        return
    if workload.group_key and workload.group_key != workload.group:
        assembly.add_setting(f"{workload.target}.key", workload.group_key, origin)
    if command.threads is not None:
        assembly.add_setting(f"{workload.target}.worker-threads", command.threads, origin)
    if command.arguments:
        arguments = sourced(command.arguments, origin)
        assembly.add_setting(f"{workload.target}.extra-args", arguments, origin)
    for what, why, fix in command.lost:
        assembly.note("not carried", what, why, fix, origin)


def _without(value: Any, shared: Any) -> Any:
    if not shared:
        return value
    if isinstance(value, Mapping) and isinstance(shared, Mapping):
        return {k: v for k, v in value.items() if k not in shared or shared[k] != v}
    if isinstance(value, list) and isinstance(shared, list):
        return [item for item in value if item not in shared]
    return None if value == shared else value


def _add_mode(workloads: Sequence[Workload], assembly: Assembly) -> None:
    components = {w.component: w for w in workloads if not w.group}
    groups = [w for w in workloads if w.group]
    if groups and "edition" not in assembly.installation.settings:
        # Open-source Kestra has one pool of workers.
        assembly.add_setting("edition", "enterprise", groups[0].origin("enabled"))
    if set(components) <= {"standalone"} and not groups:
        assembly.add_setting("deployment.mode", "standalone", workloads[0].origin("enabled"))
        return
    others = [w for w in workloads if w.component != "standalone"]
    assembly.add_setting("deployment.mode", "distributed", others[0].origin("enabled"))
    for name in ("webserver", "executor", "scheduler", "indexer", "worker"):
        if name not in components:
            any_other = others[0]
            place = re.sub(re.escape(any_other.component), name, any_other.prefix).rstrip(": .")
            assembly.note(
                "changed",
                place if name in place else name,
                f"mode distributed has {'an' if name[0] in 'ei' else 'a'} {name}, which the installation did not run as pods of its own",
                f"for none of it: pulumi config set --path 'kestra:deployment.components.{name}.replicas' 0",
                Origin(any_other.file),
            )
    if "standalone" in components:
        standalone = components["standalone"]
        assembly.note(
            "changed",
            standalone.prefix.rstrip(": ."),
            "a standalone server ran beside pods of single components; the stack runs one mode, distributed, and "
            "what was set for the standalone server is not carried",
            "pulumi config set --path kestra:deployment.mode standalone, for the standalone server alone",
            standalone.origin("enabled"),
        )


def _add_resources(workload: Workload, assembly: Assembly) -> None:
    resources = workload.container.get("resources")
    for kind in ("requests", "limits"):
        for name, value in as_mapping(dig(resources, kind)).items():
            text, origin = scalar_text(value), workload.origin("resources")
            form = {"cpu": _CPU, "memory": _MEMORY}.get(name)
            if form is not None and text is not None and form.fullmatch(text):
                assembly.add_setting(f"{workload.target}.resources.{kind}.{name}", text, origin)
            elif text is not None:
                assembly.note(
                    "not carried",
                    f"{workload.place('resources')}.{kind}.{name}",
                    "pods of the stack ask for cpu and memory only, in the usual units",
                    origin=origin,
                )


def _add_replicas(workload: Workload, assembly: Assembly) -> None:
    replicas = number(workload.replicas)
    if replicas is not None and replicas != 1:
        assembly.add_setting(f"{workload.target}.replicas", replicas, workload.origin("replicas"))


def _add_images(workloads: Sequence[Workload], assembly: Assembly) -> None:
    first: Workload | None = None
    for workload in workloads:
        image = workload.container.get("image")
        if not isinstance(image, str) or not image:
            continue
        if first is None:
            first = workload
            _add_image(image, workload, assembly)
        elif image != first.container["image"]:
            assembly.note(
                "changed",
                workload.place("image"),
                f"{workload.component} ran another image than {first.component}; all components of the stack run one",
                "look at kestra:deployment.image",
                workload.origin("image"),
            )
    for workload in workloads:
        names = pull_secrets.names_of(workload.pod.get("imagePullSecrets"))
        pull_secrets.add(names, workload.origin("imagePullSecrets"), assembly)
    policy = next((w for w in workloads if w.container.get("imagePullPolicy")), None)
    if policy is not None and policy.container["imagePullPolicy"] in ("Always", "Never"):
        assembly.add_setting(
            "deployment.image.pull-policy",
            policy.container["imagePullPolicy"],
            policy.origin("imagePullPolicy"),
        )


def _add_image(image: str, workload: Workload, assembly: Assembly) -> None:
    origin = workload.origin("image")
    if workload.is_tag_of_chart and ":" not in image.rpartition("/")[2] and "@" not in image:
        # The chart adds a tag that no input says; without one the reference would mean `latest`.
        assembly.add_setting("deployment.image.repository", image, origin)
        if "kestra-ee" in image:
            assembly.add_setting("edition", "enterprise", origin)
    else:
        assembly.add_image(image, origin)


def _carried(workload: Workload, part: str, assembly: Assembly) -> Any:
    """The value of an option as the stack can have it; parts that it cannot are noted."""
    if part == "annotations":
        kept = {k: v for k, v in workload.annotations.items() if not _is_mark(str(k))}
        return annotation_texts(kept, workload.origin(part), assembly)
    if part == "labels":
        return {k: str(v) for k, v in workload.labels.items() if not _is_own_label(str(k))}
    if part == "volumeMounts":
        return as_list(workload.container.get(part))
    value = workload.pod.get(part)
    if part not in ("volumes", "initContainers", "containers"):
        return value
    refusal: Callable[[Mapping[str, Any]], str] = (
        volume_refusal if part == "volumes" else container_refusal
    )
    kept = []
    for item in as_list(value):
        if not isinstance(item, Mapping):
            continue
        why = refusal(item)
        if why:
            assembly.note(
                "not carried",
                f"{workload.place(part)}: {item.get('name', '?')}",
                why,
                origin=workload.origin(part),
            )
        else:
            kept.append(item)
    return kept


def annotation_texts(
    annotations: Mapping[str, Any], origin: Origin, assembly: Assembly
) -> dict[str, str]:
    """Annotations as texts, without those that are a credential: no setting keeps an annotation secret."""
    result = {}
    for name, value in annotations.items():
        text = scalar_text(value) or ""
        # The name of a Secret is none itself (`nginx.ingress.kubernetes.io/auth-secret`).
        is_name_of_secret = str(name).endswith("secret") and not is_secret_text(text)
        if not is_name_of_secret and (credential_sign(str(name), text) or is_secret_text(text)):
            assembly.note(
                "not carried",
                f"{origin.place}: annotation {name}",
                "it looks like a credential, and everybody who may read the object reads it",
                "keep it in a Secret",
                origin,
            )
        else:
            result[str(name)] = text
    return result


def _is_mark(annotation: str) -> bool:
    """Whether an annotation was written by a tool to make pods start again."""
    return annotation.startswith(("checksum/", "kubectl.kubernetes.io/", "rollme"))


def _is_own_label(label: str) -> bool:
    return label.startswith(("app.kubernetes.io/", "helm.sh/", "pod-template-hash", "kestra.io/"))

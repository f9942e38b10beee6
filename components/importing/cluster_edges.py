"""Objects around the pods: ingress, services, accounts, autoscalers, budgets, monitors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from . import pull_secrets
from .assembly import Assembly
from .cluster_ingress import add_ingress, add_route
from .kubernetes_objects import KubernetesObject, Objects, dig, number
from .workloads import Workload, annotation_texts, sourced

#: Kinds that the program has other means for, or none; what to do.
_NAMED = {
    "NetworkPolicy": "the stack has network policies of its own (kestra:deployment.network-policy)",
    "Role": "the stack gives Kestra's account no rights in the cluster; apply it beside the stack",
    "RoleBinding": "the stack gives Kestra's account no rights in the cluster; apply it beside the stack",
    "ClusterRole": "the stack gives Kestra's account no rights in the cluster; apply it beside the stack",
    "ClusterRoleBinding": "the stack gives Kestra's account no rights in the cluster; apply it beside the stack",
    "IngressRoute": "the stack makes an Ingress or an HTTPRoute; set kestra:deployment.ingress",
    "VirtualService": "the stack makes an Ingress or an HTTPRoute; set kestra:deployment.http-route",
    "Gateway": "the stack makes no gateway, only a route to one (kestra:deployment.http-route)",
    "Route": "the stack makes an Ingress or an HTTPRoute; set kestra:deployment.ingress",
    "ScaledObject": "set kestra:deployment.components.worker.autoscaling, or apply it beside the stack",
}
#: Kinds whose part in the installation is read where pods name them, or that say nothing.
_SILENT = frozenset(
    (
        "ConfigMap", "Secret", "ServiceAccount", "Namespace", "PersistentVolumeClaim", "ExternalSecret",
        "SealedSecret", "SecretStore", "ClusterSecretStore", "VaultStaticSecret", "OnePasswordItem",
        "InfisicalSecret", "Certificate", "Kustomization", "HelmRepository", "OCIRepository",
        "GitRepository", "HelmRelease", "Application", "ApplicationSet", "AppProject", "HelmChart",
        "HelmChartConfig", "Release", "Component", "HelmChartInflationGenerator",
    )
)  # fmt: skip


def add_edges(workloads: Sequence[Workload], objects: Objects, assembly: Assembly) -> None:
    """Adds what objects around the pods set, and notes the objects that are not carried over."""
    kestra = _services(workloads, objects)
    for item in objects.of("Service"):
        if item in kestra:
            _note_service(item, assembly)
        else:
            assembly.note(
                "not carried",
                item.title,
                "a Service of other pods; it is not touched",
                origin=item.origin(),
            )
    add_ingress(objects, kestra, assembly)
    for item in objects.of("HTTPRoute"):
        add_route(item, assembly)
    for item in objects.of("HorizontalPodAutoscaler"):
        _add_autoscaler(item, workloads, assembly)
    for item in objects.of("PodDisruptionBudget"):
        _add_budget(item, workloads, assembly)
    for item in objects.of("ServiceMonitor", "PodMonitor"):
        _add_monitor(item, assembly)
    _add_account(workloads, objects, assembly)
    _note_the_rest(objects, assembly)


def _services(workloads: Sequence[Workload], objects: Objects) -> list[KubernetesObject]:
    labels = [dict(w.match_labels) for w in workloads]
    result = []
    for item in objects.of("Service"):
        selector = item.mapping("spec", "selector")
        selects = any(selector.items() <= own.items() for own in labels)
        if item.label or (selector and selects):
            result.append(item)
    return result


def _note_service(item: KubernetesObject, assembly: Assembly) -> None:
    kind = item.get("spec", "type")
    origin = item.origin("spec")
    if kind in ("NodePort", "LoadBalancer", "ExternalName"):
        assembly.note(
            "not carried",
            f"{item.title}: type {kind}",
            f"was of type {kind}; the stack's Service is of type ClusterIP, and an Ingress or HTTPRoute leads to it",
            "set kestra:deployment.ingress or kestra:deployment.http-route",
            origin,
        )
    for port in item.sequence("spec", "ports"):
        node, name = number(dig(port, "nodePort")), dig(port, "name")
        own = number(dig(port, "port"))
        is_management = name == "management" or own == 8081
        if node:
            why = f"nodePort {node} led to port {own} ({'management' if is_management else 'http'}) on every node; the stack opens no node port"
            if is_management:
                why += ", and its management port is open to kestra:deployment.network-policy alone"
            assembly.note(
                "changed", f"{item.title}: nodePort {node}", why, origin=item.origin("spec.ports")
            )
        elif name == "grpc":
            assembly.note(
                "changed",
                f"{item.title}: ports.grpc",
                f"the stack makes the Service for workers (port {own}) by itself; no setting is needed",
                origin=item.origin("spec.ports"),
            )
    for part in ("loadBalancerIP", "loadBalancerSourceRanges", "externalIPs"):
        if item.get("spec", part):
            assembly.note(
                "not carried",
                f"{item.title}: {part}",
                "the stack's Service is reached inside the cluster only",
                origin=origin,
            )
    if item.mapping("metadata", "annotations"):
        assembly.note(
            "not carried",
            f"{item.title}: annotations",
            "the stack's Service has no annotations of yours",
            origin=origin,
        )


_METRICS = ("cpu", "memory", "Resource", "ContainerResource", "Pods", "Object", "External")


def _owner(item: KubernetesObject, workloads: Sequence[Workload], name: Any) -> Workload | None:
    return next((w for w in workloads if str(name) in w.names), None)


def _add_autoscaler(
    item: KubernetesObject, workloads: Sequence[Workload], assembly: Assembly
) -> None:
    target = _owner(item, workloads, item.get("spec", "scaleTargetRef", "name"))
    if target is None:
        why = "it scales no pods of Kestra's that the inputs hold"
        assembly.note("not carried", item.title, why, origin=item.origin())
        return
    least = number(item.get("spec", "minReplicas")) or 1
    most = number(item.get("spec", "maxReplicas")) or 1
    at, origin = f"{target.target}.autoscaling", item.origin("spec")
    assembly.add_setting(f"{at}.min-replicas", least, origin)
    assembly.add_setting(f"{at}.max-replicas", most, origin)
    carried = {}
    for metric in item.sequence("spec", "metrics"):
        name = dig(metric, "resource", "name")
        shown = name or dig(metric, "type")
        share = dig(metric, "resource", "target", "averageUtilization")
        share = share or dig(metric, "resource", "targetAverageUtilization")
        if name in ("cpu", "memory") and isinstance(share, int):
            carried[name] = share
        else:
            assembly.note(
                "not carried",
                f"{item.title}: metric {shown if shown in _METRICS else 'of another kind'}",
                "the stack scales by the share of cpu and memory that pods use",
                f"kestra:{at}.cpu-percentage and memory-percentage",
                origin,
            )
    if share := item.get("spec", "targetCPUUtilizationPercentage"):
        carried["cpu"] = share
    if not item.sequence("spec", "metrics") and not carried:
        # Kubernetes' own default.
        carried["cpu"] = 80
    for name, share in carried.items():
        assembly.add_setting(f"{at}.{name}-percentage", share, origin)
    if item.get("spec", "behavior"):
        why = "the stack leaves the speed of scaling to Kubernetes"
        assembly.note("not carried", f"{item.title}: behavior", why, origin=origin)
    assembly.note(
        "changed",
        item.title,
        f"the autoscaler of {least} to {most} pods is carried: the stack makes one of its own, so a number of "
        "replicas is not",
        f"kestra:{at}",
        origin,
    )


def _add_budget(item: KubernetesObject, workloads: Sequence[Workload], assembly: Assembly) -> None:
    selector = item.mapping("spec", "selector", "matchLabels")
    selected = [
        w for w in workloads if item.label or selector.items() <= dict(w.match_labels).items()
    ]
    if not selected:
        why = "it is for no pods of Kestra's that the inputs hold"
        assembly.note("not carried", item.title, why, origin=item.origin())
        return
    everything = len(selected) == len(workloads)
    for target in ["deployment"] if everything else [w.target for w in selected]:
        for part, option in (
            ("minAvailable", "min-available"),
            ("maxUnavailable", "max-unavailable"),
        ):
            value = item.get("spec", part)
            if value is not None:
                at = f"{target}.disruption-budget.{option}"
                assembly.add_setting(at, value, item.origin(f"spec.{part}"))
                break


def _add_monitor(item: KubernetesObject, assembly: Assembly) -> None:
    kind = "pod-monitor" if item.kind == "PodMonitor" else "service-monitor"
    at, origin = "deployment.monitoring", item.origin("spec")
    assembly.add_setting(f"{at}.kind", kind, origin)
    ends = item.sequence("spec", "endpoints") or item.sequence("spec", "podMetricsEndpoints")
    interval = next((dig(end, "interval") for end in ends if dig(end, "interval")), None)
    if isinstance(interval, str):
        assembly.add_setting(f"{at}.interval", interval, origin)
    if labels := item.mapping("metadata", "labels"):
        values = {str(k): str(v) for k, v in labels.items()}
        assembly.add_setting(f"{at}.labels", sourced(values, origin), origin)


def _add_account(workloads: Sequence[Workload], objects: Objects, assembly: Assembly) -> None:
    first = next((w for w in workloads if not w.group), None)
    name = first.pod.get("serviceAccountName") if first is not None else None
    for workload in workloads:
        own = workload.pod.get("serviceAccountName")
        if not isinstance(own, str) or own == name:
            continue
        if workload.group:
            at = f"{workload.target}.service-account.name"
            assembly.add_setting(at, own, workload.origin("serviceAccountName"))
        else:
            assembly.note(
                "changed",
                workload.place("serviceAccountName"),
                f"{workload.component} had the account {own}; all components of the stack have one account",
                "look at kestra:identity.service-account",
                workload.origin("serviceAccountName"),
            )
    for item in objects.of("ServiceAccount"):
        # Kubernetes gives them to every pod of the account.
        if first is not None and item.name == (name or "default"):
            names = pull_secrets.names_of(item.get("imagePullSecrets"))
            pull_secrets.add(names, item.origin("imagePullSecrets"), assembly)
    if first is None or not isinstance(name, str) or name == "default":
        return
    at = "identity.service-account"
    assembly.add_setting(f"{at}.name", name, first.origin("serviceAccountName"))
    for item in objects.of("ServiceAccount"):
        if item.name == name and (annotations := item.mapping("metadata", "annotations")):
            origin = item.origin("annotations")
            values = annotation_texts(annotations, origin, assembly)
            assembly.add_setting(f"{at}.annotations", sourced(values, origin), origin)


def _note_the_rest(objects: Objects, assembly: Assembly) -> None:
    handled: Callable[[str], bool] = _SILENT.__contains__
    read = [
        "Service",
        "Ingress",
        "HTTPRoute",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "ServiceMonitor",
        "PodMonitor",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Pod",
        "Rollout",
    ]
    for item in objects.all:
        if handled(item.kind) or item.kind in read:
            continue
        why = _NAMED.get(item.kind, "the stack makes no such object; it is not touched")
        assembly.note("not carried", item.title, why, origin=item.origin())

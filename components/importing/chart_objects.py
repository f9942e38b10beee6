"""Objects beside the pods that the Helm chart makes of its values, in Kubernetes' own form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .assembly import Assembly
from .chart_values import Values
from .documents import Unreadable, load_documents
from .helm import Release
from .kubernetes_objects import KubernetesObject, as_mapping, listed
from .workloads import annotation_texts, sourced

_PRIVILEGED = (
    "Docker in Docker (dind) is a privileged container beside Kestra's, in every mode of the chart; Pod Security "
    "restricted, which the namespace enforces, refuses it"
)


def add_chart_objects(release: Release, components: Mapping[str, str], assembly: Assembly) -> None:
    """Adds the objects that the chart makes to those of the release, and notes what has no object.

    Args:
        release: with its values.
        components: the release's running deployments and worker groups, name to server component.
        assembly: where notes go.
    """
    values = release.values
    _add_ingress(release)
    _add_service(release)
    _add_autoscalers(release, components)
    _add_account(release, assembly)
    _note_dind(release, components, assembly)
    _add_extra_manifests(release, assembly)
    if values.get("operator", "enabled"):
        assembly.note(
            "not carried",
            "operator",
            "the stack makes no Kestra operator",
            "install the chart kestra-operator beside the stack",
            values.origin("operator"),
        )
    if ports := values.sequence("extraPorts"):
        why = f"{len(ports)} further ports of the containers; the stack opens Kestra's own only"
        assembly.note("not carried", "extraPorts", why, origin=values.origin("extraPorts"))


def _add(release: Release, kind: str, label: str, spec: Any, annotations: Any = None) -> None:
    document = {"kind": kind, "metadata": {"name": label}, "spec": spec}
    if annotations:
        document["metadata"]["annotations"] = annotations
    file = release.values.origin(*label.split(".")).file
    release.objects.all.append(KubernetesObject(document, file, is_of_release=True, label=label))


def _add_ingress(release: Release) -> None:
    ingress = release.values.mapping("ingress")
    if not ingress.get("enabled"):
        return
    rules = []
    for host in listed(ingress, "hosts"):
        paths = [p if isinstance(p, Mapping) else {"path": p} for p in listed(host, "paths")]
        name = host.get("host") if isinstance(host, Mapping) else host
        rules.append({"host": name, "http": {"paths": paths}})
    spec = {
        "ingressClassName": ingress.get("className") or None,
        "rules": rules,
        "tls": ingress.get("tls") or [],
    }
    _add(release, "Ingress", "ingress", spec, ingress.get("annotations"))


def _add_service(release: Release) -> None:
    service = release.values.mapping("service")
    ports = [
        {"name": name} | dict(port)
        for name, port in as_mapping(service.get("ports")).items()
        if isinstance(port, Mapping)
    ]
    spec = {"type": service.get("type"), "ports": ports}
    for part in ("loadBalancerIP", "loadBalancerSourceRanges", "externalIPs"):
        if service.get(part):
            spec[part] = service[part]
    if service:
        _add(release, "Service", "service", spec, service.get("annotations"))


def _add_autoscalers(release: Release, components: Mapping[str, str]) -> None:
    values = release.values
    common = values.get("common", "autoscaler")
    for name in components:
        blocks = ("deployments", "workerGroups", "workerGroup")
        where = next((b for b in blocks if values.get(b, name) is not None), "deployments")
        own = values.get(where, name, "autoscaler")
        # A deployment's own replaces the shared one as a whole.
        scaler = own or common
        if not isinstance(scaler, Mapping) or not scaler.get("enabled"):
            continue
        spec = {
            "scaleTargetRef": {"name": name},
            "minReplicas": scaler.get("minReplicas") or 1,
            "maxReplicas": scaler.get("maxReplicas") or 1,
            "metrics": scaler.get("metrics") or [],
        }
        label = f"{where}.{name}.autoscaler" if own else "common.autoscaler"
        _add(release, "HorizontalPodAutoscaler", label, spec | as_mapping(scaler.get("extra")))


def _add_account(release: Release, assembly: Assembly) -> None:
    values = release.values
    account = values.mapping("serviceAccount")
    name = account.get("name") or values.get("serviceAccountName")
    annotations = as_mapping(account.get("annotations"))
    at = "identity.service-account"
    if release.generation != "0.x" and account.get("create") is not False:
        own = name if isinstance(name, str) and name else release.fullname
        assembly.installation.release_account = own or "kestra"
    if not name and annotations and release.fullname:
        # Trust of a cloud role names the account, so it must keep the name that the chart gave it.
        name = release.fullname
    if isinstance(name, str) and name:
        assembly.add_setting(f"{at}.name", name, values.origin("serviceAccount"))
    elif annotations:
        assembly.note(
            "changed",
            "serviceAccount.name",
            "the chart names the account after the release, whose name no input says; a cloud role trusts an account "
            "by its name",
            f"set kestra:{at}.name to the name that the account had, or change the role's trust",
            values.origin("serviceAccount"),
        )
    if annotations:
        origin = values.origin("serviceAccount")
        texts = annotation_texts(annotations, origin, assembly)
        assembly.add_setting(f"{at}.annotations", sourced(texts, origin), origin)
    exists = account.get("create") is False or values.get("serviceAccountName")
    if exists and name:
        assembly.note(
            "not carried",
            "serviceAccount.create" if account else "serviceAccountName",
            f"the account {name} was made outside the chart; the stack makes an account of that name, so the two "
            "clash in one namespace",
            f"remove the old account first, or import it, or choose another name (kestra:{at}.name)",
            values.origin("serviceAccount"),
        )


def _note_dind(release: Release, components: Mapping[str, str], assembly: Assembly) -> None:
    """The chart puts Docker beside workers and standalone servers unless its values say no."""
    values = release.values
    if values.get("dind", "enabled", default=True) is False:
        return
    with_docker = [
        name
        for name, component in components.items()
        if component == "worker"
        or (
            component == "standalone"
            and values.get("deployments", "standalone", "dind", "enabled", default=True)
            is not False
        )
    ]
    if with_docker:
        default = "" if "dind" in values.tree else " (the chart's default)"
        assembly.note(
            "not carried",
            "dind",
            f"{_PRIVILEGED}{default}; it ran beside {', '.join(with_docker)}",
            "run tasks with the Kubernetes or process task runner",
            values.origin("dind"),
        )


def _add_extra_manifests(release: Release, assembly: Assembly) -> None:
    manifests = release.values.get("extraManifests")
    manifests = list(manifests.values()) if isinstance(manifests, dict) else manifests or []
    for index, manifest in enumerate(manifests if isinstance(manifests, list) else []):
        origin = release.values.origin("extraManifests")
        place = f"extraManifests[{index}]"
        for document in _documents(manifest, place, release.values, assembly):
            release.objects.add(document, origin.file, place, is_of_release=True)
    secrets = [o for o in release.objects.of("Secret", "ConfigMap") if o.is_of_release]
    for item in secrets:
        assembly.note(
            "changed",
            f"extraManifests: {item.title}",
            "the Helm release makes it and removes it when it is uninstalled; pods of the stack still refer to it",
            f"keep it: kubectl annotate {item.kind.lower()} {item.name} helm.sh/resource-policy=keep",
            item.origin(),
        )


def _documents(manifest: Any, place: str, values: Values, assembly: Assembly) -> list[Any]:
    if isinstance(manifest, Mapping):
        return [manifest]
    if not isinstance(manifest, str):
        return []
    try:
        return list(load_documents(manifest).documents)
    except Unreadable as error:
        why = f"the text {error}"
        if "{{" in manifest:
            why += "; it holds {{ … }} of a template, which Helm renders"
        assembly.note("not carried", place, why, origin=values.origin("extraManifests"))
        return []

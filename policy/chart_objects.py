"""The objects that Kestra's chart makes of its values, which no stack shows: a Helm release is one resource.

Source: templates of the charts `kestra` 1.0 and `kestra-starter` 1.1 (kestra-io/helm-charts). Docker beside a worker is
left out: ks-kestra-19 refuses it whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .controls.kestra_servers import CHART_COMPONENTS, RELEASE, chart_components, chart_values
from .core.model import Resource, Stack
from .core.values import (
    SHAPE_ERRORS,
    UNKNOWN,
    Misshapen,
    OutOfView,
    Undecided,
    as_list,
    get_path,
    is_unknown,
    raw,
    reveal,
)

_POD = "spec.template.spec"
_SERVER = f"{_POD}.containers.0"
#: What the chart says of its own where the values say nothing; a probe's content does not matter.
_DEFAULTS: Mapping[str, Any] = {
    "kind": "Deployment",
    "replicas": 1,
    "terminationGracePeriodSeconds": 360,
    "livenessProbe": {"httpGet": {"port": "management"}},
    "readinessProbe": {"httpGet": {"port": "management"}},
}
_PORTS = {
    "http": {"port": 8080, "targetPort": "http"},
    "management": {"port": 8081, "targetPort": "management"},
}
_CORE = {"v1": "core/v1"}


def all_resources(stack: Stack) -> Stack:
    """A stack with what its releases of Kestra's chart make."""
    objects: list[Resource] = []
    for release in stack.of(RELEASE):
        try:
            objects += chart_objects(release)
        except Undecided:
            continue  # Said of the release itself.
    return Stack([*stack.resources, *objects]) if objects else stack


def chart_objects(release: Resource) -> list[Resource]:
    """The objects of a release of Kestra's chart; none for other charts.

    Raises:
        Undecided: when the values are not known.
        OutOfView: when it is a chart before 1.0, which is made otherwise, or has values in files.
        Misshapen: when a value has another type than its key takes.
    """
    try:
        chosen = chart_values(release) if release.type == RELEASE else None
        if chosen is None:
            return []
        root, values = chosen
        if release.get_path("valueYamlFiles"):
            raise OutOfView(f"the values of {release.name} in valueYamlFiles")
        if "configuration" in values:
            raise OutOfView(f"the pods of {release.name}, a chart before 1.0")
        return list(_Chart(release, root, values).objects())
    except SHAPE_ERRORS:
        raise Misshapen(f"a value of {release.name}") from None


class _Chart:
    """A release of the chart, template by template."""

    def __init__(self, release: Resource, root: str, values: Mapping[str, Any]) -> None:
        self._release, self._root, self._values = release, root, values
        self._namespace = raw(release.props, "namespace")
        self._instance = raw(release.props, "name") or UNKNOWN
        """The provider names a release that has no name."""
        name = raw(values, "fullnameOverride") or raw(release.props, "name") or release.name
        self._name = name if is_unknown(name) else str(reveal(name))

    def objects(self) -> Iterator[Resource]:
        for group, name, own in chart_components(self._values):
            yield self._workload(group, name, own)
        yield self._account()
        yield self._service()
        if get_path(self._values, "ingress.enabled"):
            yield self._ingress()
        for position, manifest in enumerate(as_list(get_path(self._values, "extraManifests"))):
            if isinstance(manifest, Mapping):
                yield self._manifest(position, manifest)

    def _object(self, type_: str, props: Mapping[str, Any], places: Mapping[str, str]) -> Resource:
        origin = self._release
        metadata = {"namespace": self._namespace, **props.get("metadata", {})}
        where = {"metadata.namespace": "namespace", **places}
        return Resource(
            type_,
            origin.name,
            {**props, "metadata": {k: v for k, v in metadata.items() if v is not None}},
            origin.urn,
            origin.protect,
            origin=origin,
            places=where,
        )

    def _chosen(self, group: str, own: Any, key: str) -> tuple[Any, str]:
        """What a component has of a key: its own, or that of `common`; and where."""
        mine = raw(own, key)
        if is_unknown(mine) or mine:
            return mine, f"{self._root}.{group}.{key}"
        shared = raw(self._values, "common", key)
        value = shared if is_unknown(shared) or shared else _DEFAULTS.get(key)
        return value, f"{self._root}.common.{key}"

    def _joined(self, group: str, own: Any, key: str) -> tuple[list[Any], list[str]]:
        """The entries of a list of `common` and of a component, and where each is."""
        entries: list[Any] = []
        places: list[str] = []
        for path, holder in (("common", raw(self._values, "common")), (group, own)):
            value = raw(holder, key)
            for position, entry in enumerate([value] if is_unknown(value) else as_list(value)):
                entries.append(entry)
                places.append(f"{self._root}.{path}.{key}.{position}")
        return entries, places

    def _workload(self, group: str, name: str, own: Any) -> Resource:
        component = name if name in CHART_COMPONENTS else "worker"
        places = {
            "metadata.labels": f"{self._root}.common.labels",
            _POD: f"{self._root}.common",
            f"{_SERVER}.image": f"{self._root}.image.tag",
            f"{_POD}.automountServiceAccountToken": f"{self._root}.serviceAccount.automount",
        }

        def chosen(key: str, path: str) -> Any:
            value, places[path] = self._chosen(group, own, key)
            return value

        def joined(key: str, path: str, first: int = 0) -> list[Any]:
            places[path] = f"{self._root}.common.{key}"
            entries, where = self._joined(group, own, key)
            places.update({f"{path}.{first + n}": place for n, place in enumerate(where)})
            return entries

        repository = raw(self._values, "image", "repository") or "kestra/kestra"
        tag = raw(self._values, "image", "tag") or "appVersion"
        known = not is_unknown(repository) and not is_unknown(tag)
        server = {
            "name": f"kestra-{component}",
            "image": f"{reveal(repository)}:{reveal(tag)}" if known else UNKNOWN,
            "args": ["server", component],
            "securityContext": chosen("securityContext", f"{_SERVER}.securityContext"),
            "resources": chosen("resources", f"{_SERVER}.resources"),
            "livenessProbe": chosen("livenessProbe", f"{_SERVER}.livenessProbe"),
            "readinessProbe": chosen("readinessProbe", f"{_SERVER}.readinessProbe"),
            "env": joined("extraEnv", f"{_SERVER}.env"),
            "envFrom": joined("extraEnvFrom", f"{_SERVER}.envFrom"),
            "volumeMounts": joined("extraVolumeMounts", f"{_SERVER}.volumeMounts"),
        }
        spec = {
            "serviceAccountName": self._account_name,
            "automountServiceAccountToken": self._mounts_token,
            "securityContext": chosen("podSecurityContext", f"{_POD}.securityContext"),
            "terminationGracePeriodSeconds": chosen(
                "terminationGracePeriodSeconds", f"{_POD}.terminationGracePeriodSeconds"
            ),
            "containers": [server, *joined("extraContainers", f"{_POD}.containers", 1)],
            "initContainers": joined("initContainers", f"{_POD}.initContainers"),
            "volumes": joined("extraVolumes", f"{_POD}.volumes"),
        }
        pod_labels = {
            "app.kubernetes.io/name": raw(self._values, "nameOverride") or "kestra",
            "app.kubernetes.io/instance": self._instance,
            "app.kubernetes.io/component": component,
            **(raw(self._values, "common", "podLabels") or {}),
        }
        labels = raw(self._values, "common", "labels") or {}
        kind = self._chosen(group, own, "kind")[0]
        return self._object(
            f"kubernetes:apps/v1:{'Deployment' if is_unknown(kind) else kind}",
            {
                "metadata": {"name": f"{self._name}-{name}", "labels": labels},
                "spec": {
                    "replicas": chosen("replicas", "spec.replicas"),
                    "template": {"metadata": {"labels": pod_labels}, "spec": spec},
                },
            },
            places,
        )

    @property
    def _account_name(self) -> Any:
        name = raw(self._values, "serviceAccount", "name")
        if raw(self._values, "serviceAccount", "create") is False:
            return name or "default"
        return name or self._name

    @property
    def _mounts_token(self) -> Any:
        """What the account says, for the pod says nothing; another's account is not known."""
        if raw(self._values, "serviceAccount", "create") is False:
            return None
        automount = raw(self._values, "serviceAccount", "automount")
        return True if automount is None else automount

    def _account(self) -> Resource:
        return self._object(
            "kubernetes:core/v1:ServiceAccount",
            {
                "metadata": {"name": self._account_name},
                "automountServiceAccountToken": self._mounts_token,
            },
            {"automountServiceAccountToken": f"{self._root}.serviceAccount.automount"},
        )

    def _service(self) -> Resource:
        own = raw(self._values, "service", "ports") or {}
        ports = [
            {"name": name, **default, **(raw(own, name) or {})} for name, default in _PORTS.items()
        ]
        return self._object(
            "kubernetes:core/v1:Service",
            {
                "metadata": {"name": self._name},
                "spec": {"type": raw(self._values, "service", "type"), "ports": ports},
            },
            {"spec.ports": f"{self._root}.service.ports", "spec": f"{self._root}.service"},
        )

    def _ingress(self) -> Resource:
        block = get_path(self._values, "ingress")
        rules = [{"host": raw(host, "host")} for host in as_list(get_path(block, "hosts"))]
        return self._object(
            "kubernetes:networking.k8s.io/v1:Ingress",
            {
                "metadata": {"name": self._name},
                "spec": {"tls": raw(block, "tls"), "rules": rules},
            },
            {
                "spec.rules": f"{self._root}.ingress.hosts",
                "spec.tls": f"{self._root}.ingress.tls",
            },
        )

    def _manifest(self, position: int, manifest: Mapping[str, Any]) -> Resource:
        place = f"{self._root}.extraManifests.{position}"
        version, kind = get_path(manifest, "apiVersion"), get_path(manifest, "kind")
        return self._object(
            f"kubernetes:{_CORE.get(version, version)}:{kind}",
            manifest,
            {key: f"{place}.{key}" for key in manifest},
        )

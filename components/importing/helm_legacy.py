"""The official Helm chart before its new form (0.x): `configuration`, options at the root, bundled databases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import charts, pull_secrets
from .assembly import Assembly
from .commands import split_words
from .helm import CONFIGURATION, Release, add_document, note_unread
from .installation import Origin
from .kubernetes_objects import as_list
from .restricted_pods import PROBES
from .workloads import Workload, group_name

#: Parts at the root that a deployment's own value replaces.
_REPLACED = (
    "extraEnv",
    "nodeSelector",
    "affinity",
    "tolerations",
    "extraContainers",
    "resources",
    "securityContext",
    "podSecurityContext",
    "terminationGracePeriodSeconds",
)
_OF_DEPLOYMENTS = frozenset(
    (
        *_REPLACED,
        *PROBES,
        *[
            "enabled",
            "kind",
            "replicaCount",
            "command",
            "labels",
            "annotations",
            "strategy",
            "workerThreads",
            "autoscaler",
            *pull_secrets.KEYS,
        ],
    )
)
#: Charts that a release brings along unless its values say no.
BUNDLED = {"postgresql": True, "minio": True, "kafka": False, "elasticsearch": False}
_THREADS = re.compile(r"{{-?\s*if[^}]*workerThreads[^}]*}}.*?{{-?\s*end\s*-?}}", re.DOTALL)
_FILES = {
    "application.yml": "/app/confs/application.yml",
    "application-secrets.yml": "/app/secrets/application-secrets.yml",
    "application-k8s.yml": "/app/secrets/application-k8s.yml",
    "application-secrets-external.yml": "/app/secrets/external/application-secrets-external.yml",
}


def workloads(release: Release, assembly: Assembly) -> list[Workload]:
    """The pods of a release; adds its configuration files to the release's objects."""
    values = release.values
    for key, value in values.tree.items():
        is_read = key in charts.LEGACY_KEYS or key in pull_secrets.KEYS
        if not is_read and value not in (None, {}, [], ""):
            note_unread(key, release, assembly)
    mounts, volumes, paths = _files(release, assembly)
    enabled = list(_enabled(release))
    pull_secrets.add_of_chart(values, [(where, name) for where, name, _ in enabled], assembly)
    result = []
    for where, name, content in enabled:
        result.append(_workload(release, where, name, content, mounts, volumes, paths))
        for part, value in content.items():
            if part not in _OF_DEPLOYMENTS and value not in (None, {}, [], ""):
                why = "no template of the chart reads this key, so it had no effect"
                assembly.note("not carried", f"{where}.{name}.{part}", why)
    return result


def _enabled(release: Release) -> Iterator[tuple[str, str, dict[str, Any]]]:
    deployments = {"standalone": {"enabled": True}} | release.values.mapping("deployments")
    standalone = deployments["standalone"]
    if isinstance(standalone, Mapping):
        deployments["standalone"] = {"enabled": True} | dict(standalone)
    for where, blocks in (
        ("deployments", deployments),
        ("workerGroup", release.values.mapping("workerGroup")),
    ):
        for name, content in blocks.items():
            if isinstance(content, dict) and content.get("enabled"):
                yield where, name, content


def _workload(
    release: Release,
    where: str,
    name: str,
    content: Mapping[str, Any],
    mounts: Sequence[Any],
    volumes: Sequence[Any],
    paths: Sequence[str],
) -> Workload:
    values, prefix = release.values, f"{where}.{name}."
    is_group = where == "workerGroup"
    component = name if name in charts.COMPONENTS and not is_group else "worker"

    def one(part: str) -> Any:
        return content.get(part) or values.get(part)

    places = {part: part for part in _REPLACED if not content.get(part)}
    shared = (
        "extraVolumes",
        "extraVolumeMounts",
        "initContainers",
        "podAnnotations",
    )
    places |= {part: part for part in shared} | {
        "env": places.get("extraEnv", f"{prefix}extraEnv"),
        "envFrom": "extraSecretEnvFrom and extraConfigMapEnvFrom",
        "volumes": "extraVolumes",
        "volumeMounts": "extraVolumeMounts",
        "containers": places.get("extraContainers", f"{prefix}extraContainers"),
        "annotations": "podAnnotations",
        "labels": f"{prefix}labels",
        "replicas": f"{prefix}replicaCount",
        "image": "image",
        "imagePullPolicy": "image.pullPolicy",
        "configuration": "externalSecret",
    }
    probes = {}
    for probe in PROBES:
        own, common = content.get(probe), values.get(probe)
        probes[probe] = own or common
        if not own:
            places[probe] = probe
    container = {
        "image": release.image(),
        "imagePullPolicy": values.get("image", "pullPolicy"),
        "command": _command(component, name if is_group else "", content),
        # The chart's own variable comes last, so it counts.
        "env": [
            *as_list(one("extraEnv")),
            {"name": "MICRONAUT_CONFIG_FILES", "value": ",".join(paths)},
        ],
        "envFrom": list(_environment_from(release)),
        "resources": one("resources"),
        "securityContext": one("securityContext"),
        "volumeMounts": [*mounts, *values.sequence("extraVolumeMounts")],
        **probes,
    }
    pod = {
        "nodeSelector": one("nodeSelector"),
        "affinity": one("affinity"),
        "tolerations": one("tolerations"),
        "securityContext": one("podSecurityContext"),
        "terminationGracePeriodSeconds": one("terminationGracePeriodSeconds"),
        "initContainers": values.sequence("initContainers"),
        "containers": as_list(one("extraContainers")),
        "volumes": [*volumes, *values.sequence("extraVolumes")],
    }
    return Workload(
        component=component,
        group=group_name(name) if is_group else "",
        group_key=name if is_group else "",
        file=values.origin(where, name).file,
        prefix=prefix,
        pod=pod,
        container=container,
        annotations=values.mapping("podAnnotations"),
        labels=content.get("labels") or {},
        replicas=content.get("replicaCount"),
        strategy=content.get("strategy"),
        places=places,
        is_tag_of_chart=True,
        names=frozenset((name,)),
    )


def _command(component: str, group: str, content: Mapping[str, Any]) -> list[str]:
    words = ["server", component]
    command = content.get("command")
    if isinstance(command, str):
        # The command is a template; what it says of threads follows from workerThreads.
        words = split_words(re.sub(r"{{.*?}}", "", _THREADS.sub("", command)))
        words = [word for word in words if not word.endswith("=")] or words
    if threads := content.get("workerThreads"):
        option = "--worker-thread" if component == "standalone" else "--thread"
        if not any(word.startswith(option) for word in words):
            words.append(f"{option}={threads}")
    if group:
        words.append(f"--worker-group={group}")
    return words


def _environment_from(release: Release) -> Iterator[dict[str, Any]]:
    for key, reference in (
        ("extraConfigMapEnvFrom", "configMapRef"),
        ("extraSecretEnvFrom", "secretRef"),
    ):
        for item in release.values.sequence(key):
            if isinstance(item, Mapping) and isinstance(item.get("name"), str):
                entry: dict[str, Any] = {reference: {"name": item["name"]}}
                if item.get("prefix"):
                    entry["prefix"] = str(item["prefix"])
                yield entry


def _files(release: Release, assembly: Assembly) -> tuple[list[Any], list[Any], list[str]]:
    """Mounts, volumes and paths of the configuration files, in the order in which Kestra merges them."""
    values = release.values
    names: list[str] = []
    bundled, origin = _bundled(release, assembly)
    blocks: dict[str, tuple[Any, Origin]] = {
        "application.yml": (values.get("configuration"), values.origin("configuration")),
        "application-secrets.yml": (values.get("secrets"), values.origin("secrets")),
    }
    if not release.name:
        # The address of a bundled server was in force, and nobody knows it: another must not stand for it.
        hosts = [path for path in _HOSTS if _at(bundled, path[:-1])]
        blocks = {name: (_without(block, hosts), o) for name, (block, o) in blocks.items()}
    blocks["application-k8s.yml"] = bundled, origin
    for name, (document, origin) in blocks.items():
        if document:
            add_document(release, name, document, origin, assembly)
            names.append(name)
    volumes = [{"name": "kestra-configuration", "configMap": {"name": CONFIGURATION}}]
    mounts = [
        {"name": "kestra-configuration", "mountPath": _FILES[name], "subPath": name}
        for name in names
    ]
    external = values.mapping("externalSecret")
    if isinstance(external.get("secretName"), str):
        name, key = "application-secrets-external.yml", str(external.get("key"))
        items = [{"key": key, "path": name}]
        secret = {"secretName": external["secretName"], "items": items}
        volumes.append({"name": "kestra-external-secret", "secret": secret})
        mounts.append(
            {"name": "kestra-external-secret", "mountPath": _FILES[name], "subPath": name}
        )
        names.append(name)
    path = values.get("configurationPath")
    if isinstance(path, str) and path:
        return mounts, volumes, path.split(",")
    return mounts, volumes, [_FILES[name] for name in names]


def _bundled(release: Release, assembly: Assembly) -> tuple[dict[str, Any], Origin]:
    """The file that the chart makes for the databases that it brings along; it wins over `configuration`."""
    document: dict[str, Any] = {}
    origins: list[Origin] = []
    for chart, default in BUNDLED.items():
        block = release.values.mapping(chart)
        enabled = block.get("enabled", default)
        if not enabled:
            continue
        origin = release.values.origin(chart)
        origins.append(origin)
        _add_bundled(chart, release, document)
        host = f"{release.name}-{chart}" if release.name else f"<release>-{chart}"
        by_default = "" if "enabled" in block else ", by its default"
        assembly.note(
            "not carried",
            chart,
            f"the release runs {chart} itself{by_default} ({host}); the stack makes no such server, and uninstalling "
            "the release removes it with its data unless its volume is kept",
            _KEEP[chart],
            origin,
        )
    if not origins:
        return document, release.values.origin("deployments")
    return document, replace(origins[-1], place=", ".join(origin.place for origin in origins))


#: Where a bundled server's address stands.
_HOSTS = (("datasources", "postgres", "url"), ("kestra", "storage", "minio", "endpoint"))


def _at(tree: Any, path: Sequence[str]) -> Any:
    for step in path:
        tree = tree.get(step) if isinstance(tree, Mapping) else None
    return tree


def _without(tree: Any, paths: Sequence[Sequence[str]]) -> Any:
    """A tree without the leaves at some paths."""
    if not isinstance(tree, Mapping) or not paths:
        return tree
    result = {}
    for key, value in tree.items():
        below = [path[1:] for path in paths if path[0] == key]
        if () not in below:
            result[key] = _without(value, below)
    return result


_KEEP = {
    "postgresql": "keep it as a release of its own, or move the data to another database, and check "
    "kestra:datasources.postgres",
    "minio": "keep it as a release of its own, or copy the bucket, and check kestra:storage.minio",
    "kafka": "keep it as a release of its own, and check kestra:kafka.client",
    "elasticsearch": "keep it as a release of its own, and check kestra:elasticsearch.client",
}


def _add_bundled(chart: str, release: Release, document: dict[str, Any]) -> None:
    values, name = release.values, release.name
    kestra = document.setdefault("kestra", {})
    if chart == "postgresql":
        auth = {"database": "kestra", "username": "kestra", "password": "kestra"}
        auth |= values.mapping("postgresql", "auth")
        port = values.get("postgresql", "primary", "service", "ports", "postgresql", default=5432)
        source = {
            "driverClassName": "org.postgresql.Driver",
            "username": auth["username"],
            "password": auth["password"],
        }
        if name:
            source["url"] = f"jdbc:postgresql://{name}-postgresql:{port}/{auth['database']}"
        document["datasources"] = {"postgres": source}
        kestra["queue"], kestra["repository"] = {"type": "postgres"}, {"type": "postgres"}
    elif chart == "minio":
        auth = {"rootUser": "please-change-me", "rootPassword": "its-not-a-secret"}
        auth |= values.mapping("minio", "auth")
        minio = {
            "port": 9000,
            "access-key": auth["rootUser"],
            "secret-key": auth["rootPassword"],
            "secure": False,
            "bucket": "kestra",
        }
        if name:
            minio["endpoint"] = f"{name}-minio"
        kestra["storage"] = {"type": "minio", "minio": minio}
    elif chart == "kafka":
        kestra.setdefault("queue", {"type": "kafka"})
        if name:
            servers = {"bootstrap.servers": f"{name}-kafka:9092"}
            kestra["kafka"] = {"client": {"properties": servers}}
    else:
        kestra.setdefault("repository", {"type": "elasticsearch"})
        if name:
            cluster = values.get("elasticsearch", "clusterName", default="es-kestra")
            group = values.get("elasticsearch", "nodeGroup", default="master")
            protocol = values.get("elasticsearch", "protocol", default="http")
            port = values.get("elasticsearch", "httpPort", default=9200)
            hosts = f"{protocol}://{cluster}-{group}:{port}"
            kestra["elasticsearch"] = {"client": {"http-hosts": hosts}}

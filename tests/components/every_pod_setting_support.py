"""Every setting of pods at once, in two stacks: one pod of everything, and one Deployment a component with a group."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from components.registration_tokens import registration_token
from tests.components.pods_support import distributed_document
from tests.settings.malformed_fixtures import oss

RESOURCES = {
    "requests": {"cpu": "10m", "memory": "16Mi"},
    "limits": {"memory": "64Mi", "cpu": 1},
}
#: For all components.
SHARED: dict[str, Any] = {
    "extra-env": [
        {
            "name": "DB_PASSWORD",
            "value-from": {"secret-key-ref": {"name": "kestra-db-app", "key": "password"}},
        },
        {"name": "REGION", "valueFrom": {"configMapKeyRef": {"name": "cluster", "key": "region"}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {
            "name": "MEMORY",
            "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
        },
        {"name": "PLAIN", "value": "$(REGION)-a"},
        {"name": "API_TOKEN", "value": SecretStr("Pl4nted-Extra-Value")},
    ],
    "extra-env-from": [
        {"secretRef": {"name": "operators"}, "prefix": "DB_"},
        {"configMapRef": {"name": "settings", "optional": True}},
    ],
    "node-selector": {"kubernetes.io/os": "linux"},
    "tolerations": [
        {"operator": "Exists"},
        {"key": "gpu", "operator": "Equal", "value": "a", "effect": "NoExecute", "tolerationSeconds": 60},
    ],
    "affinity": {
        "nodeAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 5, "preference": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}}
            ]
        },
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 5, "podAffinityTerm": {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"a": "b"}}}}
            ]
        },
    },
    "topology-spread-constraints": [
        {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    ],
    "priority-class": "kestra",
    "runtime-class": "gvisor",
    "annotations": {"example.com/owner": "data platform"},
    "labels": {"example.com/team": "data"},
    "extra-volumes": [
        {"name": "certs", "secret": {"secretName": "kestra-db-certs", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "data", "persistentVolumeClaim": {"claimName": "data"}},
        {"name": "work", "emptyDir": {"medium": "Memory", "sizeLimit": "10Mi"}},
        {"name": "store", "csi": {"driver": "secrets-store.csi.k8s.io", "readOnly": True, "volumeAttributes": {"secretProviderClass": "kestra"}}},
        {"name": "pod", "downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {"name": "tokens", "projected": {"sources": [{"secret": {"name": "a"}}, {"serviceAccountToken": {"path": "token", "audience": "vault"}}]}},
        {"name": "scratch", "ephemeral": {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}}},
    ],
    "extra-volume-mounts": [
        {"name": "certs", "mountPath": "/app/certs", "readOnly": True},
        {"name": "settings", "mount-path": "/app/extra/a.yaml", "sub-path": "a.yaml"},
        {"name": "work", "mountPath": "/app/work"},
    ],
    "init-containers": [
        {"name": "fetch", "image": "busybox:1.37", "command": ["cp", "-r", "/a", "/work"], "resources": RESOURCES,
         "volumeMounts": [{"name": "work", "mountPath": "/work"}]},
    ],
    "extra-containers": [
        {"name": "proxy", "image": "proxy:1.2", "args": ["--port=5432"], "ports": [{"containerPort": 5432, "name": "db"}],
         "resources": RESOURCES, "security-context": {"runAsUser": 65532},
         "env": [{"name": "KEY", "value": SecretStr("Pl4nted-Extra-Value")}],
         "readiness-probe": {"tcpSocket": {"port": 5432}}, "liveness-probe": {"httpGet": {"path": "/", "port": "db"}}},
    ],
    "host-aliases": [{"ip": "10.0.0.1", "hostnames": ["db.internal"]}],
    "dns-config": {"nameservers": ["10.0.0.2"], "searches": ["a.b"], "options": [{"name": "ndots", "value": "2"}]},
}  # fmt: skip
#: What only the workers have besides.
OWN: dict[str, Any] = {
    "extra-env": [{"name": "PLAIN", "value": "own"}],
    "node-selector": {"disk": "ssd"},
    "tolerations": [{"key": "workers", "operator": "Exists"}],
    "priority-class": "workers",
}


def standalone() -> dict[str, Any]:
    """A document of the open-source edition with every setting and an existing claim."""
    return oss(
        deployment={**SHARED, "storage-volume": {"existing-claim": "kestra-data"}},
        configurations={"delete-files-on-start": True},
    )


def with_worker_group(version: str = "1.3") -> dict[str, Any]:
    """A document of the Enterprise Edition in mode distributed, with every setting and two worker groups."""
    planted = SecretStr(registration_token("Pl4nted-Worker-Token"))
    token = {"registration-token": planted} if version == "2.0" else {}
    groups = {
        "gpu": {**OWN, **token, "replicas": 2, "service-account": {"annotations": {"a/b": "c"}}},
        "shared": {**token, "service-account": {"name": "kestra"}},
    }
    document = distributed_document(
        {**SHARED, "components": {"worker": OWN}, "worker-groups": groups}
    )
    return document | {"version": version}

"""Values of the official chart 1.x: what stands around the pods, and what is not carried over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.importing.kubernetes_support import DISTRIBUTED, current, imported


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("pluginDefaults: [{type: a}]", ("not carried", "pluginDefaults", "no template")),
        ("resources: {limits: {cpu: 1}}", ("not carried", "resources", "0.x reads it")),
        ("datasources2: {a: b}", ("not carried", "datasources2")),
        ("existingSecret: kestra", ("not carried", "existingSecret", "no effect")),
        ("common: {replicaCount: 2}", ("not carried", "common.replicaCount")),
        ("deployments: {standalone: {replicaCount: 2}}", ("deployments.standalone.replicaCount",)),
        ("deployments: {standalone: {persistence: {a: b}}}", ("standalone.persistence",)),
        ("common: {strategy: {type: Recreate}}", ("changed", "common.strategy")),
        ("common: {terminationGracePeriodSeconds: 600}", ("changed", "600")),
        ("common: {podSecurityContext: {fsGroup: 2000}}", ("common.podSecurityContext", "1000")),
        ("common: {securityContext: {privileged: true}}", ("privileged", "restricted")),
        ("common: {annotations: {a: b}}", ("common.annotations",)),
        ("common: {livenessProbe: {httpGet: {path: /x, port: 1}}}", ("common.livenessProbe",)),
        ("service: {type: NodePort}", ("service", "NodePort")),
        ("service: {type: LoadBalancer, annotations: {a: b}}", ("service", "LoadBalancer")),
        ("service: {annotations: {a: b}}", ("service: annotations",)),
        ("service: {ports: {grpc: {port: 50051}}}", ("50051",)),
        ("common: {resources: {limits: {cpu: lots}}}", ("resources.limits.cpu",)),
        ("common: {extraEnv: [{name: DOCKER_HOST, value: x}]}", ("DOCKER_HOST",)),
        (
            "common: {extraVolumes: [{name: n, hostPath: {path: /data}}], "
            "extraVolumeMounts: [{name: n, mountPath: /d}]}",
            ("not carried", "common.extraVolumes: n", "/data"),
        ),
        (
            "common: {extraVolumes: [{name: n, hostPath: {path: /var/run/docker.sock}}], "
            "extraVolumeMounts: [{name: n, mountPath: /var/run/docker.sock}]}",
            ("not carried", "docker.sock"),
        ),
        (
            "common: {initContainers: [{name: chown, image: busybox, securityContext: {runAsUser: 0}}]}",
            ("not carried", "common.initContainers: chown", "root"),
        ),
        ("dind: {enabled: true}", ("not carried", "dind", "privileged")),
        ("", ("not carried", "dind", "default")),
    ],
)
def test_what_is_not_carried_is_named(options: str, words: tuple[str, ...]) -> None:
    assert imported(current(options)).note(*words)


@pytest.mark.parametrize(
    "options",
    [
        "dind: {enabled: false}",
        "deployments: {standalone: {dind: {enabled: false}}}",
        "deployments: {standalone: {enabled: false}, webserver: {enabled: true}}",
    ],
)
def test_docker_is_named_only_where_it_ran(options: str) -> None:
    assert not imported(current(options)).has_note("dind")


def test_volumes_keep_their_mounts_and_a_free_name() -> None:
    result = imported(
        current(
            """
common:
  extraVolumes:
    - {name: tmp, emptyDir: {}}
    - {name: scratch, emptyDir: {}}
    - {name: node, hostPath: {path: /x}}
    - {name: secrets, secret: {secretName: keys}}
  extraVolumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: scratch, mountPath: /tmp/kestra-wd}
    - {name: node, mountPath: /x}
    - {name: secrets, mountPath: /keys, readOnly: true}
"""
        )
    )
    assert result.deployment["extra-volumes"] == [
        {"name": "scratch", "emptyDir": {}},
        {"name": "imported-secrets", "secret": {"secretName": "keys"}},
    ]
    assert result.deployment["extra-volume-mounts"] == [
        {"name": "scratch", "mountPath": "/tmp/kestra-wd"},
        {"name": "imported-secrets", "mountPath": "/keys", "readOnly": True},
    ]


def test_a_claim_at_the_storage_folder_is_the_storage_volume() -> None:
    result = imported(
        current(
            """
common:
  extraVolumes: [{name: files, persistentVolumeClaim: {claimName: kestra-files}}]
  extraVolumeMounts: [{name: files, mountPath: /data}]
""",
            application="kestra: {storage: {type: local, local: {basePath: /data/storage}}}",
        )
    )
    assert result.deployment["storage-volume"] == {"existing-claim": "kestra-files"}
    assert "extra-volumes" not in result.deployment
    assert result.note("kestra-files", "carried")


@pytest.mark.parametrize(
    ("autoscaler", "expected"),
    [
        (
            "{enabled: true, minReplicas: 2, maxReplicas: 6}",
            {"min-replicas": 2, "max-replicas": 6, "cpu-percentage": 80},
        ),
        (
            "{enabled: true, maxReplicas: 3, metrics: [{type: Resource, resource: {name: memory, "
            "target: {type: Utilization, averageUtilization: 70}}}]}",
            {"min-replicas": 1, "max-replicas": 3, "memory-percentage": 70},
        ),
        ("{enabled: false, maxReplicas: 3}", None),
    ],
)
def test_an_autoscaler_is_carried(autoscaler: str, expected: Any) -> None:
    result = imported(current(f"{DISTRIBUTED}    replicas: 4\n    autoscaler: {autoscaler}"))
    worker = result.component("worker")
    assert worker.get("autoscaling") == expected
    assert worker.get("replicas") == (4 if expected is None else None)


def test_metrics_that_the_stack_has_not_are_named() -> None:
    metric = "{type: External, external: {metric: {name: lag}}}"
    result = imported(
        current(
            f"{DISTRIBUTED}    autoscaler: {{enabled: true, maxReplicas: 2, metrics: [{metric}]}}"
        )
    )
    assert result.note("not carried", "deployments.worker.autoscaler", "External")


@pytest.mark.parametrize(
    ("numbers", "is_named"),
    [
        ("0, periodSeconds: 5, timeoutSeconds: 3", False),
        ("9, periodSeconds: 5, timeoutSeconds: 3", True),
    ],
)
def test_probes_of_the_chart_itself_are_not_named(numbers: str, is_named: bool) -> None:
    probe = (
        "{httpGet: {path: /health/liveness, port: management}, "
        f"initialDelaySeconds: {numbers}, successThreshold: 1, failureThreshold: 3}}"
    )
    result = imported(current(f"common: {{livenessProbe: {probe}}}"))
    assert result.has_note("livenessProbe") is is_named


INGRESS = """
ingress:
  enabled: true
  className: nginx
  annotations: {cert-manager.io/cluster-issuer: ca}
  hosts:
    - host: a.example
      paths: [{path: /, pathType: Prefix}]
"""


def test_an_ingress_is_carried() -> None:
    result = imported(current(f"{INGRESS}  tls: [{{secretName: a-tls, hosts: [a.example]}}]"))
    assert result.deployment["ingress"] == {
        "host": "a.example",
        "class-name": "nginx",
        "annotations": {"cert-manager.io/cluster-issuer": "ca"},
        "tls-secret": "a-tls",
    }


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("", ""), ("changed", "tls", "had no TLS")),
        (("path: /,", "path: /flows,"), ("changed", "path /flows")),
        (("  hosts:", "  hosts:\n    - host: b.example\n      paths: []"), ("host a.example",)),
        (("host: a.example", "host: ''"), ("not carried", "ingress", "its host")),
        (
            ("annotations: {", "annotations: {kubernetes.io/ingress.class: nginx, "),
            ("ingress.class", "same"),
        ),
    ],
)
def test_an_ingress_that_the_stack_cannot_have_is_named(
    change: tuple[str, str], words: tuple[str, ...]
) -> None:
    values = INGRESS.replace(*change) if change[0] else INGRESS
    assert imported(current(values)).note(*words)


def test_a_credential_in_an_annotation_is_named_and_left_out() -> None:
    values = "common: {podAnnotations: {x.example/token: planted-annotation-1, x.example/auth-secret: b}}"
    result = imported(current(values))
    assert result.deployment["annotations"] == {"x.example/auth-secret": "b"}
    assert result.note("not carried", "x.example/token", "credential")
    assert "planted-annotation-1" not in result.report


def test_the_account_keeps_the_name_that_a_cloud_role_trusts() -> None:
    account = "serviceAccount: {annotations: {eks.amazonaws.com/role-arn: arn}}"
    result = imported(current(f"fullnameOverride: flows\n{account}"))
    assert result.settings["identity"]["service-account"] == {
        "name": "flows",
        "annotations": {"eks.amazonaws.com/role-arn": "arn"},
    }
    assert imported(current(account)).note("changed", "serviceAccount.name", "trusts")


def test_an_account_made_outside_is_named() -> None:
    result = imported(current("serviceAccount: {create: false, name: flows}"))
    assert result.settings["identity"]["service-account"] == {"name": "flows"}
    assert result.note("not carried", "flows", "outside the chart")


EXTRA = """
extraManifests:
  - apiVersion: v1
    kind: Secret
    metadata: {name: db}
    stringData: {password: planted-extra}
  - |
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: plain}
    data: {ENV_REGION: north}
  - |
    kind: ConfigMap
    metadata: {name: {{ .Release.Name }}-x}
  - apiVersion: external-secrets.io/v1
    kind: ExternalSecret
    metadata: {name: other}
common:
  extraEnv:
    - {name: DATASOURCES_POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}
  extraEnvFrom: [{configMapRef: {name: plain}}]
"""


def test_secrets_of_extra_manifests_stay_references_and_are_named() -> None:
    result = imported(current(EXTRA))
    postgres = result.configuration["datasources"]["postgres"]
    assert postgres["password"] == "${DATASOURCES_POSTGRES_PASSWORD}"
    assert result.variables["DATASOURCES_POSTGRES_PASSWORD"] == {
        "secretKeyRef": {"name": "db", "key": "password"}
    }
    assert result.variables["ENV_REGION"] == "north"
    assert "helm.sh/resource-policy=keep" in result.note("extraManifests: Secret db").fix
    assert result.note("not carried", "extraManifests[2]", "{{")
    assert "planted-extra" not in result.report

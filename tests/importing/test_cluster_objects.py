"""Kubernetes objects around Kestra's pods, kustomizations, and objects that no person wrote so."""

from __future__ import annotations

import contextlib

import pytest

from components.importing.assembly import Assembly
from components.importing.kubernetes_reader import KubernetesReader
from components.importing.readers import ImportRefused, Part
from tests.importing.kubernetes_support import (
    CONFIGURATION,
    Imported,
    config_map,
    deployment,
    imported,
    parts_of,
)

EDGES = """
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: data}
spec: {selector: {app: kestra}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nginx
  tls: [{hosts: [a.example], secretName: a-tls}]
  rules: [{host: a.example, http: {paths: [{path: /, backend: {service: {name: web, port: {number: 80}}}}]}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: grafana}
spec:
  rules: [{host: g.example, http: {paths: [{path: /, backend: {service: {name: grafana, port: {number: 80}}}}]}}]
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scale}
spec:
  scaleTargetRef: {kind: Deployment, name: kestra}
  maxReplicas: 4
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: budget}
spec: {minAvailable: 1, selector: {matchLabels: {app: kestra}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: flows, annotations: {iam.gke.io/gcp-service-account: a@b}}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: m, labels: {release: prometheus}}
spec: {endpoints: [{port: management, interval: 30s}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r}
spec: {hostnames: [a.example], parentRefs: [{name: gw, namespace: edge, sectionName: https}]}
"""


def test_objects_around_the_pods_are_carried() -> None:
    result = imported(deployment(pod="serviceAccountName: flows", spec="replicas: 3") + EDGES)
    assert result.deployment["ingress"] == {
        "host": "a.example",
        "class-name": "nginx",
        "tls-secret": "a-tls",
    }
    assert result.note("not carried", "Ingress grafana")
    assert result.component("standalone") == {
        "autoscaling": {"min-replicas": 1, "max-replicas": 4, "cpu-percentage": 60}
    }
    assert result.deployment["disruption-budget"] == {"min-available": 1}
    assert result.deployment["monitoring"] == {
        "kind": "service-monitor",
        "interval": "30s",
        "labels": {"release": "prometheus"},
    }
    assert result.deployment["http-route"] == {
        "host": "a.example",
        "gateway": {"name": "gw", "namespace": "edge", "section-name": "https"},
    }
    assert result.settings["identity"]["service-account"] == {
        "name": "flows",
        "annotations": {"iam.gke.io/gcp-service-account": "a@b"},
    }


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("NetworkPolicy", ("network policies of its own",)),
        ("Role", ("no rights",)),
        ("IngressRoute", ("deployment.ingress",)),
        ("CronJob", ("not Kestra's server",)),
        ("ScaledObject", ("autoscaling",)),
        ("Certificate2", ("no such object",)),
    ],
)
def test_other_objects_are_named(kind: str, words: tuple[str, ...]) -> None:
    other = f"---\napiVersion: x/v1\nkind: {kind}\nmetadata: {{name: other}}\nspec: {{}}\n"
    assert imported(deployment() + other).note("not carried", f"{kind} other", *words)


def test_a_database_beside_kestra_is_named() -> None:
    database = deployment(name="pg", command="").replace("kestra/kestra:v1.3.31", "postgres:16")
    database = database.replace("name: kestra, image", "name: pg, image")
    assert imported(deployment() + database).note("not carried", "Deployment pg", "database")


def test_lists_and_the_output_of_kubectl_are_read() -> None:
    item = deployment(pod="schedulerName: default-scheduler").removeprefix("---\n")
    items = "".join(f"    {line}\n" for line in item.splitlines())
    result = imported(f"apiVersion: v1\nkind: List\nitems:\n  -\n{items}")
    assert result.deployment["mode"] == "standalone"
    assert not result.has_note("schedulerName")


def test_configuration_without_pods_is_read() -> None:
    assert imported(config_map()).kestra == {"queue": {"type": "postgres"}}


def test_values_in_a_config_map_without_its_release_are_read() -> None:
    text = "configurations: {application: {kestra: {queue: {type: h2}}}}"
    assert imported(config_map("v", "values.yaml", text)).kestra == {"queue": {"type": "h2"}}


def test_an_ingress_alone_is_read_beside_other_inputs() -> None:
    document = (
        "apiVersion: v1\nkind: Ingress\nmetadata: {name: a}\nspec: {rules: [{host: a.example}]}"
    )
    assert imported(document).deployment["ingress"] == {"host": "a.example"}


def test_pods_beside_a_release_are_named() -> None:
    values = "configurations: {application: {kestra: {queue: {type: h2}}}}"
    assert imported(values, deployment(name="other")).note("not carried", "Deployment other")


def test_objects_without_kestra_are_refused() -> None:
    parts = parts_of("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {}")
    with pytest.raises(ImportRefused, match="No Kubernetes object"):
        KubernetesReader().read(parts, Assembly(parts))


KUSTOMIZATION = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: staging
resources: [deployment.yaml, absent.yaml]
images: [{name: kestra/kestra, newName: mirror.example/kestra, newTag: v1.3.20}]
configMapGenerator: [{name: e, literals: [ENV_A=1], files: [application.yml=conf/a.yml]}]
patches: [{path: p.yaml}]
"""


def test_a_kustomization_is_read_with_its_files() -> None:
    files = {
        "kustomization.yaml": KUSTOMIZATION,
        "deployment.yaml": deployment("envFrom: [{configMapRef: {name: e}}]").replace(
            ", namespace: data", ""
        ),
    }
    parts = parts_of(*files.items())
    extra = Part("conf/a.yml", CONFIGURATION, {"kestra": {}})
    assembly = Assembly([*parts, extra])
    KubernetesReader().read(parts, assembly)
    result = Imported(assembly.finish())
    assert result.deployment["namespace"] == "staging"
    assert result.deployment["image"]["tag"] == "v1.3.20"
    assert result.deployment["image"]["repository"] == "mirror.example/kestra"
    assert result.variables["ENV_A"] == "1"
    assert result.note("not carried", "absent.yaml")
    assert result.note("changed", "ConfigMap e", "hash")
    assert result.note("not carried", "patches", "kustomize build")


@pytest.mark.parametrize(
    "document",
    [
        "apiVersion: apps/v1\nkind: Deployment",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: x\nspec: [1]",
        "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: {a: b}}}}",
        "apiVersion: v1\nkind: List\nitems: [1, {}, {kind: 3}, {kind: Pod}]",
        "apiVersion: v1\nkind: Secret\ndata: {a: '%%%', b: [1], c: null}",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: [a]}\ndata: text",
        deployment("env: [1, {name: [a]}, {name: A, valueFrom: 3}], envFrom: [{}, x]"),
        deployment(
            "resources: 3, volumeMounts: [x, {name: 1}], securityContext: []", "volumes: [1]"
        ),
        deployment("command: 3", "imagePullSecrets: x, tolerations: 1, nodeSelector: []"),
        deployment(spec="replicas: [1]") + "---\napiVersion: v1\nkind: Service\nspec: {ports: 3}\n",
        deployment() + "---\napiVersion: v1\nkind: Ingress\nspec: {rules: [1], tls: [2]}\n",
        deployment() + "---\napiVersion: v1\nkind: Ingress\nspec: {rules: {a: b}, tls: x}\n",
        deployment()
        + "---\napiVersion: v1\nkind: HTTPRoute\nspec: {parentRefs: [1], hostnames: x}\n",
        deployment() + "---\napiVersion: v1\nkind: HorizontalPodAutoscaler\nspec: {scaleTargetRef: "
        "{name: kestra}, metrics: [1, {resource: 2}]}\n",
        deployment() + "---\napiVersion: v1\nkind: PodDisruptionBudget\nspec: {selector: []}\n",
        "configurations: {application: [1], configmaps: {a: b}, secrets: [1, {name: 2}]}",
        "configurations: {application: 3}\ncommon: 4\ndeployments: 5\nimage: [6]",
        "deployments: {worker: 1, standalone: [2]}\nconfigurations: {application: {a: 1}}",
        "configuration: {kestra: 1}\nsecrets: 2\nexternalSecret: 3\npostgresql: x\nminio: []",
        "configuration: {kestra: {}}\nextraSecretEnvFrom: [1]\nextraEnv: {a: b}\nworkerGroup: []",
        "configurations: {application: {a: 1}}\ningress: {enabled: true, hosts: {a: b}, tls: 3}",
        "configurations: {application: {a: 1}}\nservice: 3\nserviceAccount: {name: [a]}\ndind: []",
        "configurations: {application: {a: 1}}\nextraManifests: {a: 1, b: '{'}\nworkerGroups: []",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nspec: {source: {chart: kestra, helm: "
        "{parameters: [1, {name: a}], values: 3, valueFiles: {a: b}}}}",
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nspec: {chart: {spec: {chart: kestra}}, "
        "valuesFrom: [1, {kind: x}], values: [1]}",
        "releases: [1, {chart: kestra/kestra, values: {a: b}, set: [1]}]",
        "helm: {chart: kestra, values: [1], valuesFiles: 3}",
    ],
)
def test_hostile_objects_have_an_answer(document: str) -> None:
    parts = parts_of(document)
    reader, assembly = KubernetesReader(), Assembly(parts)
    read = [part for part in parts if reader.recognizes(part)]
    with contextlib.suppress(ImportRefused):
        reader.read(read, assembly)
    with contextlib.suppress(ImportRefused):
        assembly.finish()

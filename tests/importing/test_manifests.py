"""Kubernetes objects that run Kestra: pods, what they read and mount, and the objects around them."""

from __future__ import annotations

import base64
import contextlib
from typing import Any

import pytest

from components.importing.assembly import Assembly
from components.importing.kubernetes_reader import KubernetesReader
from components.importing.readers import ImportRefused, Part
from tests.importing.kubernetes_support import Imported, imported, parts_of

CONFIGURATION = "kestra: {queue: {type: postgres}}"


def deployment(
    container: str = "",
    pod: str = "",
    *,
    name: str = "kestra",
    command: str = "args: [server, standalone]",
    kind: str = "Deployment",
    spec: str = "",
    labels: str = "app: kestra",
) -> str:
    """A Deployment whose container, pod and specification have further parts, in flow style."""
    parts = [p for p in ("name: kestra, image: 'kestra/kestra:v1.3.31'", command, container) if p]
    inner = ", ".join(p for p in (f"containers: [{{{', '.join(parts)}}}]", pod) if p)
    outer = ", ".join(
        p
        for p in (spec, f"template: {{metadata: {{labels: {{{labels}}}}}, spec: {{{inner}}}}}")
        if p
    )
    return (
        f"---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: data}}\n"
        f"spec: {{selector: {{matchLabels: {{app: kestra}}}}, {outer}}}\n"
    )


def config_map(name: str = "c", key: str = "application.yml", text: str = CONFIGURATION) -> str:
    return f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{{key}: '{text}'}}\n"


def secret(name: str, **data: str) -> str:
    encoded = ", ".join(f"{k}: {base64.b64encode(v.encode()).decode()}" for k, v in data.items())
    return f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ndata: {{{encoded}}}\n"


VOLUME = "volumes: [{name: v, configMap: {name: c}}]"


@pytest.mark.parametrize(
    ("container", "pod"),
    [
        ("volumeMounts: [{name: v, mountPath: /app/confs}]", VOLUME),
        (
            "volumeMounts: [{name: v, mountPath: /app/confs/application.yml, subPath: application.yml}]",
            VOLUME,
        ),
        (
            "args: [server, standalone, --config, /etc/k/a.yml], "
            "volumeMounts: [{name: v, mountPath: /etc/k}]",
            "volumes: [{name: v, configMap: {name: c, items: [{key: application.yml, path: a.yml}]}}]",
        ),
        (
            "env: [{name: MICRONAUT_CONFIG_FILES, value: '/etc/k/application.yml'}], "
            "volumeMounts: [{name: v, mountPath: /etc/k}]",
            "volumes: [{name: v, projected: {sources: [{configMap: {name: c}}]}}]",
        ),
        (
            "env: [{name: KESTRA_CONFIGURATION, valueFrom: {configMapKeyRef: {name: c, key: application.yml}}}]",
            "",
        ),
        ("envFrom: [{configMapRef: {name: e}}]", ""),
        (f"env: [{{name: KESTRA_CONFIGURATION, value: '{CONFIGURATION}'}}]", ""),
    ],
)
def test_configuration_is_read_where_the_container_reads_it(container: str, pod: str) -> None:
    command = "" if "args:" in container else "args: [server, standalone]"
    result = imported(
        deployment(container, pod, command=command)
        + config_map()
        + config_map("e", "KESTRA_CONFIGURATION")
    )
    assert result.configuration == {"kestra": {"queue": {"type": "postgres"}}}
    assert "extra-volumes" not in result.deployment


def test_configuration_of_a_secret_is_read() -> None:
    result = imported(
        deployment(
            "env: [{name: KESTRA_CONFIGURATION, valueFrom: {secretKeyRef: {name: s, key: text}}}]"
        ),
        secret("s", text=CONFIGURATION),
    )
    assert result.kestra == {"queue": {"type": "postgres"}}


def test_a_file_of_config_wins_over_variables_and_other_files() -> None:
    result = imported(
        deployment(
            "args: [server, standalone, -c, /o/over.yml], env: [{name: KESTRA_QUEUE_TYPE, value: memory}, "
            "{name: MICRONAUT_CONFIG_FILES, value: /app/confs/application.yml}], "
            "volumeMounts: [{name: v, mountPath: /app/confs}, {name: o, mountPath: /o}]",
            "volumes: [{name: v, configMap: {name: c}}, {name: o, configMap: {name: o}}]",
            command="",
        )
        + config_map(text="kestra: {queue: {type: h2}, repository: {type: h2}}")
        + config_map("o", "over.yml")
    )
    assert result.kestra == {"queue": {"type": "postgres"}, "repository": {"type": "h2"}}


def test_a_mounted_file_that_nothing_names_is_never_read_beside_another() -> None:
    result = imported(
        deployment(
            "env: [{name: KESTRA_CONFIGURATION, value: 'kestra: {url: a}'}], "
            "volumeMounts: [{name: v, mountPath: /etc/kestra}]",
            VOLUME,
        )
        + config_map()
    )
    assert result.kestra == {"url": "a"}
    assert result.note("not carried", "ConfigMap c", "/etc/kestra/application.yml", "never read")


def test_the_only_mounted_configuration_is_carried_with_a_word_of_doubt() -> None:
    result = imported(
        deployment("volumeMounts: [{name: v, mountPath: /etc/kestra}]", VOLUME) + config_map()
    )
    assert result.kestra == {"queue": {"type": "postgres"}}
    assert result.note("changed", "ConfigMap c", "nothing says")


def test_the_file_of_kestras_home_wins_as_config_does() -> None:
    result = imported(
        deployment(
            "env: [{name: KESTRA_QUEUE_TYPE, value: memory}], "
            "volumeMounts: [{name: v, mountPath: /home/kestra/.kestra/config.yml, subPath: application.yml}]",
            VOLUME,
        )
        + config_map()
    )
    assert result.kestra == {"queue": {"type": "postgres"}}


def test_a_file_of_the_inputs_stands_for_the_mounted_one() -> None:
    parts = parts_of(
        deployment(
            "args: [server, standalone, --config, /etc/k/settings.yml], "
            "volumeMounts: [{name: v, mountPath: /etc/k}]",
            "volumes: [{name: v, secret: {secretName: s, items: [{key: settings.yml, path: settings.yml}]}}]",
            command="",
        )
    )
    assembly = Assembly([*parts, Part("conf/settings.yml", CONFIGURATION, {"kestra": {}})])
    KubernetesReader().read(parts, assembly)
    assert Imported(assembly.finish()).kestra == {"queue": {"type": "postgres"}}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (
            "env: [{name: KESTRA_CONFIGURATION, valueFrom: {secretKeyRef: {name: s, key: k}}}]",
            ("Secret s", "KESTRA_CONFIGURATION", "kubectl get secret s"),
        ),
        (
            "env: [{name: MICRONAUT_CONFIG_FILES, value: /app/confs/application.yml}], "
            "volumeMounts: [{name: v, mountPath: /app/confs/application.yml, subPath: application.yml}]",
            ("not among the inputs", "kubectl get configmap c"),
        ),
        ("env: [{name: MICRONAUT_CONFIG_FILES, value: /x/y.yml}]", ("/x/y.yml",)),
    ],
)
def test_configuration_that_no_input_holds_is_named(container: str, words: tuple[str, ...]) -> None:
    items = "volumes: [{name: v, configMap: {name: c, items: [{key: application.yml, path: application.yml}]}}]"
    assert imported(deployment(container, items)).note("not carried", *words)


def test_variables_of_known_config_maps_are_copied_and_secrets_stay_references() -> None:
    result = imported(
        deployment(
            "envFrom: [{configMapRef: {name: e}, prefix: ENV_}, {secretRef: {name: s}}, "
            "{secretRef: {name: elsewhere}}], env: [{name: ENV_B, value: own}]"
        ),
        config_map("e", "A", "1"),
        secret("s", SECRET_TOKEN=base64.b64encode(b"planted-token").decode(), SECRET_BAD="-"),
    )
    assert result.variables == {"ENV_A": "1", "ENV_B": "own"}
    assert result.installation.extra_env_from == [
        {"secretRef": {"name": "s"}},
        {"secretRef": {"name": "elsewhere"}},
    ]
    assert result.note("changed", "SECRET_BAD", "no base64")
    assert result.note("changed", "SECRET_TOKEN", "secret('TOKEN')", "namespace")
    assert "planted-token" not in result.report


def test_secrets_of_flows_by_reference_are_declared_where_the_value_is_known() -> None:
    value = base64.b64encode(b"planted-value").decode()
    result = imported(
        deployment("env: [{name: SECRET_X, valueFrom: {secretKeyRef: {name: s, key: x}}}]"),
        secret("s", x=value),
    )
    assert result.variables == {"SECRET_X": value}


def test_a_source_with_the_prefix_of_declared_secrets_is_never_carried_without_it() -> None:
    source = "envFrom: [{secretRef: {name: flows}, prefix: SECRET_}]"
    result = imported(deployment(source))
    assert result.installation.extra_env_from == []
    assert result.note("not carried", "flows", "SECRET_")
    value = base64.b64encode(b"planted").decode()
    result = imported(deployment(source), secret("flows", TOKEN=value))
    assert result.installation.extra_env_from == []
    assert result.variables == {"SECRET_TOKEN": value}


@pytest.mark.parametrize(
    ("name", "value", "path", "expected"),
    [
        (
            "DATASOURCES_POSTGRES_PASSWORD",
            "planted",
            ("datasources", "postgres", "password"),
            "${DATASOURCES_POSTGRES_PASSWORD}",
        ),
        ("KESTRA_STORAGE_TYPE", "gcs", ("kestra", "storage", "type"), "gcs"),
    ],
)
@pytest.mark.parametrize("by", ["env", "envFrom"])
def test_settings_in_secrets_stay_references_where_they_are_secret(
    name: str, value: str, path: tuple[str, ...], expected: str, by: str
) -> None:
    source = (
        "envFrom: [{secretRef: {name: s}}]"
        if by == "envFrom"
        else f"env: [{{name: {name}, valueFrom: {{secretKeyRef: {{name: s, key: {name}}}}}}}]"
    )
    node: Any = imported(deployment(source), secret("s", **{name: value})).configuration
    for step in path:
        node = node[step]
    assert node == expected


def test_a_secret_that_sops_encrypted_is_a_reference_without_a_value() -> None:
    encrypted = "ENC[AES256_GCM,data:planted,iv:a,tag:b,type:str]"
    text = (
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
        f"stringData: {{SECRET_A: '{encrypted}', k: '{encrypted}'}}\nsops: {{mac: x}}\n"
    )
    result = imported(
        deployment(
            "envFrom: [{secretRef: {name: s}}], "
            "env: [{name: KESTRA_CONFIGURATION, valueFrom: {secretKeyRef: {name: s, key: k}}}]"
        )
        + text
    )
    assert result.installation.extra_env_from == [{"secretRef": {"name": "s"}}]
    assert result.note("not carried", "Secret s", "KESTRA_CONFIGURATION")
    assert not result.has_note("base64")


def test_references_of_kubernetes_in_values_are_resolved() -> None:
    result = imported(
        deployment(
            "env: [{name: H, value: db}, {name: P, valueFrom: {secretKeyRef: {name: s, key: p}}}, "
            "{name: DATASOURCES_POSTGRES_URL, value: 'jdbc:postgresql://$(H)/$(P)?a=$$(H)'}]"
        )
    )
    url = result.configuration["datasources"]["postgres"]["url"]
    assert url == "jdbc:postgresql://db/${P}?a=$(H)"


def test_pods_are_carried_with_their_options() -> None:
    result = imported(
        deployment(
            "resources: {requests: {cpu: 500m}}",
            "nodeSelector: {disk: ssd}, hostAliases: [{ip: 10.0.0.1, hostnames: [db]}], "
            "runtimeClassName: gvisor, dnsConfig: {options: [{name: ndots, value: '1'}]}, "
            "serviceAccountName: flows, imagePullSecrets: [{name: reg}]",
            spec="replicas: 2",
        )
    )
    assert result.deployment["namespace"] == "data"
    assert result.deployment["mode"] == "standalone"
    assert result.component("standalone") == {
        "resources": {"requests": {"cpu": "500m"}},
        "replicas": 2,
    }
    assert result.deployment["node-selector"] == {"disk": "ssd"}
    assert result.deployment["host-aliases"] == [{"ip": "10.0.0.1", "hostnames": ["db"]}]
    assert result.deployment["runtime-class"] == "gvisor"
    assert result.deployment["dns-config"] == {"options": [{"name": "ndots", "value": "1"}]}
    assert result.deployment["image"]["pull-secrets"] == ["reg"]
    assert result.settings["identity"]["service-account"]["name"] == "flows"
    assert "labels" not in result.deployment


def component(name: str, container: str = "") -> str:
    command = f"args: [server, {name}]"
    return deployment(container, name=f"kestra-{name}", command=command)


def test_deployments_of_components_are_the_mode_distributed() -> None:
    result = imported(
        component("webserver")
        + component("executor")
        + component("worker", "resources: {limits: {memory: 4Gi}}")
        + deployment(
            name="kestra-gpu",
            command="command: [sh, -c, 'exec /app/kestra server worker -g GPU.a -t 4']",
        )
    )
    assert result.deployment["mode"] == "distributed"
    assert result.component("worker") == {"resources": {"limits": {"memory": "4Gi"}}}
    assert result.deployment["worker-groups"] == {"gpu-a": {"key": "GPU.a", "worker-threads": 4}}
    assert result.note("changed", "scheduler", "mode distributed")


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        (
            component("worker") + deployment(name="more", command="args: [server, worker]"),
            ("more", "further pods"),
        ),
        (
            deployment()
            + deployment(name="other").replace("namespace: data", "namespace: staging"),
            ("Deployment other", "another namespace"),
        ),
        (
            component("webserver") + component("worker").replace("v1.3.31", "v1.3.20"),
            ("worker", "another image"),
        ),
        (
            component("webserver", "env: [{name: KESTRA_CONFIGURATION, value: 'kestra: {url: a}'}]")
            + component("worker", "env: [{name: KESTRA_CONFIGURATION, value: 'kestra: {url: b}'}]"),
            ("worker", "other configuration"),
        ),
    ],
)
def test_what_differs_between_workloads_is_named(objects: str, words: tuple[str, ...]) -> None:
    assert imported(objects).note(*words)


@pytest.mark.parametrize(
    ("container", "pod", "words"),
    [
        ("", "hostNetwork: true", ("hostNetwork", "restricted")),
        ("", "securityContext: {runAsUser: 0}", ("runAsUser 0",)),
        ("securityContext: {capabilities: {add: [NET_ADMIN]}}", "", ("capabilities",)),
        ("lifecycle: {preStop: {exec: {command: [sleep]}}}", "", ("lifecycle",)),
        ("ports: [{containerPort: 8080, hostPort: 80}]", "", ("hostPort 80",)),
        ("livenessProbe: {httpGet: {path: /health, port: 1}}", "", ("livenessProbe",)),
        ("", "terminationGracePeriodSeconds: 30", ("terminationGracePeriodSeconds", "30")),
        ("resources: {limits: {ephemeral-storage: 1Gi}}", "", ("ephemeral-storage",)),
        (
            "volumeMounts: [{name: d, mountPath: /data}]",
            "volumes: [{name: d, hostPath: {path: /srv/data}}]",
            ("/srv/data", "hostPath"),
        ),
        (
            "",
            "initContainers: [{name: fix, image: busybox, securityContext: {privileged: true}}]",
            ("initContainers: fix", "privileged"),
        ),
    ],
)
def test_what_a_restricted_pod_cannot_have_is_named(
    container: str, pod: str, words: tuple[str, ...]
) -> None:
    assert imported(deployment(container, pod)).note(*words)


def test_a_privileged_sidecar_is_named_and_another_one_kept() -> None:
    text = deployment(
        "volumeMounts: [{name: socket, mountPath: /dind}]",
        "volumes: [{name: socket, emptyDir: {}}]",
    ).replace(
        "containers: [",
        "containers: [{name: dind, image: 'docker:dind', securityContext: {privileged: true}, "
        "volumeMounts: [{name: socket, mountPath: /dind}]}, {name: proxy, image: cloud-sql-proxy}, ",
    )
    result = imported(text)
    assert result.note("not carried", "dind", "privileged")
    assert result.deployment["extra-containers"] == [{"name": "proxy", "image": "cloud-sql-proxy"}]
    assert "extra-volumes" not in result.deployment


def test_a_claim_of_the_storage_folder_is_kept() -> None:
    claim = (
        "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: files}\nspec: "
        "{storageClassName: fast, resources: {requests: {storage: 20Gi}}}\n"
    )
    result = imported(
        deployment(
            "volumeMounts: [{name: f, mountPath: /app/storage}]",
            "volumes: [{name: f, persistentVolumeClaim: {claimName: files}}]",
        )
        + claim
    )
    volume = result.deployment["storage-volume"]
    assert volume == {"existing-claim": "files", "size": "20Gi", "class-name": "fast"}
    assert result.note("PersistentVolumeClaim files", "carried")


def test_the_claim_of_a_stateful_sets_first_pod_is_kept() -> None:
    result = imported(
        deployment(
            "volumeMounts: [{name: files, mountPath: /app/storage}]",
            kind="StatefulSet",
            spec="volumeClaimTemplates: [{metadata: {name: files}, spec: {resources: {requests: {storage: 5Gi}}}}]",
        )
    )
    assert result.deployment["storage-volume"] == {
        "existing-claim": "files-kestra-0",
        "size": "5Gi",
    }


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
    assembly.finish()

"""Values of the official chart 1.x and 2.x: what the templates make of them, in rows."""

from __future__ import annotations

from typing import Any

import pytest

from components.importing import charts
from components.importing.chart_values import Layer, Values, merge, parse_path, typed
from components.importing.kubernetes_reader import KubernetesReader
from tests.importing.kubernetes_support import current, imported, parts_of

DISTRIBUTED = """
deployments:
  standalone: {enabled: false}
  webserver: {enabled: true}
  executor: {enabled: true}
  scheduler: {enabled: true}
  indexer: {enabled: true}
  worker:
    enabled: true
"""


@pytest.mark.parametrize(
    ("chart", "kestra"),
    [
        ("1.0.0", "v1.0.0"),
        ("1.0.18", "v1.1.5"),
        ("1.0.42", "v1.3.3"),
        ("1.0.54", "v1.3.15"),
        ("v1.0.28", "v1.2.0"),
        ("1.3.16", "v1.3.16"),
        ("2.0.3", "v2.0.3"),
        ("0.22.9", "v0.22.9"),
        ("0.19.0", None),
        ("1.0.99", None),
        ("1.x", None),
        (">=1.0", None),
        ("main", None),
        ("", None),
    ],
)
def test_a_release_of_the_chart_runs_its_kestra(chart: str, kestra: str | None) -> None:
    assert charts.kestra_release(chart) == kestra


@pytest.mark.parametrize(
    ("values", "generation"),
    [
        ("configurations: {application: {kestra: {url: x}}}", "1.x"),
        ("configurations: {secrets: [{name: a, key: b.yml}]}", "1.x"),
        ("image: {repository: registry.example/kestra/kestra}\ncommon: {replicas: 2}", "1.x"),
        ("deployments: {standalone: {replicas: 2}}\nimage: {repository: a}", "1.x"),
        ("deployments: {controller: {enabled: true}}\ncommon: {}", "2.x"),
        ("deployments: {controller: {enabled: false}}\ncommon: {}", "1.x"),
        ("configurations: {application: {kestra: {worker: {controllers: {type: DNS}}}}}", "2.x"),
        ("configurations: {application: {a: 1}}\nservice: {ports: {grpc: {port: 1}}}", "2.x"),
        ("configuration: {kestra: {queue: {type: h2}}}", "0.x"),
        ("configuration: |\n  kestra:\n    queue: {type: h2}", "0.x"),
        ("image: {image: mirror/kestra}\ndeployments: {worker: {enabled: true}}", "0.x"),
        ("deployments: {webserver: {replicaCount: 2}}", "0.x"),
        ("workerGroup: {gpu: {enabled: true}}", "0.x"),
        ("dind: {enabled: false}\nsecrets: {kestra: {}}", "0.x"),
        ("kestra:\n  configurations: {application: {a: 1}}", "1.x"),
        ("apps:\n  flows:\n    configuration: {kestra: {}}", "0.x"),
    ],
)
def test_the_generation_of_values_is_seen(values: str, generation: str) -> None:
    (part,) = parts_of(values)
    assert KubernetesReader().kind(part) == f"values of the Helm chart {generation}"


@pytest.mark.parametrize(
    "document",
    [
        "kestra: {queue: {type: postgres}, server: {basic-auth: {username: a}}}",
        "datasources: {postgres: {url: x}}\nkestra: {url: y}",
        "kestra: {storage: {type: local}, plugins: {defaults: []}}",
        "services: {kestra: {image: kestra/kestra}}",
        "micronaut: {server: {port: 8080}}",
        "replicaCount: 2\nimage: {repository: nginx}\nserviceAccount: {create: true}\ncommon: {a: 1}",
        "- a\n- b",
        "deployments: {api: {enabled: true}}",
        "id: hello\nnamespace: company.team\ntasks: [{id: a, type: b}]",
    ],
)
def test_other_documents_are_no_values_of_the_chart(document: str) -> None:
    (part,) = parts_of(document)
    assert not KubernetesReader().recognizes(part)


def test_all_configuration_of_the_values_is_carried() -> None:
    result = imported(
        """
        configurations:
          application:
            kestra:
              server: {basicAuth: {username: ops@a.example, password: x}}
              tutorialFlows: {enabled: false}
            micronaut: {server: {port: 8080}}
        """
    )
    assert result.kestra["server"]["basic-auth"]["username"] == "ops@a.example"
    assert result.kestra["tutorial-flows"] == {"enabled": False}
    assert result.configuration["micronaut"] == {"server": {"port": 8080}}


def test_a_text_in_place_of_configuration_is_read_and_reported() -> None:
    result = imported(
        """
        configurations:
          application: |
            kestra:
              queue: {type: postgres}
        """
    )
    assert result.kestra == {"queue": {"type": "postgres"}}
    assert result.note("changed", "configurations.application", "text")


def test_configuration_that_is_no_yaml_is_reported_without_its_text() -> None:
    result = imported("configurations:\n  application: |\n    a: planted-secret: [\n")
    assert result.note("not carried", "configurations.application")
    assert "planted-secret" not in result.report


def test_files_of_configmaps_and_secrets_win_over_the_values_in_order() -> None:
    result = imported(
        current(
            "  configmaps: [{name: more, key: more.yml}]\n  secrets: [{name: log-in, key: l.yml}]",
            application="kestra: {url: 'https://a.example', queue: {type: h2}}",
        ),
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: more}
        data: {more.yml: "kestra: {url: 'https://b.example', repository: {type: h2}}"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: log-in}
        stringData: {l.yml: "kestra: {url: 'https://c.example'}"}
        """,
    )
    assert result.kestra == {
        "url": "https://c.example",
        "queue": {"type": "h2"},
        "repository": {"type": "h2"},
    }


def test_a_file_that_no_input_holds_is_named_with_its_key() -> None:
    result = imported(current("  secrets: [{name: log-in, key: l.yml}]"))
    assert "kubectl get secret log-in" in result.note("not carried", "log-in", "l.yml").fix


def test_kestra_configuration_replaces_the_files_of_the_chart() -> None:
    """The start script lets Kestra read that text alone."""
    result = imported(
        current(
            "common:\n  extraEnv: [{name: KESTRA_CONFIGURATION, value: 'kestra: {queue: {type: h2}}'}]"
        )
    )
    assert result.configuration == {"kestra": {"queue": {"type": "h2"}}}
    assert result.note("not carried", "_default.yml", "never read")


def test_a_variable_that_is_a_setting_wins_over_the_values() -> None:
    result = imported(
        current("common:\n  extraEnv: [{name: DATASOURCES_POSTGRES_USERNAME, value: rw}]")
    )
    assert result.configuration["datasources"]["postgres"]["username"] == "rw"


@pytest.mark.parametrize(
    ("replaced", "common", "own", "expected"),
    [
        (
            "resources",
            "{requests: {cpu: 1}}",
            "{limits: {memory: 2Gi}}",
            {"limits": {"memory": "2Gi"}},
        ),
        ("resources", "{requests: {cpu: 1}}", "{}", {"requests": {"cpu": "1"}}),
        ("replicas", "2", "3", 3),
        ("replicas", "2", "0", 2),
        ("replicas", "2", "'4'", 4),
    ],
)
def test_a_deployments_own_replaces_the_common_one(
    replaced: str, common: str, own: str, expected: Any
) -> None:
    result = imported(
        current(f"common:\n  {replaced}: {common}\n{DISTRIBUTED}    {replaced}: {own}")
    )
    assert result.component("worker")[replaced] == expected


def test_replicas_of_0_count_in_the_chart_2() -> None:
    result = imported(
        current(
            f"common: {{replicas: 2}}\n{DISTRIBUTED}    replicas: 0\n  controller: {{enabled: true}}"
        )
    )
    assert result.component("worker")["replicas"] == 0


@pytest.mark.parametrize(
    ("part", "option", "common", "own", "shared", "rest"),
    [
        (
            "nodeSelector",
            "node-selector",
            "{arch: amd64}",
            "{pool: flows}",
            {"arch": "amd64"},
            {"pool": "flows"},
        ),
        (
            "nodeSelector",
            "node-selector",
            "{arch: amd64}",
            "{arch: arm64}",
            None,
            {"arch": "arm64"},
        ),
        (
            "tolerations",
            "tolerations",
            "[{key: a, operator: Exists}]",
            "[{key: b, operator: Exists}]",
            [{"key": "a", "operator": "Exists"}],
            [{"key": "b", "operator": "Exists"}],
        ),
        (
            "extraVolumes",
            "extra-volumes",
            "[{name: ca, secret: {secretName: ca}}]",
            "[{name: jks, configMap: {name: jks}}]",
            [{"name": "ca", "secret": {"secretName": "ca"}}],
            [{"name": "jks", "configMap": {"name": "jks"}}],
        ),
        (
            "initContainers",
            "init-containers",
            "[{name: wait, image: busybox}]",
            "[{name: load, image: busybox}]",
            [{"name": "wait", "image": "busybox"}],
            [{"name": "load", "image": "busybox"}],
        ),
        (
            "extraContainers",
            "extra-containers",
            "[{name: proxy, image: envoy}]",
            "[]",
            [{"name": "proxy", "image": "envoy"}],
            None,
        ),
        ("podAnnotations", "annotations", "{a: 1}", "{b: x}", {"a": "1"}, {"b": "x"}),
        ("podLabels", "labels", "{team: data}", "{}", {"team": "data"}, None),
        ("priorityClassName", "priority-class", "high", "", "high", None),
        ("priorityClassName", "priority-class", "", "high", None, "high"),
        (
            "topologySpreadConstraints",
            "topology-spread-constraints",
            "[{maxSkew: 1}]",
            "[]",
            [{"maxSkew": 1}],
            None,
        ),
    ],
)
def test_what_all_pods_share_is_set_once_and_the_rest_for_the_component(
    part: str, option: str, common: str, own: str, shared: Any, rest: Any
) -> None:
    result = imported(
        current(f"common:\n  {part}: {common or '{}'}\n{DISTRIBUTED}    {part}: {own or '{}'}")
    )
    assert result.deployment.get(option) == shared
    assert result.component("worker").get(option) == rest


def test_one_standalone_server_has_its_options_for_all() -> None:
    result = imported(
        current("deployments: {standalone: {nodeSelector: {a: b}, workerThreads: 24}}")
    )
    assert result.deployment["mode"] == "standalone"
    assert result.deployment["node-selector"] == {"a": "b"}
    assert result.component("standalone") == {"worker-threads": 24}


def test_0_threads_are_no_option() -> None:
    result = imported(current("deployments: {standalone: {workerThreads: 0}}"))
    assert result.component("standalone") == {}


def test_further_arguments_are_carried() -> None:
    result = imported(
        current("deployments: {standalone: {extraArgs: ['--no-tutorials', '-l DEBUG']}}")
    )
    assert result.component("standalone")["extra-args"] == ["--no-tutorials", "-l=DEBUG"]


def test_a_component_that_did_not_run_is_named() -> None:
    result = imported(current(DISTRIBUTED.replace("indexer: {enabled: true}", "indexer: {}")))
    assert result.note("changed", "deployments.indexer", "mode distributed has an indexer")


def test_a_standalone_server_beside_others_is_named() -> None:
    result = imported(current("deployments: {worker: {enabled: true}}"))
    assert result.deployment["mode"] == "distributed"
    assert result.note("changed", "deployments.standalone", "one mode")


def test_java_options_of_a_deployment_replace_the_common_ones() -> None:
    result = imported(
        current(
            "common: {jvm: {extraOpts: -Xmx1g}}\n"
            + DISTRIBUTED
            + "    jvm: {extraOpts: -Xmx4g, forceActiveProcessors: {enabled: true, count: value, value: 2}}"
        )
    )
    assert result.component("webserver")["java-options"] == "-Xmx1g"
    assert result.component("worker")["java-options"] == "-XX:ActiveProcessorCount=2 -Xmx4g"


def test_variables_and_their_sources_are_carried() -> None:
    result = imported(
        current(
            """
common:
  extraEnv:
    - {name: ENV_STAGE, value: test}
    - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  extraEnvFrom:
    - secretRef: {name: flows}
      prefix: DB_
"""
        )
    )
    assert result.variables == {
        "ENV_STAGE": "test",
        "POD": {"fieldRef": {"fieldPath": "metadata.name"}},
    }
    assert result.installation.extra_env_from == [{"secretRef": {"name": "flows"}, "prefix": "DB_"}]


def test_a_variable_of_one_component_is_its_own() -> None:
    result = imported(current(f"{DISTRIBUTED}    extraEnv: [{{name: ENV_POOL, value: big}}]"))
    assert result.installation.environment["ENV_POOL"].component == "worker"


def test_a_secret_of_flows_that_some_components_had_is_declared() -> None:
    text = current(
        DISTRIBUTED.replace(
            "executor: {enabled: true}",
            "executor: {enabled: true, extraEnv: [{name: SECRET_A, value: YQ==}]}",
        )
        + "    extraEnv: [{name: SECRET_A, value: YQ==}]"
    )
    assert imported(text).variables == {"SECRET_A": "YQ=="}


def test_a_variable_with_two_values_is_kept_apart() -> None:
    result = imported(
        current(
            "common: {extraEnv: [{name: ENV_POOL, value: small}]}\n"
            f"{DISTRIBUTED}    extraEnv: [{{name: ENV_POOL, value: big}}]"
        )
    )
    assert result.component("webserver")["extra-env"] == [{"name": "ENV_POOL", "value": "small"}]
    assert result.component("worker")["extra-env"] == [{"name": "ENV_POOL", "value": "big"}]


def test_the_image_is_carried_with_the_charts_tag() -> None:
    result = imported(
        current("image: {repository: mirror.example/kestra/kestra, pullPolicy: Always}"),
        (
            "Chart.yaml",
            "apiVersion: v2\nname: platform\nversion: 3.0.0\n"
            "dependencies: [{name: kestra, repository: 'https://helm.kestra.io', version: 1.0.42}]",
        ),
    )
    image = result.deployment["image"]
    assert image["repository"] == "mirror.example/kestra/kestra"
    assert image["tag"] == "v1.3.3"
    assert image["pull-policy"] == "Always"
    assert result.note("image.tag", "1.0.42", "v1.3.3")


def test_an_empty_tag_without_the_charts_version_is_named() -> None:
    result = imported(current("image: {repository: registry.kestra.io/docker/kestra-ee}"))
    assert result.deployment["image"] == {"repository": "registry.kestra.io/docker/kestra-ee"}
    assert result.settings["edition"] == "enterprise"
    assert result.note("changed", "image.tag", "no input says")


def test_worker_groups_have_settings_of_their_own() -> None:
    result = imported(
        current(
            DISTRIBUTED
            + """
common: {nodeSelector: {arch: amd64}}
workerGroups:
  gpu:
    enabled: true
    workerThreads: 8
    replicas: 2
    serviceAccountName: gpu-account
    nodeSelector: {pool: gpu}
    resources: {limits: {memory: 8Gi, nvidia.com/gpu: 1}}
    extraEnv: [{name: ENV_KIND, value: gpu}]
  off: {enabled: false}
"""
        )
    )
    assert result.deployment["worker-groups"] == {
        "gpu": {
            "worker-threads": 8,
            "replicas": 2,
            "node-selector": {"pool": "gpu"},
            "resources": {"limits": {"memory": "8Gi"}},
            "service-account": {"name": "gpu-account"},
            "extra-env": [{"name": "ENV_KIND", "value": "gpu"}],
        }
    }
    assert result.deployment["node-selector"] == {"arch": "amd64"}
    assert result.note("not carried", "nvidia.com/gpu")


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


def test_values_of_several_files_are_merged_as_helm_does() -> None:
    result = imported(
        current("image: {tag: v1.3.20}\nimagePullSecrets: [{name: a}]"),
        "image: {tag: v1.3.31}\nimagePullSecrets: [{name: b}]\ndind: {enabled: false}",
    )
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert result.deployment["image"]["pull-secrets"] == ["b"]
    assert result.note("changed", "image.tag", "v1.3.20", "v1.3.31")


def test_values_below_a_key_of_an_umbrella_are_read() -> None:
    result = imported(
        "global: {a: b}\npostgres: {auth: {password: planted-other}}\nkestra:\n  image: {tag: v1.3.31}\n"
        "  configurations: {application: {kestra: {queue: {type: postgres}}}}"
    )
    assert result.kestra == {"queue": {"type": "postgres"}}
    assert result.deployment["image"]["tag"] == "v1.3.31"
    assert "planted-other" not in result.report


def test_the_output_of_helm_get_values_is_read() -> None:
    assert imported("USER-SUPPLIED VALUES:\n" + current()).configuration


@pytest.mark.parametrize(
    "secret",
    [
        "ENC[AES256_GCM,data:abc,iv:d,tag:e,type:str]",
        "<path:secret/data/kestra#password>",
        "ref+vault://kestra/password",
        "before $${OTHER} and ${planted_name}",
    ],
)
def test_what_another_program_puts_in_is_missing_and_named(secret: str) -> None:
    result = imported(
        "configurations:\n  application:\n    datasources:\n      postgres:\n"
        f"        username: a\n        password: '{secret}'\n"
        f"ingress: {{enabled: true, hosts: [{{host: '{secret}'}}]}}\nsops: {{mac: b}}\n"
    )
    assert result.configuration["datasources"] == {"postgres": {"username": "a"}}
    assert [m.path for m in result.installation.missing] == [
        ("datasources", "postgres", "password")
    ]
    assert result.note("not carried", "ingress.hosts[0].host")
    assert not result.has_note("sops")


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a.b", ("a", "b")),
        (r"a.b\.c", ("a", "b.c")),
        ("a[0].b", ("a", 0, "b")),
        ("a[1][2]", ("a", 1, 2)),
        ("a..b", ()),
        ("", ()),
        ("a[x]", ()),
        ("a.", ()),
    ],
)
def test_paths_of_single_values(path: str, steps: tuple[object, ...]) -> None:
    assert parse_path(path) == steps


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("null", None),
        ("7", 7),
        ("007", "007"),
        ("{a,b}", ["a", "b"]),
        (r"a\,b", "a,b"),
        ("1.5", "1.5"),
    ],
)
def test_types_of_single_values(text: str, value: object) -> None:
    assert typed(text) == value


def test_single_values_change_what_is_there() -> None:
    base = {"a": {"b": [1, {"c": 2}]}, "keep": 1}
    values = Values(
        [Layer("f", "", base), Layer("f", "set", singles=(("a.b[1].c", 3), ("x.y", 4)))]
    )
    assert values.tree == {"a": {"b": [1, {"c": 3}]}, "keep": 1, "x": {"y": 4}}
    assert base["a"]["b"] == [1, {"c": 2}]
    assert values.origin("a", "b", 1, "c").place == "set"
    assert values.origin("keep").place == "keep"


def test_merging_shares_nothing_and_takes_lists_as_a_whole() -> None:
    assert merge({"a": {"b": 1}, "c": [1, 2]}, {"a": {"d": 2}, "c": [3]}) == {
        "a": {"b": 1, "d": 2},
        "c": [3],
    }


@pytest.mark.parametrize(
    ("variable", "token", "variables"),
    [
        ("value: planted-token", "planted-token", None),
        (
            "valueFrom: {secretKeyRef: {name: s, key: t}}",
            "${GPU_BIG_REGISTRATION_TOKEN}",
            [
                {
                    "name": "GPU_BIG_REGISTRATION_TOKEN",
                    "valueFrom": {"secretKeyRef": {"name": "s", "key": "t"}},
                }
            ],
        ),
    ],
)
def test_a_registration_token_of_a_group_is_the_groups(
    variable: str, token: str, variables: Any
) -> None:
    environment = f"extraEnv: [{{name: KESTRA_WORKER_AUTH_REGISTRATION_TOKEN, {variable}}}]"
    result = imported(
        current(
            f"image: {{tag: v2.0.3, repository: mirror.example/kestra}}\n{DISTRIBUTED}  controller: {{enabled: true}}\n"
            f"workerGroups: {{gpu-big: {{enabled: true, {environment}}}}}"
        )
    )
    group = result.deployment["worker-groups"]["gpu-big"]
    assert group["registration-token"] == token
    assert group.get("extra-env") == variables
    assert result.settings["version"] == "2.0"
    assert result.settings["edition"] == "enterprise"


@pytest.mark.parametrize(
    ("tag", "version"), [("latest", "2.0"), ("v2.0.3", "2.0"), ("v1.3.31", "1.3"), ("''", "2.0")]
)
def test_values_of_the_chart_2_are_of_kestra_2_unless_the_tag_says_otherwise(
    tag: str, version: str
) -> None:
    result = imported(
        current(f"image: {{tag: {tag}}}\nservice: {{ports: {{grpc: {{port: 50051}}}}}}")
    )
    assert result.settings["version"] == version


@pytest.mark.parametrize(
    ("values", "name"),
    [("fullnameOverride: flows", "flows"), ("", "")],
)
def test_the_name_of_the_releases_objects_is_handed_on(values: str, name: str) -> None:
    assert imported(current(values)).installation.release == name

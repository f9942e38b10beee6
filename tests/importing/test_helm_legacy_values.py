"""Values of the official chart before its new form (0.x), in rows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.importing.kubernetes_support import imported, legacy

RELEASE = """
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: flows, namespace: data}
spec:
  chart: {spec: {chart: kestra, version: 0.22.9, sourceRef: {kind: HelmRepository, name: kestra}}}
  values:
    configuration: {kestra: {url: https://a.example, storage: {type: local}}}
"""


def test_files_are_merged_in_the_order_of_the_chart() -> None:
    """application.yml < application-secrets.yml < application-k8s.yml < the external Secret."""
    result = imported(
        """
        configuration:
          kestra: {url: 'https://a.example', queue: {type: h2}, storage: {type: local}}
          datasources: {postgres: {username: from-configuration, password: planted-1}}
        secrets:
          kestra: {encryption: {secret-key: from-secrets}}
          datasources: {postgres: {username: from-secrets}}
        postgresql: {enabled: true, auth: {username: bundled, password: planted-2}}
        minio: {enabled: false}
        externalSecret: {secretName: outside, key: more}
        """,
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: outside}
        stringData: {more: "kestra: {queue: {type: memory}}"}
        """,
    )
    postgres = result.configuration["datasources"]["postgres"]
    assert (postgres["username"], postgres["password"]) == ("bundled", "planted-2")
    assert result.kestra["encryption"] == {"secret-key": "from-secrets"}
    assert result.kestra["queue"] == {"type": "memory"}
    assert result.kestra["repository"] == {"type": "postgres"}
    assert result.kestra["storage"] == {"type": "local"}


def test_bundled_databases_are_on_unless_the_values_say_no() -> None:
    result = imported(RELEASE)
    assert result.configuration["datasources"]["postgres"] == {
        "url": "jdbc:postgresql://flows-postgresql:5432/kestra",
        "driver-class-name": "org.postgresql.Driver",
        "username": "kestra",
        "password": "kestra",
    }
    assert result.kestra["storage"]["type"] == "minio"
    assert result.kestra["storage"]["minio"]["endpoint"] == "flows-minio"
    assert result.note("not carried", "postgresql", "by its default", "flows-postgresql")
    assert result.note("not carried", "minio")
    assert result.deployment["image"]["tag"] == "v0.22.9"
    assert result.deployment["namespace"] == "data"


def test_flux_names_a_release_of_another_namespace_after_it() -> None:
    result = imported(RELEASE.replace("spec:\n", "spec:\n  targetNamespace: etl\n", 1))
    url = result.configuration["datasources"]["postgres"]["url"]
    assert url == "jdbc:postgresql://etl-flows-postgresql:5432/kestra"
    assert result.deployment["namespace"] == "etl"


def test_a_host_of_a_release_without_a_name_is_left_out() -> None:
    """The other address, which `configuration` gives, was not in force."""
    result = imported(legacy("postgresql: {auth: {database: flows}}", bundled="postgresql"))
    assert "url" not in result.configuration["datasources"]["postgres"]
    assert "<release>-postgresql" in result.note("not carried", "postgresql").why


@pytest.mark.parametrize(
    ("values", "path", "expected"),
    [
        ("kafka: {enabled: true}", ("queue", "type"), "kafka"),
        (
            "kafka: {enabled: true}",
            ("kafka", "client", "properties", "bootstrap.servers"),
            "flows-kafka:9092",
        ),
        ("elasticsearch: {enabled: true}", ("repository", "type"), "elasticsearch"),
        (
            "elasticsearch: {enabled: true, clusterName: es}",
            ("elasticsearch", "client", "http-hosts"),
            "http://es-master:9200",
        ),
    ],
)
def test_bundled_servers_are_configuration(
    values: str, path: tuple[str, ...], expected: Any
) -> None:
    off = "\n    ".join(["postgresql: {enabled: false}", "minio: {enabled: false}", values])
    node = imported(f"{RELEASE}    {off}").kestra
    for step in path:
        node = node[step]
    assert node == expected


def test_what_bundled_servers_set_says_which_servers() -> None:
    values = "postgresql: {enabled: false}\n    minio: {enabled: true}\n    kafka: {enabled: true}"
    queue = imported(f"{RELEASE}    {values}").installation.configuration["kestra"]["queue"]["type"]
    assert queue.origin.place.endswith("spec.values.minio, HelmRelease flows: spec.values.kafka")


def test_only_the_files_of_configuration_path_are_read() -> None:
    result = imported(
        "configuration: {kestra: {url: 'https://a.example'}}\nsecrets: {kestra: {queue: {type: h2}}}\n"
        "configurationPath: /app/secrets/application-secrets.yml\npostgresql: {enabled: false}\n"
        "minio: {enabled: false}"
    )
    assert result.configuration == {"kestra": {"queue": {"type": "h2"}}}
    assert result.note("not carried", "application.yml", "never read")


@pytest.mark.parametrize(
    ("part", "option", "root", "own", "others", "workers"),
    [
        ("nodeSelector", "node-selector", "{a: b}", "{c: d}", {"a": "b"}, {"c": "d"}),
        ("nodeSelector", "node-selector", "{a: b}", "{}", None, None),
        (
            "tolerations",
            "tolerations",
            "[{key: a}]",
            "[{key: b}]",
            [{"key": "a"}],
            [{"key": "b"}],
        ),
        (
            "resources",
            "resources",
            "{limits: {memory: 1Gi}}",
            "{limits: {cpu: 1}}",
            {"limits": {"memory": "1Gi"}},
            {"limits": {"cpu": "1"}},
        ),
    ],
)
def test_a_deployments_own_replaces_that_of_the_root(
    part: str, option: str, root: str, own: str, others: Any, workers: Any
) -> None:
    result = imported(
        legacy(
            f"{part}: {root}\ndeployments:\n  standalone: {{enabled: false}}\n"
            f"  webserver: {{enabled: true}}\n  worker: {{enabled: true, {part}: {own}}}"
        )
    )
    assert result.component("webserver").get(option) == others
    assert result.component("worker").get(option) == workers
    if others is None:
        assert result.deployment[option] == {"a": "b"}


def test_variables_of_a_deployment_replace_those_of_the_root() -> None:
    result = imported(
        legacy(
            "extraEnv: [{name: ENV_A, value: a}]\ndeployments:\n  standalone: {enabled: false}\n"
            "  webserver: {enabled: true}\n  worker: {enabled: true, extraEnv: [{name: ENV_B, value: b}]}"
        )
    )
    environment = result.installation.environment
    assert environment["ENV_A"].component == "webserver"
    assert environment["ENV_B"].component == "worker"


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        ("workerThreads: 96", {"worker-threads": 96}),
        ("replicaCount: 3", {"replicas": 3}),
        (
            'command: "server worker{{ if $.Values.deployments.worker.workerThreads }} '
            '--thread={{ .Values.deployments.worker.workerThreads }}{{ end }}"\n    workerThreads: 4',
            {"worker-threads": 4},
        ),
        (
            "command: server worker --thread=12 -l INFO",
            {"worker-threads": 12, "extra-args": ["-l=INFO"]},
        ),
    ],
)
def test_commands_and_sizes_are_carried(deployment: str, expected: Any) -> None:
    result = imported(
        legacy(
            "deployments:\n  standalone: {enabled: false}\n  webserver: {enabled: true}\n"
            f"  worker:\n    enabled: true\n    {deployment}"
        )
    )
    assert result.component("worker") == expected


def test_a_worker_group_is_carried() -> None:
    result = imported(
        legacy("workerGroup: {gpu: {enabled: true, workerThreads: 2, nodeSelector: {a: b}}}")
    )
    assert result.deployment["worker-groups"]["gpu"] == {
        "worker-threads": 2,
        "node-selector": {"a": "b"},
    }


def test_sources_of_variables_keep_their_prefix() -> None:
    result = imported(
        legacy("extraSecretEnvFrom: [{name: s, prefix: DB_}]\nextraConfigMapEnvFrom: [{name: c}]")
    )
    assert result.installation.extra_env_from == [
        {"configMapRef": {"name": "c"}},
        {"secretRef": {"name": "s"}, "prefix": "DB_"},
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("configurations2: {a: b}", ("not carried", "configurations2")),
        ("common: {replicas: 2}", ("not carried", "common", "1.x reads it")),
        ("operator: {enabled: true, apiKey: planted-key}", ("not carried", "operator")),
        ("extraPorts: [{name: jmx, containerPort: 8686}]", ("not carried", "extraPorts")),
        ("serviceAccountName: flows", ("not carried", "flows", "outside")),
        ("livenessProbe: {enabled: true, path: /x}", ("not carried", "livenessProbe")),
        ("securityContext: {runAsUser: 1000, runAsGroup: 1000}", ("securityContext", "1000")),
        ("service: {type: LoadBalancer, loadBalancerIP: 10.0.0.1}", ("service: loadBalancerIP",)),
        (
            "deployments: {standalone: {replicas: 2}}",
            ("deployments.standalone.replicas", "no effect"),
        ),
        ("", ("not carried", "dind", "default")),
    ],
)
def test_what_is_not_carried_is_named(options: str, words: tuple[str, ...]) -> None:
    result = imported(legacy(f"image: {{image: kestra/kestra, tag: v0.24.4}}\n{options}"))
    assert result.note(*words)
    assert "planted" not in result.report


def test_the_account_is_carried() -> None:
    result = imported(legacy("serviceAccountName: flows"))
    assert result.settings["identity"]["service-account"] == {"name": "flows"}

"""Kubernetes objects that run Kestra: which pods, what they read and mount."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from components.importing.assembly import Assembly
from components.importing.kubernetes_reader import KubernetesReader
from components.importing.readers import Part
from tests.importing.kubernetes_support import (
    CONFIGURATION,
    VOLUME,
    Imported,
    component,
    config_map,
    deployment,
    imported,
    parts_of,
    secret,
)


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

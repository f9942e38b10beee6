"""Values of the official chart 1.x and 2.x: configuration, variables and pods that the templates make, in rows."""

from __future__ import annotations

from typing import Any

import pytest

from components.importing.readers import ImportRefused
from tests.importing.kubernetes_support import DISTRIBUTED, config_map, current, imported


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
    text = "configurations:\n  application: |\n    a: planted-secret: [\n"
    with pytest.raises(
        ImportRefused, match=r"configurations\.application is no valid YAML"
    ) as error:
        imported(text)
    assert "planted-secret" not in str(error.value)
    # Another file is read all the same, and the broken one is named.
    more = "  configmaps: [{name: c, key: application.yml}]\n"
    result = imported(text + more, config_map())
    assert result.note("not carried", "configurations.application", "no valid YAML")
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

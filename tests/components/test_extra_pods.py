"""What the settings add to pods stands in their specification, in Kubernetes' form and as Pod Security asks."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr as encrypted

from components.kubernetes.network import policies
from components.kubernetes.pod_additions import REGISTRATION_TOKEN, secret_values
from components.registration_tokens import registration_token
from components.settings.pods import PodSettings
from tests.components.pods_support import (
    SECRET,
    distributed,
    distributed_document,
    settings,
    spec,
    specs,
    templates,
    variables,
)
from tests.components.recording_support import run

PLANTED = "Pl4nted-Extra-Value"
TOKEN = registration_token(PLANTED)
REFERENCE = {"secretKeyRef": {"name": "kestra-db-app", "key": "password"}}
GROUPS: dict[str, Any] = {
    "node-selector": {"disk": "ssd"},
    "labels": {"team": "data"},
    "worker-groups": {
        "gpu": {
            "key": "gpu-workers",
            "replicas": 2,
            "worker-threads": 8,
            "node-selector": {"gpu": "true"},
            "service-account": {
                "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/x"}
            },
        },
        "shared": {"service-account": {"name": "kestra"}},
    },
}
#: Each setting, as it is written, and where and what it is in the pod.
ROWS: dict[str, tuple[Any, str, Any]] = {
    "node-selector": ({"disk": "ssd"}, "nodeSelector", {"disk": "ssd"}),
    "tolerations": (
        [{"key": "gpu", "operator": "Exists", "toleration-seconds": 60, "effect": "NoExecute"}],
        "tolerations",
        [{"key": "gpu", "operator": "Exists", "tolerationSeconds": 60, "effect": "NoExecute"}],
    ),
    "affinity": (
        {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]}}},
        "affinity",
        {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]}]}}},
    ),
    "priority-class": ("high", "priorityClassName", "high"),
    "runtime-class": ("gvisor", "runtimeClassName", "gvisor"),
    "host-aliases": (
        [{"ip": "10.0.0.1", "hostnames": ["db"]}], "hostAliases", [{"ip": "10.0.0.1", "hostnames": ["db"]}],
    ),
    "dns-config": (
        {"nameservers": ["10.0.0.2"], "options": [{"name": "ndots", "value": "2"}]},
        "dnsConfig",
        {"nameservers": ["10.0.0.2"], "options": [{"name": "ndots", "value": "2"}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_setting_stands_in_the_pod(name: str) -> None:
    value, field, expected = ROWS[name]
    assert spec({name: value})[field] == expected
    camel = name.split("-")[0] + "".join(part.capitalize() for part in name.split("-")[1:])
    assert spec({camel: value})[field] == expected
    assert spec({"components": {"standalone": {name: value}}})[field] == expected
    assert field not in spec({})


def test_every_pod_setting_is_tested() -> None:
    names = {field.alias for field in PodSettings.model_fields.values()}
    assert names - set(ROWS) == {
        "annotations",
        "extra-containers",
        "extra-env",
        "extra-env-from",
        "extra-volume-mounts",
        "extra-volumes",
        "init-containers",
        "labels",
        "topology-spread-constraints",
    }


def test_variables_come_from_secrets_config_maps_and_fields() -> None:
    env = [
        {"name": "DB_PASSWORD", "value-from": {"secret-key-ref": {"name": "kestra-db-app", "key": "password"}}},
        {"name": "REGION", "valueFrom": {"configMapKeyRef": {"name": "cluster", "key": "region", "optional": True}}},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}},
        {"name": "PLAIN", "value": "$(REGION)-a"},
    ]  # fmt: skip
    sources = [
        {"secretRef": {"name": "operators"}, "prefix": "DB_"},
        {"configMapRef": {"name": "b", "optional": True}},
    ]
    pod = spec({"extra-env": env, "extra-env-from": sources, "environment-from": ["mine"]})
    by_name = variables(pod)
    assert by_name["DB_PASSWORD"]["valueFrom"] == REFERENCE
    assert [by_name[e["name"]] for e in env[1:]] == env[1:]
    assert pod["containers"][0]["envFrom"] == [
        {"secretRef": {"name": SECRET}},
        {"secretRef": {"name": "mine"}},
        *sources,
    ]


def test_variables_of_the_settings_win_over_those_of_other_objects() -> None:
    document = {
        "environment": {"A": encrypted(PLANTED)},
        "extra-env-from": [{"secretRef": {"name": "operators"}}],
    }
    sources = spec(document)["containers"][0]["envFrom"]
    assert [s["secretRef"]["name"] for s in sources] == ["operators", SECRET]


def test_an_encrypted_value_is_kept_in_the_stacks_secret() -> None:
    sidecar = {"name": "proxy", "image": "proxy:1", "env": [{"name": "KEY", "value": encrypted(PLANTED)}]}  # fmt: skip
    document = distributed_document(
        {
            "extra-env": [{"name": "TOKEN", "value": encrypted(PLANTED)}],
            "components": {
                "worker": {"extra-env": [{"name": "TOKEN", "value": encrypted(PLANTED + "-own")}]}
            },
            "extra-containers": [sidecar],
        }
    )
    recorded = run(document)
    (data,) = [s["stringData"]["value"] for s in recorded.of("Secret").values()]
    for name, deployment in recorded.of("Deployment").items():
        assert PLANTED not in str(deployment)
        component = name.removeprefix("kestra-")
        pod = deployment["spec"]["template"]["spec"]
        for container, variable in ((pod["containers"][0], "TOKEN"), (pod["containers"][1], "KEY")):
            (entry,) = [e for e in container["env"] if e["name"] == variable]
            reference = entry["valueFrom"]["secretKeyRef"]
            is_own = component == "worker" and variable == "TOKEN"
            assert data[reference["key"]] == PLANTED + "-own" * is_own
            assert reference["name"]
    assert PLANTED not in str(recorded.of("ConfigMap")) + str(recorded.outputs["configuration"])


def test_keys_of_the_secret_are_names_of_variables_and_never_alike() -> None:
    env = [{"name": "KEY", "value": encrypted(PLANTED)}]
    groups = {"a": {"extra-containers": [{"name": "b--c", "image": "x:1", "env": env}]},
              "a--b": {"extra-containers": [{"name": "c", "image": "x:1", "env": env}]}}  # fmt: skip
    keys = secret_values(distributed({"worker-groups": groups}))
    assert len(keys) == 2
    assert all(key.replace("_", "A").isalnum() and key.startswith("STACK_POD_") for key in keys)


def test_lists_add_up_maps_merge_and_the_component_wins() -> None:
    shared = {
        "extra-env": [{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        "node-selector": {"disk": "ssd", "zone": "a"},
        "labels": {"team": "data", "tier": "x"},
        "annotations": {"a/b": "1"},
        "tolerations": [{"operator": "Exists"}],
        "priority-class": "low",
        "extra-volumes": [
            {"name": "ca", "secret": {"secretName": "ca"}},
            {"name": "data", "emptyDir": {}},
        ],
        "extra-volume-mounts": [{"name": "ca", "mountPath": "/app/certs"}],
        "components": {
            "worker": {
                "extra-env": [{"name": "B", "value": "2"}],
                "node-selector": {"zone": "b"},
                "labels": {"tier": "y"},
                "annotations": {"c": "2"},
                "tolerations": [{"operator": "Exists"}, {"key": "gpu", "operator": "Exists"}],
                "priority-class": "high",
                "extra-volumes": [{"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}],
                "extra-volume-mounts": [{"name": "data", "mountPath": "/app/certs"}],
            }
        },
    }
    pods = templates(distributed(shared))
    worker, web = pods["worker"]["spec"], pods["webserver"]["spec"]
    assert [variables(worker)[n]["value"] for n in "AB"] == ["1", "2"]
    assert [variables(web)[n]["value"] for n in "AB"] == ["1", "1"]
    assert worker["nodeSelector"] == {"disk": "ssd", "zone": "b"}
    assert web["nodeSelector"] == {"disk": "ssd", "zone": "a"}
    assert (
        pods["worker"]["metadata"]["labels"] | {"team": "data", "tier": "y"}
        == pods["worker"]["metadata"]["labels"]
    )
    assert pods["worker"]["metadata"]["annotations"] == {
        "a/b": "1",
        "c": "2",
        "kestra.pulumi/secret-versions": "versions",
    }
    assert worker["tolerations"] == [{"operator": "Exists"}, {"key": "gpu", "operator": "Exists"}]
    assert (worker["priorityClassName"], web["priorityClassName"]) == ("high", "low")
    volumes = {v["name"]: v for v in worker["volumes"]}
    assert volumes["data"] == {"name": "data", "emptyDir": {"sizeLimit": "1Gi"}}
    mounts = [m for m in worker["containers"][0]["volumeMounts"] if m["mountPath"] == "/app/certs"]
    assert mounts == [{"name": "data", "mountPath": "/app/certs"}]


def test_files_of_a_secret_are_not_readable_to_everyone() -> None:
    volumes = [
        {"name": "a", "secret": {"secretName": "a"}},
        {"name": "b", "projected": {"sources": [{"secret": {"name": "a"}}]}},
        {"name": "c", "secret": {"secretName": "a", "defaultMode": 0o400}},
        {"name": "d", "configMap": {"name": "a"}},
        {"name": "e", "projected": {"sources": [{"configMap": {"name": "a"}}]}},
    ]
    by_name = {v["name"]: v for v in spec({"extra-volumes": volumes})["volumes"]}
    assert by_name["a"]["secret"]["defaultMode"] == 0o440
    assert by_name["b"]["projected"]["defaultMode"] == 0o440
    assert by_name["c"]["secret"]["defaultMode"] == 0o400
    assert by_name["d"] == volumes[3]
    assert by_name["e"] == volumes[4]


def test_added_containers_are_restricted_where_they_say_nothing_else() -> None:
    init = {"name": "fetch", "image": "busybox:1.37", "command": ["true"]}
    side = {
        "name": "proxy",
        "image": "proxy:1",
        "securityContext": {"runAsUser": 65532, "readOnlyRootFilesystem": False},
    }
    pod = spec(
        {"init-containers": [init], "extra-containers": [side]},
        configurations={"delete-files-on-start": True},
    )
    assert [c["name"] for c in pod["initContainers"]] == ["configuration", "fetch"]
    assert [c["name"] for c in pod["containers"]] == ["kestra", "proxy"]
    context = pod["initContainers"][1]["securityContext"]
    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    own = pod["containers"][1]["securityContext"]
    assert own == {**context, "runAsUser": 65532, "readOnlyRootFilesystem": False}


def test_spread_constraints_take_the_place_of_those_of_the_same_key() -> None:
    mine = {"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}  # fmt: skip
    constraints = spec({"topology-spread-constraints": [mine]})["topologySpreadConstraints"]
    assert [c["topologyKey"] for c in constraints] == [
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    ]
    assert constraints[1] == mine | {"labelSelector": constraints[0]["labelSelector"]}


@pytest.mark.parametrize(
    ("variable", "component", "expected"),
    [
        ({"value": "-Xss2m"}, {}, "-Xss2m -XX:MaxRAMPercentage=50.0"),
        ({"value": "-Xmx1g"}, {}, "-Xmx1g"),
        ({"value": "-Xss2m"}, {"java-options": "-Da=b"}, "-Xss2m -XX:MaxRAMPercentage=50.0 -Da=b"),
        ({"valueFrom": REFERENCE}, {}, None),
        ({"value": encrypted("-Xmx1g")}, {}, None),
    ],
)
def test_java_options_of_extra_env_are_kept(
    variable: dict[str, Any], component: dict[str, Any], expected: str | None
) -> None:
    pod = spec(
        {
            "extra-env": [{"name": "JAVA_OPTS", **variable}],
            "components": {"standalone": component},
        }
    )
    assert variables(pod)["JAVA_OPTS"].get("value") == expected
    first = pod["containers"][0]["command"]
    # What comes from a Secret is not known here: the share stands before it.
    assert ("MaxRAMPercentage" in str(first)) is (expected is None)


def test_an_existing_claim_is_used_and_nothing_is_claimed() -> None:
    document = {"server": {"basic-auth": {"username": "a@b.c"}}}
    document["deployment"] = {"storage-volume": {"existing-claim": "kestra-data"}}
    recorded = run(document)
    assert recorded.of("PersistentVolumeClaim") == {}
    (deployment,) = recorded.of("Deployment").values()
    volumes = deployment["spec"]["template"]["spec"]["volumes"]
    assert {
        "name": "storage",
        "persistentVolumeClaim": {"claimName": "kestra-data"},
    } in volumes
    document["deployment"] = {"storage-volume": {"size": "1Gi", "access-mode": "ReadWriteOncePod"}}
    (claim,) = run(document).of("PersistentVolumeClaim").values()
    assert claim["spec"]["accessModes"] == ["ReadWriteOncePod"]


def test_a_worker_group_is_a_deployment_with_an_account_of_its_own() -> None:
    recorded = run(distributed_document(GROUPS))
    deployment = recorded.of("Deployment")["kestra-worker-gpu"]
    assert deployment["metadata"]["name"] == "kestra-worker-gpu"
    pod = deployment["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"] == ["server", "worker", "--thread=8", "--worker-group=gpu-workers"]  # fmt: skip
    assert pod["nodeSelector"] == {"disk": "ssd", "gpu": "true"}
    assert pod["serviceAccountName"] == "kestra-worker-gpu"
    account = recorded.of("ServiceAccount")["kestra-worker-gpu-service-account"]
    assert account["automountServiceAccountToken"] is False
    assert (
        account["metadata"]["annotations"]
        == GROUPS["worker-groups"]["gpu"]["service-account"]["annotations"]
    )
    own = recorded.of("Deployment")["kestra-worker"]["spec"]
    assert own["template"]["spec"]["serviceAccountName"] == "kestra"
    for one in recorded.of("Deployment").values():
        labels, chosen = one["spec"]["template"]["metadata"]["labels"], one["spec"]["selector"]
        assert labels == labels | chosen["matchLabels"] | {"team": "data"}
        assert "team" not in chosen["matchLabels"]
    # No two Deployments select the same pods.
    selectors = [d["spec"]["selector"]["matchLabels"] for d in recorded.of("Deployment").values()]
    assert len({tuple(sorted(s.items())) for s in selectors}) == len(selectors) == 7
    shared = recorded.of("Deployment")["kestra-worker-shared"]["spec"]["template"]["spec"]
    assert shared["serviceAccountName"] == "kestra"
    assert "--worker-group=shared" in shared["containers"][0]["args"]
    assert set(recorded.of("ServiceAccount")) == {
        "kestra-service-account",
        "kestra-worker-gpu-service-account",
    }
    assert "kestra-worker-gpu-budget" in recorded.of("PodDisruptionBudget")
    assert "worker-gpu" in recorded.outputs["deployments"]


def test_where_the_store_needs_the_token_groups_log_in_to_it_too() -> None:
    recorded = run(distributed_document(GROUPS))
    (role,) = recorded.of("AuthBackendRole").values()
    assert role["boundServiceAccountNames"] == ["kestra", "kestra-worker-gpu"]
    (binding,) = recorded.of("ClusterRoleBinding").values()
    assert [s["name"] for s in binding["subjects"]] == ["kestra", "kestra-worker-gpu"]
    pod = recorded.of("Deployment")["kestra-worker-gpu"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is True


@pytest.mark.parametrize(
    ("token", "kept"),
    [
        (TOKEN, True),
        (encrypted(TOKEN), True),
        (f"${{WORKER_TOKEN:{TOKEN}}}", True),
        ("${WORKER_TOKEN}", False),
    ],
)
def test_a_registration_token_reaches_the_pods_of_its_group_alone(token: Any, kept: bool) -> None:
    chosen = distributed({"worker-groups": {"gpu": {"registration-token": token}}}, version="2.0")
    pods = specs(chosen)
    group = pods["worker-gpu"]
    assert group["containers"][0]["args"] == ["server", "worker"]
    entry = variables(group)[REGISTRATION_TOKEN]
    if kept:
        key = entry["valueFrom"]["secretKeyRef"]["key"]
        assert TOKEN in secret_values(chosen)[key].get_secret_value()
    else:
        assert entry["value"] == "${WORKER_TOKEN}"
    assert TOKEN not in str(pods)
    assert all(
        REGISTRATION_TOKEN not in str(pod) for name, pod in pods.items() if name != "worker-gpu"
    )


def test_workers_of_a_group_reach_the_controller() -> None:
    groups = {"gpu": {"registration-token": "${T}"}}
    rules = policies(distributed({"worker-groups": groups}, version="2.0"), {})
    (peer,) = rules["controller"]["ingress"][0]["from"]
    for selector in (peer["podSelector"], rules["worker"]["podSelector"]):
        assert selector["matchExpressions"] == [
            {
                "key": "app.kubernetes.io/component",
                "operator": "In",
                "values": ["worker", "worker-gpu"],
            }
        ]


def test_without_these_settings_nothing_is_added() -> None:
    assert secret_values(settings({})) == {}
    pod = spec({})
    assert set(pod) == {
        "automountServiceAccountToken",
        "containers",
        "enableServiceLinks",
        "securityContext",
        "serviceAccountName",
        "terminationGracePeriodSeconds",
        "topologySpreadConstraints",
        "volumes",
    }

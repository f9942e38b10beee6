"""The pure rules of the Kubernetes stand-in: values, names, differences, ownership."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sandbox.providers.kubernetes import checkpoint, kubeconfig, naming, ownership
from sandbox.providers.kubernetes.diff import compare, merge_patch
from sandbox.providers.kubernetes.difference import difference
from sandbox.providers.kubernetes.immutable import replacing_paths
from sandbox.providers.kubernetes.naming import Kind
from sandbox.providers.kubernetes.normalize import canonical_quantity, normalize, prune
from sandbox.providers.kubernetes.settings import ProviderSettings, read
from sandbox.providers.runtime.provider import Change, Diff, Urn
from sandbox.providers.runtime.values import UNKNOWN, Secret

URN = "urn:pulumi:dev::kestra::kestra:kubernetes:Kestra$kubernetes:{}::web"


def _urn(token: str) -> Urn:
    return Urn(URN.format(token))


SECRET = Kind("", "v1", "Secret")
CONFIG_MAP = Kind("", "v1", "ConfigMap")
DEPLOYMENT = Kind("apps", "v1", "Deployment")
JOB = Kind("batch", "v1", "Job")
SERVICE = Kind("", "v1", "Service")
CLAIM = Kind("", "v1", "PersistentVolumeClaim")
INGRESS = Kind("networking.k8s.io", "v1", "Ingress")
STORAGE_CLASS = Kind("storage.k8s.io", "v1", "StorageClass")


def test_secretness_goes_from_inputs_to_outputs_part_by_part_and_lists_as_a_whole() -> None:
    outputs = checkpoint.mark_secrets(
        {"a": {"b": "x", "c": "y"}, "d": ["z"]},
        {"a": {"b": Secret("x")}, "d": [Secret("z")]},
    )
    assert outputs == {"a": {"b": Secret("x"), "c": "y"}, "d": Secret(["z"])}


def test_all_data_of_a_secret_is_secret_even_if_the_inputs_are_not() -> None:
    state = checkpoint.write(
        {"kind": "Secret", "data": {"a": "eA=="}},
        {"kind": "Secret", "apiVersion": "v1", "data": {"a": "eA=="}},
        {"kind": "Secret", "stringData": {"a": "x"}},
        "v1",
        "pulumi-kubernetes-1",
    )
    assert state["data"] == Secret({"a": "eA=="})
    assert state["__inputs"]["data"] == Secret({"a": "eA=="})
    assert checkpoint.read(state)[0] == {"kind": "Secret", "data": {"a": "eA=="}}


def test_an_unnamed_object_gets_the_resource_name_and_eight_hex_digits() -> None:
    manifest: dict[str, Any] = {}
    naming.assign_name(manifest, "web", b"seed")
    name = manifest["metadata"]["name"]
    assert name.startswith("web-")
    assert len(name) == len("web-") + 8
    assert int(name[4:], 16) >= 0
    assert naming.annotation(manifest, naming.AUTONAMED) == "true"
    again: dict[str, Any] = {}
    naming.assign_name(again, "web", b"seed")
    assert again == manifest


@pytest.mark.parametrize(
    "metadata", [{"name": "given"}, {"name": UNKNOWN}, {"generateName": "g-"}, UNKNOWN]
)
def test_a_named_object_keeps_its_name(metadata: Any) -> None:
    manifest = {"metadata": metadata}
    naming.assign_name(manifest, "web", b"seed")
    assert manifest == {"metadata": metadata}


def test_a_made_name_is_kept_but_a_removed_given_name_is_not() -> None:
    made = {"metadata": {"name": "web-1", "annotations": {naming.AUTONAMED: "true"}}}
    manifest: dict[str, Any] = {}
    naming.adopt_name(manifest, made)
    assert naming.object_name(manifest) == "web-1"
    other: dict[str, Any] = {}
    naming.adopt_name(other, {"metadata": {"name": "web"}})
    assert other == {}


@pytest.mark.parametrize(
    ("token", "kind"),
    [
        ("core/v1:Secret", SECRET),
        ("apps/v1:Deployment", DEPLOYMENT),
        ("example.com/v1:Widget", Kind("example.com", "v1", "Widget")),
    ],
)
def test_a_type_token_names_a_kind(token: str, kind: Kind) -> None:
    assert naming.kind_from_urn(_urn(token)) == kind


def test_a_patch_resource_is_told_from_the_object_that_it_patches() -> None:
    assert naming.is_patch(_urn("core/v1:ConfigMapPatch"), CONFIG_MAP)
    assert not naming.is_patch(_urn("core/v1:ConfigMap"), CONFIG_MAP)


@pytest.mark.parametrize(
    ("given_quantity", "canonical"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        (2, "2"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("500Mi", "500Mi"),
        ("1000Ki", "1000Ki"),
        ("2000k", "2M"),
        ("0", "0"),
        ("big", "big"),
        (True, True),
    ],
)
def test_quantities_are_written_as_the_server_writes_them(
    given_quantity: Any, canonical: Any
) -> None:
    assert canonical_quantity(given_quantity) == canonical


def test_string_data_becomes_data_and_wins_over_it() -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "data": {"a": "b2xk", "b": "eA=="},
        "stringData": {"a": "new"},
    }
    encoded = base64.b64encode(b"new").decode()
    assert normalize(manifest)["data"] == {"a": encoded, "b": "eA=="}
    assert "stringData" not in normalize(manifest)


def test_inputs_that_are_not_known_yet_are_left_as_written() -> None:
    manifest = {"apiVersion": "v1", "kind": "Secret", "stringData": {"a": UNKNOWN}}
    assert normalize(manifest) == manifest


def test_a_live_object_is_cut_to_the_shape_of_the_inputs() -> None:
    live = {
        "spec": {"a": 1, "filled": 2, "list": [{"x": 1, "y": 2}, {"x": 3}]},
        "status": {},
    }
    assert prune(live, {"spec": {"a": 0, "list": [{"x": 0}]}}) == {
        "spec": {"a": 1, "list": [{"x": 1}]}
    }


def test_equal_objects_have_no_difference() -> None:
    assert compare({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, []) == {}


def test_differences_name_their_paths_in_pulumi_spelling() -> None:
    changes = compare(
        {"metadata": {"annotations": {"a.b/c": "1"}}, "l": [{"p": 1}]},
        {"metadata": {"annotations": {"a.b/c": "2"}}, "l": [{"p": 2}, 3], "n": UNKNOWN},
        [],
    )
    assert {path: change.change for path, change in changes.items()} == {
        'metadata.annotations["a.b/c"]': Change.UPDATE,
        "l[0].p": Change.UPDATE,
        "l[1]": Change.ADD,
        "n": Change.ADD,
    }


def test_ignored_paths_and_what_lies_below_them_are_left_out() -> None:
    changes = compare(
        {"spec": {"replicas": 1, "replicasX": 1}},
        {"spec": {"replicas": 2, "replicasX": 2}},
        [],
    )
    assert Diff(changes).without(["spec.replicas"]).changed == {"spec.replicasX"}
    assert Diff(changes).without(["spec"]).changed == set()


@pytest.mark.parametrize(
    ("kind", "old", "new", "replaced"),
    [
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": {"a": "2"}}, True),
        (CONFIG_MAP, {"data": {"a": "1"}}, {"data": {}}, True),
        (CONFIG_MAP, {"metadata": {"labels": {"a": "1"}}}, {"metadata": {"labels": {}}}, False),
        (SECRET, {"data": {"a": "MQ=="}}, {"data": {"a": "Mg=="}}, True),
        (SECRET, {"type": "Opaque"}, {"type": "kubernetes.io/tls"}, True),
        (DEPLOYMENT, {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, False),
        (
            DEPLOYMENT,
            {"spec": {"selector": {"matchLabels": {"a": "1"}}}},
            {"spec": {"selector": {"matchLabels": {"a": "2"}}}},
            True,
        ),
        (JOB, {"spec": {"template": {"x": 1}}}, {"spec": {"template": {"x": 2}}}, True),
        (SERVICE, {"spec": {"type": "ClusterIP"}}, {"spec": {"type": "NodePort"}}, False),
        (SERVICE, {"spec": {"clusterIP": "a"}}, {"spec": {"clusterIP": "None"}}, True),
        (
            Kind("rbac.authorization.k8s.io", "v1", "RoleBinding"),
            {"roleRef": {"name": "a"}},
            {"roleRef": {"name": "b"}},
            True,
        ),
        (
            Kind("", "v1", "Pod"),
            {"spec": {"containers": [{"image": "a"}]}},
            {"spec": {"containers": [{"image": "b"}]}},
            True,
        ),
        (CLAIM, {"spec": {"resources": {}}}, {"spec": {"resources": {"requests": {}}}}, False),
        (CLAIM, {"spec": {"storageClassName": "a"}}, {"spec": {"storageClassName": "b"}}, True),
        (INGRESS, {"spec": {"rules": []}}, {"spec": {"rules": [{"host": "a"}]}}, False),
        (STORAGE_CLASS, {"provisioner": "a"}, {"provisioner": "b"}, True),
    ],
)  # fmt: skip
def test_fields_that_cannot_change_replace_the_object(
    kind: Kind, old: dict[str, Any], new: dict[str, Any], replaced: bool
) -> None:
    changes = compare(old, new, replacing_paths(kind, new))
    assert changes
    assert any(change.replaces for change in changes.values()) is replaced


def test_mutable_secrets_are_updated_in_place_unless_marked_immutable() -> None:
    paths = replacing_paths(SECRET, {}, secrets_mutable=True)
    assert not compare({"data": {"a": "1"}}, {"data": {"a": "2"}}, paths)["data.a"].replaces
    frozen = replacing_paths(SECRET, {"immutable": True}, secrets_mutable=True)
    assert ("data",) in frozen


def _state(manifest: dict[str, Any]) -> dict[str, Any]:
    live = {
        **manifest,
        "metadata": {**manifest["metadata"], "namespace": "n", "uid": "u"},
    }
    return checkpoint.write(manifest, live, manifest, "v1", "pulumi-kubernetes-1")


@pytest.mark.parametrize("made", [True, False])
def test_only_an_object_with_a_fixed_name_is_deleted_before_it_is_replaced(
    made: bool,
) -> None:
    meta: dict[str, Any] = {"name": "a", "namespace": "n"}
    if made:
        meta["annotations"] = {naming.AUTONAMED: "true"}
    old = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta,
        "data": {"a": "1"},
    }
    found = difference(
        _urn("core/v1:ConfigMap"),
        _state(old),
        {**old, "data": {"a": "2"}},
        [],
        ProviderSettings(),
        lambda _: True,
    )
    assert found.replacing == {"data.a"}
    assert found.delete_first is not made


def test_what_the_server_filled_in_is_no_difference() -> None:
    old = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    state = _state(old)
    state["metadata"]["namespace"] = "default"
    found = difference(
        _urn("core/v1:ConfigMap"),
        state,
        old,
        [],
        ProviderSettings(),
        lambda _: True,
    )
    assert found.changed == set()


def test_the_fields_of_the_create_are_handed_over_to_the_apply() -> None:
    live = {
        "metadata": {
            "resourceVersion": "7",
            "managedFields": [
                {
                    "manager": "m",
                    "operation": "Update",
                    "fieldsV1": {"f:spec": {"f:a": {}}},
                },
                {
                    "manager": "x",
                    "operation": "Update",
                    "fieldsV1": {"f:spec": {"f:b": {}}},
                },
                {
                    "manager": "m",
                    "operation": "Update",
                    "subresource": "status",
                    "fieldsV1": {},
                },
            ],
        }
    }
    patch = ownership.hand_over(live, "m")
    assert patch is not None
    managers = [(e["manager"], e["operation"]) for e in patch[0]["value"]]
    assert sorted(managers) == [("m", "Apply"), ("m", "Update"), ("x", "Update")]
    assert ownership.owns(live, ["spec", "a"], "m") == (True, False)
    assert ownership.owns(live, ["spec", "b"], "m") == (False, True)


def test_a_merge_patch_removes_what_the_new_inputs_no_longer_have() -> None:
    assert merge_patch({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}, "d": 3}) == {
        "a": {"c": None},
        "d": 3,
    }


def test_provider_settings_come_from_config_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PULUMI_K8S_ENABLE_SECRET_MUTABLE", "true")
    assert read({}).secrets_mutable
    assert not read({"enableSecretMutable": "false"}).secrets_mutable
    assert read({}).server_side_apply


def test_a_broken_kubeconfig_is_an_error_that_does_not_quote_it() -> None:
    with pytest.raises(kubeconfig.ConfigurationError) as caught:
        kubeconfig.load("users:\n- token: 'very-secret\n  - [")
    assert "very-secret" not in str(caught.value)


def test_a_kubeconfig_gives_server_namespace_and_token() -> None:
    text = """
current-context: c
contexts: [{name: c, context: {cluster: k, user: u, namespace: team}}]
clusters: [{name: k, cluster: {server: "http://127.0.0.1:1/"}}]
users: [{name: u, user: {token: abc}}]
"""
    access = kubeconfig.load(text)
    assert (access.server, access.namespace) == ("http://127.0.0.1:1", "team")
    assert access.headers == {"Authorization": "Bearer abc"}
    assert "abc" not in repr(access)

"""Secrets and ConfigMaps that pods refer to and that no input holds."""

from __future__ import annotations

import pytest

from tests.importing.kubernetes_support import config_map, current, deployment, imported, secret

SECRET_REF = "envFrom: [{secretRef: {name: gone}}]"


@pytest.mark.parametrize(
    ("container", "pod", "title"),
    [
        (SECRET_REF, "", "Secret gone (envFrom)"),
        ("envFrom: [{configMapRef: {name: gone}, prefix: A_}]", "", "ConfigMap gone (envFrom)"),
        (
            "env: [{name: A, valueFrom: {secretKeyRef: {name: gone, key: k}}}]",
            "",
            "Secret gone (env)",
        ),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: gone, key: k}}}]",
            "",
            "ConfigMap gone (env)",
        ),
        (
            "volumeMounts: [{name: v, mountPath: /ca}]",
            "volumes: [{name: v, secret: {secretName: gone}}]",
            "Secret gone (volumes)",
        ),
        (
            "volumeMounts: [{name: v, mountPath: /ca}]",
            "volumes: [{name: v, projected: {sources: [{configMap: {name: gone}}]}}]",
            "ConfigMap gone (volumes)",
        ),
        (
            "",
            f"initContainers: [{{name: i, image: 'busybox:1.37', {SECRET_REF}}}]",
            "Secret gone (initContainers)",
        ),
    ],
)
def test_a_reference_to_an_object_that_no_input_holds_is_named(
    container: str, pod: str, title: str
) -> None:
    result = imported(deployment(container, pod))
    assert result.note("changed", title, "no input holds it")


def test_one_line_names_all_of_them() -> None:
    values = "common: {extraEnvFrom: [{secretRef: {name: a}}, {configMapRef: {name: b}}]}"
    assert imported(current(values)).note("Secret a (envFrom)", "ConfigMap b (envFrom)")


@pytest.mark.parametrize(
    "other",
    [
        secret("gone", KEY="x"),
        "---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: gone}\nspec: {}\n",
        "---\napiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: e}\nspec: {target: {name: gone}}\n",
        "---\napiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: gone}\nspec: {}\n",
        "---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: c}\nspec: {secretName: gone}\n",
    ],
)
def test_an_object_that_is_there_or_is_made_is_not_named(other: str) -> None:
    assert not imported(deployment(SECRET_REF) + other).has_note("Secret gone (")


@pytest.mark.parametrize(
    "container",
    [
        "envFrom: [{secretRef: {name: gone}, prefix: SECRET_}]",
        "env: [{name: KESTRA_CONFIGURATION, valueFrom: {secretKeyRef: {name: gone, key: k}}}]",
    ],
)
def test_a_reference_that_is_not_carried_has_a_line_of_its_own(container: str) -> None:
    result = imported(deployment(container))
    assert not result.has_note("Secret gone (")
    assert result.note("not carried", "Secret gone")


def test_an_optional_reference_is_not_named() -> None:
    container = "envFrom: [{secretRef: {name: gone, optional: true}}]"
    assert not imported(deployment(container) + config_map()).has_note("Secret gone (")


def test_a_secret_of_cloud_native_postgres_is_made_by_its_cluster() -> None:
    cluster = "---\napiVersion: postgresql.cnpg.io/v1\nkind: Cluster\nmetadata: {name: db}\n"
    container = "envFrom: [{secretRef: {name: db-app}}]"
    assert not imported(deployment(container) + cluster).has_note("Secret db-app (")

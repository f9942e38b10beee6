"""Secrets with which the image is pulled, wherever an installation names them."""

from __future__ import annotations

import pytest

from tests.importing.kubernetes_support import current, deployment, imported, legacy

CHART = [
    ("imagePullSecrets: [{name: a}, {name: b}]", ["a", "b"], ""),
    ("imagePullSecrets: [a]", ["a"], ""),
    ("image: {pullSecrets: [a, {name: b}]}", ["a", "b"], "image.pullSecrets"),
    ("image: {imagePullSecrets: [{name: a}]}", ["a"], "image.imagePullSecrets"),
    ("image: {pullSecret: a}", ["a"], "image.pullSecret"),
    ("imagePullSecret: {name: a}", ["a"], "imagePullSecret"),
    ("global: {imagePullSecrets: [a]}", ["a"], "global.imagePullSecrets"),
    ("serviceAccount: {imagePullSecrets: [{name: a}]}", ["a"], "serviceAccount.imagePullSecrets"),
    (
        "deployments: {standalone: {imagePullSecrets: [{name: a}]}}",
        ["a"],
        "deployments.standalone.imagePullSecrets",
    ),
    ("imagePullSecrets: [a]\nimage: {pullSecrets: [b, a]}", ["a", "b"], "image.pullSecrets"),
]


@pytest.mark.parametrize(("values", "names", "place"), CHART)
def test_values_of_the_chart_name_them(values: str, names: list[str], place: str) -> None:
    for result in (imported(current(values)), imported(legacy(values))):
        assert result.deployment["image"]["pull-secrets"] == names
        if place:
            assert result.note("changed", place, "private registry")
            assert not result.has_note("not carried", f"{place} ")


def test_those_of_common_are_carried() -> None:
    result = imported(current("common: {imagePullSecrets: [{name: a}]}"))
    assert result.deployment["image"]["pull-secrets"] == ["a"]


def test_a_deployment_that_does_not_run_names_none() -> None:
    result = imported(current("deployments: {worker: {enabled: false, imagePullSecrets: [a]}}"))
    assert "pull-secrets" not in result.deployment.get("image", {})


def test_another_key_of_the_image_that_the_chart_does_not_read_is_named() -> None:
    result = imported(current("image: {registry: mirror.example, tag: v1.3.31}"))
    assert result.note("not carried", "image.registry", "no template")


def test_pods_and_their_service_account_name_them() -> None:
    account = "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s}\nimagePullSecrets: [{name: b}]\n"
    pod = "imagePullSecrets: [{name: a}], serviceAccountName: runner"
    result = imported(deployment(pod=pod) + account % "runner" + account % "other")
    assert result.deployment["image"]["pull-secrets"] == ["a", "b"]
    result = imported(deployment() + account % "default")
    assert result.deployment["image"]["pull-secrets"] == ["b"]

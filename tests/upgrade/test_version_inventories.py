"""What changing `kestra:version` registers otherwise, for every inventory: nothing that holds data."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tests.components.inventory_support import SECRET_MARK, documents
from tests.components.recording_support import Recorder, run
from tests.conftest import of_version
from tests.upgrade.states_support import DATA
from tests.upgrade.test_version_settings import RICHEST, mended

#: 1.3 has no Parameter Store.
STACKS = [n for n in sorted(documents()) if "2.0" not in n and "aws-ssm" not in n]
#: What 2.0 has and 1.3 has not.
CONTROLLER = {
    "kubernetes:apps/v1:Deployment kestra-controller",
    "kubernetes:core/v1:Service kestra-controller-service",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy kestra-controller",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy kestra-worker",
    "kubernetes:policy/v1:PodDisruptionBudget kestra-controller-budget",
}
#: What holds nothing that is not in the state too.
KESTRA = {
    "kubernetes:core/v1:ConfigMap",
    "kubernetes:core/v1:Secret",
    "kubernetes:apps/v1:Deployment",
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
}


def _both(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The stack's settings with 1.3 and with 2.0."""
    settings: dict[str, Any] = deepcopy(RICHEST[name])
    if settings.get("version", "1.3") == "1.3":
        return settings, mended(name)
    first: dict[str, Any] = of_version(deepcopy(RICHEST[name]), "1.3")
    first["security"].pop("basic-auth")
    first["deployment"]["components"].pop("controller", None)
    settings["security"].pop("basic-auth")
    return first, settings


def _inputs(recorded: Recorder) -> dict[str, tuple[str, bool, bool, Any]]:
    """URN to type, protection and inputs."""
    return {
        urn: (request.type, request.protect, request.retainOnDelete, _plain(inputs))
        for urn, (request, inputs) in recorded.registered.items()
        if request.type != "pulumi:pulumi:Stack"
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items() if k != SECRET_MARK}
    return [_plain(v) for v in value] if isinstance(value, list) else value


@pytest.fixture(scope="module", params=STACKS)
def both(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    """What one stack registers with 1.3 and with 2.0."""
    first, second = (_inputs(run(settings)) for settings in _both(request.param))
    return first, second


def test_what_holds_data_is_the_same_resource_with_the_same_inputs(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    first, second = both
    data_resources = {urn for urn, (type_, *_) in first.items() if type_ in DATA}
    assert len(data_resources) >= 2
    for urn in data_resources:
        assert second.get(urn) == first[urn], urn


def test_only_the_controller_comes_and_only_kestra_itself_changes(
    both: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    first, second = both
    assert not first.keys() - second.keys()
    created = {f"{second[urn][0]} {urn.rsplit('::', 1)[1]}" for urn in second.keys() - first.keys()}
    assert created <= CONTROLLER
    changed = {first[urn][0] for urn in first if first[urn] != second[urn]}
    assert "kubernetes:core/v1:ConfigMap" in changed
    assert changed <= KESTRA


def test_every_stack_that_both_versions_know_is_looked_at() -> None:
    assert {"local", "local-vault", "vault-production", "kafka"} <= set(STACKS)
    assert len(STACKS) == len(documents()) - 4  # two of Parameter Store, two that are of 2.0 only

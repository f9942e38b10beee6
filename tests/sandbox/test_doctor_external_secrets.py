"""What doctor says of the External Secrets Operator: there, too old, missing, or not to be asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.doctor import external_secrets
from sandbox.doctor.cluster_apis import foreign_kinds
from sandbox.doctor.external_secrets import examine_operator, judge
from sandbox.errors import SandboxError
from sandbox.inspection.resources import Resource, StackResources
from sandbox.state import State

RUNS = {"external-secrets/external-secrets": True}


@pytest.mark.parametrize(
    ("versions", "controllers", "installs", "is_well", "words", "remedy"),
    [
        (["v1", "v1beta1"], RUNS, False, True, "serves v1, v1beta1; external-secrets/external-secrets runs", ""),
        (["v1"], None, False, True, "its pods may not be listed", ""),
        (["v1"], {}, False, None, "no Deployment of the operator", ""),
        (["v1"], {"eso/operator": False}, False, False, "no pod of eso/operator is ready", "kubectl --namespace eso describe deployment operator"),
        (["v1beta1"], RUNS, False, False, "serves v1beta1 only", "Upgrade the operator to 0.16 or later"),
        (["v1beta1"], RUNS, True, False, "serves v1beta1 only", "Upgrade the operator to 0.16 or later"),
        ([], {}, False, False, "missing: the cluster serves no external-secrets.io", "helm install external-secrets"),
        ([], {}, True, None, "this stack installs it", ""),
    ],
)  # fmt: skip
def test_what_a_cluster_has_of_the_operator(
    versions: list[str],
    controllers: dict[str, bool] | None,
    installs: bool,
    is_well: bool | None,
    words: str,
    remedy: str,
) -> None:
    check = judge(versions, controllers, installs=installs)
    assert check.is_well is is_well
    assert words in check.state
    assert remedy in check.remedy
    assert bool(check.remedy) is bool(remedy)


def _resources(*types: str) -> StackResources:
    return StackResources("state", tuple(Resource(type_, "x", {}) for type_ in types))


STACK = _resources("kubernetes:external-secrets.io/v1:SecretStore")


def test_only_a_stack_with_its_objects_asks_and_asks_once(tmp_path: Path) -> None:
    state = State(tmp_path)
    other = _resources("kubernetes:apps/v1:Deployment")
    assert list(examine_operator(state, other, own=True, installs=False)) == []
    assert foreign_kinds(STACK) == []
    (check,) = examine_operator(state, STACK, own=False, installs=False)
    assert (check.is_well, check.state) == (None, "not asked, the cluster does not run")


def test_a_cluster_that_cannot_be_reached_lacks_nothing_that_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> tuple[str, ...]:
        raise SandboxError("The API server does not answer (Refused).")

    monkeypatch.setattr(external_secrets.callers, "api_versions", fails)
    (check,) = examine_operator(State(tmp_path), STACK, own=True, installs=False)
    assert check.is_well is None
    assert "could not be asked. The API server does not answer" in check.state


def test_a_cluster_without_the_operator_is_not_asked_for_its_pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(external_secrets.callers, "api_versions", lambda *_: ())
    monkeypatch.setattr(
        external_secrets.callers, "operator_deployments", lambda *_: pytest.fail("asked")
    )
    (check,) = examine_operator(State(tmp_path), STACK, own=True, installs=False)
    assert check.is_well is False

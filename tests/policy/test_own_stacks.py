"""What this project deploys, judged by its own pack."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy.secret import Secret

from policy.core import adapter
from policy.core.model import Environment, Resource, Stack
from policy.effective_configuration import configurations
from tests.components.inventory_support import SECRET_MARK, documents
from tests.components.recording_support import run
from tests.policy.sdk_support import R, everything, pack

ELSEWHERE = {"managedElsewhere": ["vault-audit"]}


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return Secret(_value(value["value"]))
        return {k: _value(v) for k, v in value.items()}
    return [_value(v) for v in value] if isinstance(value, list) else value


def _found(name: str, environment: Environment, options: dict[str, Any]) -> list[tuple[str, str]]:
    recorded = run(documents()[name])
    stack = [
        R(type_, _value(inputs), made, made in recorded.protected)
        for made, (type_, inputs) in recorded.resources.items()
    ]
    return everything(pack(environment, options), stack)


def test_an_enterprise_stack_with_vault_passes_as_production() -> None:
    assert _found("enterprise-2.0", "production", ELSEWHERE) == []


@pytest.mark.parametrize(
    ("name", "controls"),
    [
        ("local", {"ks-kubernetes-07"}),
        ("local-vault", {"ks-kubernetes-07", "ks-vault-07"}),
    ],
)
def test_a_local_stack_differs_in_what_a_developer_may_leave(name: str, controls: set[str]) -> None:
    assert {control for control, _ in _found(name, "development", {})} == controls


@pytest.mark.parametrize("name", ["local", "enterprise-2.0"])
def test_each_server_of_a_stack_is_judged_with_its_file_and_its_variables(name: str) -> None:
    recorded = run(documents()[name])
    stack = Stack(
        [
            Resource(type_, made, adapter._plain(_value(inputs)))
            for made, (type_, inputs) in recorded.resources.items()
        ]
    )
    known = configurations(stack)
    assert known.undecided == []
    workloads = stack.of("kubernetes:apps/v1:Deployment")
    assert [a.server and a.server.resource for a in known.applications] == workloads
    for application in known.applications:
        assert application.home[1] == "data.application.yaml"
        assert application.is_set("kestra.encryption.secret-key")
        # The placeholder's variable is in the Secret, so that its value is hidden.
        assert application.shown("kestra.encryption.secret-key", "x") == "[secret]"

"""The recorder of registered resources, and what of the SDK it stands on."""

from __future__ import annotations

import inspect
from typing import Any

import pulumi
import pulumi_random as random
import pulumi_vault as vault
import pytest
from pulumi.runtime.mocks import MockMonitor

from sandbox.inspection import recorder

KEPT = pulumi.ResourceOptions(protect=True, retain_on_delete=True)


def _program() -> None:
    password = random.RandomPassword("password", length=20, opts=KEPT)
    mount = vault.Mount("engine", path="kestra", type="kv-v2")
    vault.kv.SecretV2("secret", mount=mount.path, name="db", data_json=password.result)
    vault.kv.SecretV2("policy-of", mount=mount.accessor, name="open", data_json="{}")


def _by_name(registrations: dict[str, recorder.Registration]) -> dict[str, recorder.Registration]:
    return {r.request.name: r for r in registrations.values()}


def test_the_monitor_is_an_argument_of_the_sdks_own_way_to_run_without_an_engine() -> None:
    assert {"set_mocks", "test", "Mocks"} <= set(pulumi.runtime.__all__)
    parameter = inspect.signature(pulumi.runtime.set_mocks).parameters["monitor"]
    annotation: Any = parameter.annotation
    assert MockMonitor.__name__ in str(annotation)


def test_a_registration_has_what_mocks_are_not_told_of() -> None:
    resources = _by_name(recorder.preview(_program, "test"))
    assert set(resources) == {"password", "engine", "secret", "policy-of"}
    assert resources["password"].request.protect
    assert resources["password"].request.retainOnDelete
    assert not resources["engine"].request.protect
    assert resources["password"].urn == (
        "urn:pulumi:test::kestra::pulumi:pulumi:Stack$random:index/randomPassword:RandomPassword::password"
    )
    used = resources["secret"].request.propertyDependencies["dataJson"].urns
    assert list(used) == [resources["password"].urn]


def test_a_preview_knows_inputs_and_stand_ins_alone() -> None:
    resources = _by_name(recorder.preview(_program, "test"))
    secret = resources["secret"].inputs
    assert secret["mount"] == "kestra"
    assert secret["dataJson"] == {
        recorder.SIGNATURE: recorder.SECRET,
        "value": recorder.stand_ins("random:index/randomPassword:RandomPassword", "password")[
            "result"
        ],
    }
    assert resources["policy-of"].request.object["mount"] == pulumi.runtime.rpc.UNKNOWN


def test_a_second_resource_of_one_name_and_type_is_refused() -> None:
    def twice() -> None:
        random.RandomPassword("password", length=20)
        random.RandomPassword("password", length=21)

    with pytest.raises(Exception, match="registered twice"):
        recorder.preview(twice, "test")

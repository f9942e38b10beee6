"""The components in a program of Python's own, with mocks: alone, together, and refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

import components
from components.package.components import COMPONENTS
from components.package.provider import PackageProvider
from components.package.values import Value, from_python
from tests.package.component_support import AWS, OPEN_SOURCE, Mocks, run

PLANTED = "Planted-Value-4711"


def test_a_store_and_an_identity_work_without_anything_else() -> None:
    def program() -> Mapping[str, Any]:
        store = components.SecretStore("secrets", AWS)
        identity = components.KestraIdentity("who", {**AWS, "store_interface": store.interface})
        return {"ids": store.secret_ids, "principal": identity.principal}

    mocks, known = run(program)
    assert {"TOKEN", "encryption.secret-key"} == set(known["ids"])
    assert known["principal"].startswith("arn:aws:iam::")
    assert "secrets-store-declared-TOKEN" in mocks.resources
    assert not any(type_.startswith("kubernetes:") for type_ in mocks.types())


def test_a_store_of_a_teams_secrets_alone_makes_no_key_and_no_other_component_takes_them() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    team = {name: value for name, value in AWS.items() if name != "identity"} | {
        "store": {
            "aws": {"kms": {"arn": key}},
            "teams": {"billing": {"namespaces": ["a.b"]}},
        },
        "deployment": {"enabled": False},
    }

    def program() -> Mapping[str, Any]:
        store = components.SecretStore("secrets", team)
        return {"ids": store.secret_ids, "key": store.encryption_key}

    mocks, known = run(program)
    assert set(known["ids"]) == {"TOKEN"}
    assert known["key"] is None
    assert not [type_ for type_ in mocks.types() if "kms" in type_ or "iam" in type_]
    for name in ("KestraStack", "KestraIdentity"):
        with pytest.raises(
            pulumi.RunError, match=r"deployment\.enabled: is false.*use SecretStore"
        ):
            COMPONENTS[name]("kestra", team)


def test_a_deployment_in_a_namespace_that_exists_makes_none() -> None:
    arguments = {**OPEN_SOURCE, "deployment": {"namespace": "mine", "create_namespace": False}}

    def program() -> Mapping[str, Any]:
        kestra = components.KestraDeployment("kestra", arguments)
        return {"namespace": kestra.namespace, "generated": kestra.generated}

    mocks, known = run(program)
    assert known["namespace"] == "mine"
    assert "kubernetes:core/v1:Namespace" not in mocks.types()
    assert "kubernetes:apps/v1:Deployment" in mocks.types()
    assert set(known["generated"]) == {"encryption.secret-key", "server.basic-auth.password"}


def test_a_deployment_is_given_its_identity() -> None:
    enterprise = {**AWS, **OPEN_SOURCE, "security": {"super_admin": {"username": "a@b.example"}}}
    del enterprise["server"]
    interface = {"serviceAccountAnnotations": {"eks.amazonaws.com/role-arn": "arn:mine"}}

    def program() -> Mapping[str, Any]:
        interfaces = {
            "identityInterface": interface,
            "storeInterface": {"versionIds": {"TOKEN": "v1"}},
        }
        kestra = components.KestraDeployment("kestra", {**enterprise, **interfaces})
        return {"account": kestra.service_account}

    mocks, _ = run(program)
    account = mocks.resources["kestra-service-account"][1]
    assert account["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": "arn:mine"}
    assert not any(type_.startswith("aws:") for type_ in mocks.types())


def test_a_configuration_is_rendered_and_makes_no_resource() -> None:
    def program() -> Mapping[str, Any]:
        secret = pulumi.Output.secret(f"{PLANTED}${{X}}")
        basic = {"username": "a@b.example", "password": secret}
        rendered = components.KestraConfiguration(
            "c", {**OPEN_SOURCE, "server": {"basic_auth": basic}}
        )
        return {
            "yaml": rendered.yaml,
            "environment": rendered.environment,
            "missing": rendered.missing,
        }

    mocks, known = run(program)
    assert mocks.types() == {"kestra-platform:index:KestraConfiguration"}
    assert PLANTED not in known["yaml"]
    # Kestra resolves what looks like a variable, unless it is written so.
    (value,) = known["environment"].values()
    assert value.startswith(PLANTED)
    assert value != f"{PLANTED}${{X}}"
    assert set(known["missing"].values()) == {"encryption.secret-key"}


def test_the_convention_is_translated_and_an_impossible_target_left_out() -> None:
    def program() -> Mapping[str, Any]:
        tags = {"owner": "team-a", "additional": {"CostCenter": "4711"}}
        convention = components.TagConvention("tags", {"tags": tags})
        names = ("convention", "aws", "google")
        return {name: getattr(convention, name) for name in names}

    mocks, known = run(program)
    assert known["convention"]["owner"] == "team-a"
    assert known["aws"]["CostCenter"] == "4711"
    assert known["google"] is None
    assert mocks.types() == {"kestra-platform:index:TagConvention"}


def test_a_component_with_bad_arguments_registers_nothing_and_says_all() -> None:
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks, "project", "stack")
    bad = {"server": {"basic_auth": {"username": "no", "password": PLANTED}}, "edition": "none"}

    @pulumi.runtime.test
    def act() -> None:
        with pytest.raises(pulumi.RunError) as error:
            components.KestraStack("kestra", bad)
        text = str(error.value)
        assert 'KestraStack "kestra": edition: is not an allowed value' in text
        assert "server.basic_auth.username" in text
        assert PLANTED not in text

    act()
    assert not mocks.resources


def _itself() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


ODD: dict[str, tuple[Any, str]] = {
    "itself": (_itself(), "is nested too deeply, or has itself in it"),
    "a huge number": (10**5000, ""),
    "a huge key": ({10**5000: "x"}, ""),
    "no key": ({None: object()}, ""),
}


@pytest.mark.parametrize("component", COMPONENTS.values())
@pytest.mark.parametrize("odd", ODD)
def test_what_only_a_python_program_can_pass_is_refused_without_a_traceback(
    component: Any, odd: str
) -> None:
    value, words = ODD[odd]
    mocks = Mocks()
    pulumi.runtime.set_mocks(mocks)
    for argument in ("tags", "deployment", "secret"):
        if component.SETTINGS and argument not in component.SETTINGS:
            continue
        with pytest.raises(pulumi.RunError, match=words or argument):
            component("k", {argument: value})
    for name in (None, 5):
        with pytest.raises(pulumi.RunError, match="name: is no text"):
            component(name, {})
    assert not mocks.resources


def test_the_plugin_refuses_arguments_of_another_component() -> None:
    provider = PackageProvider()
    values: Any = from_python({"tags": {"owner": "a"}, "datasources": {}}).content
    from components.package import provider as module

    module._VALUES.set(values)
    with pytest.raises(pulumi.RunError, match=r"datasources: is no argument of this component"):
        provider.construct("t", COMPONENTS["TagConvention"].token(), {})


def test_a_component_that_is_not_there_is_named() -> None:
    with pytest.raises(pulumi.RunError, match="has no component kestra-platform:index:Nothing"):
        PackageProvider().construct("n", "kestra-platform:index:Nothing", {})


def test_a_value_for_the_sdk_keeps_what_is_secret_and_what_is_whole() -> None:
    assert Value(3.0).to_input() == 3
    assert Value({"a": Value([Value("x")])}).to_input() == {"a": ["x"]}

"""Resource options of a component reach what it makes, as users of Pulumi expect; each with the real engine."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pulumi
import pulumi_random
import pulumi_vault
import pytest

from sandbox.progress import Progress
from sandbox.services import Vault
from sandbox.tools import ensure
from tests.package.consumer_support import Consumer, Remote, refusal, resources, write_plugin

pytestmark = pytest.mark.engine


@pytest.fixture
def consumer(progress: Progress, vault_server: Vault, tmp_path: Path) -> Consumer:
    tools = ensure(["pulumi", "pulumi-language-yaml"], progress)
    launchers = [write_plugin(tmp_path / "plugin")]
    return Consumer(tmp_path, tools, launchers, vault=vault_server, standins=["random", "vault"])


#: A secrets engine for each stack, in the one Vault of the tests.
_NUMBERS = itertools.count()
_ENGINE = {"name": ""}


@pytest.fixture(autouse=True)
def _own_engine() -> None:
    _ENGINE["name"] = f"options-{next(_NUMBERS)}"


def arguments(engine: str = "") -> dict[str, Any]:
    address, engine = "https://vault.example", engine or _ENGINE["name"]
    return {
        "edition": "enterprise",
        "secret": {
            "type": "vault",
            "readOnly": True,
            "vault": {"address": address, "rootEngine": engine, "kubernetes": {}},
        },
        "deployment": {"namespace": "options"},
        "declaredSecrets": {"TOKEN": {"namespace": "company.team", "generate": {}}},
    }


def store(name: str = "store", opts: pulumi.ResourceOptions | None = None, **more: Any) -> Remote:
    return Remote("SecretStore", name, arguments() | more, opts, ["secretIds"])


def _children(stack: Any, package: str = "vault:") -> dict[str, Any]:
    every = resources(stack).values()
    return {one["urn"].rpartition("::")[2]: one for one in every if one["type"].startswith(package)}


def test_a_provider_of_the_program_makes_the_resources(
    consumer: Consumer, vault_server: Vault
) -> None:
    def program() -> None:
        own = pulumi_vault.Provider(
            "own", address=vault_server.address, token=vault_server.root_token
        )
        store(opts=pulumi.ResourceOptions(providers=[own]))

    stack = consumer.python(program)
    stack.up()
    assert _children(stack)
    assert all("::own::" in one["provider"] for one in _children(stack).values())
    assert "pulumi:providers:vault::default" not in "".join(resources(stack))
    stack.destroy(exclude_protected=True)


def test_a_protected_component_protects_what_it_makes(consumer: Consumer) -> None:
    stack = consumer.python(lambda: store(opts=pulumi.ResourceOptions(protect=True)) and None)
    stack.up()
    children = _children(stack)
    unprotected = [name for name, one in children.items() if not one.get("protect")]
    assert children
    assert not unprotected
    consumer.python(lambda: store(opts=pulumi.ResourceOptions(protect=False)) and None).up()
    assert not any(one.get("protect") for one in _children(stack).values())
    stack.destroy(exclude_protected=True)


def test_a_renamed_component_with_an_alias_keeps_its_resources(consumer: Consumer) -> None:
    stack = consumer.python(lambda: store("before") and None)
    stack.up()
    aliases: list[Any] = [pulumi.Alias(name="before")]
    renamed = consumer.python(
        lambda: store("after", pulumi.ResourceOptions(aliases=aliases)) and None
    )
    changes = renamed.up().summary.resource_changes or {}
    assert not {"create", "delete", "replace", "create-replacement"} & set(changes), changes
    renamed.destroy(exclude_protected=True)


def test_a_transform_changes_what_the_component_makes(consumer: Consumer) -> None:
    def described(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "vault:index/mount:Mount":
            return None
        return pulumi.ResourceTransformResult({**args.props, "description": "ours"}, args.opts)

    stack = consumer.python(
        lambda: store(opts=pulumi.ResourceOptions(transforms=[described])) and None
    )
    stack.up()
    mounts = [one for one in _children(stack).values() if one["type"].endswith(":Mount")]
    assert mounts
    assert {one["inputs"]["description"] for one in mounts} == {"ours"}
    stack.destroy(exclude_protected=True)


def test_ignored_changes_are_those_of_the_component_and_of_a_transform_those_of_its_resources(
    consumer: Consumer,
) -> None:
    def ignoring(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "vault:index/mount:Mount":
            return None
        opts = pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(ignore_changes=["description"])
        )
        return pulumi.ResourceTransformResult({**args.props, "description": text["now"]}, opts)

    text = {"now": "first"}
    options = pulumi.ResourceOptions(transforms=[ignoring], ignore_changes=["declaredSecrets"])
    stack = consumer.python(lambda: store(opts=options) and None)
    stack.up()
    text["now"] = "second"
    assert set(stack.up().summary.resource_changes or {}) == {"same"}
    stack.destroy(exclude_protected=True)


def test_a_component_waits_for_what_it_depends_on(consumer: Consumer) -> None:
    def program() -> None:
        first = pulumi_random.RandomPassword("first", length=8)
        store(opts=pulumi.ResourceOptions(depends_on=[first]))

    stack = consumer.python(program)
    stack.up()
    order = [urn.rpartition("::")[2] for urn in resources(stack)]
    assert order.index("first") < min(order.index(name) for name in _children(stack))
    component = next(one for one in resources(stack).values() if "SecretStore" in one["type"])
    assert any(urn.endswith("::first") for urn in component.get("dependencies", []))
    stack.destroy(exclude_protected=True)


def test_an_argument_that_another_resource_makes_is_waited_for_too(consumer: Consumer) -> None:
    def program() -> None:
        first = pulumi_random.RandomPassword("first", length=20, special=False)
        given = {"TOKEN": {"namespace": "company.team", "value": first.result}}
        store(declaredSecrets=given)

    stack = consumer.python(program)
    preview = stack.preview()
    assert preview.change_summary.get("create", 0) > 6, "the secret is unknown, the rest is shown"
    stack.up()
    component = next(one for one in resources(stack).values() if "SecretStore" in one["type"])
    assert any(urn.endswith("::first") for urn in component.get("dependencies", []))
    stack.destroy(exclude_protected=True)


def test_what_is_deleted_with_another_is_not_deleted_by_itself(consumer: Consumer) -> None:
    def program() -> None:
        first = pulumi_random.RandomPassword("first", length=8)
        store(opts=pulumi.ResourceOptions(deleted_with=first))

    stack = consumer.python(program)
    stack.up()
    missing = [name for name, one in _children(stack).items() if not one.get("deletedWith")]
    assert not missing
    stack.destroy(exclude_protected=True)


def test_an_argument_that_is_not_known_yet_hides_the_resources_of_the_preview_alone(
    consumer: Consumer,
) -> None:
    def program() -> None:
        first = pulumi_random.RandomPassword("first", length=8, special=False, upper=False)
        namespace = pulumi.Output.unsecret(first.result).apply(lambda text: f"n{text}")
        store(deployment={"namespace": namespace})

    stack = consumer.python(program)
    preview = stack.preview()
    assert "not known before the update" in preview.stdout
    stack.up()
    assert _children(stack)
    stack.destroy(exclude_protected=True)


def test_a_change_that_loses_a_store_is_refused_by_the_guard(consumer: Consumer) -> None:
    tags = {"environment": "staging", "owner": "platform"}
    stack = consumer.python(lambda: store(tags=tags) and None)
    stack.up()
    moved = arguments(engine="elsewhere")["secret"]
    changed = consumer.python(lambda: store(tags=tags, secret=moved) and None)
    text = refusal(changed.up)
    assert "ok-" in text
    assert "Traceback" not in text
    assert "deployment.accept" in text
    stack.destroy(exclude_protected=True)

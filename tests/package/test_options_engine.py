"""Resource options of a component reach what it makes, as users of Pulumi expect; each with the real engine."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_random
import pulumi_vault
import pytest
from pulumi import automation as auto

from sandbox.progress import Progress
from sandbox.services import Vault
from sandbox.tools import ensure
from tests.package.consumer_support import Consumer, Remote, refusal, resources, write_plugin

pytestmark = pytest.mark.engine


def _consumer(progress: Progress, vault: Vault, directory: Path, *languages: str) -> Consumer:
    tools = ensure(["pulumi", *languages], progress)
    launchers = [write_plugin(directory / "plugin")]
    return Consumer(directory, tools, launchers, vault=vault, standins=["random", "vault"])


@pytest.fixture
def consumer(progress: Progress, vault_server: Vault, tmp_path: Path) -> Consumer:
    return _consumer(progress, vault_server, tmp_path)


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


@dataclass
class Optioned:
    """A stack whose component has every option, and what its program may change."""

    stack: auto.Stack
    name: str = "before"
    description: str = "first"
    options: dict[str, Any] = field(default_factory=dict)


@pytest.fixture(scope="module")
def optioned(
    progress: Progress, vault_server: Vault, tmp_path_factory: pytest.TempPathFactory
) -> Optioned:
    directory = tmp_path_factory.mktemp("optioned")
    consumer = _consumer(progress, vault_server, directory)
    arguments_ = arguments("options-all")

    def transform(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != "vault:index/mount:Mount":
            return None
        ignored = pulumi.ResourceOptions(ignore_changes=["description"])
        merged = pulumi.ResourceOptions.merge(args.opts, ignored)
        return pulumi.ResourceTransformResult(
            {**args.props, "description": optioned_stack.description}, merged
        )

    def program() -> None:
        own = pulumi_vault.Provider(
            "own", address=vault_server.address, token=vault_server.root_token
        )
        first = pulumi_random.RandomPassword("first", length=8)
        options = pulumi.ResourceOptions(
            providers=[own],
            protect=True,
            depends_on=[first],
            deleted_with=first,
            transforms=[transform],
            ignore_changes=["declaredSecrets"],
        )
        more = pulumi.ResourceOptions(**optioned_stack.options)
        merged = pulumi.ResourceOptions.merge(options, more)
        Remote("SecretStore", optioned_stack.name, arguments_, merged, ["secretIds"])

    optioned_stack = Optioned(consumer.python(program))
    optioned_stack.stack.up()
    return optioned_stack


def test_a_provider_of_the_program_makes_the_resources(optioned: Optioned) -> None:
    assert _children(optioned.stack)
    assert all("::own::" in one["provider"] for one in _children(optioned.stack).values())
    assert "pulumi:providers:vault::default" not in "".join(resources(optioned.stack))


def test_a_protected_component_protects_what_it_makes(optioned: Optioned) -> None:
    children = _children(optioned.stack)
    assert not [name for name, one in children.items() if not one.get("protect")]


def test_a_transform_changes_what_the_component_makes(optioned: Optioned) -> None:
    mounts = [o for o in _children(optioned.stack).values() if o["type"].endswith(":Mount")]
    assert mounts
    assert {one["inputs"]["description"] for one in mounts} == {"first"}


def test_a_component_waits_for_what_it_depends_on(optioned: Optioned) -> None:
    order = [urn.rpartition("::")[2] for urn in resources(optioned.stack)]
    assert order.index("first") < min(order.index(name) for name in _children(optioned.stack))
    every = resources(optioned.stack).values()
    component = next(one for one in every if "SecretStore" in one["type"])
    assert any(urn.endswith("::first") for urn in component.get("dependencies", []))


def test_what_is_deleted_with_another_is_not_deleted_by_itself(optioned: Optioned) -> None:
    children = _children(optioned.stack)
    assert not [name for name, one in children.items() if not one.get("deletedWith")]


def test_changes_that_a_transform_ignores_stay_and_a_renamed_component_with_an_alias_too(
    optioned: Optioned,
) -> None:
    optioned.description, optioned.name = "second", "after"
    optioned.options["aliases"] = [pulumi.Alias(name="before")]
    changes = optioned.stack.up().summary.resource_changes or {}
    assert not {"create", "delete", "replace", "create-replacement"} & set(changes), changes
    mounts = [o for o in _children(optioned.stack).values() if o["type"].endswith(":Mount")]
    assert {one["inputs"]["description"] for one in mounts} == {"first"}


def test_an_argument_that_another_resource_makes_is_waited_for_too(consumer: Consumer) -> None:
    def program() -> None:
        first = pulumi_random.RandomPassword("first", length=20, special=False)
        secrets = {"TOKEN": {"namespace": "company.team", "value": first.result}}
        store(declaredSecrets=secrets)

    stack = consumer.python(program)
    preview = stack.preview()
    assert preview.change_summary.get(auto.OpType.CREATE, 0) > 6, (
        "the secret is unknown, the rest is shown"
    )
    stack.up()
    component = next(one for one in resources(stack).values() if "SecretStore" in one["type"])
    assert any(urn.endswith("::first") for urn in component.get("dependencies", []))
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


def test_a_change_that_loses_a_store_is_refused_by_the_guard(
    progress: Progress, vault_server: Vault, tmp_path: Path
) -> None:
    consumer = _consumer(progress, vault_server, tmp_path, "pulumi-language-yaml")

    def program(engine: str) -> dict[str, Any]:
        tags = {"environment": "staging", "owner": "platform"}
        properties = arguments(engine) | {"tags": tags}
        component = {"type": "kestra-platform:SecretStore", "properties": properties}
        return {"resources": {"store": component}}

    consumer.yaml(program("guarded")).up()
    stack = consumer.yaml(program("elsewhere"))
    text = refusal(stack.up)
    assert "ok-" in text
    assert "deployment.accept" in text
    # Traceback: of the plugin; the engine has no other Python here.
    assert "Traceback" not in text
    assert {
        name for name in _children(stack) if "elsewhere" in str(_children(stack)[name])
    } == set()
    stack.destroy(exclude_protected=True)

"""Killed in the middle: whatever the moment, the next run ends where an undisturbed one would have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pulumi import automation as auto

from components.__main__ import main
from components.generated_secrets import base64_text, key_from
from sandbox.engine.recovery import is_locked, orphaned_processes
from tests.conftest import ROOT
from tests.faults.inventory_support import InAws, InVault, differences, kubernetes, neutral, secret
from tests.faults.killed_support import Point, World

pytestmark = pytest.mark.engine

TOKEN, PASSWORD = "store-declared-API_TOKEN", "store-declared-DATABASE_PASSWORD"
KEY = "generated-encryption-secret-key"
POINTS = [
    Point("vault", KEY, "after"),
    Point("vault", "store-audit", "after"),
    Point("vault", "store-engine", "before"),
    Point("vault", "store-engine", "after"),
    Point("vault", "store-policy", "after"),
    Point("vault", PASSWORD, "after"),
    Point("vault", "store-encryption-key", "after"),
    Point("vault", "store-encryption-key", "recorded"),
    Point("vault", "identity-auth", "after"),
    Point("vault", "identity-role", "before"),
    Point("vault", "kestra-token-review", "after"),
    Point("local", "kestra-namespace", "after"),
    Point("local", "kestra-service-account", "recorded"),
    Point("local", "kestra-configuration", "before"),
    Point("local", "kestra-secret", "after"),
    Point("local", "kestra-standalone", "after"),
    Point("aws", "store-key", "after"),
    Point("aws", "store-key-alias", "after"),
    Point("aws", TOKEN, "after"),
    Point("aws", f"{PASSWORD}-value", "after"),
    Point("aws", f"{PASSWORD}-rotation", "after"),
    Point("aws", "store-encryption-key", "before"),
    Point("aws", "store-encryption-key-value", "after"),
    Point("aws", "identity-role", "after"),
]
#: Each needs what the ones before it made, so that none can have come earlier.
CHAIN = [
    Point("vault", "generated-declared-API_TOKEN", "recorded"),
    Point("vault", "store-engine", "after"),
    Point("vault", "store-engine", "after", call="Read"),
    Point("vault", TOKEN, "after"),
    Point("vault", TOKEN, "before", call="Read"),
    Point("vault", "kestra-standalone", "before"),
    Point("vault", "kestra-standalone", "after"),
]
UPDATES = [
    Point("vault", "generated-declared-API_TOKEN", "after"),
    Point("vault", TOKEN, "after", call="Update"),
    Point("local", "kestra-secret", "after"),
    Point("local", "kestra-standalone", "before", call="Update"),
    Point("local", "kestra-secret", "before", call="Delete"),
    Point("aws", f"{TOKEN}-value", "after"),
    Point("aws", f"{TOKEN}-value", "before", call="Delete"),
]
DESTROYS = [
    Point("vault", PASSWORD, "after", call="Delete", operation="destroy"),
    Point("local", "kestra-namespace", "before", call="Delete", operation="destroy"),
    Point("aws", TOKEN, "after", call="Delete", operation="destroy"),
]


@dataclass
class Stacks:
    """Stacks that were brought up undisturbed, two of each kind at most, and what the kills did."""

    world: World
    standing: dict[str, str] = field(default_factory=dict)
    inventories: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcomes: list[tuple[str, str, str]] = field(default_factory=list)

    def undisturbed(self, kind: str, which: str = "reference") -> str:
        """The name of a stack that is up."""
        key = f"{which} {kind}"
        if key not in self.standing:
            self.standing[key] = self.world.new(kind)
            self.world.run(self.standing[key])
        return self.standing[key]

    def expected(self, kind: str) -> dict[str, Any]:
        """The inventory of an undisturbed stack; looked at once."""
        if kind not in self.inventories:
            self.inventories[kind] = seen(self.world, self.undisturbed(kind))
        return self.inventories[kind]

    def taken(self, kind: str, which: str) -> str:
        """The name of a stack that is up, for nobody else any more."""
        name = self.undisturbed(kind, which)
        del self.standing[f"{which} {kind}"]
        return name

    def note(self, point: Point, pending: Iterable[str], did: Mapping[str, int]) -> None:
        """A line of the table of points."""
        words = ", ".join(f"{n} {k}" for k, n in sorted(did.items()))
        self.outcomes.append((str(point), ", ".join(sorted(pending)) or "-", words))


@pytest.fixture(scope="module")
def world(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("killed"), tools)
    with made.running():
        yield made


@pytest.fixture(scope="module")
def stacks(world: World, pytestconfig: pytest.Config) -> Iterator[Stacks]:
    made = Stacks(world)
    yield made
    capture: Any = pytestconfig.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled():
        print("\npoint | interrupted | what the next run did")
        for line in made.outcomes:
            print(" | ".join(line))


def look(world: World, name: str) -> tuple[dict[str, Any], set[str]]:
    """What state and servers hold of a stack, without its name and what is random; and all secret values."""
    found: dict[str, Any] = {"state": sorted(world.kept(name))}
    found |= kubernetes(world.plane, name)
    values: set[str] = set()
    if name.startswith("vault"):
        vault = InVault(world.vault, name)
        found |= vault.inventory()
        values |= {text for fields in vault.values.values() for text in fields.values()}
    if name.startswith("aws"):
        aws = InAws(world.aws, name)
        found |= aws.inventory()
        values |= set(aws.values.values())
    return neutral(found, name), values


def seen(world: World, name: str) -> dict[str, Any]:
    """What state and servers hold of a stack."""
    return look(world, name)[0]


def assert_converged(
    world: World, name: str, recorded: dict[str, str], expected: dict[str, Any]
) -> None:
    """The same inventory; and the values are the first ones, in the state and on the servers."""
    inventory, values = look(world, name)
    assert differences(inventory, expected) == []
    generated = world.generated(name)
    assert others(recorded, generated) == set()
    values |= set(secret(world.plane, name).values())
    # By name: a failure shows no value.
    nowhere = set()
    for resource, value in generated.items():
        wanted = key_from(value) if resource == KEY else value
        if not {wanted, base64_text(wanted)} & values:
            nowhere.add(resource)
    assert nowhere == set()


def others(first: Mapping[str, str], then: Mapping[str, str]) -> set[str]:
    """Names of values that are not any more what they were first."""
    return {name for name, value in first.items() if then.get(name) != value}


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_an_up_after_a_kill_ends_as_an_undisturbed_one(
    world: World, stacks: Stacks, point: Point
) -> None:
    expected = stacks.expected(point.kind)
    name = world.new(point.kind)
    told = world.kill(name, point)
    assert "The engine was killed. Run the same command again to go on." in told
    recorded, pending = world.generated(name), world.pending(name)
    assert (point.name in pending) == (point.moment != "recorded")
    did = world.run(name)
    stacks.note(point, pending, did.changes)
    assert_converged(world, name, recorded, expected)
    if point.kind == "vault":
        InVault(world.vault, name).forget()


def test_one_stack_killed_again_and_again_a_bit_further_each_time(
    world: World, stacks: Stacks
) -> None:
    expected = stacks.expected("vault")
    name, recorded = world.new("vault"), {}
    for point in CHAIN:
        world.kill(name, point)
        now = world.generated(name)
        assert others(recorded, now) == set()
        recorded = now
    did = world.run(name)
    stacks.note(CHAIN[-1], {"(a chain)"}, did.changes)
    assert_converged(world, name, recorded, expected)
    assert world.run(name).changes.keys() == {"same"}


def test_a_recovery_that_is_killed_too_does_not_leave_what_never_was(
    world: World, stacks: Stacks
) -> None:
    expected = stacks.expected("vault")
    name = world.new("vault")
    # Vault was not asked yet; the next run takes the engine for made, and is killed before it looks.
    world.kill(name, Point("vault", "store-engine", "before"))
    world.kill(name, Point("vault", "store-engine", "before", call="Read"))
    recorded = world.generated(name)
    world.run(name)
    assert_converged(world, name, recorded, expected)


@pytest.mark.parametrize("point", UPDATES, ids=str)
def test_a_changed_secret_is_changed_once_however_often_the_update_is_killed(
    world: World, stacks: Stacks, point: Point
) -> None:
    name = stacks.undisturbed(point.kind, "standing")
    before, values = seen(world, name), world.generated(name)
    token = "generated-declared-API_TOKEN"
    world.lengthen(name, "API_TOKEN", len(values[token]) + 1)
    world.kill(name, point)
    recorded, pending = world.generated(name), world.pending(name)
    if not others({token: values[token]}, recorded):
        del recorded[token]  # killed before there was a new one
    did = world.run(name)
    stacks.note(point, pending, did.changes)
    assert_converged(world, name, recorded, one_version_more(before, "API_TOKEN"))
    assert others(values, world.generated(name)) == {token}


def one_version_more(before: dict[str, Any], secret_name: str) -> dict[str, Any]:
    """An inventory after a secret's value was changed."""
    after = dict(before)
    for key, about in before.items():
        versions = about.get("versions") if isinstance(about, dict) else None
        if key.startswith("secret ") and secret_name in key and versions:
            more = (
                [*versions, str(len(versions) + 1)] if isinstance(versions, list) else versions + 1
            )
            after[key] = about | {"versions": more}
    return after


def test_a_command_that_is_killed_leaves_nothing_that_the_next_does_not_end(
    world: World, stacks: Stacks
) -> None:
    point = Point("local", "kestra-secret", "after", whom="command")
    expected = stacks.expected("local")
    name = world.new("local")
    world.arm(point)
    folders = ["--state", str(world.state.directory), "--stacks", str(world.stacks)]
    command = [sys.executable, "-m", "sandbox", "up", name, "--no-policy", *folders]
    environment = os.environ | {"KESTRA_SANDBOX_TOOLS": str(world.launchers)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stdout + done.stderr
    recorded, pending = world.generated(name), world.pending(name)
    did = world.run(name)
    stacks.note(point, pending, did.changes)
    assert list(orphaned_processes(world.state)) == []
    assert_converged(world, name, recorded, expected)


@pytest.mark.parametrize("point", DESTROYS, ids=str)
def test_a_destroy_after_a_kill_leaves_what_an_undisturbed_one_leaves(
    world: World, stacks: Stacks, point: Point
) -> None:
    reference = stacks.taken(point.kind, "reference")
    name = stacks.taken(point.kind, "standing")
    values = world.generated(name)
    world.run(reference, "destroy")
    world.kill(name, point)
    pending = world.pending(name)
    did = world.run(name, "destroy")
    stacks.note(point, pending, did.changes)
    left = seen(world, name)
    assert differences(left, without_versions(seen(world, reference), left)) == []
    assert others({KEY: values[KEY]}, world.generated(name)) == set()


def without_versions(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What is expected; secrets that wait for their deletion have as many versions as they had."""
    return {
        key: about | {"versions": found[key]["versions"]}
        if isinstance(about, dict) and "versions" in about and key in found
        else about
        for key, about in expected.items()
    }


def test_plain_pulumi_goes_on_in_the_documented_way(
    world: World, stacks: Stacks, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = stacks.expected("local")
    name = world.new("local")
    world.kill(name, Point("local", "kestra-namespace", "after"))
    recorded = world.generated(name)
    with world.stack(name)._selected() as plain:
        assert is_locked(world.state, name)
        plain.cancel()
        with pytest.raises(auto.CommandError) as refused:
            plain.up(on_output=lambda _: None, color="never")
        told = str(refused.value)
        assert "interrupted" in told or "pending" in told, told
        assert f'namespaces "{name}" already exists' in told, told
        assert "kestra-namespace" in world.pending(name)
        run: Any = plain.workspace.pulumi_command.run
        before, after = world.folder / "state.json", world.folder / "adopted.json"
        where, stack = plain.workspace.work_dir, ["--stack", name]
        run(["stack", "export", "--file", str(before), *stack], where, {})
        assert main(["adopt", str(before)]) == 0
        assert (
            "creating   kestra-namespace (kubernetes:core/v1:Namespace)" in capsys.readouterr().out
        )
        assert main(["adopt", str(before), f"kestra-namespace={name}"]) == 0
        after.write_text(capsys.readouterr().out)
        run(["stack", "import", "--file", str(after), *stack], where, {})
        run(["refresh", "--yes", "--skip-preview", *stack], where, {})
        assert world.pending(name) == {}
        plain.up(on_output=lambda _: None)
    assert_converged(world, name, recorded, expected)


def test_a_plugin_that_is_killed_fails_the_update_and_the_next_goes_on(
    world: World, stacks: Stacks
) -> None:
    point = Point("vault", TOKEN, "after", call="Update", whom="plugin")
    name = stacks.undisturbed("vault", "plugin")
    expected = one_version_more(seen(world, name), "API_TOKEN")
    world.lengthen(name, "API_TOKEN", 64)
    told = world.kill(name, point)
    assert TOKEN in told
    assert "Traceback" not in told
    # The engine lives, and takes what it does not know for not done.
    assert world.pending(name) == {}
    recorded = world.generated(name)
    did = world.run(name)
    stacks.note(point, (), did.changes)
    # So Vault has the new value twice.
    assert_converged(world, name, recorded, one_version_more(expected, "API_TOKEN"))
    assert world.run(name).changes.keys() == {"same"}

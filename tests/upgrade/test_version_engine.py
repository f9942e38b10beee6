"""A stack goes from Kestra 1.3 to 2.0 and back through the real engine, its secrets untouched."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from sandbox.check import read_back, verify_stack
from sandbox.kestra import RELEASES
from sandbox.progress import Progress
from tests.upgrade.states_support import DATA, Operations, UpgradeStacks, stacks, type_of

pytestmark = [pytest.mark.engine, pytest.mark.kestra]

STACK = "local-vault"
RULES = {"password-min-length": 12, "password-require-special": False}


@pytest.fixture(scope="module")
def upgrades(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UpgradeStacks]:
    with stacks(tmp_path_factory.mktemp("versions")) as upgrade_stacks:
        yield upgrade_stacks


def names(resources: dict[str, set[str]]) -> set[str]:
    return {f"{type_of(urn).split(':')[-1]} {urn.rsplit('::', 1)[1]}" for urn in resources}


def test_a_stack_goes_to_2_0_and_back_and_keeps_what_it_holds(
    upgrades: UpgradeStacks, progress: Progress
) -> None:
    def operate(operation: str) -> Operations:
        seen = Operations()
        getattr(upgrades.ready(STACK), operation)(seen)
        assert seen.lost == set()
        return seen

    def version(number: str, rules: dict[str, Any]) -> None:
        upgrades.edit(STACK, {"version": number, "security": security | {"basic-auth": rules}})

    def environment() -> dict[str, str]:
        """What Kestra gets, by the end of its name: the account has another name in each version."""
        stack = upgrades.ready(STACK)
        outputs = {name: output.value for name, output in stack.outputs().items()}
        _, variables = read_back(stack.plane, outputs)
        return {name.replace("INSTANCE_OWNER", "SUPER_ADMIN"): v for name, v in variables.items()}

    def holds() -> dict[str, Any]:
        resources = upgrades.exported(STACK)["deployment"]["resources"]
        return {
            r["urn"]: (r["id"], json.dumps(r["inputs"], sort_keys=True))
            for r in resources
            if r["type"] in DATA
        }

    security = upgrades.setting(STACK, "security")
    first_rules = security["basic-auth"]
    operate("up")
    before, kept = environment(), holds()
    assert len(kept) >= 5

    version("2.0", RULES)
    planned = operate("preview")
    done = operate("up")
    assert planned.found.keys() == done.found.keys()
    # Both are immutable: a changed one is a new one, and the old one goes when the pods have the new one.
    assert names(done.of("replace", "delete")) == {
        "ConfigMap kestra-configuration",
        "Secret kestra-secret",
    }
    updated = {type_of(urn) for urn, what in done.found.items() if what == {"update"}}
    assert updated <= {
        "kubernetes:apps/v1:Deployment",
        "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    }
    assert "Deployment kestra-controller" in names(done.of("create"))
    assert environment() == before
    assert {urn: id_ for urn, (id_, _) in holds().items()} == {u: i for u, (i, _) in kept.items()}
    assert operate("up").found.keys() <= {""}
    console = io.StringIO()
    verified = verify_stack(upgrades.ready(STACK), progress, Console(file=console, width=200))
    assert verified, console.getvalue()
    assert f"Kestra {RELEASES['2.0']}: every check passed" in console.getvalue()

    version("1.3", first_rules)
    back = operate("up")
    # What only 2.0 has goes; Kestra's database does not come back with it (docs/upgrade.md).
    assert names(back.of("delete")) - names(back.of("replace")) >= {"Deployment kestra-controller"}
    assert environment() == before
    assert holds().keys() == kept.keys()

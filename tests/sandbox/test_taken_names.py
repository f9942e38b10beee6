"""A name that is taken has one hint, and it is the one of its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.safeguards import name_conflicts
from components.safeguards.failed_resource import FailedResource
from components.safeguards.hints import suggest_fixes
from sandbox.state import State
from sandbox.taken_names import suggest_fix

NAMESPACE = "kubernetes:core/v1:Namespace"
MOUNT = "vault:index/mount:Mount"
INPUTS = {
    NAMESPACE: {"metadata": {"name": "kestra", "labels": {"a": "b"}}},
    MOUNT: {"path": "kestra", "type": "kv"},
    "kubernetes:core/v1:Secret": {"metadata": {"name": "s", "namespace": "kestra"}},
    "azure-native:keyvault:Vault": {"vaultName": "v", "resourceGroupName": "g"},
}
WORDS = {
    NAMESPACE: 'namespaces "kestra" already exists',
    MOUNT: "path is already in use at kestra/",
    "kubernetes:core/v1:Secret": 'secrets "s" already exists',
    "azure-native:keyvault:Vault": "cannot create already existing resource '/x'",
}


def failed(type_: str, **inputs: Any) -> FailedResource:
    urn = f"urn:pulumi:new::kestra::{type_}::kestra-thing"
    return FailedResource(urn, INPUTS[type_] | inputs, WORDS[type_])


def folder(path: Path, *, protect: bool = False, **stacks: list[str]) -> State:
    """A state folder: stack to the types of the resources that it has."""
    state = State(path)
    for name, types in stacks.items():
        state.stack(name).mkdir(parents=True)
        file = state.checkpoint(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        resources = [{"type": t, "inputs": INPUTS[t], "protect": protect} for t in types]
        file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))
    return state


@pytest.mark.parametrize("type_", list(INPUTS))
def test_another_stack_of_the_folder_is_named(type_: str, tmp_path: Path) -> None:
    state = folder(tmp_path, new=[type_], first=[type_])
    text = suggest_fix(state, "new", failed(type_))
    assert text.startswith("Stack first of this state folder has this ")
    assert f"python -m sandbox destroy first --state {tmp_path}" in text
    assert "Otherwise: " in text
    assert "pulumi import" not in text
    state = folder(tmp_path / "protected", protect=True, first=[type_])
    assert "destroy first --unprotect" in suggest_fix(state, "new", failed(type_))


def test_what_no_stack_of_the_folder_has_is_answered_as_everywhere(tmp_path: Path) -> None:
    state = folder(tmp_path, new=[NAMESPACE], first=[MOUNT])
    (tmp_path / "stacks" / "never-up").mkdir()
    one = failed(NAMESPACE)
    assert suggest_fix(state, "new", one) == name_conflicts.suggest_fix(one) != ""
    other = failed(MOUNT, path="another")
    assert suggest_fix(state, "new", other) == name_conflicts.suggest_fix(other) != ""
    unknown = FailedResource("urn:pulumi:new::kestra::random:index/x:X::n", {}, "something else")
    assert suggest_fix(state, "new", unknown) == ""


def test_the_servers_words_get_no_second_hint_beside_the_programs(tmp_path: Path) -> None:
    said = (
        'kubernetes:Namespace kestra-namespace: resource "urn" was not successfully created by the Kubernetes API '
        'server: namespaces "kestra" already exists'
    )
    here = suggest_fix(folder(tmp_path, first=[NAMESPACE]), "new", failed(NAMESPACE))
    for own in (name_conflicts.suggest_fix(failed(NAMESPACE)), here):
        # As the program says it, and as the display hands it on, in one line.
        for answer in (own, " ".join(own.split())):
            assert suggest_fixes([said, f"kestra-namespace: {answer}"]) == []
        # What has another cause has its own.
        (sealed,) = suggest_fixes([said, own, "Vault is sealed"])
        assert sealed.startswith("Vault is sealed")

"""Stack files stand side by side: no two of them have a name that only one can have."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from tests.components.recording_support import run
from tests.conftest import ROOT, stack_document

STACKS = sorted(f.name[7:-5] for f in (ROOT / "stacks").glob("Pulumi.*.yaml"))
#: Without those of secrets alone, which have no namespace.
KESTRAS = [s for s in STACKS if s != "example-team-secrets"]
#: Inputs that tell one object from all others of its type, where a server knows it by them.
IDENTIFYING = (
    "name", "resourceUri", "cryptoKeyId", "path", "mount", "project", "location", "keyRing", "secretId", "accountId", "resourceGroupName",
    "vaultName", "secretName", "resourceName", "role", "member", "scope", "keyId", "service", "clusterName", "roleId",
)  # fmt: skip
#: What all stacks of a Google project have: it is switched on once, and stays when a stack goes.
SHARED = ("gcp:projects/service:Service",)
#: Parts of another object, which has the name.
PARTS = ("random:", "kestra:", "pulumi:")


def names(stack: str) -> set[tuple[Any, ...]]:
    """Type and name of everything that a stack makes outside of Pulumi."""
    identities: set[tuple[Any, ...]] = set()
    for type_, inputs in run(stack_document(stack)).resources.values():
        if type_.startswith(PARTS) or type_ in SHARED:
            continue
        metadata = inputs.get("metadata")
        if type_.startswith("kubernetes:") and isinstance(metadata, dict):
            if "name" in metadata:
                identities.add((type_, metadata.get("namespace"), metadata["name"]))
            continue
        identity = [(k, inputs[k]) for k in IDENTIFYING if isinstance(inputs.get(k), str)]
        if identity:
            identities.add((type_, *((k, _of_stack(v, stack)) for k, v in identity)))
    return identities


def _of_stack(value: str, stack: str) -> str:
    """The value; the id of another of the stack's objects, which the recording makes of its name, with the stack's."""
    return f"{stack}: {value}" if value.endswith("-id") else value


def hosts(stack: str) -> set[tuple[Any, ...]]:
    """Hosts of a stack's ingress, which an ingress controller takes once."""
    return {
        (rule["host"],)
        for ingress in run(stack_document(stack)).of("Ingress").values()
        for rule in ingress["spec"]["rules"]
    }


@pytest.fixture(scope="module")
def taken() -> dict[str, set[tuple[Any, ...]]]:
    return {stack: names(stack) | hosts(stack) for stack in STACKS}


def test_no_two_stack_files_have_one_name(taken: dict[str, set[tuple[Any, ...]]]) -> None:
    assert len(STACKS) >= 9
    assert all(len(identities) > (5 if s in KESTRAS else 1) for s, identities in taken.items())
    both = {
        (first, second): taken[first] & taken[second]
        for first, second in combinations(STACKS, 2)
        if taken[first] & taken[second]
    }
    assert both == {}


def test_each_stack_file_has_a_namespace_of_its_own() -> None:
    spaces: list[Any] = [stack_document(stack)["deployment"] for stack in KESTRAS]
    identities = [space["namespace"] for space in spaces]
    assert len(set(identities)) == len(identities)

"""Moving from one secret manager to another: at every step Kestra finds each secret where it looks."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml

from components.validation import load
from tests.components.inventory_support import SECRET_MARK
from tests.components.recording_support import Recorder, run
from tests.conftest import ROOT, of_version, stack_document

VAULT, AWS, SSM, AZURE, GOOGLE = (
    "local-vault",
    "example-aws-secret-manager",
    "example-aws-ssm-parameter-store",
    "example-azure-key-vault",
    "example-google-secret-manager",
)
GIVEN = "Pl4nted-Value-Zq81"
DECLARED = {
    "API_TOKEN": {"namespace": "company.team", "generate": {"length": 48}},
    "GIVEN": {"namespace": "company.team", "value": GIVEN},
}
#: Type of the secret manager to its component, and where a declared secret's value is among its resources.
STORES = {
    "vault": ("VaultStore", "vault:kv/secretV2:SecretV2", "", "dataJson"),
    "aws-secret-manager": (
        "AwsStore",
        "aws:secretsmanager/secretVersion:SecretVersion",
        "-value",
        "secretString",
    ),
    "aws-ssm-parameter-store": (
        "AwsParameterStore",
        "aws:ssm/parameter:Parameter",
        "",
        "value",
    ),
    "azure-key-vault": ("AzureStore", "azure-native:keyvault:Secret", "", "properties"),
    "google-secret-manager": (
        "GcpStore",
        "gcp:secretmanager/secretVersion:SecretVersion",
        "-version",
        "secretData",
    ),
}
MOVES = [
    (VAULT, AWS),
    (AWS, VAULT),
    (AWS, SSM),
    (SSM, AZURE),
    (AZURE, GOOGLE),
    (GOOGLE, VAULT),
]
STEPS = ("before", "both", "swapped", "after")


def _merged(first: dict[str, Any], second: dict[str, Any], room: str) -> dict[str, Any]:
    return first.get(room, {}) | second.get(room, {})


def _documents(old: str, new: str) -> dict[str, dict[str, Any]]:
    """The stack's settings at the four states."""
    first, second = stack_document(old), stack_document(new)
    base = stack_document(VAULT) | {
        "declared-secrets": DECLARED,
        "tags": {"environment": "production", "owner": "platform"},
        # A production image is named by its digest.
        "deployment": stack_document(AWS)["deployment"],
    }
    if SSM in (old, new):
        base = of_version(base, "2.0") | {"security": stack_document(SSM)["security"]}
    if {old, new} == {AWS, SSM}:
        # One block for both, so it holds nothing that one of them lacks.
        first["store"] = second["store"] = {"aws": {}}
    blocks = {room: _merged(first, second, room) for room in ("store", "identity")}
    return {
        "before": base | {k: first[k] for k in ("secret", "store", "identity") if k in first},
        "both": base
        | {"secret": first["secret"], "identity": blocks["identity"]}
        | {"store": blocks["store"] | {"also": second["secret"]}},
        "swapped": base
        | {"secret": second["secret"], "identity": blocks["identity"]}
        | {"store": blocks["store"] | {"also": first["secret"]}},
        "after": base | {k: second[k] for k in ("secret", "store", "identity") if k in second},
    }


@pytest.fixture(scope="module", params=MOVES, ids=lambda move: " to ".join(move))
def steps(request: pytest.FixtureRequest) -> dict[str, Recorder]:
    """What the program registers at each state."""
    documents = _documents(*request.param)
    return {step: run(deepcopy(documents[step])) for step in STEPS}


def _plain(value: Any) -> Any:
    return _plain(value["value"]) if isinstance(value, dict) and SECRET_MARK in value else value


def _kestra_reads(recorded: Recorder) -> str:
    return yaml.safe_load(recorded.outputs["configuration"])["kestra"]["secret"]["type"]


def _values(recorded: Recorder, kind: str) -> dict[str, str]:
    """Each declared secret's value in one secret manager."""
    _, type_, suffix, key = STORES[kind]
    result = {}
    for request, inputs in recorded.registered.values():
        for name in DECLARED:
            if request.type == type_ and request.name == f"store-declared-{name}{suffix}":
                value = _plain(inputs[key])
                if key == "properties":
                    value = _plain(value["value"])
                result[name] = json.loads(value)["value"] if key == "dataJson" else value
    return result


def _of_store(recorded: Recorder, kind: str) -> dict[str, dict[str, Any]]:
    """URN to inputs of what belongs to one store."""
    component = f"kestra:stores:{STORES[kind][0]}"
    return {
        urn: inputs
        for urn, (request, inputs) in recorded.registered.items()
        if request.parent.split("::")[-2:-1] and request.parent.split("::")[-2].endswith(component)
    }


def _of_type(recorded: Recorder, kind: str) -> dict[str, Any]:
    return {
        request.name: inputs
        for request, inputs in recorded.registered.values()
        if request.type.endswith(f":{kind}")
    }


def test_at_every_step_each_secret_is_where_kestra_reads(steps: dict[str, Recorder]) -> None:
    expected = {"API_TOKEN": "Password-1-of-generated-declared-API_TOKEN", "GIVEN": GIVEN}
    for recorded in steps.values():
        kind = _kestra_reads(recorded)
        assert _values(recorded, kind) == expected


def test_the_new_store_holds_every_secret_before_kestra_reads_it(
    steps: dict[str, Recorder],
) -> None:
    new = _kestra_reads(steps["after"])
    assert _kestra_reads(steps["both"]) == _kestra_reads(steps["before"]) != new
    assert _kestra_reads(steps["swapped"]) == new
    assert _values(steps["both"], new).keys() == DECLARED.keys()
    assert steps["both"].outputs["alsoSecretIds"].keys() == {*DECLARED, "encryption.secret-key"}
    assert "alsoSecretIds" not in steps["after"].outputs


def test_a_store_that_stays_keeps_every_resource_as_it_is(steps: dict[str, Recorder]) -> None:
    old, new = _kestra_reads(steps["before"]), _kestra_reads(steps["after"])
    for kind, there in ((old, STEPS[:3]), (new, STEPS[1:])):
        first, *others = (_of_store(steps[step], kind) for step in there)
        assert len(first) > len(DECLARED)
        for other in others:
            assert other == first
    assert not _of_store(steps["before"], new)
    assert not _of_store(steps["after"], old)


def test_what_is_generated_stays(steps: dict[str, Recorder]) -> None:
    first, *others = (_of_type(recorded, "RandomPassword") for recorded in steps.values())
    assert "generated-encryption-secret-key" in first
    for name in ("generated-encryption-secret-key", "generated-declared-API_TOKEN"):
        assert all(other[name] == first[name] for other in others)


def test_the_pods_roll_once(steps: dict[str, Recorder]) -> None:
    before, both, swapped, after = (_of_type(r, "Deployment") for r in steps.values())
    assert before == both
    assert swapped == after
    assert any(both[name] != swapped[name] for name in both)
    # The ConfigMap is immutable: with another content it has another name, which every pod mounts.
    earlier, later = (_of_type(steps[step], "ConfigMap") for step in ("both", "swapped"))
    assert all(earlier[name]["immutable"] for name in earlier)
    assert all(earlier[name]["data"] != later[name]["data"] for name in earlier)


def test_the_identity_is_that_of_the_store_that_kestra_reads(steps: dict[str, Recorder]) -> None:
    def identities(recorded: Recorder) -> set[str]:
        return {r.type for r, _ in recorded.registered.values() if "kestra:identity:" in r.type}

    before, both, swapped, after = (identities(recorded) for recorded in steps.values())
    assert before == both
    assert swapped == after
    assert len(before) == len(after) == 1


def test_while_the_pods_roll_both_stores_can_be_reached(steps: dict[str, Recorder]) -> None:
    def ports(recorded: Recorder) -> set[int]:
        policy = next(
            inputs
            for name, inputs in _of_type(recorded, "NetworkPolicy").items()
            if name.endswith("backends")
        )
        return {p["port"] for rule in policy["spec"]["egress"] for p in rule["ports"]}

    needed = ports(steps["before"]) | ports(steps["after"])
    assert ports(steps["both"]) >= needed
    assert ports(steps["swapped"]) >= needed


@pytest.mark.parametrize("stack", [VAULT, AWS, SSM, AZURE, GOOGLE])
def test_the_page_lists_what_a_removed_store_leaves(stack: str) -> None:
    document = _documents(stack, stack)["before"]
    kind = document["secret"]["type"]
    recorded = run(document)
    rows = []
    for urn in sorted(_of_store(recorded, kind)):
        request = recorded.registered[urn][0]
        if request.protect or request.retainOnDelete:
            name = request.name.replace("europe-west1", "REGION").replace("europe-west4", "REGION")
            marks = (request.protect, "protected"), (request.retainOnDelete, "stays")
            said = " and ".join(word for found, word in marks if found)
            rows.append(f"| `{kind}` | `{name}` | {request.type} | {said} |")
    page = (ROOT / "docs" / "moving.md").read_text().splitlines()
    assert sorted(set(rows)) == sorted(line for line in page if line.startswith(f"| `{kind}` |"))


def test_parameter_store_beside_secrets_manager_lets_replicas_stand() -> None:
    document = _documents(AWS, SSM)["both"]
    document["store"]["aws"] = {"replicas": [{"region": "eu-central-1"}]}
    assert load(document, source="test").settings.store.aws is not None

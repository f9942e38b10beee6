"""What a stack needs of the clouds, from its settings and from what it still has there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.validation import load
from sandbox.clouds import Clouds, own_account, required_services
from sandbox.services.aws import ACCOUNT
from sandbox.services.gcp import PROJECT
from sandbox.state import State
from tests.conftest import stack_document


class _At:
    def __init__(self, address: str) -> None:
        self.address = address
        self.environment = {"ADDRESS": address}


def _left(state: State, types: list[str]) -> None:
    file = state.checkpoint("moved")
    file.parent.mkdir(parents=True)
    resources = [{"urn": f"urn:{n}", "type": type_} for n, type_ in enumerate(types)]
    file.write_text(json.dumps({"checkpoint": {"latest": {"resources": resources}}}))


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        ("local", set()),
        ("local-vault", {"vault"}),
        ("example-aws-secret-manager", {"aws"}),
        ("example-azure-key-vault", {"azure"}),
        ("example-google-secret-manager", {"gcp"}),
        ("example-oss-vault", {"vault", "external-secrets"}),
        ("example-oss-aws", {"aws", "external-secrets"}),
    ],
)
def test_the_settings_say_what_is_needed(tmp_path: Path, stack: str, expected: set[str]) -> None:
    settings = load(stack_document(stack), source="f").settings
    assert required_services(State(tmp_path), stack, settings) == expected


def test_what_a_moved_stack_left_behind_is_needed_until_it_is_gone(tmp_path: Path) -> None:
    state = State(tmp_path)
    settings = load(stack_document("example-aws-secret-manager"), source="f").settings
    _left(state, ["pulumi:pulumi:Stack", "vault:index/mount:Mount", "azure-native:keyvault:Vault"])
    assert required_services(state, "moved", settings) == {"aws", "vault", "azure"}
    assert required_services(state, "another", settings) == {"aws"}


def test_a_state_that_cannot_be_read_hinders_nobody(tmp_path: Path) -> None:
    state = State(tmp_path)
    _left(state, [])
    (state.checkpoint("moved")).write_text("{")
    settings = load(stack_document("local"), source="f").settings
    assert required_services(state, "moved", settings) == set()


def test_the_servers_names_take_the_place_of_the_files() -> None:
    aws: Any = _At("http://127.0.0.1:1")
    google: Any = _At("http://127.0.0.1:2")
    config = {
        "aws:region": "eu-west-1",
        "aws:allowedAccountIds": ["111122223333"],
        "gcp:project": "company",
        "kestra:secret": {"type": "aws-secret-manager", "aws-secret-manager": {"region": "r"}},
        "kestra:store": {
            "also": {
                "type": "google-secret-manager",
                "google-secret-manager": {"project": "company"},
            }
        },
        "kestra:identity": {"aws": {"role-arn": "arn:aws:iam::111122223333:role/kestra"}},
    }
    Clouds(aws, google).overlay(config)
    assert config == {
        "aws:region": "eu-west-1",
        "kestra:secret": {
            "type": "aws-secret-manager",
            "aws-secret-manager": {"region": "r", "endpoint-override": aws.address},
        },
        "kestra:store": {
            "also": {
                "type": "google-secret-manager",
                "google-secret-manager": {"project": PROJECT},
            }
        },
        "kestra:identity": {"aws": {"role-arn": f"arn:aws:iam::{ACCOUNT}:role/kestra"}},
    }


def test_only_accounts_of_the_sandboxs_own_services_are_replaced() -> None:
    text = (
        "arn:aws:kms:eu-west-1:111122223333:key/k arn:aws:lambda:eu-west-1:111122223333:function:f"
    )
    assert own_account(text) == text.replace(
        "lambda:eu-west-1:111122223333", f"lambda:eu-west-1:{ACCOUNT}"
    )


def test_a_cloud_without_a_server_gives_no_environment() -> None:
    assert Clouds().environment == {}

"""An external encryption key: made once, known by its fingerprint, brought to the cluster."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from components.safeguards.irreversible_changes import find_losses, fingerprint, snapshot
from components.validation import load
from tests.components.recording_support import run
from tests.secret_values.values_support import (
    PLANTED,
    Manager,
    document_of,
    stack_file,
)

KEY_PATH = "/v1/kestra-stack/data/encryption"


KEY_METADATA = KEY_PATH.replace("/data/", "/metadata/")


GIVEN = base64.b64encode(b"k" * 32).decode()


FINGERPRINT = fingerprint(GIVEN)


def document_with_key(**encryption: Any) -> dict[str, Any]:
    return document_of("vault") | {"encryption": {"external": True, **encryption}}


def test_an_external_key_is_made_once_and_known_by_its_fingerprint(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    file = stack_file(tmp_path, document_with_key())
    manager.answers[f"POST {KEY_PATH}"] = {"data": {"version": 1}}
    status, printed = secret("generate", "encryption.secret-key", "--stack", file)
    assert status == 0
    (key,) = [body["data"]["secret-key"] for _, body in manager.sent if body]
    assert len(base64.b64decode(key)) == 32
    assert key not in printed
    assert f"kestra:encryption.fingerprint {fingerprint(key)}" in printed
    # Never a second one, by neither way.
    manager.answers[f"GET {KEY_METADATA}"] = {"data": {"current_version": 1, "versions": {"1": {}}}}
    manager.sent.clear()
    for arguments in (
        ("generate", "encryption.secret-key", "--again"),
        ("set", "encryption.secret-key"),
    ):
        status, printed = secret(*arguments, "--stack", file, value=GIVEN.encode())
        assert (status, "Kestra has one key and no re-encryption" in printed) == (1, True)
    assert not any(body for _, body in manager.sent)


@pytest.mark.parametrize(
    ("encryption", "value", "words"),
    [
        ({}, PLANTED, "This is no key"),
        ({}, base64.b64encode(b"k" * 16).decode(), "This is no key"),
        ({"fingerprint": "00000000"}, GIVEN, f"another key: its fingerprint is {FINGERPRINT}"),
        ({"fingerprint": FINGERPRINT}, GIVEN, ""),
        ({"existing": True}, base64.b64encode(b"k" * 16).decode(), ""),
    ],
)
def test_a_given_key_is_checked_before_it_is_written(
    manager: Manager, secret: Any, tmp_path: Path, encryption: Any, value: str, words: str
) -> None:
    file = stack_file(tmp_path, document_with_key(**encryption))
    manager.answers[f"POST {KEY_PATH}"] = {"data": {"version": 1}}
    status, printed = secret("set", "encryption.secret-key", "--stack", file, value=value.encode())
    assert (status, words in printed) == (1 if words else 0, True)
    assert any(body for _, body in manager.sent) == (not words)
    assert value not in printed


def test_no_key_is_made_in_the_place_of_one_that_there_was(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    for encryption in ({"fingerprint": FINGERPRINT}, {"existing": True}):
        file = stack_file(tmp_path, document_with_key(**encryption))
        status, printed = secret("generate", "encryption.secret-key", "--stack", file)
        assert (status, "none is made in its place" in printed) == (1, True)
    file = stack_file(tmp_path, document_of("vault"))
    status, printed = secret("generate", "encryption.secret-key", "--stack", file)
    assert (status, "is not external" in printed) == (1, True)


def test_the_cluster_gets_the_key_by_standard_input_and_only_the_right_one(
    manager: Manager, secret: Any, tmp_path: Path
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\ncat > {tmp_path}/manifest\n')
    kubectl.chmod(0o700)
    manager.answers[f"GET {KEY_PATH}"] = {"data": {"data": {"secret-key": GIVEN}}}
    arguments = ("copy", "encryption.secret-key", "--to-cluster", "--context", "here", "--stack")
    file = stack_file(tmp_path, document_with_key(fingerprint=FINGERPRINT))
    status, printed = secret(*arguments, file)
    assert (status, GIVEN in printed) == (0, False)
    assert (tmp_path / "arguments").read_text() == "--context here create -f -\n"
    manifest = json.loads((tmp_path / "manifest").read_text())
    assert manifest["metadata"]["name"] == "kestra-encryption-key"
    assert manifest["stringData"] == {"secret-key": GIVEN}
    assert manifest["immutable"]
    kubectl.write_text(f'#!/bin/sh\necho "already exists: {GIVEN}" >&2; exit 1\n')
    status, printed = secret(*arguments, file)
    assert (status, "`kubectl create` failed" in printed, GIVEN in printed) == (2, True, False)
    file = stack_file(tmp_path, document_with_key(fingerprint="00000000"))
    status, printed = secret(*arguments, file)
    assert (status, "nothing was written to the cluster" in printed) == (2, True)
    status, printed = secret("copy", "API_TOKEN", "--to-cluster", "--stack", file)
    assert (status, "for encryption.secret-key alone" in printed) == (1, True)


def test_an_external_key_is_in_no_resource_and_the_guard_knows_its_fingerprint() -> None:
    recorded = run(document_with_key(fingerprint=FINGERPRINT))
    assert not any("encryption-key" in name for name in recorded.of("SecretV2"))
    assert not any("encryption" in name for name in recorded.of("RandomPassword"))
    place = recorded.of("Endpoint")["store-place-encryption-key"]
    assert place["path"] == "kestra-stack/metadata/encryption"
    assert "store-place-encryption-key" in recorded.retained
    (guard,) = (inputs for type_, inputs in recorded.resources.values() if type_.endswith(":Guard"))
    assert guard["encryptionKey"] == FINGERPRINT
    containers = [
        container
        for deployment in recorded.of("Deployment").values()
        for container in deployment["spec"]["template"]["spec"]["containers"]
    ]
    reference = {"secretKeyRef": {"name": "kestra-encryption-key", "key": "secret-key"}}
    variable = {"name": "EXTERNAL_ENCRYPTION_KEY", "valueFrom": reference}
    assert containers
    assert all(variable in container["env"] for container in containers)
    assert "secret-key: ${EXTERNAL_ENCRYPTION_KEY}" in recorded.outputs["configuration"]


def test_another_fingerprint_is_refused_and_the_same_key_may_leave_the_state() -> None:
    def facts(**encryption: Any) -> dict[str, Any]:
        document = document_of("vault") | {
            "encryption": encryption,
            "tags": {"environment": "staging"},
        }
        return snapshot(load(document, source="test").settings)

    external = facts(external=True, fingerprint=FINGERPRINT)
    held = facts() | {"encryptionKey": FINGERPRINT}
    assert find_losses(held, external) == []
    (loss,) = find_losses(external, facts(external=True, fingerprint="00000000"))
    assert "would change" in loss.text
    (loss,) = find_losses(external, facts(external=True))
    assert "would change" in loss.text

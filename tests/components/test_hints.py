"""A server's words, and the way out that is shown beside them."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from components.safeguards.failed_resource import FailedResource
from components.safeguards.name_conflicts import all_hints, suggest_fix
from components.settings import Settings
from tests.settings.keys_support import has_key

PARENT = "urn:pulumi:dev::kestra::kestra:stores:Some::store"
SOME = {"name": "n", "path": "p", "vaultName": "v", "resourceGroupName": "g", "secretName": "s"} | {
    "project": "pr", "location": "l", "secretId": "s", "keyRing": "ring", "accountId": "a", "bucket": "b",
    "metadata": {"name": "n", "namespace": "ns"},
}  # fmt: skip
SECRET, VAULT = "aws:secretsmanager/secret:Secret", "azure-native:keyvault:Vault"
CASES = [
    ("vault:index/mount:Mount", "Errors: path is already in use at p/", "p"),
    ("vault:index/authBackend:AuthBackend", "path is already in use at p/", "p"),
    ("vault:index/audit:Audit", "path already in use", "p"),
    ("vault:index/audit:Audit", "Errors: file_path already in use: invalid configuration", "'<path>'"),
    (SECRET, "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion.", '"$(aws secretsmanager describe-secret --secret-id n --query ARN --output text)"'),
    (SECRET, "ResourceExistsException: The operation failed because the secret n already exists.", '"$(aws secretsmanager describe-secret --secret-id n --query ARN --output text)"'),
    ("aws:ssm/parameter:Parameter", "ParameterAlreadyExists: The parameter already exists.", "n"),
    ("aws:kms/alias:Alias", "AlreadyExistsException: An alias with the name n already exists", "n"),
    ("aws:s3/bucket:Bucket", "BucketAlreadyOwnedByYou: Your previous request to create the named bucket succeeded", "b"),
    ("aws:iam/role:Role", "EntityAlreadyExists: Role with name n already exists.", "n"),
    (VAULT, 'Status=409 Code="ConflictError" Message="A vault with the same name already exists in deleted state."', '"$(az keyvault show --name v --resource-group g --query id --output tsv)"'),
    ("azure-native:keyvault:Secret", "Secret s is currently in a deleted but recoverable state, and", '"$(az keyvault show --name v --resource-group g --query id --output tsv)/secrets/s"'),
    (VAULT, "cannot create already existing resource '/subscriptions/x/v'", "/subscriptions/x/v"),
    ("gcp:secretmanager/secret:Secret", "googleapi: Error 409: Secret [projects/1/secrets/s] already exists.", "projects/pr/secrets/s"),
    ("gcp:kms/keyRing:KeyRing", "Error 409: KeyRing already exists.", "projects/pr/locations/l/keyRings/n"),
    ("gcp:kms/cryptoKey:CryptoKey", "Error 409: CryptoKey already exists.", "ring/cryptoKeys/n"),
    ("gcp:storage/bucket:Bucket", "Error 409: Your previous request to create the named bucket succeeded and you already own it.", "pr/n"),
    ("gcp:serviceaccount/account:Account", "Error 409: already exists", "projects/pr/serviceAccounts/a@pr.iam.gserviceaccount.com"),
    ("kubernetes:core/v1:Namespace", 'namespaces "n" already exists', "ns/n"),
    ("kubernetes:core/v1:Secret", "Server-Side Apply field conflict detected.", "ns/n"),
]  # fmt: skip


def _failed(
    type_: str, words: str, inputs: dict[str, Any] | None = None, name: str = "x"
) -> FailedResource:
    urn = f"urn:pulumi:dev::kestra::kestra:stores:Some${type_}::{name}"
    return FailedResource(urn, SOME if inputs is None else inputs, words, PARENT)


@pytest.mark.parametrize(
    ("type_", "words", "id_"), CASES, ids=[f"{c[0]} {c[1][:30]}" for c in CASES]
)
def test_the_way_out_names_the_command_to_the_letter(type_: str, words: str, id_: str) -> None:
    advice = suggest_fix(_failed(type_, words))
    parent = shlex.quote(f"store={PARENT}")
    command = f"pulumi import {type_} x {id_} --parent {parent} --protect=false --generate-code=false --yes"
    assert command in advice
    assert "Otherwise: " in advice


def test_every_row_has_a_case() -> None:
    words = [*CASES, (VAULT, "VaultAlreadyExists", "")]
    for row in all_hints():
        assert any(
            suggest_fix(_failed(t, w)) and re.search(row.types, t) and re.search(row.message, w, re.IGNORECASE)
            for t, w, _ in words
        ), row  # fmt: skip


def test_every_setting_that_a_way_out_names_exists() -> None:
    named = set()
    for type_, words, _ in [*CASES, (VAULT, "VaultAlreadyExists", "")]:
        for name in ("x", "store-encryption-key", "store-recovery-vault"):
            named |= set(re.findall(r"kestra:([a-z][a-z0-9.-]*[a-z0-9])", suggest_fix(_failed(type_, words, name=name)).replace("kestra:stores:", "")))  # fmt: skip
    assert len(named) > 8
    assert not [path for path in named if not has_key(Settings, path)]


def test_another_error_has_no_way_out_here() -> None:
    for type_, _, _ in CASES:
        assert suggest_fix(_failed(type_, "AccessDenied: no")) == ""


def test_a_copy_of_the_key_is_to_be_read_before_it_is_written_over() -> None:
    advice = suggest_fix(_failed(SECRET, "already exists", name="store-encryption-key"))
    assert "read it first" in advice
    assert "kestra:deployment.namespace" in advice


def test_unknown_inputs_and_odd_names_break_nothing() -> None:
    assert "Otherwise" in suggest_fix(_failed(SECRET, "already exists", {}))
    advice = suggest_fix(
        _failed("vault:index/mount:Mount", "path is already in use", {"path": "a'; rm"})
    )
    assert shlex.quote("a'; rm") in advice


def test_an_object_in_another_region_than_the_providers_is_named_with_it() -> None:
    advice = suggest_fix(
        _failed("aws:kms/alias:Alias", "AlreadyExists", {"name": "n", "region": "eu-west-1"})
    )
    assert "pulumi import aws:kms/alias:Alias x n@eu-west-1 " in advice

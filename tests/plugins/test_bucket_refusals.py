"""Buckets of Google Cloud and storage accounts of Azure in the stand-ins, asked without an engine."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.providers.azure_native.provider import AzureProvider
from sandbox.providers.gcp.provider import GoogleProvider
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Urn
from tests.components.recording_support import run
from tests.components.test_storage_azure import bucket as container
from tests.components.test_storage_gcp import bucket
from tests.plugins.test_cloud_refusals import KEY, RING, azure, google, make
from tests.settings.malformed_fixtures import oss

__all__ = ["azure", "google"]

GCS, MEMBER = "gcp:storage/bucket:Bucket", "gcp:storage/bucketIAMMember:BucketIAMMember"
ACCOUNT = "azure-native:storage:StorageAccount"
BLOB = "azure-native:storage:BlobContainer"
SERVICE = "azure-native:storage:BlobServiceProperties"
POLICY = "azure-native:storage:ManagementPolicy"
ROLE = "azure-native:authorization:RoleDefinition"
WEST = {"location": "westeurope"}


def registered(document: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
    """The inputs that the program registers, with what only an update knows."""
    return run(document).resources[name][1] | more


def test_googles_bucket_is_kept_by_its_inputs_and_its_name_is_taken(google: GoogleProvider) -> None:
    make(google, "gcp:kms/keyRing:KeyRing", {"name": "r", "location": "global"})
    make(google, "gcp:kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": RING})
    inputs = registered(bucket(oss()), "storage-bucket", encryption={"defaultKmsKeyName": KEY})
    id_, outputs = make(google, GCS, inputs)
    assert (id_, outputs["url"]) == ("files-of-kestra", "gs://files-of-kestra")
    assert google.read(Urn.of(GCS, "n"), id_, outputs, inputs) is not None
    with pytest.raises(ProviderError, match="you already own it"):
        make(google, GCS, inputs)


def test_googles_bucket_needs_its_key_and_a_name(google: GoogleProvider) -> None:
    inputs = registered(bucket(oss()), "storage-bucket", encryption={"defaultKmsKeyName": KEY})
    with pytest.raises(ProviderError, match=r"KMS key .* not found"):
        make(google, GCS, inputs)
    _, failures = google.check(Urn.of(GCS, "n"), {}, inputs | {"name": "Files"}, b"seed")
    assert [failure for failure in failures if "no name of a bucket" in str(failure)]


def test_a_member_of_a_bucket_is_an_account_that_exists(google: GoogleProvider) -> None:
    member = {"bucket": "b", "role": "projects/p/roles/kestra_list", "member": "serviceAccount:kestra@p.iam.gserviceaccount.com"}  # fmt: skip
    with pytest.raises(ProviderError, match="does not exist"):
        make(google, MEMBER, member)
    make(google, "gcp:serviceaccount/account:Account", {"accountId": "kestra", "project": "p"})
    id_, _ = make(google, MEMBER, member)
    assert id_.startswith("b/b/projects/p/roles/kestra_list/")


def test_azures_account_holds_what_is_in_it(azure: AzureProvider) -> None:
    document = container(oss())
    with pytest.raises(ProviderError, match="ResourceNotFound"):
        make(azure, BLOB, registered(document, "storage-container"))
    account = registered(document, "storage-account") | WEST
    id_, outputs = make(azure, ACCOUNT, account)
    assert outputs["primaryEndpoints"]["blob"] == "https://filesofkestra.blob.core.windows.net/"
    for type_, name in ((SERVICE, "storage-service"), (POLICY, "storage-lifecycle"), (BLOB, "storage-container")):  # fmt: skip
        make(azure, type_, registered(document, name))
    other = account | {"resourceGroupName": "another"}
    with pytest.raises(ProviderError, match="StorageAccountAlreadyTaken"):
        make(azure, ACCOUNT, other)
    azure.delete(Urn.of(ACCOUNT, "n"), id_, outputs)
    with pytest.raises(ProviderError, match="ResourceNotFound"):
        make(azure, BLOB, registered(document, "storage-container"))


@pytest.mark.parametrize("name", ["Files", "ab", "files-of-kestra"])
def test_azure_takes_no_other_name_of_an_account(azure: AzureProvider, name: str) -> None:
    account = registered(container(oss()), "storage-account") | WEST | {"accountName": name}
    with pytest.raises(ProviderError, match=r"AccountNameInvalid|does not match"):
        make(azure, ACCOUNT, account)


def test_a_role_of_ones_own_has_one_name_in_the_tenant(azure: AzureProvider) -> None:
    inputs = registered(container(oss()), "storage-role-definition")
    _, outputs = make(azure, ROLE, inputs)
    assert outputs["name"] == inputs["roleDefinitionId"]
    again = inputs | {"roleDefinitionId": "11111111-2222-3333-4444-555555555555"}
    with pytest.raises(ProviderError, match="RoleDefinitionWithSameNameExists"):
        make(azure, ROLE, again)

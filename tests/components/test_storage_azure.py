"""A container of Azure Blob Storage that Kestra's pods use by a managed identity."""

from __future__ import annotations

from copy import deepcopy
from fnmatch import fnmatchcase
from typing import Any

import pytest

from components.storage.azure.permissions import actions
from tests.components.azure_fixtures import SUBSCRIPTION, azure
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document
from tests.settings.malformed_fixtures import oss

ISSUER = "https://westeurope.oic.prod-aks.azure.com/t/c/"
STORAGE = {
    "type": "azure",
    "azure": {"endpoint": "https://filesofkestra.blob.core.windows.net", "container": "kestra"},
}
ACCOUNT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/files/providers/Microsoft.Storage/storageAccounts/filesofkestra"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/kestra"
CLIENT_ID = "azure.workload.identity/client-id"
_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers"


def bucket(document: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """A document with a container that Kestra's pods use by AKS workload identity."""
    base = {
        "storage": STORAGE,
        "storage-bucket": {"create": True, "azure": {"resource-group": "files"}},
        "identity": {"azure": {"oidc-issuer-url": ISSUER}},
        "deployment": {"namespace": "kestra"},
    }
    return document | base | {k.replace("_", "-"): v for k, v in changed.items()}


def account(recorded: Recorder) -> dict[str, Any]:
    """Annotations of Kestra's own service account."""
    return recorded.of("ServiceAccount")["kestra-service-account"]["metadata"].get("annotations", {})  # fmt: skip


def test_an_account_takes_no_keys_speaks_tls_only_and_keeps_versions() -> None:
    recorded = run(bucket(oss()))
    inputs = recorded.of("StorageAccount")["storage-account"]
    assert inputs["accountName"] == "filesofkestra"
    assert inputs["allowSharedKeyAccess"] is False
    assert inputs["allowBlobPublicAccess"] is False
    assert inputs["enableHttpsTrafficOnly"] is True
    assert inputs["minimumTlsVersion"] == "TLS1_2"
    assert inputs["isHnsEnabled"] is False
    assert inputs["encryption"]["requireInfrastructureEncryption"] is True
    service = recorded.of("BlobServiceProperties")["storage-service"]
    assert service["isVersioningEnabled"] is True
    assert service["deleteRetentionPolicy"] == {"enabled": True, "days": 30}
    assert service["containerDeleteRetentionPolicy"] == {"enabled": True, "days": 30}
    rule = recorded.of("ManagementPolicy")["storage-lifecycle"]["policy"]["rules"][0]
    version = rule["definition"]["actions"]["version"]
    assert version == {"delete": {"daysAfterCreationGreaterThan": 30}}
    assert recorded.of("BlobContainer")["storage-container"]["publicAccess"] == "None"


def test_only_the_given_networks_are_let_in() -> None:
    subnet = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/aks"
    chosen = {"create": True, "azure": {"resource-group": "files", "allowed-subnet-ids": [subnet]}}
    rules = run(bucket(oss(), storage_bucket=chosen)).of("StorageAccount")["storage-account"]["networkRuleSet"]  # fmt: skip
    assert rules["defaultAction"] == "Deny"
    assert [r["virtualNetworkResourceId"] for r in rules["virtualNetworkRules"]] == [subnet]


@pytest.mark.parametrize(("environment", "protected"), [("production", True), ("development", False)])  # fmt: skip
def test_account_and_container_are_protected_as_the_stores_are(
    environment: str, protected: bool
) -> None:
    tags = {"environment": environment, "owner": "platform", "application": "kestra"}
    recorded = run(bucket(oss(), tags=tags))
    assert ({"storage-account", "storage-container"} <= recorded.protected) == protected


def test_kestras_pods_have_an_identity_with_one_role_on_one_container() -> None:
    recorded = run(bucket(oss()))
    federation = recorded.of("FederatedIdentityCredential")["storage-federation"]
    assert federation["subject"] == "system:serviceaccount:kestra:kestra"
    assert federation["issuer"] == ISSUER
    assert account(recorded) == {CLIENT_ID: "client-id-of-mock"}
    (assignment,) = recorded.of("RoleAssignment").values()
    assert assignment["scope"] == CONTAINER
    assert assignment["principalId"] == "principal-id-of-mock"
    (definition,) = recorded.of("RoleDefinition").values()
    assert assignment["roleDefinitionId"].endswith(f"/{definition['roleDefinitionId']}")
    labels = recorded.of("Deployment")["kestra-standalone"]["spec"]["template"]["metadata"][
        "labels"
    ]
    assert labels["azure.workload.identity/use"] == "true"


#: Operation, whether it is on data, allowed. Source: Azure documentation, permissions for data operations.
OPERATIONS = [
    (f"{_BLOBS}/read", False, True),
    (f"{_BLOBS}/write", False, False),
    (f"{_BLOBS}/delete", False, False),
    (f"{_BLOBS}/setAcl/action", False, False),
    (f"{_BLOBS}/immutabilityPolicies/write", False, False),
    (f"{_BLOBS}/clearLegalHold/action", False, False),
    ("Microsoft.Storage/storageAccounts/read", False, False),
    ("Microsoft.Storage/storageAccounts/write", False, False),
    ("Microsoft.Storage/storageAccounts/delete", False, False),
    ("Microsoft.Storage/storageAccounts/listKeys/action", False, False),
    ("Microsoft.Storage/storageAccounts/regeneratekey/action", False, False),
    ("Microsoft.Storage/storageAccounts/listAccountSas/action", False, False),
    ("Microsoft.Storage/storageAccounts/blobServices/write", False, False),
    ("Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action", False, False),
    ("Microsoft.Storage/storageAccounts/managementPolicies/write", False, False),
    ("Microsoft.Authorization/roleAssignments/write", False, False),
    ("Microsoft.KeyVault/vaults/read", False, False),
    (f"{_BLOBS}/blobs/read", True, True),
    (f"{_BLOBS}/blobs/write", True, True),
    (f"{_BLOBS}/blobs/delete", True, True),
    (f"{_BLOBS}/blobs/deleteBlobVersion/action", True, False),
    (f"{_BLOBS}/blobs/permanentDelete/action", True, False),
    (f"{_BLOBS}/blobs/tags/write", True, False),
    (f"{_BLOBS}/blobs/filter/action", True, False),
    (f"{_BLOBS}/blobs/manageOwnership/action", True, False),
    (f"{_BLOBS}/blobs/modifyPermissions/action", True, False),
    (f"{_BLOBS}/blobs/runAsSuperUser/action", True, False),
    (f"{_BLOBS}/blobs/immutableStorage/runAsSuperUser/action", True, False),
    ("Microsoft.Storage/storageAccounts/fileServices/fileshares/files/read", True, False),
    ("Microsoft.Storage/storageAccounts/queueServices/queues/messages/read", True, False),
    ("Microsoft.KeyVault/vaults/secrets/getSecret/action", True, False),
]  # fmt: skip


def test_the_role_holds_what_kestra_asks_for_and_nothing_else() -> None:
    (definition,) = run(bucket(oss())).of("RoleDefinition").values()
    (permission,) = definition["permissions"]
    assert permission == {"actions": actions(data=False), "dataActions": actions(data=True)}
    wrong = [
        operation
        for operation, is_data, allowed in OPERATIONS
        if any(
            fnmatchcase(operation.lower(), one.lower())
            for one in permission["dataActions" if is_data else "actions"]
        )
        != allowed
    ]
    assert wrong == []


def test_with_secrets_in_key_vault_one_identity_has_both_roles() -> None:
    chosen = {"create": False, "azure": {"resource-group": "files"}}
    recorded = run(azure(storage=STORAGE, storage_bucket=chosen))
    assert list(recorded.of("UserAssignedIdentity")) == ["identity-identity"]
    assert recorded.of("StorageAccount") == {}
    principals = {a["principalId"] for a in recorded.of("RoleAssignment").values()}
    assert principals == {"principal-id-of-mock"}
    assert len(recorded.of("RoleAssignment")) == 2


def test_where_external_secrets_reads_the_store_each_account_has_its_own_identity() -> None:
    document: dict[str, Any] = deepcopy(stack_document("example-oss-azure"))
    recorded = run(document)
    subjects = {
        name: one["subject"].rpartition(":")[2]
        for name, one in recorded.of("FederatedIdentityCredential").items()
    }
    assert subjects == {"identity-federation": "kestra-secrets", "storage-federation": "kestra"}
    scopes = [a["scope"] for n, a in recorded.of("RoleAssignment").items() if n == "storage-role"]
    assert len(scopes) == 1
    assert "/vaults/" not in scopes[0]

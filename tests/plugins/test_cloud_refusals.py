"""What Google, Azure and their providers refuse, asked of the stand-ins without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.providers import azure_native, gcp
from sandbox.providers.azure_native.provider import RESOURCES as AZURE
from sandbox.providers.azure_native.provider import AzureProvider
from sandbox.providers.gcp.provider import RESOURCES as GOOGLE
from sandbox.providers.gcp.provider import GoogleProvider
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Engine, Urn
from sandbox.providers.runtime.schemas import Schemas
from sandbox.providers.runtime.values import UNKNOWN, Secret

EMAIL = "kestra@p.iam.gserviceaccount.com"
RING = "projects/p/locations/global/keyRings/r"
KEY = f"{RING}/cryptoKeys/k"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ROLE = f"/providers/Microsoft.Authorization/roleDefinitions/{SUBSCRIPTION}"


@pytest.fixture
def google(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoogleProvider:
    monkeypatch.setenv("KESTRA_SANDBOX_GCP_STATE", str(tmp_path / "gcp.json"))
    plugin = GoogleProvider()
    # Nobody listens there: what is refused here is refused before a server is asked.
    endpoint = {"secretManagerCustomEndpoint": "http://127.0.0.1:9/v1/"}
    plugin.configure({"project": "p", **endpoint}, Engine(""))
    return plugin


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AzureProvider:
    monkeypatch.setenv("KESTRA_SANDBOX_AZURE_STATE", str(tmp_path / "azure.json"))
    plugin = AzureProvider()
    plugin.configure({"subscriptionId": SUBSCRIPTION, "tenantId": SUBSCRIPTION}, Engine(""))
    return plugin


def make(plugin: Any, type_: str, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Id and outputs of a new object, as the engine would ask for it."""
    inputs, failures = plugin.check(Urn.of(type_, "n"), {}, properties, b"seed")
    assert failures == []
    return plugin.create(Urn.of(type_, "n"), inputs)


def change(
    plugin: Any,
    type_: str,
    made: tuple[str, dict[str, Any]],
    old: dict[str, Any],
    new: dict[str, Any],
) -> dict[str, Any]:
    """Outputs after an update."""
    inputs, failures = plugin.check(Urn.of(type_, "n"), old, new, b"seed")
    assert failures == []
    return plugin.update(Urn.of(type_, "n"), made[0], old, made[1], inputs)


def refusal(plugin: Any, type_: str, properties: dict[str, Any]) -> str:
    """Why the inputs are not taken, by the provider or by the cloud."""
    inputs, failures = plugin.check(Urn.of(type_, "n"), {}, properties, b"seed")
    if failures:
        return "; ".join(reason for _, reason in failures)
    with pytest.raises(ProviderError) as error:
        plugin.create(Urn.of(type_, "n"), inputs)
    return str(error.value)


@pytest.mark.parametrize(
    ("plugin", "resources"), [(gcp, GOOGLE), (azure_native, AZURE)], ids=["gcp", "azure"]
)
def test_every_type_has_a_schema_that_checks_it(plugin: Any, resources: dict[str, Any]) -> None:
    file = Path(plugin.__file__).with_name("schema.json")
    assert {s.token for s in Schemas(file)} == set(resources)


AUTO = {"auto": {}}
REGIONAL = {"userManaged": {"replicas": [{"location": "europe-west1", "customerManagedEncryption": {"kmsKeyName": KEY}}]}}  # fmt: skip


@pytest.mark.parametrize(
    ("type_", "properties", "words"),
    [
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": {}}, "one of `replication.0.auto,replication.0.user_managed` must be specified"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": {"auto": {}, "userManaged": {"replicas": [{"location": "l"}]}}}, "only one of `replication.0.auto,replication.0.user_managed` can be specified"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": {"userManaged": {"replicas": []}}}, "Attribute requires 1 item minimum"),
        ("secretmanager/secret:Secret", {"secretId": "a.b", "replication": AUTO}, "The provided Secret ID [a.b] does not match the expected format"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "labels": {"namespace": "company.team"}}, "The value of label 'namespace' must hold only lowercase letters"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "labels": {"Namespace": "a"}}, "Label key 'Namespace' must begin with a lowercase letter"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "labels": {f"l{i}": "a" for i in range(65)}}, "an object has at most 64"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "versionAliases": {"latest": "1"}}, "'latest' is not a valid version alias"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": REGIONAL}, "The Cloud KMS key of a replica in europe-west1 is in global"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "rotation": {"rotationPeriod": "3600s"}}, "all of `rotation,topics` must be specified"),
        ("secretmanager/secret:Secret", {"secretId": "a", "replication": AUTO, "ttl": "60s", "expireTime": "2030-01-01T00:00:00Z"}, "conflicts with expire_time"),
        ("secretmanager/secretVersion:SecretVersion", {"secret": "s"}, "one of `secret_data,secret_data_wo` must be specified"),
        ("secretmanager/secretVersion:SecretVersion", {"secret": "s", "secretData": "?", "isSecretDataBase64": True}, "the secret data is not base64"),
        ("secretmanager/secretVersion:SecretVersion", {"secret": "s", "secretData": "x" * 65537}, "The payload is 65537 bytes; it must be at most 65536 bytes"),
        ("kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": RING, "rotationPeriod": "3600s"}, "rotation period must be greater than one day"),
        ("kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": RING}, f"Error 404: KeyRing {RING} not found."),
        ("kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"cryptoKeyId": KEY, "role": "roles/r", "member": "user:a@b.c"}, f"Error 404: {KEY} not found."),
        ("serviceaccount/account:Account", {"accountId": "k"}, "doesn't match regexp"),
        ("serviceaccount/iAMMember:IAMMember", {"serviceAccountId": f"projects/p/serviceAccounts/{EMAIL}", "role": "roles/r", "member": "user:a@b.c"}, "Error 404"),
        ("projects/iAMCustomRole:IAMCustomRole", {"roleId": "kestra-lister", "title": "t", "permissions": ["a.b.c"]}, "doesn't match regexp"),
        ("projects/iAMMember:IAMMember", {"project": "p", "role": "roles/viewer", "member": EMAIL}, "invalid value for member"),
        ("projects/iAMMember:IAMMember", {"project": "p", "role": "viewer", "member": "user:a@b.c"}, "invalid value for role"),
        ("projects/iAMMember:IAMMember", {"project": "p", "role": "roles/viewer", "member": f"serviceAccount:{EMAIL}"}, f"Service account {EMAIL} does not exist."),
        ("projects/iAMMember:IAMMember", {"project": "p", "role": "roles/viewer", "member": "user:a@b.c", "condition": {"title": "t"}}, 'The argument "condition.0.expression" is required'),
    ],
)  # fmt: skip
def test_google_refuses(
    google: GoogleProvider, type_: str, properties: dict[str, Any], words: str
) -> None:
    assert words in refusal(google, f"gcp:{type_}", properties)


def test_a_key_is_only_used_by_a_service_that_may_use_it(google: GoogleProvider) -> None:
    make(google, "gcp:kms/keyRing:KeyRing", {"name": "r", "location": "global"})
    make(google, "gcp:kms/cryptoKey:CryptoKey", {"name": "k", "keyRing": RING})
    secret = {
        "secretId": "a",
        "replication": {"auto": {"customerManagedEncryption": {"kmsKeyName": KEY}}},
    }
    type_ = "gcp:secretmanager/secret:Secret"
    assert "give it roles/cloudkms.cryptoKeyEncrypterDecrypter" in refusal(google, type_, secret)
    agent = make(
        google, "gcp:projects/serviceIdentity:ServiceIdentity", {"service": "secretmanager.googleapis.com"}
    )  # fmt: skip
    make(
        google,
        "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember",
        {
            "cryptoKeyId": KEY,
            "role": "roles/cloudkms.cryptoKeyEncrypterDecrypter",
            "member": agent[1]["member"],
        },
    )
    # Now the server is asked.
    assert "Secret Manager does not answer" in refusal(google, type_, secret)


def test_a_deleted_role_comes_back_and_a_living_one_is_not_taken_over(
    google: GoogleProvider,
) -> None:
    type_ = "gcp:projects/iAMCustomRole:IAMCustomRole"
    role = {"roleId": "lister", "title": "t", "permissions": ["a.b.list"]}
    id_, outputs = make(google, type_, role)
    assert "already exists and must be imported" in refusal(google, type_, role)
    google.delete(Urn.of(type_, "n"), id_, outputs)
    assert google.read(Urn.of(type_, "n"), id_, role, outputs) is None
    assert make(google, type_, role)[1]["deleted"] is False


def test_the_order_of_permissions_is_no_difference(google: GoogleProvider) -> None:
    type_ = "gcp:projects/iAMCustomRole:IAMCustomRole"
    role = {"roleId": "lister", "title": "t", "permissions": ["a.b.list", "a.b.get"]}
    _, outputs = make(google, type_, role)
    again, _ = google.check(Urn.of(type_, "n"), {}, role | {"permissions": ["a.b.get", "a.b.list"]})
    assert google.diff(Urn.of(type_, "n"), role, outputs, again).changed == set()
    more, _ = google.check(Urn.of(type_, "n"), {}, role | {"permissions": ["a.b.get"]})
    assert google.diff(Urn.of(type_, "n"), role, outputs, more).changed


@pytest.mark.parametrize(
    ("config", "labels"),
    [
        ({}, {"goog-pulumi-provisioned": "true", "a": "b"}),
        ({"addPulumiAttributionLabel": "false"}, {"a": "b"}),
        ({"defaultLabels": '{"c": "d"}', "addPulumiAttributionLabel": "false"}, {"a": "b", "c": "d"}),
    ],
)  # fmt: skip
def test_the_providers_own_labels_are_added(
    google: GoogleProvider, config: dict[str, str], labels: dict[str, str]
) -> None:
    google.configure({"project": "p"} | config, Engine(""))
    make(google, "gcp:kms/keyRing:KeyRing", {"name": "r", "location": "global"})
    key = {"name": "k", "keyRing": RING, "labels": {"a": "b"}}
    _, outputs = make(google, "gcp:kms/cryptoKey:CryptoKey", key)
    assert outputs["effectiveLabels"] == Secret(labels)
    assert outputs["labels"] == {"a": "b"}


GROUP = {"resourceGroupName": "g", "location": "westeurope"}
PROPERTIES = {"sku": {"family": "A", "name": "standard"}, "tenantId": SUBSCRIPTION}
VAULT = GROUP | {"vaultName": "kestra-kv", "properties": PROPERTIES}
VAULT_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kestra-kv"
)
IN_VAULT = {"resourceGroupName": "g", "vaultName": "kestra-kv", "secretName": "a"}
IDENTITY = GROUP | {"resourceName": "kestra"}
FEDERATION = {
    "resourceGroupName": "g",
    "resourceName": "kestra",
    "issuer": "https://a",
    "subject": "s",
    "audiences": ["a"],
}
ASSIGNMENT = {"scope": VAULT_ID, "principalId": SUBSCRIPTION, "roleDefinitionId": ROLE}
CONNECTION = {"name": "v", "privateLinkServiceId": VAULT_ID, "groupIds": ["vault"]}
ENDPOINT = GROUP | {
    "privateEndpointName": "e",
    "subnet": {"id": "s"},
    "privateLinkServiceConnections": [CONNECTION],
}
LOGS = {"resourceUri": VAULT_ID, "name": "audit", "workspaceId": "w"}


@pytest.mark.parametrize(
    ("type_", "properties", "words"),
    [
        ("keyvault:Vault", {k: v for k, v in VAULT.items() if k != "location"}, "missing required property 'location'. Either set it explicitly"),
        ("keyvault:Vault", VAULT | {"vaultName": "a_b"}, "'vaultName' does not match expression '^[a-zA-Z0-9-]{3,24}$'"),
        ("keyvault:Vault", VAULT | {"vaultName": "x" * 25}, "'vaultName' does not match expression"),
        ("keyvault:Vault", VAULT | {"vaultName": "a--b"}, 'Code="VaultNameNotValid"'),
        ("keyvault:Vault", VAULT | {"vaultName": "1ab"}, 'Code="VaultNameNotValid"'),
        ("keyvault:Vault", VAULT | {"vaultName": "abc-"}, 'Code="VaultNameNotValid"'),
        ("keyvault:Vault", VAULT | {"properties": PROPERTIES | {"enablePurgeProtection": False}}, "Enabling the purge protection for a vault is an irreversible action"),
        ("keyvault:Vault", VAULT | {"properties": PROPERTIES | {"softDeleteRetentionInDays": 6}}, "must be between 7 and 90"),
        ("keyvault:Vault", VAULT | {"properties": PROPERTIES | {"createMode": "recover"}}, "A deleted vault with the name 'kestra-kv' was not found"),
        ("keyvault:Secret", IN_VAULT | {"properties": {"value": Secret("v")}}, "The Resource 'Microsoft.KeyVault/vaults/kestra-kv' under resource group 'g' was not found"),
        ("keyvault:Secret", IN_VAULT | {"secretName": "a_b", "properties": {}}, "'secretName' does not match expression '^[a-zA-Z0-9-]{1,127}$'"),
        ("managedidentity:UserAssignedIdentity", IDENTITY | {"resourceName": "-a"}, "of parameter 'resourceName' is invalid"),
        ("managedidentity:FederatedIdentityCredential", FEDERATION, "Parent resource 'kestra' not found"),
        ("authorization:RoleAssignment", ASSIGNMENT, "was not found"),
        ("authorization:RoleAssignment", ASSIGNMENT | {"scope": "/a", "roleAssignmentName": "kestra"}, "The role assignment ID must be a GUID"),
        ("authorization:RoleAssignment", ASSIGNMENT | {"scope": "/a", "roleDefinitionId": "Key Vault Secrets User"}, "The role definition ID 'Key Vault Secrets User' is not valid"),
        ("authorization:RoleAssignment", ASSIGNMENT | {"scope": "/a", "principalId": "kestra"}, "Principal ID must be a GUID"),
        ("network:PrivateEndpoint", ENDPOINT | {"subnet": {}}, "must have a subnet"),
        ("network:PrivateEndpoint", ENDPOINT | {"privateLinkServiceConnections": []}, "must have exactly one private link service connection"),
        ("network:PrivateEndpoint", ENDPOINT, "was not found"),
        ("network:PrivateDnsZoneGroup", {"resourceGroupName": "g", "privateEndpointName": "e"}, "was not found"),
        ("monitor:DiagnosticSetting", {"resourceUri": "/a"}, "At least one data sink needs to be specified."),
        ("monitor:DiagnosticSetting", {"resourceUri": "/a", "workspaceId": "w", "logs": [{"enabled": True}]}, "either a category or a category group"),
        ("monitor:DiagnosticSetting", LOGS, "was not found"),
        ("resources:ResourceGroup", {"resourceGroupName": "g.", "location": "l"}, "cannot end with a period"),
    ],
)  # fmt: skip
def test_azure_refuses(
    azure: AzureProvider, type_: str, properties: dict[str, Any], words: str
) -> None:
    assert words in refusal(azure, f"azure-native:{type_}", properties)


def test_azure_refuses_what_is_there_already(azure: AzureProvider) -> None:
    make(azure, "azure-native:keyvault:Vault", VAULT)
    assert "cannot create already existing resource" in refusal(
        azure, "azure-native:keyvault:Vault", VAULT
    )
    elsewhere = VAULT | {"resourceGroupName": "other", "vaultName": "Kestra-KV"}
    assert "VaultAlreadyExists" in refusal(azure, "azure-native:keyvault:Vault", elsewhere)
    make(azure, "azure-native:authorization:RoleAssignment", ASSIGNMENT | {"roleAssignmentName": SUBSCRIPTION})  # fmt: skip
    assert "The role assignment already exists" in refusal(
        azure, "azure-native:authorization:RoleAssignment", ASSIGNMENT
    )
    make(azure, "azure-native:managedidentity:UserAssignedIdentity", IDENTITY)
    type_ = "azure-native:managedidentity:FederatedIdentityCredential"
    name = "federatedIdentityCredentialResourceName"
    make(azure, type_, FEDERATION | {name: "one"})
    assert "Issuer and subject combination already exists" in refusal(
        azure, type_, FEDERATION | {name: "two"}
    )
    for i in range(19):
        make(azure, type_, FEDERATION | {name: f"more{i}", "subject": f"s{i}"})
    assert "at most 20" in refusal(azure, type_, FEDERATION | {name: "last", "subject": "last"})
    make(azure, "azure-native:monitor:DiagnosticSetting", LOGS)
    assert "is already used in diagnostic setting 'audit'" in refusal(
        azure, "azure-native:monitor:DiagnosticSetting", LOGS | {"name": "again"}
    )
    wrong = ENDPOINT | {"privateLinkServiceConnections": [CONNECTION | {"groupIds": ["blob"]}]}
    assert "must be [vault]" in refusal(azure, "azure-native:network:PrivateEndpoint", wrong)


@pytest.mark.parametrize(
    ("type_", "old", "new", "words"),
    [
        ("keyvault:Vault", VAULT, VAULT | {"location": "northeurope"}, "InvalidResourceLocation"),
        ("authorization:RoleAssignment", ASSIGNMENT | {"scope": "/a"}, {"scope": "/a", "roleDefinitionId": ROLE.replace("5", "6")}, "RoleAssignmentUpdateNotPermitted"),
    ],
)  # fmt: skip
def test_azure_refuses_a_change_that_the_provider_takes_for_an_update(
    azure: AzureProvider, type_: str, old: dict[str, Any], new: dict[str, Any], words: str
) -> None:
    token = f"azure-native:{type_}"
    made = make(azure, token, old)
    inputs, _ = azure.check(Urn.of(token, "n"), {}, old, b"seed")
    after, _ = azure.check(Urn.of(token, "n"), inputs, old | new, b"seed")
    diff = azure.diff(Urn.of(token, "n"), inputs, made[1], after)
    assert diff.changed
    assert not diff.replacing
    with pytest.raises(ProviderError, match=words):
        change(azure, token, made, inputs, old | new)


def test_what_goes_with_a_resource_group(azure: AzureProvider) -> None:
    group = make(azure, "azure-native:resources:ResourceGroup", GROUP)
    make(azure, "azure-native:keyvault:Vault", VAULT)
    make(azure, "azure-native:managedidentity:UserAssignedIdentity", IDENTITY)
    azure.delete(Urn.of("azure-native:resources:ResourceGroup", "n"), group[0], {})
    with azure.connect({}).store.open() as objects:
        assert set(objects) == {"deleted/vaults/kestra-kv"}


def test_names_and_places_that_are_not_given_are_made_and_stay(azure: AzureProvider) -> None:
    token = "azure-native:managedidentity:UserAssignedIdentity"
    make(azure, "azure-native:resources:ResourceGroup", GROUP)
    inputs, _ = azure.check(Urn.of(token, "kestra"), {}, {"resourceGroupName": "g"}, b"seed")
    assert inputs["location"] == "westeurope"
    assert inputs["resourceName"].startswith("kestra")
    assert (
        azure.check(Urn.of(token, "kestra"), inputs, {"resourceGroupName": "g"}, b"other")[0]
        == inputs
    )
    unknown, failures = azure.check(
        Urn.of(token, "kestra"), {}, {"resourceGroupName": UNKNOWN}, b"seed"
    )
    assert unknown["location"] is UNKNOWN
    assert failures == []


def test_a_secret_value_is_nowhere_in_what_the_stand_in_keeps_or_gives(
    azure: AzureProvider, tmp_path: Path
) -> None:
    make(azure, "azure-native:keyvault:Vault", VAULT)
    secret = IN_VAULT | {"properties": {"value": Secret("Pl4nted-Zq81"), "contentType": "text"}}
    _, outputs = make(azure, "azure-native:keyvault:Secret", secret)
    assert outputs["properties"]["contentType"] == "text"
    assert "Pl4nted-Zq81" not in str(outputs)
    assert "Pl4nted-Zq81" not in (tmp_path / "azure.json").read_text()

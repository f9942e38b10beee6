"""`store`: what this stack provisions in the cloud of its secret manager, beside what Kestra is told."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from .base import (
    SOURCE_PROJECT,
    Model,
    ProjectBool,
    ProjectDuration,
    StrictInt,
    key,
)
from .durations import DurationForm
from .managers import VAULT_MOUNT, VAULT_NAME, VAULT_NAMESPACE, VAULT_ROLE
from .secret import SecretManager
from .teams import KMS_ARN as KMS_ARN
from .teams import Team

AWS = "AWS documentation, Secrets Manager and KMS API references"
AZURE = "Azure documentation, Key Vault"
GCP = "Google Cloud documentation, Secret Manager and Cloud KMS"

ESO = "External Secrets Operator documentation, 0.16"
OPEN_SOURCE = "Open source, with kestra:store.type: "
#: The secret managers that External Secrets reads for open-source Kestra.
StoreType = Literal[
    "aws-secret-manager",
    "aws-ssm-parameter-store",
    "azure-key-vault",
    "google-secret-manager",
    "vault",
]

#: How often the operator may be told to read: each time it asks for every secret that others rotate.
_REFRESH = DurationForm(
    "is no duration",
    "10s to 24h in whole seconds; each refresh asks the secret manager for every secret that others rotate, and "
    "clouds charge for it",
    "5m",
    least=10_000,
    most=24 * 3_600_000,
    step=1000,
)
RefreshInterval = Annotated[str, BeforeValidator(_REFRESH.check)]
"""A duration of 10s to 24h."""

GCP_PROJECT = r"^[a-z][a-z0-9.:-]*$"
PREFIX = r"^[A-Za-z0-9_-]+$"
"""Of names in Azure Key Vault and Google Secret Manager."""
LOCATION = r"^[A-Za-z0-9]+( [A-Za-z0-9]+)*$"
"""A region of Azure by its name or by what the portal calls it."""
RESOURCE_GROUP = r"^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$"
AWS_REGION = r"^[a-z]{2,4}(-[a-z]+)+-\d$"


class AwsKey(Model):
    """The customer-managed KMS key of the secrets."""

    arn: str | None = key(
        None,
        "ARN of a key that exists already; absent: one is made, with rotation.",
        pattern=KMS_ARN,
        source=SOURCE_PROJECT,
    )
    administrators: tuple[str, ...] = key(
        (),
        "ARNs of those who manage the key and cannot decrypt with it (absent: the account's own IAM decides).",
        source=AWS,
    )
    deletion_window_days: StrictInt | None = key(
        None,
        "Wait before a deleted key is gone (absent: 7 in development, 30 elsewhere).",
        unit="days",
        ge=7,
        le=30,
        source=AWS,
    )
    rotation_period_days: StrictInt = key(
        365, "How often the key material changes.", unit="days", ge=90, le=2560, source=AWS
    )


class AwsReplica(Model):
    """A copy of every declared secret in another region."""

    region: str = key(text="The region.", pattern=AWS_REGION, source=AWS)
    kms_key_arn: str | None = key(
        None,
        "ARN of a key in that region (absent: aws/secretsmanager there).",
        pattern=KMS_ARN,
        source=AWS,
    )


class AwsStore(Model):
    """AWS Secrets Manager or SSM Parameter Store: key, declared secrets, recovery copy of the encryption key."""

    region: str | None = key(
        None,
        OPEN_SOURCE
        + "AWS region of the secrets (in the Enterprise Edition kestra:secret names it).",
        pattern=AWS_REGION,
        source=ESO,
    )
    prefix: str | None = key(
        None,
        OPEN_SOURCE
        + "beginning of the names of declared secrets (absent: `kestra`, and `kestra-` in Parameter Store).",
        min_length=1,
        source=SOURCE_PROJECT,
    )
    kms: AwsKey = key(AwsKey, "Encryption key in KMS.", source=SOURCE_PROJECT)
    recovery_window_days: StrictInt | None = key(
        None,
        "Wait before a deleted secret is gone; 0 deletes at once, in development only (absent: 0 in "
        "development, 30 elsewhere). Secrets Manager only.",
        unit="days",
        ge=0,
        le=30,
        source=AWS,
    )
    replicas: tuple[AwsReplica, ...] = key(
        (), "Other regions that hold copies. Secrets Manager only.", source=AWS
    )


class AzurePrivateEndpoint(Model):
    """The vault's address inside a virtual network."""

    subnet_id: str = key(
        text="Resource id of the subnet.",
        pattern=r"^/subscriptions/.+/subnets/[^/]+$",
        source=AZURE,
    )
    dns_zone_id: str | None = key(
        None,
        "Resource id of the private DNS zone privatelink.vaultcore.azure.net (absent: DNS is yours).",
        pattern=r"^/subscriptions/.+/privateDnsZones/[^/]+$",
        source=AZURE,
    )
    location: str | None = key(
        None,
        "Region of the subnet's network (absent: the vault's).",
        pattern=LOCATION,
        source=AZURE,
    )


class AzureStore(Model):
    """Azure Key Vault: the vault, declared secrets, recovery copy of the encryption key."""

    vault_name: str | None = key(
        None,
        OPEN_SOURCE + "name of the vault (in the Enterprise Edition kestra:secret names it).",
        pattern=VAULT_NAME,
        source=SOURCE_PROJECT + "; Azure naming rules",
    )
    prefix: str | None = key(
        None,
        OPEN_SOURCE + "beginning of the names of declared secrets (absent: `kestra-`).",
        pattern=PREFIX,
        source=SOURCE_PROJECT,
    )
    resource_group: str = key(
        text="Resource group of the vault.",
        pattern=RESOURCE_GROUP,
        source=AZURE,
    )
    location: str | None = key(
        None,
        "Region, for example westeurope (absent: the resource group's).",
        pattern=LOCATION,
        source=AZURE,
    )
    create_vault: ProjectBool = key(
        True,
        "Whether the vault is made; false where vault-name exists already, and by default in a stack of secrets alone.",
        source=SOURCE_PROJECT,
    )
    recovery_vault_name: str | None = key(
        None,
        "Vault for the recovery copy of the encryption key, always made, kept when the stack is destroyed "
        "(absent: `<vault-name>-rec`).",
        pattern=VAULT_NAME,
        source=SOURCE_PROJECT + "; Azure naming rules",
    )
    sku: Literal["standard", "premium"] = key(
        "standard", "premium keeps keys in an HSM.", source=AZURE
    )
    soft_delete_days: StrictInt | None = key(
        None,
        "How long deleted secrets can be recovered (absent: 7 in development, 90 elsewhere).",
        unit="days",
        ge=7,
        le=90,
        source=AZURE,
    )
    purge_protection: ProjectBool | None = key(
        None,
        "Whether nobody can purge before that time; cannot be turned off again (absent: off in "
        "development, on elsewhere).",
        source=AZURE,
    )
    public_network: ProjectBool = key(
        False, "Whether the vault answers from public networks at all.", source=AZURE
    )
    allowed_addresses: tuple[str, ...] = key(
        (), "IPv4 addresses or CIDR blocks let in while public-network is true.", source=AZURE
    )
    allowed_subnet_ids: tuple[str, ...] = key(
        (), "Subnets with the Microsoft.KeyVault service endpoint that are let in.", source=AZURE
    )
    private_endpoint: AzurePrivateEndpoint | None = key(None, "Private endpoint.", source=AZURE)
    workspace_id: str | None = key(
        None,
        "Resource id of the Log Analytics workspace that receives audit events.",
        pattern=r"^/subscriptions/.+/workspaces/[^/]+$",
        source=AZURE,
    )


class GcpKey(Model):
    """The customer-managed Cloud KMS key of the secrets (CMEK)."""

    enabled: ProjectBool = key(
        True, "Whether secrets are encrypted with a key of one's own.", source=SOURCE_PROJECT
    )
    name: str | None = key(
        None,
        "A key that exists already, `projects/…/locations/…/keyRings/…/cryptoKeys/…`; one location only "
        "(absent: a key ring and a key are made in each location).",
        pattern=r"^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$",
        source=GCP,
    )
    rotation_period: ProjectDuration = key(
        "90d", "How often the key changes.", unit="duration", source=GCP
    )
    destroy_after: ProjectDuration = key(
        "30d", "Wait before a destroyed key version is gone.", unit="duration", source=GCP
    )


class GcpStore(Model):
    """Google Secret Manager: key, declared secrets, recovery copy of the encryption key."""

    project: str | None = key(
        None,
        OPEN_SOURCE + "Google Cloud project id (in the Enterprise Edition kestra:secret names it).",
        pattern=GCP_PROJECT,
        source=SOURCE_PROJECT,
    )
    prefix: str | None = key(
        None,
        OPEN_SOURCE + "beginning of the names of declared secrets (absent: `kestra-`).",
        pattern=PREFIX,
        source=SOURCE_PROJECT,
    )
    regions: tuple[str, ...] = key(
        (), "Locations of the replicas (empty: automatic replication).", source=GCP
    )
    kms: GcpKey = key(GcpKey, "Encryption key in Cloud KMS.", source=SOURCE_PROJECT)
    destroy_ttl: ProjectDuration | None = key(
        None,
        "Wait before a destroyed version is gone (absent: 24h in development, 30d elsewhere).",
        unit="duration",
        source=GCP,
    )
    enable_services: ProjectBool = key(
        False, "Whether the stack turns on the project's APIs that it needs.", source=SOURCE_PROJECT
    )


class VaultStore(Model):
    """HashiCorp Vault for the open-source edition: KV version 2, with Kubernetes auth for External Secrets."""

    address: str = key(
        text="Address with scheme and port, as External Secrets reaches it from within the cluster.",
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        source=ESO,
    )
    mount: str = key("kestra", "Mount path of the KV engine.", pattern=VAULT_MOUNT, source=ESO)
    path: str | None = key(
        None, "Folder of the engine that declared secrets lie in.", source=SOURCE_PROJECT
    )
    auth_path: str = key(
        "kubernetes", "Mount path of the Kubernetes auth method.", pattern=VAULT_MOUNT, source=ESO
    )
    role: str | None = key(
        None,
        "Role to log in with, which is made (absent: the name of External Secrets' service account).",
        pattern=VAULT_ROLE,
        source=ESO,
    )
    namespace: str | None = key(
        None, "Vault Enterprise namespace.", pattern=VAULT_NAMESPACE, source=ESO
    )
    ca_certificate: str | None = key(
        None,
        "PEM of the authority of Vault's certificate (absent: those that the operator's image trusts).",
        pattern=r"^-----BEGIN CERTIFICATE-----\s",
        source=ESO,
    )


class Store(Model):
    """What the stack provisions; only the block of the chosen secret manager."""

    type: StoreType | None = key(
        None,
        "Open source: the secret manager that declared secrets lie in. External Secrets Operator brings them to "
        "Kestra's pods as SECRET_<NAME> (docs/open-source-stores.md). Absent: they lie in a Kubernetes Secret that "
        "this stack makes.",
        source=SOURCE_PROJECT,
    )
    refresh_interval: RefreshInterval = key(
        "5m",
        "Open source, with type: how often External Secrets reads secrets anew that others rotate. 10s to 24h.",
        unit="duration",
        source=ESO + ", ExternalSecret refreshInterval",
    )
    install: ProjectBool = key(
        False,
        "Open source, with type: whether this stack installs External Secrets Operator, for its own namespace only. "
        "False where the cluster has it.",
        source=SOURCE_PROJECT,
    )
    vault: VaultStore | None = key(
        None, "Open source: HashiCorp Vault, for type vault.", source=SOURCE_PROJECT
    )
    aws: AwsStore | None = key(
        None, "For aws-secret-manager and aws-ssm-parameter-store.", source=SOURCE_PROJECT
    )
    azure: AzureStore | None = key(None, "For azure-key-vault.", source=SOURCE_PROJECT)
    gcp: GcpStore | None = key(None, "For google-secret-manager.", source=SOURCE_PROJECT)
    also: SecretManager | None = key(
        None,
        "A second secret manager that declared secrets are written to as well, while a stack moves from one to "
        "another: the keys of kestra:secret.",
        source=SOURCE_PROJECT,
    )
    teams: dict[str, Team] = key(
        {},
        "Name to a team that has a stack of secrets of its own in this store (docs/teams.md). In such a stack "
        "(kestra:deployment.enabled: false) the one team that it is of. In Kestra's stack those whose secrets Kestra "
        "reads; written as {} none yet. Absent: Kestra reads all that is below its engine or prefix.",
        source=SOURCE_PROJECT,
    )

"""Blocks of the secret managers of the clouds and of HashiCorp Vault (Enterprise Edition)."""

from __future__ import annotations

from typing import Literal

from .base import Duration, Model, Name, Secret, StrictBool, key

MANAGER = "Kestra documentation, enterprise/governance/secrets-manager"

#: A mount path, a role and a namespace as HashiCorp's Vault takes them.
VAULT_MOUNT = r"^[A-Za-z0-9][A-Za-z0-9_./-]*$"
VAULT_ROLE = r"^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$"
VAULT_NAMESPACE = r"^[!-.0-~]+(/[!-.0-~]+)*/?$"
#: Of a key vault in Azure.
VAULT_NAME = r"^[A-Za-z][A-Za-z0-9-]{1,22}[A-Za-z0-9]$"

Tags = dict[str, str]


class FilterOnPrefix(Model):
    """Read-only mode: only secrets whose name begins with the prefix are visible."""

    prefix: str = key(text="The prefix of the names.", min_length=1, source=MANAGER)
    keep_prefix: StrictBool = key(False, "Whether flows write the prefix too.", source=MANAGER)


class NestedFilter(Model):
    """Read-only mode: all of these tags must match."""

    tags: Tags = key(text="Tag name to value; all must match.", min_length=1, source=MANAGER)


class Manager(Model):
    """What every external manager takes."""

    tags: Tags = key(
        {}, "Managed mode: tags put on every secret that Kestra creates or updates.", source=MANAGER
    )
    excluded_tags: Tags = key(
        {}, "Read-only mode: any match hides the secret; beats filter-on-tags.", source=MANAGER
    )


class CloudManager(Manager):
    """What the managers of AWS, Azure and Google take."""

    prefix: str | None = key(
        None,
        "Prefix of the names that Kestra composes (Kestra: `kestra`; Azure: none).",
        source=MANAGER,
    )
    filter_on_tags: NestedFilter | None = key(
        None, "Read-only mode: only secrets with all these tags are visible.", source=MANAGER
    )
    filter_on_prefix: FilterOnPrefix | None = key(
        None, "Read-only mode: only secrets with this prefix are visible.", source=MANAGER
    )


class AwsManager(CloudManager):
    """What both managers of AWS take. Without keys Kestra uses the identity of its pod."""

    region: str | None = key(
        None, "AWS region.", source=MANAGER, pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d$"
    )
    access_key_id: Secret | None = key(None, "Static access key id.", source=MANAGER)
    secret_key_id: Secret | None = key(
        None, "Static secret access key (Kestra's own spelling).", source=MANAGER
    )
    session_token: Secret | None = key(None, "Session token of temporary keys.", source=MANAGER)
    endpoint_override: str | None = key(None, "Address of another API endpoint.", source=MANAGER)
    sts_role_arn: str | None = key(None, "Role to assume.", source=MANAGER)
    sts_role_external_id: str | None = key(None, "External id of the role.", source=MANAGER)
    sts_role_session_name: str | None = key(None, "Session name of the role.", source=MANAGER)
    sts_role_session_duration: Duration | None = key(
        None, "Length of the role's sessions (Kestra: PT15M).", unit="duration", source=MANAGER
    )
    sts_endpoint_override: str | None = key(
        None, "Address of another STS endpoint.", source=MANAGER
    )


class AwsSecretManager(AwsManager):
    """AWS Secrets Manager."""


class AwsSsmParameterStore(AwsManager):
    """AWS Systems Manager Parameter Store, SecureString parameters."""

    kms_key_id: str | None = key(
        None,
        "Key that Kestra encrypts with (Kestra: alias/aws/ssm; with kestra:store.aws the stack's key).",
        min_length=1,
        source=MANAGER,
    )


class AzureClientSecret(Model):
    """A service principal."""

    tenant_id: str = key(text="Directory (tenant) id.", min_length=1, source=MANAGER)
    client_id: str = key(text="Application (client) id.", min_length=1, source=MANAGER)
    client_secret: Secret = key(text="The client secret.", source=MANAGER)


class AzureKeyVault(CloudManager):
    """Azure Key Vault. One of `vault-name` and `key-vault-uri` is required."""

    vault_name: str | None = key(
        None,
        "Name of the vault.",
        pattern=VAULT_NAME,
        source=MANAGER + "; Azure naming rules",
    )
    key_vault_uri: str | None = key(
        None, "Full URI of the vault.", pattern=r"^https://", source=MANAGER
    )
    client_secret: AzureClientSecret | None = key(None, "A service principal.", source=MANAGER)
    managed_identity_client_id: str | None = key(
        None, "Client id of a user-assigned managed identity.", source=MANAGER
    )
    managed_identity_resource_id: str | None = key(
        None, "Resource id of a user-assigned managed identity.", source=MANAGER
    )
    workload_identity_client_id: str | None = key(
        None, "Client id for AKS workload identity.", source=MANAGER
    )
    additionally_allowed_tenants: tuple[str, ...] = key(
        (), "Further tenants that tokens may be asked for; `*` for any.", source=MANAGER
    )


class GoogleSecretManager(CloudManager):
    """Google Secret Manager. Without a key Kestra uses the identity of its pod."""

    project: str | None = key(None, "Google Cloud project id.", source=MANAGER)
    service_account: Secret | None = key(
        None, "Service-account key as JSON text. Prefer Workload Identity.", source=MANAGER
    )


class FlatManager(Manager):
    """What the managers outside the three clouds take."""

    filter_on_tags: Tags = key(
        {}, "Read-only mode: only secrets with all these tags are visible.", source=MANAGER
    )


class VaultPassword(Model):
    """Userpass."""

    user: str = key(text="User name.", min_length=1, source=MANAGER)
    password: Secret | None = key(
        None, "Password. Absent: the user is provisioned with a generated one.", source=MANAGER
    )


class VaultToken(Model):
    """Token."""

    token: Secret | None = key(
        None, "The token. Absent: one is provisioned with the policy of the mode.", source=MANAGER
    )


class VaultAppRole(Model):
    """AppRole."""

    path: Name = key("approle", "Mount path of the auth method.", source=MANAGER)
    role_id: Secret | None = key(
        None, "Role id. Absent, with secret-id: the role is provisioned.", source=MANAGER
    )
    secret_id: Secret | None = key(
        None, "Secret id. Absent, with role-id: provisioned.", source=MANAGER
    )


class VaultKubernetes(Model):
    """Kubernetes auth: the pod's own service account, no credential anywhere."""

    path: Name = key("kubernetes", "Mount path of the auth method.", source=MANAGER)
    role: Name = key("kestra", "Role to log in with; provisioned.", source=MANAGER)


class Vault(FlatManager):
    """HashiCorp Vault, KV version 2. At most one auth method; without one `kubernetes`, or `app-role` where Vault
    does not reach the cluster (`kestra:identity.vault.reach-cluster`).
    """

    address: str = key(
        text="Address with scheme and port.", pattern=r"^https?://[^\s/]+", source=MANAGER
    )
    password: VaultPassword | None = key(None, "Log in with userpass.", source=MANAGER)
    token: VaultToken | None = key(None, "Use a token.", source=MANAGER)
    app_role: VaultAppRole | None = key(None, "Log in with AppRole.", source=MANAGER)
    kubernetes: VaultKubernetes | None = key(
        None, "Log in with the service account.", source=MANAGER
    )
    namespace: str | None = key(None, "Vault Enterprise namespace.", source=MANAGER)
    engine_version: Literal[2] = key(2, "KV version; Kestra supports 2 only.", source=MANAGER)
    root_engine: str = key(
        "secret",
        "Mount path of the KV engine.",
        pattern=VAULT_MOUNT,
        source=MANAGER,
    )
    prefix: str | None = key(None, "Prefix of the names that Kestra composes.", source=MANAGER)
    secret_path_prefix: str | None = key(
        None,
        "Folder of the engine that scopes Kestra's access; declared secrets lie below it.",
        source=MANAGER,
    )
    role: str | None = key(None, "Role, for auth methods that take one.", source=MANAGER)
    read_only: StrictBool | None = key(
        None,
        "Read-only mode; rendered beside kestra.secret.read-only since sources differ.",
        source=MANAGER,
    )
    connect_timeout: Duration | None = key(
        None, "Connection timeout (Kestra: PT15S).", unit="duration", source=MANAGER
    )
    read_timeout: Duration | None = key(
        None, "Read timeout (Kestra: PT1M).", unit="duration", source=MANAGER
    )

"""`kestra.secret`: which secret manager Kestra uses (Enterprise Edition)."""

from __future__ import annotations

from typing import Literal

from .base import (
    SOURCE_PROJECT,
    Duration,
    Model,
    ProjectBool,
    Secret,
    StrictBool,
    StrictInt,
    key,
)
from .external import (
    BeyondTrust,
    Bitwarden,
    CyberArk,
    Delinea,
    Doppler,
    OnePassword,
)
from .managers import (
    MANAGER,
    AwsSecretManager,
    AwsSsmParameterStore,
    AzureKeyVault,
    GoogleSecretManager,
    Manager,
    Vault,
)

SecretType = Literal[
    "aws-secret-manager",
    "aws-ssm-parameter-store",
    "azure-key-vault",
    "google-secret-manager",
    "vault",
    "cyberark",
    "doppler",
    "1password",
    "beyondtrust",
    "delinea",
    "bitwarden",
    "jdbc",
    "elasticsearch",
]

Service = Literal["EXECUTOR", "INDEXER", "SCHEDULER", "WEBSERVER", "WORKER", "CONTROLLER"]


class InternalStore(Model):
    """A store inside Kestra's own database, encrypted with this key."""

    secret: Secret | None = key(
        None,
        "Encryption key, 32 characters or more, not the key of kestra.encryption. Absent: generated.",
        unit="characters",
        source=MANAGER,
    )
    existing: ProjectBool = key(
        False,
        "Whether Kestra has encrypted secrets with this key already. Then the key has to be given, none is generated "
        "in its place, and a shorter key or that of kestra.encryption are warnings (docs/rotation.md).",
        source=SOURCE_PROJECT,
    )


class Cache(Model):
    """Keeps resolved secrets in memory."""

    enabled: StrictBool = key(False, "Whether secrets are cached.", source=MANAGER)
    maximum_size: StrictInt | None = key(
        None, "Number of secrets kept.", unit="secrets", ge=1, le=10_000_000, source=MANAGER
    )
    expire_after_write: Duration | None = key(
        None,
        "How long after it was read a secret is kept; keep it short.",
        unit="duration",
        source=MANAGER,
    )


class Isolation(Model):
    """Which of Kestra's services may not resolve secrets."""

    enabled: StrictBool = key(False, "Whether the list is enforced.", source=MANAGER)
    denied_services: tuple[Service, ...] = key(
        (),
        "Service types; CONTROLLER exists since 2.0.",
        source=MANAGER + "; Kestra API ServiceType",
    )


class SecretManager(Model):
    """The secret manager of Kestra Enterprise."""

    type: SecretType = key(text="Which secret manager.", source=MANAGER)
    read_only: StrictBool = key(
        False,
        "Whether another owner (this stack) writes the secrets and Kestra only reads them. Decides what "
        "Kestra is told and what its identity may do.",
        source=MANAGER,
    )
    aws_secret_manager: AwsSecretManager | None = key(None, "Block of its type.", source=MANAGER)
    aws_ssm_parameter_store: AwsSsmParameterStore | None = key(
        None, "Block of its type.", since="2.0", source=MANAGER
    )
    azure_key_vault: AzureKeyVault | None = key(None, "Block of its type.", source=MANAGER)
    google_secret_manager: GoogleSecretManager | None = key(
        None, "Block of its type.", source=MANAGER
    )
    vault: Vault | None = key(None, "Block of its type.", source=MANAGER)
    cyberark: CyberArk | None = key(None, "Block of its type.", source=MANAGER)
    doppler: Doppler | None = key(None, "Block of its type.", source=MANAGER)
    one_password: OnePassword | None = key(
        None, "Block of its type.", source=MANAGER, alias="1password"
    )
    beyondtrust: BeyondTrust | None = key(None, "Block of its type.", source=MANAGER)
    delinea: Delinea | None = key(None, "Block of its type.", since="2.0", source=MANAGER)
    bitwarden: Bitwarden | None = key(None, "Block of its type.", since="2.0", source=MANAGER)
    jdbc: InternalStore | None = key(None, "Block of its type.", source=MANAGER)
    elasticsearch: InternalStore | None = key(None, "Block of its type.", source=MANAGER)
    cache: Cache | None = key(None, "Cache of resolved secrets.", source=MANAGER)
    isolation: Isolation | None = key(None, "Isolation of services.", source=MANAGER)

    def block(self, kind: str) -> Manager | InternalStore | None:
        """The block under the key of a type."""
        fields = type(self).model_fields.items()
        names = (name for name, field in fields if (field.alias or name) == kind)
        return next((getattr(self, name) for name in names), None)

    @property
    def backend(self) -> Manager | InternalStore | None:
        """The block of the chosen type."""
        return self.block(self.type)

    @property
    def is_read_only(self) -> bool:
        """Read-only by the common key or by Vault's own."""
        return self.read_only or bool(self.vault and self.vault.read_only)


class StoreManager(SecretManager):
    """The secret manager of open-source Kestra, which External Secrets reads: made of `kestra:store`
    (`components/settings/open_source_store.py`) and never written in a stack file."""

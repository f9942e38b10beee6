"""Google Secret Manager as the secret store: keys, the declared secrets, the recovery copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_gcp import projects, secretmanager

from ... import tags
from ...settings.declared import DeclaredSecret
from ...settings.durations import seconds
from ...settings.store import GcpStore as Block
from ..external_values import ENCRYPTION_KEY, keeps_key, record_version
from ..interface import StoreArgs
from ..secret_naming import filtered_name, recovery_name
from .encryption_keys import GLOBAL, Keys, create_keys
from .names import secret_labels
from .tag_limits import GOOGLE_LABELS


class GcpStore(pulumi.ComponentResource):
    """Kestra's secrets in Google Secret Manager.

    - Without `kestra:store.gcp` nothing is provisioned: an existing store is used.
    - A Cloud KMS key in each location, rotated; only Secret Manager's service agent may use it, and may do so
      before the first secret is made. Key rings and keys cannot be deleted in Google Cloud; they are retained.
    - One secret per declared secret, with the labels that make it visible to Kestra, replicated to the given
      regions or automatically.
    - A changed value is a new version, after which the old one is destroyed, recoverable for `destroy-ttl`. A
      secret with aliases keeps its old versions, since aliases name them. `version_ids` change with it.
    - An external secret has no version of the stack's: others write them.
    - A recovery copy of the encryption key that is retained on delete and that Kestra's identity cannot read.
      It stays in the locations where it was first written.

    Example:
        >>> GcpStore("store", StoreArgs(settings, {"TOKEN": token}))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]
    declared: Mapping[str, pulumi.Output[str]]
    """Declared secret to its short id, which its grants name."""

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:GcpStore", name, None, opts)
        self._name, self._args, self._settings = name, args, args.settings
        self._secret_ids: dict[str, pulumi.Output[str]] = {}
        self._version_ids: dict[str, pulumi.Output[str]] = {}
        self.services: Sequence[pulumi.Resource] = ()
        self.environment = {}
        self.declared = {}
        block = self._settings.store.gcp
        if block is not None:
            self._provision(block)
        self.secret_ids, self.version_ids = self._secret_ids, self._version_ids
        self.register_outputs({"environment": self.environment})

    def _provision(self, block: Block) -> None:
        manager = self._settings.secret
        assert manager is not None
        assert manager.google_secret_manager is not None
        project = manager.google_secret_manager.project
        assert project is not None
        self._project = project
        self.services = self._services(block)
        self._keys = create_keys(
            self._name, self._settings, block, project, self, services=self.services
        )
        self._shared: dict[str, Any] = {
            "project": project,
            "replication": replication(block, self._keys),
            "version_destroy_ttl": f"{seconds(self._destroy_ttl(block))}s",
        }
        before = [*self.services, *self._keys.grants]
        self.declared = {
            secret: self._declared(secret, declared, before)
            for secret, declared in self._settings.written_secrets.items()
        }
        if keeps_key(self._args):
            self._recovery(self._args.encryption_key, before)

    def _destroy_ttl(self, block: Block) -> str:
        return block.destroy_ttl or (
            "24h" if self._settings.tags.environment == "development" else "30d"
        )

    def _services(self, block: Block) -> list[pulumi.Resource]:
        """The APIs of the project; they stay on, since others may use them."""
        if not block.enable_services:
            return []
        services = ["secretmanager"]
        if block.kms.enabled:
            services.append("cloudkms")
        if self._settings.identity.gcp.workload_pool:
            services += ["iam", "iamcredentials"]
        return [
            projects.Service(
                f"{self._name}-service-{service}",
                project=self._project,
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for service in services
        ]

    def _declared(
        self, name: str, declared: DeclaredSecret, before: Sequence[pulumi.Resource]
    ) -> pulumi.Output[str]:
        described = {"description": declared.description} if declared.description else None
        secret = secretmanager.Secret(
            f"{self._name}-declared-{name}",
            secret_id=filtered_name(self._settings, name),
            labels=tags.translate(secret_labels(self._settings, declared), GOOGLE_LABELS),
            annotations=described,
            version_aliases={a: str(n) for a, n in declared.version_aliases.items()} or None,
            **self._shared,
            # Its name is taken until it is deleted.
            opts=pulumi.ResourceOptions(parent=self, depends_on=before, delete_before_replace=True),
        )
        if declared.is_external:
            self._record_external(name, secret)
            return secret.secret_id
        version = secretmanager.SecretVersion(
            f"{self._name}-declared-{name}-version",
            secret=secret.id,
            secret_data=pulumi.Output.secret(self._args.secrets[name]),
            deletion_policy="ABANDON" if declared.version_aliases else "DELETE",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self._record_version(name, secret, version)
        return secret.secret_id

    def _recovery(self, key: pulumi.Input[str] | None, before: Sequence[pulumi.Resource]) -> None:
        protect = self._settings.protect
        secret = secretmanager.Secret(
            f"{self._name}-encryption-key",
            secret_id=recovery_name(self._settings),
            labels=tags.translate(tags.convention(self._settings.tags), GOOGLE_LABELS),
            deletion_protection=protect,
            **self._shared,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=before,
                protect=protect,
                retain_on_delete=True,
                # Another replication would replace it, and it is never deleted.
                ignore_changes=["replication"],
            ),
        )
        if key is None:
            self._record_external(ENCRYPTION_KEY, secret)
            return
        version = secretmanager.SecretVersion(
            f"{self._name}-encryption-key-version",
            secret=secret.id,
            secret_data=pulumi.Output.secret(key),
            opts=pulumi.ResourceOptions(parent=self, protect=protect, retain_on_delete=True),
        )
        self._record_version("encryption.secret-key", secret, version)

    def _record_external(self, name: str, secret: secretmanager.Secret) -> None:
        self._secret_ids[name] = secret.name
        record_version(self._args, name, self._version_ids)

    def _record_version(
        self, name: str, secret: secretmanager.Secret, version: secretmanager.SecretVersion
    ) -> None:
        self._secret_ids[name] = secret.name
        self._version_ids[name] = version.name


def replication(block: Block, keys: Keys) -> dict[str, Any]:
    """Where the secrets are and what encrypts them there, as the provider takes it."""
    if not block.regions:
        return {"auto": _encryption(keys, GLOBAL)}
    replicas = [{"location": region, **_encryption(keys, region)} for region in block.regions]
    return {"user_managed": {"replicas": replicas}}


def _encryption(keys: Keys, location: str) -> dict[str, Any]:
    if location not in keys.names:
        return {}
    return {"customer_managed_encryption": {"kms_key_name": keys.names[location]}}

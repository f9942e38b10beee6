"""What an object storage is: one object for each `kestra:storage.type` that takes a workload identity.

`components/storage/registry.py` names them. The permissions of each are data, as those of the secret managers are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from ..backends.interface import AccessRow, PermissionRow, Rule, SdkPackage
from ..backends.login import Identity
from ..settings.model import Settings

if TYPE_CHECKING:
    import pulumi


#: Mode of the permissions of an object storage: it has one.
MODE = "storage"


def hostname(address: str | None) -> str | None:
    """The host of a URL; None where there is none, or where it is no URL."""
    try:
        return urlsplit(address or "").hostname
    except ValueError:
        return None


@dataclass(frozen=True)
class StorageAccess:
    """What the deployment needs: who Kestra's pods are, and that the bucket is there before they start."""

    identity: Identity = field(default_factory=Identity)
    bucket: pulumi.Input[str] = ""
    """Its name, the stack's output `bucket`."""


class ObjectStorage:
    """An object storage. The methods take settings with `storage-bucket` and with `storage` of this type."""

    type: ClassVar[str]
    """`kestra:storage.type`."""
    title: ClassVar[str]
    """Its name, for people."""
    cloud: ClassVar[str]
    """Key of its block in `kestra:storage-bucket` and in `kestra:identity`."""
    provider: ClassVar[str]
    """Pulumi's package that provisions it."""
    provider_title: ClassVar[str]
    sdk_package: ClassVar[SdkPackage]
    credentials: ClassVar[tuple[str, ...]] = ()
    """Keys of its block in `kestra:storage` that hold a static credential."""
    rules: ClassVar[Sequence[Rule]] = ()
    """Checks of the settings."""
    account_annotation: ClassVar[str] = ""
    """Annotation by which a Kubernetes service account has an identity in it."""

    def takes_identity(self, settings: Settings) -> bool:
        """Whether the storage that Kestra is told of is this one, and no other server that speaks its protocol."""
        return True

    def is_account_identity(self, settings: Settings) -> bool:
        """Whether Kestra's service account has an identity in it by `account_annotation`."""
        return True

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        """Network and port of what the node itself answers: who gives a pod its identity in the cloud."""
        return ()

    def permission_rows(self) -> Iterator[PermissionRow]:
        """What Kestra's pods may do, for the documentation."""
        return iter(())

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        """What Kestra's pods may do in the bucket of this stack."""
        return iter(())

    def place(self, settings: Settings) -> str:
        """The bucket, for people."""
        return bucket_name(settings)

    def location_facts(self, settings: Settings) -> dict[str, str]:
        """Where Kestra's files are: settings path to value. Another value means another place."""
        return {
            f"storage.{self.type}.bucket": bucket_name(settings),
            f"storage.{self.type}.path": path_prefix(storage_key(settings, "path")),
        }

    def created_things(self, settings: Settings) -> dict[str, str]:
        """Settings path of what makes a thing to its name; empty where the thing exists already."""
        chosen = settings.storage_bucket
        return {"storage-bucket.create": self.place(settings) if chosen and chosen.create else ""}

    def create(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> StorageAccess:
        """Registers the bucket where the stack makes it, and what lets Kestra's pods use it.

        Args:
            name: of the component.
            settings: the stack's settings.
            identity: of Kestra's own service account in the secret manager; an empty one where it has none.
            opts: options of the component.
        """
        raise NotImplementedError


def storage_block(settings: Settings) -> Any:
    """The block of the chosen type in `kestra:storage`; None where there is none."""
    storage = settings.storage
    return getattr(storage, storage.type, None) if storage else None


def bucket_name(settings: Settings) -> str:
    """Name of the bucket in `kestra:storage`, of a type that has buckets."""
    return storage_block(settings).bucket


def storage_key(settings: Settings, name: str) -> Any:
    """A key of the chosen type's block in `kestra:storage` that the settings' models do not have; None where absent."""
    return (
        settings.catalogue_value("kestra", "storage", settings.storage.type, name)
        if settings.storage
        else None
    )


def reads_store_itself(settings: Settings) -> bool:
    """Whether Kestra's own service account is the one that the secret manager knows."""
    return settings.secret is not None and not settings.uses_external_secrets


def default_identity_name(settings: Settings) -> str:
    """Name in the cloud of an identity of Kestra's pods that nobody named."""
    return f"{settings.deployment.namespace}-{settings.identity.service_account.name}"


def path_prefix(path: str | None) -> str:
    """`kestra.storage.<type>.path` as it begins the names of objects, with a slash at its end; empty without one."""
    return f"{path.rstrip('/')}/" if path else ""

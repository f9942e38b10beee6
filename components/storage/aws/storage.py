"""Amazon S3, as this project knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...backends.aws.backend import POD_IDENTITY_AGENT, SDK
from ...backends.aws.principals import ROLE_ARN
from ...backends.interface import AccessRow, PermissionRow
from ...backends.login import Identity
from ...settings.model import Settings
from ..interface import ObjectStorage, StorageAccess, bucket_name, path_prefix, storage_key
from . import permissions, rules

if TYPE_CHECKING:
    import pulumi


class AmazonS3(ObjectStorage):
    """Amazon S3."""

    type = "s3"
    title = "Amazon S3"
    cloud = "aws"
    provider = "aws"
    provider_title = "AWS"
    sdk_package = SDK
    credentials = ("access-key", "secret-key")
    rules = (rules.identity, rules.names, rules.bucket)
    account_annotation = ROLE_ARN

    def takes_identity(self, settings: Settings) -> bool:
        return rules.is_amazon(settings)

    def is_account_identity(self, settings: Settings) -> bool:
        return settings.identity.aws.pod_identity is None

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        return POD_IDENTITY_AGENT if settings.identity.aws.pod_identity else ()

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows()

    def access(self, settings: Settings) -> Iterator[AccessRow]:
        bucket, chosen = bucket_name(settings), settings.storage_bucket
        assert settings.storage is not None
        assert settings.storage.s3 is not None
        assert chosen is not None
        if role := settings.identity.aws.role_arn:
            yield AccessRow(
                "what its owner allows", bucket, f"the policy of {role} is not this stack's"
            )
            return
        if role := settings.storage.s3.sts_role_arn:
            yield AccessRow("sts:AssumeRole", role, "its owner says what that role may do")
            return
        path = path_prefix(storage_key(settings, "path"))
        below = f"{bucket}/{path}*"
        parents = permissions.parents_of(path)
        scopes = {
            permissions.Scope.BUCKET: f"{bucket}, names that begin with {path}" if path else bucket,
            permissions.Scope.OBJECTS: below,
            permissions.Scope.PARENTS: ", ".join(f"{bucket}/{one}" for one in parents),
            permissions.Scope.KEY: "the bucket's key, through S3 only"
            if chosen.create or chosen.aws.kms.arn
            else "",
        }
        for one in permissions.PERMISSIONS:
            if scopes[one.scope]:
                yield AccessRow(", ".join(one.actions), scopes[one.scope], one.reason)
        yield AccessRow(
            "s3:DeleteObjectVersion, s3:Put*Configuration, s3:PutBucketPolicy and the like",
            bucket,
            "its policy allows nothing else; versions and settings of the bucket are not Kestra's",
            is_allowed=False,
        )

    def created_things(self, settings: Settings) -> dict[str, str]:
        things, chosen = super().created_things(settings), settings.storage_bucket
        if chosen is None or not chosen.create:
            return things
        return things | {
            "storage-bucket.aws.kms.arn": "" if chosen.aws.kms.arn else bucket_name(settings)
        }

    def create(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> StorageAccess:
        from .bucket import S3Storage

        component = S3Storage(name, settings, identity, opts)
        return StorageAccess(component.identity, component.bucket)


S3 = AmazonS3()

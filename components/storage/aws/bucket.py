"""A bucket of Amazon S3 for Kestra's files, and the role by which Kestra's pods use it."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from ... import tags
from ...backends.aws.location import lookup_location
from ...backends.aws.permissions import AwsLocation
from ...backends.aws.policy_documents import assume_policy, key_policy
from ...backends.aws.principals import makes_role
from ...backends.aws.roles import account_annotations, create_role
from ...backends.aws.tag_limits import AWS_TAGS
from ...backends.login import Identity
from ...settings import Settings
from ..interface import path_prefix, storage_key
from ..waiting import known_after
from .permissions import BucketAccess, bucket_policy, policy
from .principals import makes_own_role, own_role_name, shares_role

ENCRYPTION = "aws:kms"


class S3Storage(pulumi.ComponentResource):
    """Kestra's files in Amazon S3.

    - With `create` a bucket: encrypted with a customer-managed KMS key of its own (or a given one), versioned, with
      everything public blocked, no ACLs, closed to other accounts and to connections without TLS. Versions of deleted
      objects and parts of uploads that never ended go after their time. It is never emptied: AWS refuses to delete a
      bucket with objects in it.
    - Kestra's pods use it by a role of their service account: that by which they read their secrets where there is
      one, else one that is made. Its policy is that of `permissions.py`: objects below the path, the list of them,
      and the key through S3.
    - With `sts-role-arn` the role only takes that one, whose policy is its owner's. A role that exists already gets no
      policy.
    - The service account waits for all of it.

    Example:
        >>> S3Storage("storage", settings, identity)  # doctest: +SKIP
    """

    bucket: pulumi.Output[str]
    """Its name."""
    key_arn: pulumi.Output[str] | None
    """The key of its objects; None for one of Amazon S3 itself."""
    principal: pulumi.Output[str]
    """ARN of the role of Kestra's pods."""
    identity: Identity

    def __init__(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kestra:storage:S3Storage", name, None, opts)
        assert settings.storage is not None
        assert settings.storage.s3 is not None
        assert settings.storage_bucket is not None
        self._name, self._settings = name, settings
        self._block, self._chosen = settings.storage.s3, settings.storage_bucket
        self._tags = tags.translate(tags.convention(settings.tags), AWS_TAGS)
        self._kept = pulumi.ResourceOptions(parent=self, protect=settings.protect)
        self._location = lookup_location(self._block.region, self)
        arn = self._chosen.aws.kms.arn
        self.key_arn = pulumi.Output.from_input(arn) if arn else None
        ready: list[pulumi.Resource] = self._create() if self._chosen.create else []
        self.bucket = pulumi.Output.from_input(self._block.bucket)
        account = settings.identity.service_account.name
        if shares_role(settings):
            self.principal = pulumi.Output.from_input(identity.principal)
            annotations = dict(identity.service_account_annotations)
        elif makes_own_role(settings):
            role = create_role(
                f"{name}-role", own_role_name(settings), settings, account, self._tags, self
            )
            self.principal = role.arn
            annotations = account_annotations(
                f"{name}-association", settings, account, role.arn, self._tags, self
            )
        else:
            self.principal = pulumi.Output.from_input(settings.identity.aws.role_arn or "")
            annotations = account_annotations(
                f"{name}-association", settings, account, self.principal, self._tags, self
            )
        if makes_role(settings):
            ready.append(self._grant())
        waited = {key: known_after(value, ready) for key, value in annotations.items()}
        self.identity = Identity(waited, principal=self.principal)
        self.register_outputs(
            {"bucket": self.bucket, "key_arn": self.key_arn, "principal": self.principal}
        )

    def _grant(self) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            f"{self._name}-policy",
            name="kestra-storage",
            role=self.principal.apply(lambda arn: arn.rpartition("/")[2]),
            policy=pulumi.Output.all(self._location, self.key_arn).apply(
                lambda known: json.dumps(self._policy(*known))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _policy(self, location: AwsLocation, key_arn: str | None) -> dict[str, object]:
        settings, block = self._settings, self._block
        if block.sts_role_arn is not None:
            tagged = settings.identity.aws.pod_identity is not None
            external_id = storage_key(settings, "sts-role-external-id")
            return assume_policy(block.sts_role_arn, external_id, tagged=tagged)
        path = path_prefix(storage_key(settings, "path"))
        return policy(BucketAccess(block.bucket, path, location, key_arn))

    def _create(self) -> list[pulumi.Resource]:
        """The bucket with all that belongs to it."""
        key = self._key() if self.key_arn is None else None
        region, s3 = self._block.region, self._chosen.aws
        bucket = aws.s3.Bucket(
            f"{self._name}-bucket",
            bucket=self._block.bucket,
            # What Kestra keeps in it is not for an update to destroy.
            force_destroy=False,
            region=region,
            tags=self._tags,
            # The key outlives what is encrypted with it.
            opts=pulumi.ResourceOptions.merge(
                self._kept, pulumi.ResourceOptions(depends_on=[key] if key else [])
            ),
        )
        private = aws.s3.BucketPublicAccessBlock(
            f"{self._name}-public-access",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            region=region,
            opts=self._kept,
        )
        ownership = aws.s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=bucket.bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            region=region,
            opts=self._kept,
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm=ENCRYPTION, kms_master_key_id=self.key_arn
                    ),
                    bucket_key_enabled=True,
                )
            ],
            region=region,
            opts=self._kept,
        )
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=bucket.bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            region=region,
            opts=self._kept,
        )
        lifecycle = aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=bucket.bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="kestra",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=s3.noncurrent_days
                    ),
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                        expired_object_delete_marker=True
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=s3.incomplete_upload_days
                    ),
                )
            ],
            region=region,
            # AWS takes rules about versions of a bucket that has them.
            opts=pulumi.ResourceOptions.merge(
                self._kept, pulumi.ResourceOptions(depends_on=[versioning])
            ),
        )
        closed = aws.s3.BucketPolicy(
            f"{self._name}-bucket-policy",
            bucket=bucket.bucket,
            policy=pulumi.Output.all(self._location, bucket.bucket).apply(
                lambda known: json.dumps(bucket_policy(*known))
            ),
            region=region,
            # AWS changes the one while it looks at the other, and refuses both at once.
            opts=pulumi.ResourceOptions.merge(
                self._kept, pulumi.ResourceOptions(depends_on=[private])
            ),
        )
        return [bucket, private, ownership, encryption, versioning, lifecycle, closed]

    def _key(self) -> aws.kms.Key:
        settings, kms = self._settings, self._chosen.aws.kms
        is_development = settings.tags.environment == "development"
        key = aws.kms.Key(
            f"{self._name}-key",
            description=f"Files of Kestra in {settings.deployment.namespace}",
            enable_key_rotation=True,
            rotation_period_in_days=kms.rotation_period_days,
            deletion_window_in_days=kms.deletion_window_days or (7 if is_development else 30),
            policy=self._location.apply(
                lambda where: json.dumps(key_policy(where, "s3", kms.administrators))
            ),
            region=self._block.region,
            tags=self._tags,
            opts=self._kept,
        )
        aws.kms.Alias(
            f"{self._name}-key-alias",
            name=f"alias/{settings.deployment.namespace}-storage",
            target_key_id=key.key_id,
            region=self._block.region,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.key_arn = key.arn
        return key

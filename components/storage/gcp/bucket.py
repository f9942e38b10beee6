"""A bucket of Google Cloud Storage for Kestra's files, and the service account by which Kestra's pods use it."""

from __future__ import annotations

import pulumi
from pulumi_gcp import kms, projects, serviceaccount, storage

from ... import tags
from ...backends.gcp.names import ACCOUNT
from ...backends.gcp.permissions import WORKLOAD_IDENTITY
from ...backends.gcp.tag_limits import GOOGLE_LABELS
from ...backends.login import Identity
from ...settings import Settings
from ...settings.durations import seconds
from ..interface import path_prefix, storage_key
from ..waiting import known_after
from .permissions import GRANTS, KEY_USER, Grant, condition
from .principals import key_location, own_account_id, shares_account


class GcsStorage(pulumi.ComponentResource):
    """Kestra's files in Google Cloud Storage.

    - With `create` a bucket: encrypted with a Cloud KMS key of its own (or a given one, or Google's), with versions,
      without ACLs, and never public. Versions of deleted objects and parts of uploads that never ended go after their
      time. It is never emptied: Google refuses to delete a bucket with objects in it.
    - Key ring and key cannot be deleted in Google Cloud; they stay when the stack goes.
    - Kestra's pods use it as a Google service account: that by which they read their secrets where there is one, else
      one that is made. Two roles of the stack's own, with conditions on the path.
    - Every grant adds one member to one role; nobody else's grants are touched.
    - The Kubernetes service account waits for all of it.

    Example:
        >>> GcsStorage("storage", settings, identity)  # doctest: +SKIP
    """

    bucket: pulumi.Output[str]
    """Its name."""
    principal: pulumi.Output[str]
    """The service account of Kestra's pods as IAM names it, `serviceAccount:<e-mail>`."""
    identity: Identity

    def __init__(
        self,
        name: str,
        settings: Settings,
        identity: Identity,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kestra:storage:GcsStorage", name, None, opts)
        assert settings.storage is not None
        assert settings.storage.gcs is not None
        assert settings.storage.gcs.project_id is not None
        assert settings.storage_bucket is not None
        self._name, self._settings = name, settings
        self._block, self._chosen = settings.storage.gcs, settings.storage_bucket
        self._project = settings.storage.gcs.project_id
        self._child = pulumi.ResourceOptions(parent=self)
        self._kept = pulumi.ResourceOptions(parent=self, protect=settings.protect)
        self._path = path_prefix(storage_key(settings, "path"))
        ready: list[pulumi.Resource] = []
        self.bucket = pulumi.Output.from_input(self._block.bucket)
        if self._chosen.create:
            bucket = self._create()
            self.bucket = bucket.name
            ready.append(bucket)
        if shares_account(settings):
            self.principal = pulumi.Output.from_input(identity.principal)
            annotations = dict(identity.service_account_annotations)
        else:
            account = serviceaccount.Account(
                f"{name}-account",
                account_id=own_account_id(settings),
                display_name="Kestra",
                description=f"Kestra in the Kubernetes namespace {settings.deployment.namespace}",
                project=self._project,
                opts=self._child,
            )
            self.principal = account.member
            annotations = {ACCOUNT: account.email}
            ready.append(self._bind_pod(account))
        ready += [self._grant(grant) for grant in GRANTS]
        waited = {key: known_after(value, ready) for key, value in annotations.items()}
        self.identity = Identity(waited, principal=self.principal)
        self.register_outputs({"bucket": self.bucket, "principal": self.principal})

    def _bind_pod(self, account: serviceaccount.Account) -> serviceaccount.IAMMember:
        settings = self._settings
        pod = f"{settings.deployment.namespace}/{settings.identity.service_account.name}"
        return serviceaccount.IAMMember(
            f"{self._name}-workload-identity",
            service_account_id=account.name,
            role=WORKLOAD_IDENTITY,
            member=f"serviceAccount:{settings.identity.gcp.workload_pool}[{pod}]",
            opts=self._child,
        )

    def _grant(self, grant: Grant) -> storage.BucketIAMMember:
        account = own_account_id(self._settings)
        role = projects.IAMCustomRole(
            f"{self._name}-{grant.name}-role",
            # Ids of roles have no hyphens, ids of accounts no underscores.
            role_id=f"kestra_{grant.name}_{account.replace('-', '_')}",
            title=f"Kestra {account}, {grant.name}",
            description=f"What Kestra needs in the bucket of its files: {grant.name}",
            permissions=list(grant.permissions),
            project=self._project,
            opts=self._child,
        )
        expression = condition(grant.scope, self._block.bucket, self._path)
        return storage.BucketIAMMember(
            f"{self._name}-{grant.name}",
            bucket=self.bucket,
            role=role.name,
            member=self.principal,
            condition=storage.BucketIAMMemberConditionArgs(
                title=f"Kestra's {grant.name}",
                description=f"Below {self._path}",
                expression=expression,
            )
            if expression
            else None,
            opts=self._child,
        )

    def _create(self) -> storage.Bucket:
        settings, gcs = self._settings, self._chosen.gcp
        assert gcs.location is not None
        grant = self._key(gcs.location) if gcs.kms.enabled else None
        return storage.Bucket(
            f"{self._name}-bucket",
            name=self._block.bucket,
            location=gcs.location,
            project=self._project,
            # What Kestra keeps in it is not for an update to destroy.
            force_destroy=False,
            public_access_prevention="enforced",
            uniform_bucket_level_access=True,
            versioning=storage.BucketVersioningArgs(enabled=True),
            encryption=storage.BucketEncryptionArgs(default_kms_key_name=grant.crypto_key_id)
            if grant
            else None,
            lifecycle_rules=[
                storage.BucketLifecycleRuleArgs(
                    action=storage.BucketLifecycleRuleActionArgs(type="Delete"),
                    condition=storage.BucketLifecycleRuleConditionArgs(
                        days_since_noncurrent_time=gcs.noncurrent_days, with_state="ARCHIVED"
                    ),
                ),
                storage.BucketLifecycleRuleArgs(
                    action=storage.BucketLifecycleRuleActionArgs(
                        type="AbortIncompleteMultipartUpload"
                    ),
                    condition=storage.BucketLifecycleRuleConditionArgs(
                        age=gcs.incomplete_upload_days
                    ),
                ),
            ],
            labels=tags.translate(tags.convention(settings.tags), GOOGLE_LABELS),
            opts=self._kept,
        )

    def _key(self, location: str) -> kms.CryptoKeyIAMMember:
        """The key, which Cloud Storage's service agent may use."""
        settings, block = self._settings, self._chosen.gcp.kms
        kept = pulumi.ResourceOptions(parent=self, protect=settings.protect, retain_on_delete=True)
        key: pulumi.Input[str]
        if block.name is not None:
            key = block.name
        else:
            ring = kms.KeyRing(
                f"{self._name}-key-ring",
                name=f"{settings.deployment.namespace}-storage",
                location=key_location(location),
                project=self._project,
                opts=kept,
            )
            key = kms.CryptoKey(
                f"{self._name}-key",
                name="files",
                key_ring=ring.id,
                purpose="ENCRYPT_DECRYPT",
                rotation_period=f"{seconds(block.rotation_period)}s",
                destroy_scheduled_duration=f"{seconds(block.destroy_after)}s",
                labels=tags.translate(tags.convention(settings.tags), GOOGLE_LABELS),
                opts=kept,
            ).id
        agent = storage.get_project_service_account_output(
            project=self._project, opts=pulumi.InvokeOutputOptions(parent=self)
        )
        return kms.CryptoKeyIAMMember(
            f"{self._name}-key-grant",
            crypto_key_id=key,
            role=KEY_USER,
            member=agent.member,
            opts=kept,
        )

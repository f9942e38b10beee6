"""`storage-bucket`: who may use the bucket or container of `kestra:storage`, and whether this stack makes it."""

from __future__ import annotations

from .base import SOURCE_PROJECT, Model, StrictBool, StrictInt, key
from .store import AwsKey

S3 = "AWS documentation, Amazon S3 user guide"


class S3Bucket(Model):
    """A bucket of Amazon S3, named by `kestra:storage.s3.bucket`."""

    kms: AwsKey = key(
        AwsKey,
        "Key in KMS that the bucket's objects are encrypted with. Of a bucket that exists already only arn.",
        source=SOURCE_PROJECT,
    )
    noncurrent_days: StrictInt = key(
        30,
        "How long the versions of deleted and overwritten objects stay.",
        unit="days",
        ge=1,
        le=3650,
        source=S3,
    )
    incomplete_upload_days: StrictInt = key(
        7, "How long the parts of an upload that was never completed stay.", unit="days", ge=1, le=365, source=S3
    )  # fmt: skip
    role_name: str | None = key(
        None,
        "Name of the role of Kestra's pods, where the stack makes one for the bucket alone: without a secret manager "
        "in AWS, or where External Secrets reads it (absent: `<namespace>-<service account>`).",
        pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$",
        source=S3,
    )


class StorageBucket(Model):
    """How Kestra's pods use the bucket of `kestra:storage` by their own identity, without a credential."""

    create: StrictBool = key(
        text="Whether the bucket (in Azure the storage account and the container) is made; false where it exists already.",
        source=SOURCE_PROJECT,
    )
    aws: S3Bucket = key(S3Bucket, "For kestra:storage.type s3.", source=SOURCE_PROJECT)

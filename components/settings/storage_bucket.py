"""`storage-bucket`: who may use the bucket or container of `kestra:storage`, and whether this stack makes it."""

from __future__ import annotations

from typing import Literal

from .base import SOURCE_PROJECT, Model, ProjectBool, StrictInt, key
from .identity import GCP_ACCOUNT_ID
from .store import AwsKey, GcpKey

S3 = "AWS documentation, Amazon S3 user guide"
GCS = "Google Cloud documentation, Cloud Storage"
BLOB = "Azure documentation, Blob Storage"


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
        "Name of the role of Kestra's pods, where kestra:identity.aws.role-name is that of External Secrets (absent: "
        "`<namespace>-<service account>`).",
        pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$",
        source=S3,
    )


class GcsBucket(Model):
    """A bucket of Google Cloud Storage, named by `kestra:storage.gcs.bucket`."""

    location: str | None = key(
        None, "Region or multi-region of a bucket that is made, for example europe-west3.", pattern=r"^[A-Za-z]+[A-Za-z0-9-]*$", source=GCS
    )  # fmt: skip
    kms: GcpKey = key(
        GcpKey, "Key in Cloud KMS that the bucket's objects are encrypted with.", source=SOURCE_PROJECT
    )  # fmt: skip
    noncurrent_days: StrictInt = key(
        30,
        "How long the versions of deleted and overwritten objects stay.",
        unit="days",
        ge=1,
        le=3650,
        source=GCS,
    )
    incomplete_upload_days: StrictInt = key(
        7, "How long the parts of an upload that was never completed stay.", unit="days", ge=1, le=365, source=GCS
    )  # fmt: skip
    account_id: str | None = key(
        None,
        "Id of the service account of Kestra's pods, where kestra:identity.gcp.account-id is that of External Secrets "
        "(absent: `<namespace>-<service account>`).",
        pattern=GCP_ACCOUNT_ID,
        source=GCS,
    )


class BlobContainer(Model):
    """A container of Azure Blob Storage, named by `kestra:storage.azure.endpoint` and `container`."""

    resource_group: str | None = key(
        None,
        "Resource group of the storage account; needed.",
        pattern=r"^[A-Za-z0-9_().-]{0,89}[A-Za-z0-9_()-]$",
        source=BLOB,
    )
    location: str | None = key(
        None,
        "Region of a storage account that is made, for example westeurope (absent: the resource group's).",
        pattern=r"^[A-Za-z]+( ?[A-Za-z0-9])*$",
        source=BLOB,
    )
    sku: Literal[
        "Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_RAGRS", "Standard_GZRS", "Standard_RAGZRS"
    ] = key("Standard_ZRS", "How often, and how far apart, the files are kept.", source=BLOB)  # fmt: skip
    noncurrent_days: StrictInt = key(
        30,
        "How long deleted blobs, and the versions of overwritten ones, stay.",
        unit="days",
        ge=1,
        le=365,
        source=BLOB,
    )
    allowed_subnet_ids: tuple[str, ...] = key(
        (),
        "Subnets with the Microsoft.Storage service endpoint that alone are let in (empty: every network, with the "
        "identity).",
        source=BLOB,
    )
    identity_name: str | None = key(
        None,
        "Name of the managed identity of Kestra's pods, where kestra:identity.azure.name is that of External Secrets "
        "(absent: `<namespace>-<service account>`).",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$",
        source=BLOB,
    )


class StorageBucket(Model):
    """How Kestra's pods use the bucket of `kestra:storage` by their own identity, without a credential."""

    create: ProjectBool = key(
        text="Whether the bucket (in Azure the storage account and the container) is made; false where it exists already.",
        source=SOURCE_PROJECT,
    )
    aws: S3Bucket = key(S3Bucket, "For kestra:storage.type s3.", source=SOURCE_PROJECT)
    gcp: GcsBucket = key(GcsBucket, "For kestra:storage.type gcs.", source=SOURCE_PROJECT)
    azure: BlobContainer = key(
        BlobContainer, "For kestra:storage.type azure.", source=SOURCE_PROJECT
    )

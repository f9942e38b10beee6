"""Cases of the controls of storage."""

from __future__ import annotations

from typing import Any

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R
from tests.policy.cases_support import Case, case
from tests.policy.cloud_fixtures import ACCOUNT, document
from tests.policy.kestra_fixtures import over

NAME = "files"
BUCKET = R("aws:s3/bucket:Bucket", {"bucket": NAME, "forceDestroy": False}, "bucket")
CLOSED = R(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    {
        "bucket": NAME,
        "blockPublicAcls": True,
        "blockPublicPolicy": True,
        "ignorePublicAcls": True,
        "restrictPublicBuckets": True,
    },
    "closed",
)
KEYS = R(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    {
        "bucket": NAME,
        "rules": [
            {
                "applyServerSideEncryptionByDefault": {
                    "sseAlgorithm": "aws:kms",
                    "kmsMasterKeyId": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1",
                }
            }
        ],
    },
    "keys",
)
DEFAULT = "rules.0.applyServerSideEncryptionByDefault"
VERSIONS = R(
    "aws:s3/bucketVersioning:BucketVersioning",
    {"bucket": NAME, "versioningConfiguration": {"status": "Enabled"}},
    "versions",
)
PLAIN: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{NAME}", f"arn:aws:s3:::{NAME}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
POLICY = R(
    "aws:s3/bucketPolicy:BucketPolicy", {"bucket": NAME, "policy": document(PLAIN)}, "policy"
)
GCS = R(
    "gcp:storage/bucket:Bucket",
    {
        "publicAccessPrevention": "enforced",
        "uniformBucketLevelAccess": True,
        "encryption": {"defaultKmsKeyName": "projects/p/locations/l/keyRings/r/cryptoKeys/k"},
        "versioning": {"enabled": True},
        "forceDestroy": False,
    },
    "gcs",
)
BLOB = R(
    "azure-native:storage:StorageAccount",
    {
        "accountName": NAME,
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "enableHttpsTrafficOnly": True,
        "minimumTlsVersion": "TLS1_2",
    },
    "blob",
)
BLOBS = R(
    "azure-native:storage:BlobServiceProperties",
    {"accountName": NAME, "isVersioningEnabled": True},
    "blobs",
)


def of_bucket(part: R) -> R:
    """A part that belongs to the bucket by where its name comes from, which is not known yet."""
    return R(part.type, {**part.props, "bucket": UNKNOWN}, part.name, uses={"bucket": ["bucket"]})


def storage(type_: str, **keys: str) -> tuple[str, Any]:
    """Kestra's storage with some keys of its block."""
    block = {name.replace("_", "-"): value for name, value in keys.items()}
    return "kestra.storage", {"type": type_, type_: block}


STORAGE: dict[str, Case] = {
    "ks-storage-01": over(
        storage("s3", access_key="${A}", secret_key="${B}"),
        storage("s3", access_key="a", endpoint="https://s3.eu-west-1.amazonaws.com"),
        storage("gcs", service_account="${A}"),
        storage("azure", connection_string="${A}"),
        storage("azure", sas_token="${A}", endpoint="https://files.blob.core.windows.net"),
        storage("azure", shared_key_account_access_key="${A}"),
    ),
    "ks-storage-02": case(
        CLOSED,
        {"blockPublicAcls": False, "restrictPublicBuckets": ABSENT, "bucket": "another"},
        "blockPublicPolicy",
        around=[BUCKET],
        good=[[GCS], [BLOB], [BUCKET, of_bucket(CLOSED)]],
        worse=[
            [BUCKET],
            [GCS.but("publicAccessPrevention", "inherited")],
            [GCS.but("uniformBucketLevelAccess", ABSENT)],
            [BLOB.but("allowBlobPublicAccess", True)],
            [BLOB.but("allowBlobPublicAccess", ABSENT)],
        ],
        uncertain=[
            [GCS.but("publicAccessPrevention", UNKNOWN)],
            [BLOB.but("allowBlobPublicAccess", UNKNOWN)],
        ],
    ),
    "ks-storage-03": case(
        KEYS,
        [
            (f"{DEFAULT}.sseAlgorithm", "AES256"),
            (f"{DEFAULT}.kmsMasterKeyId", "alias/aws/s3"),
            (f"{DEFAULT}.kmsMasterKeyId", ABSENT),
            ("bucket", "another"),
        ],
        [f"{DEFAULT}.kmsMasterKeyId", f"{DEFAULT}.sseAlgorithm"],
        around=[BUCKET],
        good=[[GCS], [BUCKET, of_bucket(KEYS)]],
        worse=[[BUCKET], [GCS.but("encryption", ABSENT)]],
        uncertain=[[GCS.but("encryption", UNKNOWN)]],
    ),
    "ks-storage-04": case(
        VERSIONS,
        {"versioningConfiguration.status": "Suspended", "bucket": "another"},
        "versioningConfiguration.status",
        around=[BUCKET],
        good=[[GCS], [BLOB, BLOBS], [BUCKET, of_bucket(VERSIONS)]],
        worse=[
            [BUCKET],
            [BUCKET.but("forceDestroy", True), VERSIONS],
            [GCS.but("versioning", ABSENT)],
            [GCS.but("forceDestroy", True)],
            [BLOB],
            [BLOB, BLOBS.but("isVersioningEnabled", False)],
            [BLOB, BLOBS.but("accountName", "another")],
        ],
        uncertain=[
            [GCS.but("versioning", UNKNOWN)],
            [BLOB, BLOBS.but("isVersioningEnabled", UNKNOWN)],
        ],
    ),
    "ks-storage-05": case(
        POLICY,
        [
            ("policy", document({**PLAIN, "Effect": "Allow"})),
            ("policy", document({**PLAIN, "Action": "s3:GetObject"})),
            ("policy", document({**PLAIN, "Principal": {"AWS": "arn:aws:iam::1:root"}})),
            ("policy", document({**PLAIN, "Condition": {}})),
            ("bucket", "another"),
        ],
        "policy",
        around=[BUCKET],
        good=[[BLOB], [BUCKET, of_bucket(POLICY)], [BLOB.but("enableHttpsTrafficOnly", ABSENT)]],
        worse=[
            [BUCKET],
            [BLOB.but("enableHttpsTrafficOnly", False)],
            [BLOB.but("minimumTlsVersion", "TLS1_0")],
            [BLOB.but("minimumTlsVersion", ABSENT)],
        ],
        uncertain=[[BLOB.but("minimumTlsVersion", UNKNOWN)]],
    ),
    "ks-storage-06": case(
        BLOB,
        {"allowSharedKeyAccess": True},
        "allowSharedKeyAccess",
        worse=[[BLOB.but("allowSharedKeyAccess", ABSENT)]],
    ),
}

"""Storage: who reaches Kestra's files, and the bucket that they lie in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..application import Application
from ..core.documents import Statement, statements
from ..core.model import Context, Finding, Problem, Resource, Stack, control, fsbp
from ..core.values import UNKNOWN, as_list, check_each, get_path, raw, reveal
from ..effective_configuration import each_application

S3 = "aws:s3/bucket:Bucket"
S3_PRIVATE = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
S3_ENCRYPTION = (
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
)
S3_VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
S3_POLICY = "aws:s3/bucketPolicy:BucketPolicy"
GCS = "gcp:storage/bucket:Bucket"
BLOB = "azure-native:storage:StorageAccount"
BLOB_SERVICE = "azure-native:storage:BlobServiceProperties"
SETTING = "kestra:storage-bucket"

#: Type of Kestra's storage to the keys of its block that hold a credential, and the ends of its cloud's own addresses.
_CREDENTIALS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "s3": (("access-key", "secret-key"), (".amazonaws.com", ".amazonaws.com.cn")),
    "gcs": (("service-account",), ()),
    "azure": (
        ("connection-string", "shared-key-account-access-key", "sas-token"),
        (".core.windows.net", ".core.chinacloudapi.cn", ".core.usgovcloudapi.net"),
    ),
}


@control(
    "ks-storage-01",
    "Kestra reaches its files as itself",
    "high",
    risk="A static key opens every file of every flow, from anywhere and until somebody remembers it.",
    steps=(
        "Bind the service account of Kestra's pods to a role of the cloud, and give the bucket to that role.",
        "Remove the credential, then end it in the cloud.",
    ),
    setting=SETTING,
)
@each_application
def workload_identity(application: Application, _: Context) -> Iterator[Finding]:
    chosen = application.known("kestra.storage.type")
    for type_, (names, own) in _CREDENTIALS.items():
        block = f"kestra.storage.{type_}"
        if chosen not in (None, type_) or _is_elsewhere(
            application.known(f"{block}.endpoint"), own
        ):
            continue
        for name in names:
            key = f"{block}.{name}"
            if application.setting(key) is not None and application.is_set(key):
                yield application.problem(f"uses a static {name}", "workload identity", key)


def _is_elsewhere(endpoint: Any, own: tuple[str, ...]) -> bool:
    """Whether an address is that of another server, which speaks the cloud's protocol."""
    try:
        host = urlsplit(str(reveal(endpoint) or "")).hostname or ""
    except ValueError:
        return False
    return bool(own and host) and not host.endswith(own)


def _parts(stack: Stack, bucket: Resource, type_: str) -> list[Resource]:
    """The resources of a type that belong to a bucket of S3."""
    names = {
        reveal(bucket.props.get(name))
        for name in ("bucket", "id", "arn")
        if bucket.props.get(name) is not UNKNOWN
    } - {None}
    return [
        part
        for part in stack.of(type_)
        if part.refers_to(bucket, "bucket")
        or (part.props.get("bucket") is not UNKNOWN and reveal(part.props.get("bucket")) in names)
    ]


def _own(bucket: Resource, name: str) -> list[Any]:
    """A block that older versions of the provider have in the bucket itself: `versioning`, or a list `versionings`."""
    blocks = (bucket.props.get(name), bucket.props.get(f"{name}s"))
    return [one for block in blocks if block is not UNKNOWN for one in as_list(block)]


def _own_rules(bucket: Resource) -> list[Any]:
    rules = []
    for block in _own(bucket, "serverSideEncryptionConfiguration"):
        for name in ("rule", "rules"):
            rules += [] if raw(block, name) is UNKNOWN else as_list(raw(block, name))
    return rules


_CLOSED = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@control(
    "ks-storage-02",
    "Buckets cannot become public",
    "critical",
    risk="One wrong grant, and every file of every flow is on the internet.",
    steps=(
        "AWS: add a BucketPublicAccessBlock with all four blocks.",
        "Google: set publicAccessPrevention to enforced, and uniformBucketLevelAccess.",
        "Azure: set allowBlobPublicAccess to false.",
    ),
    setting=SETTING,
    frameworks=fsbp("S3.8"),
)
def private(stack: Stack, _: Context) -> Iterator[Finding]:
    def s3(bucket: Resource) -> Iterator[Finding]:
        blocks = _parts(stack, bucket, S3_PRIVATE)
        if not blocks:
            where = "the stack's BucketPublicAccessBlocks"
            yield Problem("may become public", "a BucketPublicAccessBlock", where, bucket)
        for block in blocks:
            for name in _CLOSED:
                if block.get_path(name) is not True:
                    yield Problem("may become public", f"{name}: true", name, block)

    def gcs(bucket: Resource) -> Iterator[Finding]:
        if bucket.get_path("publicAccessPrevention") != "enforced":
            yield Problem("may become public", "enforced", "publicAccessPrevention", bucket)
        if bucket.get_path("uniformBucketLevelAccess") is not True:
            yield Problem("has ACLs of single objects", "true", "uniformBucketLevelAccess", bucket)

    def blob(account: Resource) -> Iterator[Finding]:
        if account.get_path("allowBlobPublicAccess") is not False:
            yield Problem("may become public", "false", "allowBlobPublicAccess", account)

    for type_, check in ((S3, s3), (GCS, gcs), (BLOB, blob)):
        yield from check_each(stack.of(type_), check)


@control(
    "ks-storage-03",
    "Buckets are encrypted with a key of the customer",
    "medium",
    risk="With the cloud's own key nobody can withdraw access to the files, or see who decrypted them.",
    steps=(
        "AWS: a BucketServerSideEncryptionConfiguration with aws:kms and the ARN of a key.",
        "Google: set encryption.defaultKmsKeyName.",
    ),
    setting=f"{SETTING}.aws.kms",
    frameworks=fsbp("S3.17"),
)
def customer_key(stack: Stack, _: Context) -> Iterator[Finding]:
    def s3(bucket: Resource) -> Iterator[Finding]:
        parts = _parts(stack, bucket, S3_ENCRYPTION)
        rules = [rule for part in parts for rule in as_list(part.get_path("rules"))]
        for rule in [*rules, *_own_rules(bucket)]:
            default = get_path(rule, "applyServerSideEncryptionByDefault")
            key = str(get_path(default, "kmsMasterKeyId") or "")
            by_kms = str(get_path(default, "sseAlgorithm") or "").startswith("aws:kms")
            if by_kms and key and not key.endswith("alias/aws/s3"):
                return
        where = "the stack's BucketServerSideEncryptionConfigurations"
        yield Problem("is encrypted with AWS's key", "a KMS key of the stack", where, bucket)

    def gcs(bucket: Resource) -> Iterator[Finding]:
        if not bucket.get_path("encryption.defaultKmsKeyName"):
            where = "encryption.defaultKmsKeyName"
            yield Problem("is encrypted with Google's key", "a key of the stack", where, bucket)

    for type_, check in ((S3, s3), (GCS, gcs)):
        yield from check_each(stack.of(type_), check)


@control(
    "ks-storage-04",
    "Files that were deleted can be had back",
    "medium",
    risk="A flow, a person or a mistaken update that deletes files takes the results of every execution along.",
    steps=(
        "AWS: a BucketVersioning that is Enabled. Google: versioning.enabled. Azure: BlobServiceProperties with "
        "isVersioningEnabled.",
        "Leave forceDestroy out, outside development.",
    ),
    setting=SETTING,
    frameworks=fsbp("S3.14"),
)
def recoverable(stack: Stack, context: Context) -> Iterator[Finding]:
    def stays(bucket: Resource) -> Iterator[Finding]:
        if context.environment != "development" and bucket.get_path("forceDestroy") is True:
            yield Problem("is emptied when it is deleted", "false", "forceDestroy", bucket)

    def s3(bucket: Resource) -> Iterator[Finding]:
        yield from stays(bucket)
        parts = _parts(stack, bucket, S3_VERSIONING)
        is_kept = any(p.get_path("versioningConfiguration.status") == "Enabled" for p in parts)
        if not is_kept and not any(
            raw(one, "enabled") is True for one in _own(bucket, "versioning")
        ):
            where = "the stack's BucketVersionings"
            yield Problem("keeps no versions", "a BucketVersioning, Enabled", where, bucket)

    def gcs(bucket: Resource) -> Iterator[Finding]:
        yield from stays(bucket)
        if bucket.get_path("versioning.enabled") is not True:
            yield Problem("keeps no versions", "true", "versioning.enabled", bucket)

    def blob(account: Resource) -> Iterator[Finding]:
        name = account.props.get("accountName")
        for part in stack.of(BLOB_SERVICE):
            own = part.props.get("accountName")
            is_named = own is not UNKNOWN and name is not UNKNOWN and own == name
            if not is_named and not part.refers_to(account, "accountName"):
                continue
            if part.get_path("isVersioningEnabled") is True:
                return
        where = "the stack's BlobServiceProperties"
        yield Problem("keeps no versions", "isVersioningEnabled: true", where, account)

    for type_, check in ((S3, s3), (GCS, gcs), (BLOB, blob)):
        yield from check_each(stack.of(type_), check)


def _refuses_plain(statement: Statement) -> bool:
    condition = {
        str(key).lower(): str(reveal(value)).lower()
        for operator, keys in statement.condition.items()
        if str(operator).startswith("Bool")
        for key, value in keys.items()
    }
    return (
        not statement.allows
        and not statement.is_inverted
        and statement.is_public
        and bool({"s3:*", "*"} & set(statement.actions))
        and condition == {"aws:securetransport": "false"}
    )


@control(
    "ks-storage-05",
    "Buckets are spoken to over TLS only",
    "high",
    risk="A request without TLS shows its files, and what signs it, to everybody on the way.",
    steps=(
        'AWS: a BucketPolicy that denies s3:* where "aws:SecureTransport" is false.',
        "Azure: leave enableHttpsTrafficOnly on, and set minimumTlsVersion to TLS1_2.",
    ),
    setting=SETTING,
    frameworks=fsbp("S3.5"),
)
def tls_only(stack: Stack, _: Context) -> Iterator[Finding]:
    def s3(bucket: Resource) -> Iterator[Finding]:
        policies = _parts(stack, bucket, S3_POLICY)
        if not any(_refuses_plain(one) for p in policies for one in statements(p, "policy")):
            where = "the stack's BucketPolicies"
            expected = "a denial without aws:SecureTransport"
            yield Problem("answers without TLS", expected, where, bucket)

    def blob(account: Resource) -> Iterator[Finding]:
        if account.get_path("enableHttpsTrafficOnly") is False:
            yield Problem("answers without TLS", "true", "enableHttpsTrafficOnly", account)
        if account.get_path("minimumTlsVersion") not in ("TLS1_2", "TLS1_3"):
            yield Problem("takes old versions of TLS", "TLS1_2", "minimumTlsVersion", account)

    for type_, check in ((S3, s3), (BLOB, blob)):
        yield from check_each(stack.of(type_), check)


@control(
    "ks-storage-06",
    "Storage accounts of Azure take no shared keys",
    "high",
    risk="The account's keys open everything in it, and no role says what for.",
    steps=("Set allowSharedKeyAccess to false.",),
    setting=SETTING,
    types=(BLOB,),
)
def no_shared_keys(account: Resource, _: Context) -> Iterator[Finding]:
    if account.get_path("allowSharedKeyAccess") is not False:
        yield Problem("takes its shared keys", "false", "allowSharedKeyAccess")

"""Requests of Kestra's pods to Amazon S3, each with whether it is to be allowed; for every judge of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from components.backends.aws.permissions import AwsLocation
from components.backends.aws.policy_documents import key_policy
from components.storage.aws.permissions import BucketAccess, bucket_policy, policy
from components.storage.interface import path_prefix
from tests.stores.iam_judge_support import Request

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
HERE = AwsLocation(ACCOUNT, "eu-west-1")
BUCKET, OTHERS = "example-kestra", "example-billing"
KEY = HERE.arn("kms", "key/of-the-bucket")
OTHER_KEY = HERE.arn("kms", "key/of-another-bucket")
ROLE = HERE.role("kestra-kestra")
#: What a stack's settings say of the bucket.
STACKS = {
    "shared": BucketAccess(BUCKET, path_prefix("kestra"), HERE, KEY),
    "deep": BucketAccess(BUCKET, path_prefix("team/kestra/"), HERE, KEY),
    "whole": BucketAccess(BUCKET, path_prefix(None), HERE, KEY),
    "plain": BucketAccess(BUCKET, path_prefix("kestra"), HERE),
}


def arn(key: str = "", bucket: str = BUCKET) -> str:
    """ARN of an object, or without a key of a bucket."""
    return f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"


class Row(NamedTuple):
    """One request."""

    stack: str
    action: str
    resource: str
    context: dict[str, Any]
    allowed: bool
    why: str


def listing(prefix: str) -> dict[str, Any]:
    """What S3 knows of a request for a list, and of one for an object that is not there."""
    return {"s3:prefix": prefix}


def via(target: str, service: str = "s3", region: str = "eu-west-1") -> dict[str, Any]:
    """What KMS knows of a request that a service makes for its caller."""
    return {
        "kms:ViaService": f"{service}.{region}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": target,
    }


FILE, FOLDER, NEXT = arn("kestra/main/flow/file.ion"), arn("kestra/"), arn("kestra-b/main/file.ion")
DEEP, ROOT = arn("team/kestra/main/file.ion"), arn("main/file.ion")
TABLE = [
    # One of several stacks in a bucket
    Row("shared", "s3:GetObject", FILE, {}, True, "reads its file"),
    Row("shared", "s3:PutObject", FILE, {}, True, "writes its file"),
    Row("shared", "s3:DeleteObject", FILE, {}, True, "deletes its file"),
    Row("shared", "s3:AbortMultipartUpload", FILE, {}, True, "takes back an upload"),
    Row("shared", "s3:PutObject", FOLDER, {}, True, "marks its folder"),
    Row("shared", "s3:ListBucket", arn(), listing("kestra/main/"), True, "lists its folder"),
    Row("shared", "s3:ListBucket", arn(), listing("kestra/main/gone.ion"), True, "hears that its file is not there"),
    Row("shared", "s3:ListBucket", arn(), {}, False, "not the whole bucket"),
    Row("shared", "s3:ListBucket", arn(), listing(""), False, "not the whole bucket"),
    Row("shared", "s3:ListBucket", arn(), listing("kestra"), False, "not who else begins like it"),
    Row("shared", "s3:ListBucket", arn(), listing("kestra-b/"), False, "another stack's folder"),
    Row("shared", "s3:GetObject", NEXT, {}, False, "another stack's file"),
    Row("shared", "s3:PutObject", NEXT, {}, False, "another stack's file"),
    Row("shared", "s3:DeleteObject", NEXT, {}, False, "another stack's file"),
    Row("shared", "s3:AbortMultipartUpload", NEXT, {}, False, "another stack's upload"),
    Row("shared", "s3:GetObject", ROOT, {}, False, "a file beside its folder"),
    Row("shared", "s3:GetObjectVersion", FILE, {}, False, "reads no old versions"),
    Row("shared", "s3:DeleteObjectVersion", FILE, {}, False, "a version stays"),
    Row("shared", "s3:ListBucketVersions", arn(), listing("kestra/"), False, "lists no versions"),
    Row("shared", "s3:ListBucketMultipartUploads", arn(), {}, False, "lists no uploads"),
    Row("shared", "s3:PutObjectAcl", FILE, {}, False, "gives nothing away"),
    Row("shared", "s3:GetObjectAcl", FILE, {}, False, "nothing that Kestra asks for"),
    Row("shared", "s3:PutObjectTagging", FILE, {}, False, "nothing that Kestra asks for"),
    Row("shared", "s3:RestoreObject", FILE, {}, False, "nothing that Kestra asks for"),
    Row("shared", "s3:PutObjectRetention", FILE, {}, False, "locks nothing"),
    Row("shared", "s3:BypassGovernanceRetention", FILE, {}, False, "unlocks nothing"),
    Row("shared", "s3:PutBucketPolicy", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:DeleteBucketPolicy", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:GetBucketPolicy", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:PutBucketVersioning", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:PutLifecycleConfiguration", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:PutEncryptionConfiguration", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:PutBucketPublicAccessBlock", arn(), {}, False, "opens nothing"),
    Row("shared", "s3:PutBucketNotification", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("shared", "s3:PutReplicationConfiguration", arn(), {}, False, "copies nothing elsewhere"),
    Row("shared", "s3:DeleteBucket", arn(), {}, False, "the bucket stays"),
    Row("shared", "s3:CreateBucket", arn(bucket="new-bucket"), {}, False, "makes no bucket"),
    Row("shared", "s3:ListAllMyBuckets", "*", {}, False, "sees no other bucket"),
    Row("shared", "s3:GetObject", arn("kestra/main/file.ion", OTHERS), {}, False, "another bucket"),
    Row("shared", "s3:PutObject", arn("kestra/main/file.ion", OTHERS), {}, False, "another bucket"),
    Row("shared", "s3:ListBucket", arn(bucket=OTHERS), listing("kestra/"), False, "another bucket"),
    Row("shared", "s3:GetObject", arn("kestra/x", f"{BUCKET}-b"), {}, False, "a bucket that begins like it"),
    Row("shared", "kms:Decrypt", KEY, via(arn()), True, "through S3, by the bucket's key"),
    Row("shared", "kms:GenerateDataKey", KEY, via(arn()), True, "through S3, by the bucket's key"),
    Row("shared", "kms:Decrypt", KEY, via(FILE), True, "through S3, an object's own key"),
    Row("shared", "kms:Decrypt", KEY, via(NEXT), False, "another stack's object"),
    Row("shared", "kms:Decrypt", KEY, via(arn(bucket=OTHERS)), False, "another bucket under the same key"),
    Row("shared", "kms:Decrypt", KEY, {"kms:EncryptionContext:aws:s3:arn": arn()}, False, "not directly"),
    Row("shared", "kms:Decrypt", KEY, via(arn(), "secretsmanager"), False, "not through another service"),
    Row("shared", "kms:Decrypt", KEY, via(arn(), region="us-east-1"), False, "not through another region"),
    Row("shared", "kms:Decrypt", OTHER_KEY, via(arn()), False, "another key"),
    Row("shared", "kms:Encrypt", KEY, via(arn()), False, "nothing that S3 asks for it"),
    Row("shared", "kms:CreateGrant", KEY, via(arn()), False, "grants nothing"),
    Row("shared", "kms:ScheduleKeyDeletion", KEY, {}, False, "manages no key"),
    Row("shared", "secretsmanager:GetSecretValue", HERE.arn("secretsmanager", "secret:kestra/a-AbCdEf"), {}, False, "nothing else in AWS"),
    Row("shared", "iam:PassRole", ROLE, {}, False, "nothing else in AWS"),
    # A folder in a folder
    Row("deep", "s3:PutObject", DEEP, {}, True, "writes its file"),
    Row("deep", "s3:ListBucket", arn(), listing("team/kestra/main/"), True, "lists its folder"),
    Row("deep", "s3:PutObject", arn("team/"), {}, True, "marks the folder above, as Kestra does"),
    Row("deep", "s3:GetObject", arn("team/"), {}, False, "no more than marks it"),
    Row("deep", "s3:DeleteObject", arn("team/"), {}, False, "no more than marks it"),
    Row("deep", "s3:PutObject", arn("team/other/file.ion"), {}, False, "another stack's file"),
    Row("deep", "s3:ListBucket", arn(), listing("team/"), False, "not the folder above"),
    # A bucket of its own
    Row("whole", "s3:GetObject", ROOT, {}, True, "reads its file"),
    Row("whole", "s3:PutObject", ROOT, {}, True, "writes its file"),
    Row("whole", "s3:ListBucket", arn(), listing("main/"), True, "lists its folder"),
    Row("whole", "s3:ListBucket", arn(), {}, True, "lists its bucket"),
    Row("whole", "s3:DeleteObjectVersion", ROOT, {}, False, "a version stays"),
    Row("whole", "s3:PutBucketPolicy", arn(), {}, False, "the bucket's settings are not Kestra's"),
    Row("whole", "s3:GetObject", arn("main/file.ion", OTHERS), {}, False, "another bucket"),
    Row("whole", "kms:Decrypt", KEY, via(ROOT), True, "through S3"),
    # A bucket without a key of the customer's
    Row("plain", "s3:PutObject", FILE, {}, True, "writes its file"),
    Row("plain", "kms:Decrypt", KEY, via(arn()), False, "a key that the settings do not name"),
]  # fmt: skip


def request_of(
    row: Row, identity: dict[str, Any], resource_policy: dict[str, Any] | None = None
) -> Request:
    """A row as the evaluator of policies takes it."""
    facts = {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": ROLE,
        "aws:PrincipalIsAWSService": "false",
        "aws:SecureTransport": "true",
    }
    if row.action.startswith("kms:"):
        facts["kms:CallerAccount"] = ACCOUNT
        resource_policy = resource_policy or key_policy(HERE, "s3")
    elif row.resource.startswith(arn()):
        name = row.resource.split(":::")[1].split("/")[0]
        resource_policy = resource_policy or bucket_policy(HERE, name)
    return Request(
        ROLE, row.action, row.resource, ACCOUNT, facts | row.context, identity, resource_policy
    )


def table_requests() -> list[Request]:
    """The whole table, each row with the policies of its stack."""
    return [request_of(row, policy(STACKS[row.stack])) for row in TABLE]

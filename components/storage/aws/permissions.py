"""What Kestra's pods may do in a bucket of Amazon S3, as a table and as the policy of their role.

Sources: kestra-io/storage-s3, S3Storage.java (the requests that Kestra makes); AWS Service Authorization Reference,
Amazon S3 (what each request needs); Amazon S3 user guide, SSE-KMS (encryption context of objects and of bucket keys).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...backends.aws.permissions import AwsLocation, Document, document
from ...backends.interface import PermissionRow
from ..interface import MODE


class Scope(StrEnum):
    """On what a permission is; the values are the documentation's."""

    BUCKET = "the bucket, below its path"
    OBJECTS = "objects below its path"
    PARENTS = "the markers of the folders above its path"
    KEY = "the bucket's key, through S3 only"


@dataclass(frozen=True)
class Permission:
    """One statement of the policy."""

    sid: str
    actions: tuple[str, ...]
    scope: Scope
    reason: str


PERMISSIONS = (
    Permission(
        "ListOwnObjects",
        ("s3:ListBucket",),
        Scope.BUCKET,
        "Kestra lists folders. Without it S3 answers 403 in place of 404 for what is not there, and Kestra cannot "
        "write a new file.",
    ),
    Permission(
        "UseOwnObjects",
        ("s3:DeleteObject", "s3:GetObject", "s3:PutObject"),
        Scope.OBJECTS,
        "Kestra reads, writes, moves and deletes its files. A deleted version stays until the bucket's lifecycle ends "
        "it.",
    ),
    Permission(
        "EndUploadsInParts",
        ("s3:AbortMultipartUpload",),
        Scope.OBJECTS,
        "Kestra's client uploads large files in parts, and takes them back when an upload fails.",
    ),
    Permission(
        "MarkFoldersAbove",
        ("s3:PutObject",),
        Scope.PARENTS,
        "Kestra writes an empty object for each folder of its path.",
    ),
    Permission(
        "UseKey",
        ("kms:Decrypt", "kms:GenerateDataKey"),
        Scope.KEY,
        "S3 encrypts and decrypts the objects for Kestra.",
    ),
)


@dataclass(frozen=True)
class BucketAccess:
    """Access to what, and where."""

    bucket: str
    path: str
    """`kestra.storage.s3.path` as it begins the keys of objects, with a slash at its end; empty for the whole bucket."""
    location: AwsLocation
    key_arn: str | None = None
    """The key of the objects; None for one of Amazon S3 itself, which needs no permission."""

    @property
    def bucket_arn(self) -> str:
        """The ARN of the bucket."""
        return f"arn:{self.location.partition}:s3:::{self.bucket}"


def parents_of(path: str) -> tuple[str, ...]:
    """Keys of the folders above a path."""
    parts = path.rstrip("/").split("/")
    return tuple("/".join(parts[:end]) + "/" for end in range(1, len(parts)))


def policy(access: BucketAccess) -> Document:
    """The policy of the role of Kestra's pods."""
    statements = (_statement(one, access) for one in PERMISSIONS)
    return document(*filter(None, statements))


def rows() -> Iterator[PermissionRow]:
    """Each permission, for the documentation."""
    for one in PERMISSIONS:
        yield PermissionRow(MODE, ", ".join(one.actions), one.scope, one.reason)


def _statement(permission: Permission, access: BucketAccess) -> Document | None:
    objects = f"{access.bucket_arn}/{access.path}*"
    resource: Any
    condition: Document = {}
    match permission.scope:
        case Scope.BUCKET:
            resource = access.bucket_arn
            if access.path:
                condition = {"StringLike": {"s3:prefix": f"{access.path}*"}}
        case Scope.OBJECTS:
            resource = objects
        case Scope.PARENTS:
            resource = [f"{access.bucket_arn}/{parent}" for parent in parents_of(access.path)]
        case Scope.KEY:
            resource = access.key_arn
            condition = {
                "StringEquals": {
                    "kms:CallerAccount": access.location.account,
                    "kms:ViaService": access.location.endpoint("s3"),
                },
                # With a bucket key the context is the bucket, without one the object.
                "StringLike": {"kms:EncryptionContext:aws:s3:arn": [access.bucket_arn, objects]},
            }
    if not resource:
        return None
    statement: Document = {
        "Sid": permission.sid,
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": resource,
    }
    return statement | ({"Condition": condition} if condition else {})


def bucket_policy(location: AwsLocation, bucket: str) -> Document:
    """The policy of a bucket that the stack makes: no other account, and no connection without TLS."""
    arn = f"arn:{location.partition}:s3:::{bucket}"
    refused: Document = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
    }
    return document(
        {
            "Sid": "NoOtherAccount",
            **refused,
            "Condition": {
                "StringNotEquals": {"aws:PrincipalAccount": location.account},
                # Services of AWS belong to no account.
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        },
        {
            "Sid": "NoConnectionWithoutTls",
            **refused,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )

"""Writes, lists, reads and deletes a file in the bucket of a stack as Kestra's pods would, and tries what they may not."""

from __future__ import annotations

from typing import Any

from components.settings import Settings
from components.storage.interface import path_prefix, storage_key
from components.storage.registry import storage_of
from sandbox.cloud_check import answer_of, as_role, check_row
from sandbox.clouds import Clouds
from sandbox.services import AwsServer

PROBE = "kestra-sandbox-probe"


def check_storage(clouds: Clouds, settings: Settings, principal: str) -> list[dict[str, Any]]:
    """One group of checks, where the storage has a server on this machine.

    Args:
        clouds: the servers.
        settings: the stack's settings.
        principal: who Kestra's pods are to the bucket, as the stack's output says.
    """
    storage = storage_of(settings)
    if storage is None or storage.cloud != "aws" or clouds.aws is None:
        return []
    return [{"id": "storage", "checks": _s3(clouds.aws, settings, principal)}]


def _s3(server: AwsServer, settings: Settings, principal: str) -> list[dict[str, Any]]:
    bucket, block = settings.storage_bucket, settings.storage and settings.storage.s3
    assert bucket is not None
    assert block is not None
    if not bucket.create:
        return [check_row("the bucket is others': what may be done in it is not tried", True)]
    if settings.identity.aws.role_arn or block.sts_role_arn:
        return [check_row("the role's policy is its owner's: what it may is not tried", True)]
    region = block.region or server.environment["AWS_REGION"]
    s3 = server.client("s3", region, **as_role(server, principal, region))
    at = {"Bucket": block.bucket}
    path = path_prefix(storage_key(settings, "path"))
    key = f"{path}main/{PROBE}"
    # This server takes what a bucket's policy denies under a condition for denied to all: the policy is away, and the
    # server judges actions, as long as the role is tried.
    owner = server.client("s3", region)
    own = owner.get_bucket_policy(**at)["Policy"]
    owner.delete_bucket_policy(**at)
    server.enforce()
    try:
        written = answer_of(s3.put_object, **at, Key=key, Body=PROBE.encode())
        read = answer_of(s3.get_object, **at, Key=key)
        listed = answer_of(s3.list_objects_v2, **at, Prefix=f"{path}main/") or {}
        deleted = answer_of(s3.delete_object, **at, Key=key)
        version = (written or {}).get("VersionId", "")
        ended = answer_of(s3.delete_object, **at, Key=key, VersionId=version)
        opened = answer_of(s3.delete_public_access_block, **at)
        unlocked = answer_of(s3.delete_bucket_policy, **at)
        return [
            check_row("a file is written", written is not None),
            check_row("it is encrypted with a key in KMS", (written or {}).get("ServerSideEncryption") == "aws:kms"),
            check_row("it is read", read is not None and read["Body"].read() == PROBE.encode()),
            check_row("it is listed", key in [one["Key"] for one in listed.get("Contents", [])]),
            check_row("it is deleted, and its version stays", deleted is not None and bool(version)),
            check_row("ending a version is refused", ended is None),
            check_row("opening the bucket is refused", opened is None and unlocked is None),
        ]  # fmt: skip
    finally:
        server.relax()
        _forget(owner, block.bucket, key)
        owner.put_bucket_policy(**at, Policy=own)


def _forget(owner: Any, bucket: str, key: str) -> None:
    """Every version of the probe, and its marker."""
    every = owner.list_object_versions(Bucket=bucket, Prefix=key)
    for one in (*every.get("Versions", []), *every.get("DeleteMarkers", [])):
        owner.delete_object(Bucket=bucket, Key=key, VersionId=one["VersionId"])

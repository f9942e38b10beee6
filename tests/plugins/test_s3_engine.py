"""Buckets of the aws stand-in, through the real engine, on a local AWS API server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from components.backends.login import Identity
from components.storage.aws.bucket import S3Storage
from components.validation import load
from sandbox.clouds import Clouds
from sandbox.services import AwsServer
from sandbox.storage_check import check_storage
from tests.components.test_storage_aws import bucket, storage
from tests.plugins.aws_stack_support import AwsStack
from tests.settings.malformed_fixtures import oss

pytestmark = pytest.mark.engine

NAME, TAKEN = "files-of-kestra", "files-of-others"


@pytest.fixture
def stack(tmp_path: Path, aws_server: AwsServer, tools: dict[str, Path]) -> AwsStack:
    return AwsStack(tmp_path, aws_server, tools["pulumi"])


def program(days: int = 30, name: str = NAME) -> Callable[[], None]:
    """The bucket of a stack, and the role of its pods."""
    chosen = {"create": True, "aws": {"noncurrent-days": days}}
    document = bucket(oss(), storage=storage(path="kestra", bucket=name), storage_bucket=chosen)
    settings = load(document, source="test").settings

    def register() -> None:
        component = S3Storage("storage", settings, Identity())
        pulumi.export("principal", component.identity.principal)

    return register


def test_a_bucket_is_made_changed_watched_and_kept_as_long_as_it_has_files(
    stack: AwsStack, aws_server: AwsServer
) -> None:
    changes, outputs = stack.up(program())
    assert changes["create"] >= 11
    assert stack.preview(program()) == {}
    document = bucket(oss(), storage=storage(path="kestra"))
    settings = load(document, source="test").settings
    (group,) = check_storage(Clouds(aws=aws_server), settings, outputs["principal"])
    assert [check["what"] for check in group["checks"] if not check["ok"]] == []
    assert stack.up(program(days=90))[0]["update"] == 1
    s3 = stack.client("s3")
    rule = s3.get_bucket_lifecycle_configuration(Bucket=NAME)["Rules"][0]
    assert rule["NoncurrentVersionExpiration"]["NoncurrentDays"] == 90
    # Somebody opens the bucket, and takes its policy away: the next update sets both back.
    s3.put_public_access_block(Bucket=NAME, PublicAccessBlockConfiguration={"BlockPublicAcls": False})  # fmt: skip
    s3.delete_bucket_policy(Bucket=NAME)
    s3.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Suspended"})
    stack.refresh(program(days=90))
    mended = stack.up(program(days=90))[0]
    assert (mended["update"], mended["create"]) == (2, 1)
    closed = s3.get_public_access_block(Bucket=NAME)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    assert s3.get_bucket_versioning(Bucket=NAME)["Status"] == "Enabled"
    assert "NoConnectionWithoutTls" in s3.get_bucket_policy(Bucket=NAME)["Policy"]
    # moto takes a denial under a condition for one without.
    s3.delete_bucket_policy(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="kestra/main/file.ion", Body=b"a")
    with pytest.raises(Exception, match="BucketNotEmpty"):
        stack.destroy(program(days=90))
    assert s3.get_object(Bucket=NAME, Key="kestra/main/file.ion")["Body"].read() == b"a"
    for one in s3.list_object_versions(Bucket=NAME)["Versions"]:
        s3.delete_object(Bucket=NAME, Key=one["Key"], VersionId=one["VersionId"])
    stack.destroy(program(days=90))
    assert NAME not in [one["Name"] for one in s3.list_buckets()["Buckets"]]


def test_a_name_that_others_have_is_refused_in_awss_words(stack: AwsStack) -> None:
    stack.client("s3").create_bucket(
        Bucket=TAKEN, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    try:
        assert "BucketAlreadyOwnedByYou" in stack.refused(program(name=TAKEN))
    finally:
        stack.client("s3").delete_bucket(Bucket=TAKEN)
        stack.destroy(program(name=TAKEN))


def test_what_the_stand_in_does_not_have_is_refused(stack: AwsStack) -> None:
    def inline() -> None:
        aws.s3.Bucket("b", bucket="inline-of-kestra", acl="private")

    assert "acl" in stack.refused(inline, preview=True)

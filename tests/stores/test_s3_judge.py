"""Two judges of Kestra's pods in Amazon S3: ministack with real requests of boto3, and the evaluator of policies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from components.backends.aws.policy_documents import irsa_trust
from components.storage.aws.permissions import bucket_policy, policy
from tests.settings.malformed_fixtures import OIDC
from tests.stores.iam_judge_support import judge
from tests.stores.ministack_support import Account, Ministack, is_allowed
from tests.stores.s3_requests_support import (
    ACCOUNT,
    BUCKET,
    HERE,
    OTHERS,
    STACKS,
    TABLE,
    Row,
    table_requests,
)

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.long("access")]

ISSUER = OIDC.split(":oidc-provider/")[1]
WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
#: Requests that cannot be made of the server: those of a service for its caller, and what has no request of its own.
NOT_ASKED = ("kms:", "iam:", "secretsmanager:", "s3:BypassGovernanceRetention")
_RULES = [{"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
_KEYS = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
_COPIES = {
    "Role": f"arn:aws:iam::{ACCOUNT}:role/copies",
    "Rules": [
        {
            "ID": "a",
            "Priority": 1,
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "DeleteMarkerReplication": {"Status": "Disabled"},
            "Destination": {"Bucket": f"arn:aws:s3:::{OTHERS}"},
        }
    ],
}
#: Action to its request, with client, bucket, prefix of a list.
BUCKET_CALLS: Mapping[str, Callable[[Any, str, Any], Any]] = {
    "ListBucket": lambda c, b, prefix: c.list_objects_v2(Bucket=b, **prefix),
    "ListBucketVersions": lambda c, b, prefix: c.list_object_versions(Bucket=b, **prefix),
    "ListBucketMultipartUploads": lambda c, b, _: c.list_multipart_uploads(Bucket=b),
    "PutBucketPolicy": lambda c, b, _: c.put_bucket_policy(
        Bucket=b, Policy=json.dumps(bucket_policy(HERE, b))
    ),
    "DeleteBucketPolicy": lambda c, b, _: c.delete_bucket_policy(Bucket=b),
    "GetBucketPolicy": lambda c, b, _: c.get_bucket_policy(Bucket=b),
    "PutBucketVersioning": lambda c, b, _: c.put_bucket_versioning(
        Bucket=b, VersioningConfiguration={"Status": "Enabled"}
    ),
    "PutLifecycleConfiguration": lambda c, b, _: c.put_bucket_lifecycle_configuration(
        Bucket=b, LifecycleConfiguration={"Rules": _RULES}
    ),
    "PutEncryptionConfiguration": lambda c, b, _: c.put_bucket_encryption(
        Bucket=b, ServerSideEncryptionConfiguration={"Rules": _KEYS}
    ),
    "PutBucketPublicAccessBlock": lambda c, b, _: c.put_public_access_block(
        Bucket=b, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
    ),
    "PutBucketNotification": lambda c, b, _: c.put_bucket_notification_configuration(
        Bucket=b, NotificationConfiguration={}
    ),
    "PutReplicationConfiguration": lambda c, b, _: c.put_bucket_replication(
        Bucket=b, ReplicationConfiguration=_COPIES
    ),
    "DeleteBucket": lambda c, b, _: c.delete_bucket(Bucket=b),
    "CreateBucket": lambda c, b, _: c.create_bucket(
        Bucket=b, CreateBucketConfiguration={"LocationConstraint": HERE.region}
    ),
    "ListAllMyBuckets": lambda c, *_: c.list_buckets(),
}
#: Action to its request, with client, and where the object is.
OBJECT_CALLS: Mapping[str, Callable[[Any, Mapping[str, str], str], Any]] = {
    "GetObject": lambda c, at, _: c.get_object(**at),
    "PutObject": lambda c, at, _: c.put_object(**at, Body=b"a"),
    "DeleteObject": lambda c, at, _: c.delete_object(**at),
    "GetObjectVersion": lambda c, at, version: c.get_object(**at, VersionId=version),
    "DeleteObjectVersion": lambda c, at, version: c.delete_object(**at, VersionId=version),
    "PutObjectAcl": lambda c, at, _: c.put_object_acl(**at, ACL="private"),
    "GetObjectAcl": lambda c, at, _: c.get_object_acl(**at),
    "PutObjectTagging": lambda c, at, _: c.put_object_tagging(
        **at, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    ),
    "RestoreObject": lambda c, at, _: c.restore_object(**at, RestoreRequest={"Days": 1}),
    "PutObjectRetention": lambda c, at, _: c.put_object_retention(
        **at, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": "2030-01-01T00:00:00Z"}
    ),
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    server = Ministack(tmp_path_factory.mktemp("ministack"))
    server.start()
    try:
        account = Account(server, ACCOUNT)
        account.create_role(irsa_trust(OIDC, "kestra", "kestra"))
        assert account.assume(ISSUER, "system:serviceaccount:kestra:kestra")
        for bucket in (BUCKET, OTHERS, f"{BUCKET}-b"):
            _bucket(account, bucket)
        yield account
    finally:
        server.stop()


def _bucket(account: Account, name: str) -> None:
    owner = account.owner("s3")
    BUCKET_CALLS["CreateBucket"](owner, name, "")
    BUCKET_CALLS["PutBucketVersioning"](owner, name, "")
    BUCKET_CALLS["PutBucketPolicy"](owner, name, "")


def _can_ask(row: Row) -> bool:
    # ministack judges a key that ends in a slash as one that does not (the last test shows it).
    return not row.action.startswith(NOT_ASKED) and not row.resource.endswith("/")


def _ask(account: Account, row: Row) -> bool:
    """Whether ministack allows the request of a row."""
    client, owner = account.kestra("s3"), account.owner("s3")
    action = row.action.partition(":")[2]
    bucket, _, key = row.resource.rpartition(":::")[2].partition("/")
    if action in BUCKET_CALLS:
        prefix: Any = {"Prefix": row.context["s3:prefix"]} if row.context else {}
        try:
            return is_allowed(lambda: BUCKET_CALLS[action](client, bucket, prefix))
        finally:
            if action == "DeleteBucketPolicy":
                BUCKET_CALLS["PutBucketPolicy"](owner, bucket, "")
    at = {"Bucket": bucket, "Key": key}
    if action == "AbortMultipartUpload":
        upload = owner.create_multipart_upload(**at)["UploadId"]
        return is_allowed(lambda: client.abort_multipart_upload(**at, UploadId=upload))
    version = owner.put_object(**at, Body=b"a")["VersionId"]
    return is_allowed(lambda: OBJECT_CALLS[action](client, at, version))


@pytest.fixture(scope="module")
def decisions(account: Account) -> dict[int, bool]:
    """Row of the table that can be asked, to whether ministack allows it."""
    answers: dict[int, bool] = {}
    for stack, access in STACKS.items():
        account.attach(policy(access))
        for number, row in enumerate(TABLE):
            if row.stack == stack and _can_ask(row):
                answers[number] = _ask(account, row)
    return answers


def test_ministack_the_evaluator_and_the_table_say_the_same(decisions: dict[int, bool]) -> None:
    assert len(decisions) >= 50
    evaluated = [answer == "Allowed" for answer in judge(table_requests())]
    disagreements = {
        (row.stack, row.action, row.why): (decisions[number], evaluated[number], row.allowed)
        for number, row in enumerate(TABLE)
        if number in decisions and {decisions[number], evaluated[number]} != {row.allowed}
    }
    assert disagreements == {}


def test_what_the_table_denies_ministack_allows_to_a_wide_policy(account: Account) -> None:
    account.attach(WIDE)
    denied = [row for row in TABLE if not row.allowed and _can_ask(row)]
    # Last what takes the bucket away.
    denied.sort(key=lambda row: row.action == "s3:DeleteBucket")
    assert len(denied) >= 30
    assert [row for row in denied if not _ask(account, row)] == []


def test_kestra_writes_moves_and_deletes_its_files_and_no_others(account: Account) -> None:
    account.attach(policy(STACKS["deep"]))
    kestra, owner = account.kestra("s3"), account.owner("s3")
    at = {"Bucket": BUCKET}
    owner.put_object(**at, Key="team/other/secret.ion", Body=b"b")
    own = "team/kestra/main/a.ion"
    upload = kestra.create_multipart_upload(**at, Key=own)["UploadId"]
    part = kestra.upload_part(**at, Key=own, UploadId=upload, PartNumber=1, Body=b"a")
    kestra.complete_multipart_upload(
        **at, Key=own, UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )  # fmt: skip
    kestra.copy_object(
        **at, Key="team/kestra/main/b.ion", CopySource={"Bucket": BUCKET, "Key": own}
    )
    listed = kestra.list_objects_v2(**at, Prefix="team/kestra/main/")["Contents"]
    assert {one["Key"] for one in listed} >= {own, "team/kestra/main/b.ion"}
    other = {"Bucket": BUCKET, "Key": "team/other/secret.ion"}
    # AWS answers for each object, ministack for all of them.
    both = {"Objects": [{"Key": own}, {"Key": other["Key"]}]}
    assert not is_allowed(lambda: kestra.delete_objects(**at, Delete=both))
    assert owner.get_object(**other)["Body"].read() == b"b"
    answer = kestra.delete_objects(**at, Delete={"Objects": [{"Key": own}]})
    assert [one["Key"] for one in answer["Deleted"]] == [own]
    for request in (
        lambda: kestra.copy_object(**at, Key=own, CopySource=other),
        lambda: kestra.copy_object(**other, CopySource={"Bucket": BUCKET, "Key": own}),
    ):
        assert not is_allowed(request)
    # What Kestra deleted is there as an old version, which it cannot end.
    versions = owner.list_object_versions(**at, Prefix=own)["Versions"]
    assert versions
    version = versions[0]["VersionId"]
    assert not is_allowed(lambda: kestra.delete_object(**at, Key=own, VersionId=version))


def test_a_connection_without_tls_is_refused(account: Account) -> None:
    account.attach(policy(STACKS["shared"]))
    at = {"Bucket": BUCKET, "Key": "kestra/a.ion"}
    account.kestra("s3").put_object(**at, Body=b"a")
    with pytest.raises(ClientError, match="AccessDenied"):
        account.kestra("s3", tls=False).get_object(**at)


def test_ministack_takes_no_slash_at_the_end_of_a_key(account: Account) -> None:
    """Where this fails, ministack has learned it: ask the rows of markers, too."""
    account.attach(policy(STACKS["deep"]))
    marker = {"Bucket": BUCKET, "Key": "team/kestra/"}
    assert not is_allowed(lambda: account.kestra("s3").put_object(**marker))

"""What Kestra's pods may do in Amazon S3, request by request, judged by an evaluator that is not ours."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from components.storage.aws.permissions import (
    PERMISSIONS,
    bucket_policy,
    parents_of,
    policy,
)
from components.storage.interface import path_prefix
from tests.stores.iam_judge_support import judge
from tests.stores.s3_requests_support import (
    BUCKET,
    FILE,
    HERE,
    OTHER_ACCOUNT,
    STACKS,
    TABLE,
    Row,
    request_of,
    table_requests,
)

WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


@pytest.mark.node
def test_each_request_is_allowed_or_denied_as_the_table_says() -> None:
    assert len(TABLE) >= 40
    wrong = [
        f"{row.stack}: {row.action} on {row.resource} {row.context} ({row.why}): {verdict}"
        for row, verdict in zip(TABLE, judge(table_requests()), strict=True)
        if (verdict == "Allowed") != row.allowed
    ]
    assert wrong == []


@pytest.mark.node
def test_what_the_table_denies_in_the_bucket_a_wide_policy_allows() -> None:
    denied = [row for row in TABLE if not row.allowed and row.action.startswith("s3:")]
    assert set(judge([request_of(row, WIDE) for row in denied])) == {"Allowed"}


@pytest.mark.node
def test_a_bucket_is_closed_to_other_accounts_and_to_connections_without_tls() -> None:
    opened = bucket_policy(HERE, BUCKET)
    resource = f"arn:aws:s3:::{BUCKET}/*"
    opened["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource})  # fmt: skip
    mine = request_of(Row("shared", "s3:GetObject", FILE, {}, True, ""), policy(STACKS["shared"]), opened)  # fmt: skip
    plain = replace(mine, context=mine.context | {"aws:SecureTransport": "false"})
    stranger = f"arn:aws:iam::{OTHER_ACCOUNT}:role/stranger"
    facts = {"aws:PrincipalAccount": OTHER_ACCOUNT, "aws:PrincipalArn": stranger}
    foreign = replace(mine, principal=stranger, context=mine.context | facts)
    assert judge([mine, plain, foreign]) == ["Allowed", "ExplicitlyDenied", "ExplicitlyDenied"]


def test_the_actions_are_those_of_the_requests_that_kestra_makes() -> None:
    # kestra-io/storage-s3, S3Storage.java: headObject, getObject, putObject, copyObject, deleteObject, deleteObjects,
    # listObjects(V2), and uploads in parts.
    actions = {action for one in PERMISSIONS for action in one.actions if action[:3] == "s3:"}
    assert actions == {
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:ListBucket",
        "s3:PutObject",
    }


@pytest.mark.parametrize(
    ("path", "prefix", "parents"),
    [
        (None, "", ()),
        ("kestra", "kestra/", ()),
        ("kestra/", "kestra/", ()),
        ("a/b/c", "a/b/c/", ("a/", "a/b/")),
    ],
)
def test_a_path_is_a_folder_with_folders_above_it(
    path: str | None, prefix: str, parents: tuple[str, ...]
) -> None:
    assert path_prefix(path) == prefix
    assert parents_of(prefix) == parents


def test_no_permission_stands_on_every_resource() -> None:
    for access in STACKS.values():
        for statement in policy(access)["Statement"]:
            assert "*" not in (statement["Resource"], statement["Action"])
        assert len(json.dumps(policy(access))) < 3_000

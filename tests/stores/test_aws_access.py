"""What Kestra's role may do in AWS, request by request, judged by an evaluator that is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.backends.aws.permissions import (
    PARAMETERS,
    PERMISSIONS,
    SECRETS,
    access,
    policy,
)
from components.backends.aws.policy_documents import (
    ADMINISTRATION,
    assume_policy,
    irsa_trust,
    key_policy,
    pod_identity_trust,
    secret_policy,
)
from sandbox.errors import SandboxError
from tests.settings.malformed_fixtures import OIDC
from tests.stores import iam_judge_support
from tests.stores.aws_requests_support import (
    ACCOUNT,
    HERE,
    KEY,
    MANAGED,
    OTHER_ACCOUNT,
    OURS,
    RECOVERY,
    ROLE,
    SETTINGS,
    TABLE,
    TAG,
    TARGET,
    Row,
    request_of,
    table_requests,
    via,
)
from tests.stores.iam_judge_support import Request, judge


@pytest.mark.node
def test_each_request_is_allowed_or_denied_as_the_table_says() -> None:
    assert len(TABLE) >= 40
    wrong = [
        f"{row.settings}: {row.action} on {row.resource} ({row.why}): {verdict}"
        for row, verdict in zip(TABLE, judge(table_requests()), strict=True)
        if (verdict == "Allowed") != row.allowed
    ]
    assert wrong == []


@pytest.mark.node
def test_what_the_table_denies_a_wide_policy_allows() -> None:
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    key = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:*", "Resource": "*"}]}  # fmt: skip
    denied = [row for row in TABLE if not row.allowed and f":{OTHER_ACCOUNT}:" not in row.resource]
    requests = [replace(request_of(row, wide, key), resource_policy=key if row.action.startswith("kms:") else None) for row in denied]  # fmt: skip
    assert set(judge(requests)) == {"Allowed"}


@pytest.mark.node
@pytest.mark.parametrize("layer", ["role", "secret"])
def test_each_policy_alone_keeps_the_recovery_copy_from_kestra(layer: str) -> None:
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    mine = policy(access(SETTINGS["managed"], HERE, KEY))
    row = Row("managed", "secretsmanager:GetSecretValue", RECOVERY, MANAGED, False, "")
    asked = request_of(row, wide if layer == "secret" else mine, {})
    asked = replace(asked, resource_policy=asked.resource_policy if layer == "secret" else None)
    assert judge([asked]) == ["ExplicitlyDenied"]


@pytest.mark.node
def test_a_declared_secret_is_closed_to_other_accounts_and_to_connections_without_tls() -> None:
    opened = secret_policy(HERE)
    opened["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})  # fmt: skip
    row = Row("read", "secretsmanager:GetSecretValue", OURS, {}, True, "")
    mine = replace(request_of(row, policy(access(SETTINGS["read"], HERE, KEY)), {}), resource_policy=opened)  # fmt: skip
    plain = replace(mine, context=mine.context | {"aws:SecureTransport": "false"})
    stranger = f"arn:aws:iam::{OTHER_ACCOUNT}:role/stranger"
    facts = {"aws:PrincipalAccount": OTHER_ACCOUNT, "aws:PrincipalArn": stranger}
    foreign = replace(mine, principal=stranger, context=mine.context | facts)
    assert judge([mine, plain, foreign]) == ["Allowed", "ExplicitlyDenied", "ExplicitlyDenied"]


ADMINISTRATOR = HERE.role("key-administrators")
#: Who, action, through what, administrators named, allowed.
KEY_TABLE = [
    (ADMINISTRATOR, "kms:ScheduleKeyDeletion", {}, True, True),
    (ADMINISTRATOR, "kms:PutKeyPolicy", {}, True, True),
    (ADMINISTRATOR, "kms:Decrypt", {}, True, False),
    (ADMINISTRATOR, "kms:GenerateDataKey", {}, True, False),
    (ADMINISTRATOR, "kms:CreateGrant", {}, True, False),
    (HERE.role("deployment"), "kms:ScheduleKeyDeletion", {}, True, False),
    (HERE.role("deployment"), "kms:ScheduleKeyDeletion", {}, False, True),
    (HERE.role("deployment"), "kms:Decrypt", {}, False, False),
    (HERE.role("deployment"), "kms:CreateGrant", {}, False, False),
    (HERE.role("deployment"), "kms:GenerateDataKey", via(OURS), True, True),
    (HERE.role("deployment"), "kms:GenerateDataKey", via(OURS, "ssm"), True, False),
    (HERE.role("deployment"), "kms:Decrypt", via(OURS, "s3"), True, False),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:role/stranger", "kms:Decrypt", via(OURS), True, False),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:role/stranger", "kms:ScheduleKeyDeletion", {}, False, False),
]  # fmt: skip


@pytest.mark.node
def test_the_key_is_managed_by_some_and_used_by_others_through_the_service_only() -> None:
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "kms:*", "Resource": "*"}],
    }
    asked = [
        Request(
            who,
            action,
            KEY,
            ACCOUNT,
            {"kms:CallerAccount": who.split(":")[4], **context},
            everything,
            key_policy(HERE, "secretsmanager", (ADMINISTRATOR,) if named else ()),
        )
        for who, action, context, named, _ in KEY_TABLE
    ]
    verdicts = [result == "Allowed" for result in judge(asked)]
    assert verdicts == [row[-1] for row in KEY_TABLE]
    assert not {"kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom"} & set(ADMINISTRATION)


ASSUME_TABLE: list[tuple[str, str, dict[str, Any], bool]] = [
    ("sts:AssumeRole", TARGET, {"sts:ExternalId": "kestra-7"}, True),
    ("sts:AssumeRole", TARGET, {"sts:ExternalId": "another"}, False),
    ("sts:AssumeRole", TARGET, {}, False),
    ("sts:AssumeRole", HERE.role("administrator"), {"sts:ExternalId": "kestra-7"}, False),
    ("sts:TagSession", TARGET, {}, False),
    ("secretsmanager:ListSecrets", "*", {}, False),
    ("secretsmanager:GetSecretValue", OURS, {TAG: "kestra"}, False),
    ("kms:Decrypt", KEY, via(OURS), False),
]


@pytest.mark.node
def test_with_a_role_to_assume_the_pods_role_does_nothing_else() -> None:
    # Both roles leave it to the account's IAM who takes them.
    trusted = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": ["sts:AssumeRole", "sts:TagSession"]}]}  # fmt: skip

    def asked(mine: dict[str, Any]) -> list[Request]:
        return [
            Request(
                ROLE,
                action,
                resource,
                ACCOUNT if resource == "*" else resource.split(":")[4],
                context | ({"kms:CallerAccount": ACCOUNT} if action.startswith("kms:") else {}),
                mine,
                trust
                if action.startswith("sts:")
                else key_policy(HERE, "secretsmanager")
                if action.startswith("kms:")
                else None,
            )
            for action, resource, context, _ in ASSUME_TABLE
        ]

    verdicts = [r == "Allowed" for r in judge(asked(assume_policy(TARGET, "kestra-7")))]
    assert verdicts == [row[-1] for row in ASSUME_TABLE]
    tagged = [r == "Allowed" for r in judge(asked(assume_policy(TARGET, "kestra-7", tagged=True)))]
    assert tagged == [row[-1] or row[0] == "sts:TagSession" for row in ASSUME_TABLE]


CLUSTER = HERE.arn("eks", "cluster/production")
SESSION = {
    "aws:SourceAccount": ACCOUNT,
    "aws:RequestTag/eks-cluster-arn": CLUSTER,
    "aws:RequestTag/kubernetes-namespace": "kestra",
    "aws:RequestTag/kubernetes-service-account": "kestra",
}


@pytest.mark.node
@pytest.mark.parametrize(
    ("changed", "allowed"),
    [
        ({}, True),
        ({"aws:RequestTag/kubernetes-namespace": "default"}, False),
        ({"aws:RequestTag/kubernetes-service-account": "default"}, False),
        ({"aws:RequestTag/eks-cluster-arn": HERE.arn("eks", "cluster/staging")}, False),
        ({"aws:SourceAccount": OTHER_ACCOUNT}, False),
    ],
)
def test_pod_identity_gives_the_role_to_one_service_account_of_one_cluster(
    changed: dict[str, Any], allowed: bool
) -> None:
    trust = pod_identity_trust(HERE, "production", "kestra", "kestra")
    request = Request("pods.eks.amazonaws.com", "sts:AssumeRole", ROLE, ACCOUNT, SESSION | changed, None, trust)  # fmt: skip
    assert (judge([request])[0] == "Allowed") == allowed


def test_a_token_gives_the_role_to_one_service_account_only() -> None:
    (statement,) = irsa_trust(OIDC, "kestra", "kestra")["Statement"]
    issuer = OIDC.split(":oidc-provider/")[1]
    assert statement == {
        "Sid": "OneServiceAccount",
        "Effect": "Allow",
        "Principal": {"Federated": OIDC},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                f"{issuer}:aud": "sts.amazonaws.com",
                f"{issuer}:sub": "system:serviceaccount:kestra:kestra",
            }
        },
    }


#: Actions of each mode in Kestra's documentation, enterprise/governance/secrets-manager.
DOCUMENTED = {
    (SECRETS, "read-only"): "DescribeSecret GetSecretValue ListSecrets",
    (
        SECRETS,
        "managed",
    ): "CreateSecret DeleteSecret DescribeSecret GetSecretValue ListSecrets PutSecretValue "
    "RestoreSecret TagResource UpdateSecret",
    (PARAMETERS, "read-only"): "DescribeParameters GetParameter ListTagsForResource",
    (PARAMETERS, "managed"): "AddTagsToResource DeleteParameter DescribeParameters GetParameter "
    "ListTagsForResource PutParameter RemoveTagsFromResource",
}
ENCRYPTION = {
    (SECRETS, "read-only"): "Decrypt",
    (SECRETS, "managed"): "Decrypt GenerateDataKey",
    (PARAMETERS, "read-only"): "Decrypt",
    (PARAMETERS, "managed"): "Decrypt Encrypt",
}


@pytest.mark.parametrize(("manager", "mode"), list(DOCUMENTED))
def test_the_actions_of_a_mode_are_those_that_kestra_documents(manager: str, mode: str) -> None:
    actions = sorted(a for p in PERMISSIONS[manager] if mode in p.modes for a in p.actions)
    service = "ssm" if manager == PARAMETERS else "secretsmanager"
    documented = [f"{service}:{a}" for a in DOCUMENTED[manager, mode].split()]  # type: ignore[index]
    keys = [f"kms:{a}" for a in ENCRYPTION[manager, mode].split()]  # type: ignore[index]
    assert actions == sorted(documented + keys)


def test_a_policy_is_within_the_size_that_iam_takes() -> None:
    for settings in SETTINGS.values():
        text = json.dumps(policy(access(settings, HERE, KEY)), separators=(",", ":"))
        assert len(text) <= 10_240


def test_a_machine_without_node_is_told_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        SandboxError, match=r"node is not installed\. Install Node\.js 20"
    ) as caught:
        judge([])
    assert "\n" not in str(caught.value)


def test_a_half_installed_judge_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KESTRA_SANDBOX_CACHE", str(tmp_path))

    def interrupted(command: list[str], cwd: Path, **_: Any) -> None:
        (cwd / "node_modules").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(iam_judge_support.subprocess, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        iam_judge_support.folder()
    assert [p.name for p in (tmp_path / "tests").iterdir() if not p.name.endswith(".lock")] == []

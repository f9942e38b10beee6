"""What Kestra's role may do in AWS, request by request, judged by an evaluator that is not ours."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from components.backends.aws.permissions import (
    PARAMETERS,
    PERMISSIONS,
    SECRETS,
    AwsLocation,
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
from components.settings import Settings
from components.validation import load
from sandbox.errors import SandboxError
from tests.settings.malformed_fixtures import OIDC, secret, ssm
from tests.stores import iam_judge_support
from tests.stores.iam_judge_support import Request, judge

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
HERE = AwsLocation(ACCOUNT, "eu-west-1")
KEY = HERE.arn("kms", "key/of-the-stack")
OTHER_KEY = HERE.arn("kms", "key/of-another-application")
ROLE = HERE.role("kestra-kestra")
TARGET = f"arn:aws:iam::{OTHER_ACCOUNT}:role/secrets"
IDENTITY = {"aws": {"irsa": {"oidc-provider-arn": OIDC}}}
DECLARED = {"TOKEN": {"namespace": "company.team", "generate": {}}}
TAGGED = {"prefix": "team-a", "filter-on-tags": {"tags": {"team": "a"}}}


def _settings(document: dict[str, Any]) -> Settings:
    return load({"store": {"aws": {}}, "identity": IDENTITY} | document, source="test").settings


SETTINGS = {
    "read": _settings(
        secret("aws-secret-manager", {"region": "eu-west-1"}, read_only=True)
        | {"declared-secrets": DECLARED}
    ),
    "tagged": _settings(secret("aws-secret-manager", TAGGED, read_only=True)),
    "managed": _settings(secret("aws-secret-manager", {"region": "eu-west-1"})),
    "ssm-read": _settings(
        ssm({"filter-on-prefix": {"prefix": "kestra-"}}, read_only=True, declared_secrets=DECLARED)
    ),
    "ssm-exact": _settings(ssm({}, read_only=True, declared_secrets=DECLARED)),
    "ssm-managed": _settings(ssm({})),
}


def _secret(name: str, place: AwsLocation = HERE) -> str:
    return place.arn("secretsmanager", f"secret:{name}-AbCdEf")


def _parameter(name: str) -> str:
    return HERE.arn("ssm", f"parameter/{name}")


OURS, ANOTHERS = _secret("kestra/main/company.team/TOKEN"), _secret("billing/main/a/TOKEN")
LOOKALIKE, RECOVERY = _secret("kestra-b/main/a/TOKEN"), _secret("stack-kestra/encryption-key")
GENERATED = _secret("0f3c9a")
PARAMETER, LOOSE = _parameter("kestra-TOKEN"), _parameter("TOKEN")
KEPT = _parameter("stack-kestra-encryption-key")
HASHED = _parameter("kestra-0f3c9a")
TAG, ASKED = "aws:ResourceTag/prefix", "aws:RequestTag/prefix"


def _via(arn: str, service: str = "secretsmanager", region: str = "eu-west-1") -> dict[str, Any]:
    """What KMS knows of a request that a service makes for its caller."""
    named = "PARAMETER_ARN" if ":ssm:" in arn else "SecretARN"
    return {
        "kms:ViaService": f"{service}.{region}.amazonaws.com",
        f"kms:EncryptionContext:{named}": arn,
    }


class Row(NamedTuple):
    """One request of Kestra's role."""

    settings: str
    action: str
    resource: str
    context: dict[str, Any]
    allowed: bool
    why: str


READ, MANAGED = {TAG: "kestra"}, {TAG: "kestra"}
TABLE = [
    # Secrets Manager, read-only
    Row("read", "secretsmanager:ListSecrets", "*", {}, True, "finds by tags"),
    Row("read", "secretsmanager:GetSecretValue", OURS, {}, True, "reads its secret"),
    Row("read", "secretsmanager:DescribeSecret", OURS, {}, True, "reads its tags"),
    Row("read", "secretsmanager:GetSecretValue", ANOTHERS, {}, False, "another application's"),
    Row("read", "secretsmanager:DescribeSecret", ANOTHERS, {}, False, "another application's"),
    Row("read", "secretsmanager:GetSecretValue", ANOTHERS, {TAG: "kestra"}, False, "a tag is no name"),
    Row("read", "secretsmanager:GetSecretValue", LOOKALIKE, {}, False, "another prefix"),
    Row("read", "secretsmanager:GetSecretValue", RECOVERY, {}, False, "recovery copy"),
    Row("read", "secretsmanager:DescribeSecret", RECOVERY, {}, False, "recovery copy"),
    Row("read", "secretsmanager:GetSecretValue", _secret("kestra/main/a/B", AwsLocation(ACCOUNT, "us-east-1")), {}, False, "another region"),
    Row("read", "secretsmanager:GetSecretValue", _secret("kestra/main/a/B", AwsLocation(OTHER_ACCOUNT, "eu-west-1")), {}, False, "another account"),
    Row("read", "secretsmanager:CreateSecret", _secret("kestra/main/a/NEW"), {ASKED: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:PutSecretValue", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:UpdateSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:DeleteSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:RestoreSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:TagResource", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:PutResourcePolicy", OURS, {}, False, "opens nothing"),
    Row("read", "secretsmanager:RotateSecret", OURS, {}, False, "rotates nothing"),
    Row("read", "kms:Decrypt", KEY, _via(OURS), True, "through Secrets Manager"),
    Row("read", "kms:Decrypt", KEY, {"kms:EncryptionContext:SecretARN": OURS}, False, "not directly"),
    Row("read", "kms:Decrypt", KEY, _via(OURS, "ssm"), False, "not through another service"),
    Row("read", "kms:Decrypt", KEY, _via(OURS, region="us-east-1"), False, "not through another region"),
    Row("read", "kms:Decrypt", KEY, _via(ANOTHERS), False, "another application's secret under the same key"),
    Row("read", "kms:Decrypt", KEY, _via(RECOVERY), False, "recovery copy"),
    Row("read", "kms:Decrypt", OTHER_KEY, _via(OURS), False, "another service's key"),
    Row("read", "kms:GenerateDataKey", KEY, _via(OURS), False, "encrypts nothing"),
    Row("read", "kms:ScheduleKeyDeletion", KEY, {}, False, "manages no key"),
    Row("read", "kms:PutKeyPolicy", KEY, {}, False, "manages no key"),
    Row("read", "kms:CreateGrant", KEY, _via(OURS), False, "grants nothing"),
    Row("read", "ssm:GetParameter", PARAMETER, {}, False, "the other manager of AWS"),
    Row("read", "iam:PassRole", ROLE, {}, False, "nothing else in AWS"),
    # Secrets Manager, read-only, with a prefix and a tag of its own
    Row("tagged", "secretsmanager:GetSecretValue", _secret("team-a/main/x/Y"), {"aws:ResourceTag/team": "a"}, True, "its prefix and tag"),
    Row("tagged", "secretsmanager:GetSecretValue", _secret("team-a/main/x/Y"), {"aws:ResourceTag/team": "b"}, False, "another tag"),
    Row("tagged", "secretsmanager:GetSecretValue", _secret("team-a/main/x/Y"), {}, False, "no tag"),
    Row("tagged", "secretsmanager:GetSecretValue", OURS, {"aws:ResourceTag/team": "a"}, False, "another prefix"),
    # Secrets Manager, managed
    Row("managed", "secretsmanager:ListSecrets", "*", {}, True, "finds by tags"),
    Row("managed", "secretsmanager:CreateSecret", GENERATED, {ASKED: "kestra"}, True, "new with its tag"),
    Row("managed", "secretsmanager:CreateSecret", GENERATED, {ASKED: "billing"}, False, "new with another tag"),
    Row("managed", "secretsmanager:CreateSecret", GENERATED, {}, False, "new without a tag"),
    Row("managed", "secretsmanager:GetSecretValue", GENERATED, MANAGED, True, "reads its secret"),
    Row("managed", "secretsmanager:DescribeSecret", GENERATED, MANAGED, True, "reads its tags"),
    Row("managed", "secretsmanager:PutSecretValue", GENERATED, MANAGED, True, "a new value"),
    Row("managed", "secretsmanager:UpdateSecret", GENERATED, MANAGED, True, "a new description"),
    Row("managed", "secretsmanager:DeleteSecret", GENERATED, MANAGED, True, "deletes its secret"),
    Row("managed", "secretsmanager:RestoreSecret", GENERATED, MANAGED, True, "restores its secret"),
    Row("managed", "secretsmanager:TagResource", GENERATED, MANAGED | {ASKED: "kestra"}, True, "tags its secret"),
    Row("managed", "secretsmanager:TagResource", GENERATED, MANAGED | {ASKED: "billing"}, False, "gives its secret away"),
    Row("managed", "secretsmanager:TagResource", ANOTHERS, {ASKED: "kestra"}, False, "takes an untagged secret"),
    Row("managed", "secretsmanager:TagResource", ANOTHERS, {TAG: "billing", ASKED: "kestra"}, False, "takes another's secret"),
    Row("managed", "secretsmanager:UntagResource", GENERATED, MANAGED, False, "keeps its tags"),
    Row("managed", "secretsmanager:GetSecretValue", ANOTHERS, {TAG: "billing"}, False, "another application's"),
    Row("managed", "secretsmanager:GetSecretValue", ANOTHERS, {}, False, "an untagged secret"),
    Row("managed", "secretsmanager:PutSecretValue", ANOTHERS, {TAG: "kestra-b"}, False, "another prefix"),
    Row("managed", "secretsmanager:DeleteSecret", ANOTHERS, {}, False, "another application's"),
    Row("managed", "secretsmanager:GetSecretValue", RECOVERY, MANAGED, False, "recovery copy, even with the tag"),
    Row("managed", "secretsmanager:DeleteSecret", RECOVERY, MANAGED, False, "recovery copy"),
    Row("managed", "secretsmanager:PutResourcePolicy", GENERATED, MANAGED, False, "opens nothing"),
    Row("managed", "kms:Decrypt", KEY, _via(GENERATED), True, "through Secrets Manager"),
    Row("managed", "kms:GenerateDataKey", KEY, _via(GENERATED), True, "through Secrets Manager"),
    Row("managed", "kms:GenerateDataKey", KEY, {}, False, "not directly"),
    Row("managed", "kms:Decrypt", KEY, _via(RECOVERY), False, "recovery copy"),
    Row("managed", "kms:Decrypt", OTHER_KEY, _via(GENERATED), False, "another service's key"),
    # Parameter Store, read-only
    Row("ssm-read", "ssm:DescribeParameters", "*", {}, True, "finds parameters"),
    Row("ssm-read", "ssm:GetParameter", PARAMETER, {}, True, "reads its parameter"),
    Row("ssm-read", "ssm:ListTagsForResource", PARAMETER, {}, True, "reads its tags"),
    Row("ssm-read", "ssm:GetParameter", LOOSE, {}, False, "another prefix"),
    Row("ssm-read", "ssm:GetParameter", _parameter("billing-TOKEN"), {}, False, "another application's"),
    Row("ssm-read", "ssm:GetParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-read", "ssm:PutParameter", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:DeleteParameter", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:AddTagsToResource", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:GetParameterHistory", PARAMETER, {}, False, "not what Kestra asks for"),
    Row("ssm-read", "kms:Decrypt", KEY, _via(PARAMETER, "ssm"), True, "through Parameter Store"),
    Row("ssm-read", "kms:Decrypt", KEY, _via(PARAMETER), False, "not through another service"),
    Row("ssm-read", "kms:Decrypt", KEY, _via(LOOSE, "ssm"), False, "another parameter under the same key"),
    Row("ssm-read", "kms:Decrypt", KEY, _via(KEPT, "ssm"), False, "recovery copy"),
    Row("ssm-read", "kms:Encrypt", KEY, _via(PARAMETER, "ssm"), False, "encrypts nothing"),
    Row("ssm-read", "secretsmanager:GetSecretValue", OURS, {}, False, "the other manager of AWS"),
    Row("ssm-exact", "ssm:GetParameter", LOOSE, {}, True, "a declared secret"),
    Row("ssm-exact", "ssm:GetParameter", _parameter("TOKEN2"), {}, False, "not declared"),
    # Parameter Store, managed
    Row("ssm-managed", "ssm:DescribeParameters", "*", {}, True, "finds parameters"),
    Row("ssm-managed", "ssm:PutParameter", HASHED, {}, True, "writes its parameter"),
    Row("ssm-managed", "ssm:GetParameter", HASHED, {}, True, "reads its parameter"),
    Row("ssm-managed", "ssm:DeleteParameter", HASHED, {}, True, "deletes its parameter"),
    Row("ssm-managed", "ssm:AddTagsToResource", HASHED, {}, True, "tags its parameter"),
    Row("ssm-managed", "ssm:RemoveTagsFromResource", HASHED, {}, True, "tags its parameter"),
    Row("ssm-managed", "ssm:ListTagsForResource", HASHED, {}, True, "reads its tags"),
    Row("ssm-managed", "ssm:PutParameter", _parameter("billing-0f3c9a"), {}, False, "another prefix"),
    Row("ssm-managed", "ssm:GetParameter", _parameter("kestra"), {}, False, "not behind its prefix"),
    Row("ssm-managed", "ssm:GetParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-managed", "ssm:DeleteParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-managed", "kms:Encrypt", KEY, _via(HASHED, "ssm"), True, "through Parameter Store"),
    Row("ssm-managed", "kms:Decrypt", KEY, _via(HASHED, "ssm"), True, "through Parameter Store"),
    Row("ssm-managed", "kms:Decrypt", KEY, _via(KEPT, "ssm"), False, "recovery copy"),
    Row("ssm-managed", "kms:Decrypt", OTHER_KEY, _via(HASHED, "ssm"), False, "another service's key"),
]  # fmt: skip


def _request(row: Row, identity: dict[str, Any], key: dict[str, Any]) -> Request:
    about_key = row.action.startswith("kms:")
    facts: dict[str, Any] = {
        "aws:PrincipalAccount": ACCOUNT,
        "aws:PrincipalArn": ROLE,
        "aws:PrincipalIsAWSService": "false",
        "aws:SecureTransport": "true",
    }
    if about_key:
        facts["kms:CallerAccount"] = ACCOUNT
    guarded = None
    if row.resource == RECOVERY:
        guarded = secret_policy(HERE, (ROLE,))
    elif row.resource == OURS:
        guarded = secret_policy(HERE)
    account = row.resource.split(":")[4] if row.resource != "*" else ACCOUNT
    return Request(
        ROLE,
        row.action,
        row.resource,
        account,
        facts | row.context,
        identity,
        key if about_key else guarded,
    )


def _requests() -> list[Request]:
    made = []
    for row in TABLE:
        settings = SETTINGS[row.settings]
        service = "ssm" if row.settings.startswith("ssm") else "secretsmanager"
        made.append(_request(row, policy(access(settings, HERE, KEY)), key_policy(HERE, service)))
    return made


@pytest.mark.node
def test_each_request_is_allowed_or_denied_as_the_table_says() -> None:
    assert len(TABLE) >= 40
    wrong = [
        f"{row.settings}: {row.action} on {row.resource} ({row.why}): {found}"
        for row, found in zip(TABLE, judge(_requests()), strict=True)
        if (found == "Allowed") != row.allowed
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
    requests = [replace(_request(row, wide, key), resource_policy=key if row.action.startswith("kms:") else None) for row in denied]  # fmt: skip
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
    asked = _request(row, wide if layer == "secret" else mine, {})
    asked = replace(asked, resource_policy=asked.resource_policy if layer == "secret" else None)
    assert judge([asked]) == ["ExplicitlyDenied"]


@pytest.mark.node
def test_a_declared_secret_is_closed_to_other_accounts_and_to_connections_without_tls() -> None:
    opened = secret_policy(HERE)
    opened["Statement"].append({"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"})  # fmt: skip
    row = Row("read", "secretsmanager:GetSecretValue", OURS, {}, True, "")
    mine = replace(_request(row, policy(access(SETTINGS["read"], HERE, KEY)), {}), resource_policy=opened)  # fmt: skip
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
    (HERE.role("deployment"), "kms:GenerateDataKey", _via(OURS), True, True),
    (HERE.role("deployment"), "kms:GenerateDataKey", _via(OURS, "ssm"), True, False),
    (HERE.role("deployment"), "kms:Decrypt", _via(OURS, "s3"), True, False),
    (f"arn:aws:iam::{OTHER_ACCOUNT}:role/stranger", "kms:Decrypt", _via(OURS), True, False),
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
    found = [result == "Allowed" for result in judge(asked)]
    assert found == [row[-1] for row in KEY_TABLE]
    assert not {"kms:Decrypt", "kms:CreateGrant", "kms:ReEncryptFrom"} & set(ADMINISTRATION)


ASSUME_TABLE: list[tuple[str, str, dict[str, Any], bool]] = [
    ("sts:AssumeRole", TARGET, {"sts:ExternalId": "kestra-7"}, True),
    ("sts:AssumeRole", TARGET, {"sts:ExternalId": "another"}, False),
    ("sts:AssumeRole", TARGET, {}, False),
    ("sts:AssumeRole", HERE.role("administrator"), {"sts:ExternalId": "kestra-7"}, False),
    ("sts:TagSession", TARGET, {}, False),
    ("secretsmanager:ListSecrets", "*", {}, False),
    ("secretsmanager:GetSecretValue", OURS, {TAG: "kestra"}, False),
    ("kms:Decrypt", KEY, _via(OURS), False),
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

    found = [r == "Allowed" for r in judge(asked(assume_policy(TARGET, "kestra-7")))]
    assert found == [row[-1] for row in ASSUME_TABLE]
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

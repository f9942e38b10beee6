"""Requests of Kestra's role in AWS, each with whether it is to be allowed; for every judge of them."""

from __future__ import annotations

from typing import Any, NamedTuple

from components.backends.aws.permissions import AwsLocation, access, policy
from components.backends.aws.policy_documents import key_policy, secret_policy
from components.settings import Settings
from components.validation import load
from tests.settings.malformed_fixtures import OIDC, secret, ssm
from tests.stores.iam_judge_support import Request

ACCOUNT, OTHER_ACCOUNT = "111122223333", "444455556666"
HERE = AwsLocation(ACCOUNT, "eu-west-1")
KEY = HERE.arn("kms", "key/of-the-stack")
OTHER_KEY = HERE.arn("kms", "key/of-another-application")
ROLE = HERE.role("kestra-kestra")
TARGET = f"arn:aws:iam::{OTHER_ACCOUNT}:role/secrets"
IDENTITY = {"aws": {"irsa": {"oidc-provider-arn": OIDC}}}
DECLARED = {"TOKEN": {"namespace": "company.team", "generate": {}}}
TAGGED = {"prefix": "team-a", "filter-on-tags": {"tags": {"team": "a"}}}


def settings_of(document: dict[str, Any]) -> Settings:
    """Settings with a store and an identity in AWS."""
    return load({"store": {"aws": {}}, "identity": IDENTITY} | document, source="test").settings


SETTINGS = {
    "read": settings_of(
        secret("aws-secret-manager", {"region": "eu-west-1"}, read_only=True)
        | {"declared-secrets": DECLARED}
    ),
    "tagged": settings_of(secret("aws-secret-manager", TAGGED, read_only=True)),
    "managed": settings_of(secret("aws-secret-manager", {"region": "eu-west-1"})),
    "ssm-read": settings_of(
        ssm({"filter-on-prefix": {"prefix": "kestra-"}}, read_only=True, declared_secrets=DECLARED)
    ),
    "ssm-exact": settings_of(ssm({}, read_only=True, declared_secrets=DECLARED)),
    "ssm-managed": settings_of(ssm({})),
}


def secret_arn(name: str, place: AwsLocation = HERE) -> str:
    """ARN of a secret, with the six characters that AWS appends."""
    return place.arn("secretsmanager", f"secret:{name}-AbCdEf")


def parameter_arn(name: str) -> str:
    """ARN of a parameter."""
    return HERE.arn("ssm", f"parameter/{name}")


OURS, ANOTHERS = secret_arn("kestra/main/company.team/TOKEN"), secret_arn("billing/main/a/TOKEN")
LOOKALIKE, RECOVERY = secret_arn("kestra-b/main/a/TOKEN"), secret_arn("stack-kestra/encryption-key")
GENERATED = secret_arn("0f3c9a")
PARAMETER, LOOSE = parameter_arn("kestra-TOKEN"), parameter_arn("TOKEN")
KEPT = parameter_arn("stack-kestra-encryption-key")
HASHED = parameter_arn("kestra-0f3c9a")
TAG, ASKED = "aws:ResourceTag/prefix", "aws:RequestTag/prefix"


def via(arn: str, service: str = "secretsmanager", region: str = "eu-west-1") -> dict[str, Any]:
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
    Row("read", "secretsmanager:GetSecretValue", secret_arn("kestra/main/a/B", AwsLocation(ACCOUNT, "us-east-1")), {}, False, "another region"),
    Row("read", "secretsmanager:GetSecretValue", secret_arn("kestra/main/a/B", AwsLocation(OTHER_ACCOUNT, "eu-west-1")), {}, False, "another account"),
    Row("read", "secretsmanager:CreateSecret", secret_arn("kestra/main/a/NEW"), {ASKED: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:PutSecretValue", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:UpdateSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:DeleteSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:RestoreSecret", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:TagResource", OURS, {TAG: "kestra"}, False, "writes nothing"),
    Row("read", "secretsmanager:PutResourcePolicy", OURS, {}, False, "opens nothing"),
    Row("read", "secretsmanager:RotateSecret", OURS, {}, False, "rotates nothing"),
    Row("read", "kms:Decrypt", KEY, via(OURS), True, "through Secrets Manager"),
    Row("read", "kms:Decrypt", KEY, {"kms:EncryptionContext:SecretARN": OURS}, False, "not directly"),
    Row("read", "kms:Decrypt", KEY, via(OURS, "ssm"), False, "not through another service"),
    Row("read", "kms:Decrypt", KEY, via(OURS, region="us-east-1"), False, "not through another region"),
    Row("read", "kms:Decrypt", KEY, via(ANOTHERS), False, "another application's secret under the same key"),
    Row("read", "kms:Decrypt", KEY, via(RECOVERY), False, "recovery copy"),
    Row("read", "kms:Decrypt", OTHER_KEY, via(OURS), False, "another service's key"),
    Row("read", "kms:GenerateDataKey", KEY, via(OURS), False, "encrypts nothing"),
    Row("read", "kms:ScheduleKeyDeletion", KEY, {}, False, "manages no key"),
    Row("read", "kms:PutKeyPolicy", KEY, {}, False, "manages no key"),
    Row("read", "kms:CreateGrant", KEY, via(OURS), False, "grants nothing"),
    Row("read", "ssm:GetParameter", PARAMETER, {}, False, "the other manager of AWS"),
    Row("read", "iam:PassRole", ROLE, {}, False, "nothing else in AWS"),
    # Secrets Manager, read-only, with a prefix and a tag of its own
    Row("tagged", "secretsmanager:GetSecretValue", secret_arn("team-a/main/x/Y"), {"aws:ResourceTag/team": "a"}, True, "its prefix and tag"),
    Row("tagged", "secretsmanager:GetSecretValue", secret_arn("team-a/main/x/Y"), {"aws:ResourceTag/team": "b"}, False, "another tag"),
    Row("tagged", "secretsmanager:GetSecretValue", secret_arn("team-a/main/x/Y"), {}, False, "no tag"),
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
    Row("managed", "kms:Decrypt", KEY, via(GENERATED), True, "through Secrets Manager"),
    Row("managed", "kms:GenerateDataKey", KEY, via(GENERATED), True, "through Secrets Manager"),
    Row("managed", "kms:GenerateDataKey", KEY, {}, False, "not directly"),
    Row("managed", "kms:Decrypt", KEY, via(RECOVERY), False, "recovery copy"),
    Row("managed", "kms:Decrypt", OTHER_KEY, via(GENERATED), False, "another service's key"),
    # Parameter Store, read-only
    Row("ssm-read", "ssm:DescribeParameters", "*", {}, True, "finds parameters"),
    Row("ssm-read", "ssm:GetParameter", PARAMETER, {}, True, "reads its parameter"),
    Row("ssm-read", "ssm:ListTagsForResource", PARAMETER, {}, True, "reads its tags"),
    Row("ssm-read", "ssm:GetParameter", LOOSE, {}, False, "another prefix"),
    Row("ssm-read", "ssm:GetParameter", parameter_arn("billing-TOKEN"), {}, False, "another application's"),
    Row("ssm-read", "ssm:GetParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-read", "ssm:PutParameter", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:DeleteParameter", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:AddTagsToResource", PARAMETER, {}, False, "writes nothing"),
    Row("ssm-read", "ssm:GetParameterHistory", PARAMETER, {}, False, "not what Kestra asks for"),
    Row("ssm-read", "kms:Decrypt", KEY, via(PARAMETER, "ssm"), True, "through Parameter Store"),
    Row("ssm-read", "kms:Decrypt", KEY, via(PARAMETER), False, "not through another service"),
    Row("ssm-read", "kms:Decrypt", KEY, via(LOOSE, "ssm"), False, "another parameter under the same key"),
    Row("ssm-read", "kms:Decrypt", KEY, via(KEPT, "ssm"), False, "recovery copy"),
    Row("ssm-read", "kms:Encrypt", KEY, via(PARAMETER, "ssm"), False, "encrypts nothing"),
    Row("ssm-read", "secretsmanager:GetSecretValue", OURS, {}, False, "the other manager of AWS"),
    Row("ssm-exact", "ssm:GetParameter", LOOSE, {}, True, "a declared secret"),
    Row("ssm-exact", "ssm:GetParameter", parameter_arn("TOKEN2"), {}, False, "not declared"),
    # Parameter Store, managed
    Row("ssm-managed", "ssm:DescribeParameters", "*", {}, True, "finds parameters"),
    Row("ssm-managed", "ssm:PutParameter", HASHED, {}, True, "writes its parameter"),
    Row("ssm-managed", "ssm:GetParameter", HASHED, {}, True, "reads its parameter"),
    Row("ssm-managed", "ssm:DeleteParameter", HASHED, {}, True, "deletes its parameter"),
    Row("ssm-managed", "ssm:AddTagsToResource", HASHED, {}, True, "tags its parameter"),
    Row("ssm-managed", "ssm:RemoveTagsFromResource", HASHED, {}, True, "tags its parameter"),
    Row("ssm-managed", "ssm:ListTagsForResource", HASHED, {}, True, "reads its tags"),
    Row("ssm-managed", "ssm:PutParameter", parameter_arn("billing-0f3c9a"), {}, False, "another prefix"),
    Row("ssm-managed", "ssm:GetParameter", parameter_arn("kestra"), {}, False, "not behind its prefix"),
    Row("ssm-managed", "ssm:GetParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-managed", "ssm:DeleteParameter", KEPT, {}, False, "recovery copy"),
    Row("ssm-managed", "kms:Encrypt", KEY, via(HASHED, "ssm"), True, "through Parameter Store"),
    Row("ssm-managed", "kms:Decrypt", KEY, via(HASHED, "ssm"), True, "through Parameter Store"),
    Row("ssm-managed", "kms:Decrypt", KEY, via(KEPT, "ssm"), False, "recovery copy"),
    Row("ssm-managed", "kms:Decrypt", OTHER_KEY, via(HASHED, "ssm"), False, "another service's key"),
]  # fmt: skip


def request_of(row: Row, identity: dict[str, Any], key: dict[str, Any]) -> Request:
    """A row as the evaluator of policies takes it."""
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


def table_requests() -> list[Request]:
    """The whole table, each row with the policies of its settings."""
    requests = []
    for row in TABLE:
        settings = SETTINGS[row.settings]
        service = "ssm" if row.settings.startswith("ssm") else "secretsmanager"
        requests.append(
            request_of(row, policy(access(settings, HERE, KEY)), key_policy(HERE, service))
        )
    return requests

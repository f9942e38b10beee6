"""Who may do what with the secrets of teams, and with those of another Kestra: tables of requests, judged without ours.

Vault's are asked of a real one (`tests/stores/test_team_stacks_engine.py`). In each table one Kestra is granted team
billing and not team sales, and a second Kestra is in the same account or project with names of its own.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from components.backends.aws.permissions import AwsLocation, access, policy
from components.backends.aws.policy_documents import key_policy
from components.backends.registry import backend_of
from components.settings import Settings
from components.validation import load
from tests.components.recording_support import Recorder, run
from tests.components.teams_support import KEY, MANAGERS, PLANTED, kestra_stack, team_stack
from tests.stores.gcp_iam_support import PROJECT, bindings
from tests.stores.iam_judge_support import Request, judge

EDITIONS = [(manager, is_enterprise) for manager in MANAGERS for is_enterprise in (True, False)]
#: Resource types of a stack of secrets alone, by manager, without the components.
TYPES = {
    "vault": {"SecretV2"},
    "aws-secret-manager": {"Secret", "SecretPolicy", "SecretVersion"},
    "aws-ssm-parameter-store": {"Parameter"},
    "azure-key-vault": {"Secret"},
    "google-secret-manager": {"Secret", "SecretVersion"},
}


def _settings(document: dict[str, Any]) -> Settings:
    return load(document, source="test").settings


def _types(recorded: Recorder) -> set[str]:
    return {
        type_.rpartition(":")[2]
        for type_, _ in recorded.resources.values()
        if not type_.startswith("kestra:")
    }


def test_the_stack_of_a_team_makes_its_secrets_and_nothing_else() -> None:
    for manager, is_enterprise in EDITIONS:
        recorded = run(team_stack(manager, is_enterprise=is_enterprise))
        assert _types(recorded) == {"RandomPassword", *TYPES[manager]}, (manager, is_enterprise)
        assert list(recorded.of("RandomPassword")) == ["generated-declared-BILLING_PASSWORD"]
        assert set(recorded.outputs) == {"secretIds", "versionIds", "tags", "team", "generated"}
        assert recorded.secret_outputs == {"generated"}
        # The planted value is only where it is marked as a secret.
        assert PLANTED not in json.dumps(recorded.outputs["secretIds"])


def test_what_the_stack_of_a_team_writes_is_what_kestras_stack_is_granted() -> None:
    for manager, is_enterprise in EDITIONS:
        team = _settings(team_stack(manager, is_enterprise=is_enterprise))
        backend = backend_of(team)
        names = {backend.secret_name(team, n, one) for n, one in team.declared_secrets.items()}
        kestra = _settings(kestra_stack(manager, "billing", is_enterprise=is_enterprise))
        assert all(backend.may_read(kestra, name) for name in names), (manager, is_enterprise)
        other = _settings(team_stack(manager, "sales", is_enterprise=is_enterprise))
        foreign = {backend.secret_name(other, n, one) for n, one in other.declared_secrets.items()}
        whole = manager == "azure-key-vault" and is_enterprise
        assert any(backend.may_read(kestra, name) for name in foreign) == whole


def test_the_grant_that_a_teams_stack_prints_is_taken_by_kestras_stack() -> None:
    for manager, is_enterprise in EDITIONS:
        outputs = run(team_stack(manager, is_enterprise=is_enterprise)).outputs
        document = kestra_stack(manager, "billing", is_enterprise=is_enterprise)
        written = document["store"]["teams"]
        assert {
            n: {k: sorted(v) if k == "secrets" else v for k, v in one.items()}
            for n, one in written.items()
        } == outputs["team"]


def test_a_key_that_the_team_makes_is_handed_to_kestras_stack() -> None:
    document = team_stack("aws-secret-manager")
    document["store"]["aws"] = {}
    recorded = run(document)
    (alias,) = recorded.of("Alias").values()
    assert alias["name"] == "alias/billing-secrets"
    key = recorded.outputs["team"]["billing"]["kms-key-arn"]
    kestra = kestra_stack("aws-secret-manager", "billing")
    kestra["store"]["teams"]["billing"]["kms-key-arn"] = "arn:aws:kms:eu-west-1:111122223333:key/2"
    used = [
        s
        for s in policy(access(_settings(kestra), HERE, KEY))["Statement"]
        if s["Sid"] == "DecryptSecrets"
    ]
    assert key.endswith(":key/store-key")
    assert used[0]["Resource"] == [KEY, "arn:aws:kms:eu-west-1:111122223333:key/2"]


def test_kestras_stack_tells_the_stacks_of_teams_its_key() -> None:
    assert run(kestra_stack("aws-secret-manager", "billing")).outputs["kmsKeyArn"] == KEY
    alone = kestra_stack("aws-secret-manager")
    del alone["store"]["teams"]
    assert "kmsKeyArn" not in run(alone).outputs


HERE = AwsLocation("111122223333", "eu-west-1")
ROLE = HERE.role("kestra-kestra")
DEPLOYER = HERE.role("billing-deployer")


def _secret(name: str) -> str:
    return HERE.arn("secretsmanager", f"secret:{name}-AbCdEf")


def _parameter(name: str) -> str:
    return HERE.arn("ssm", f"parameter/{name}")


BILLING, CHILD = (
    _secret("kestra/main/company.billing/T"),
    _secret("kestra/main/company.billing.eu/T"),
)
SALES, ALIKE = _secret("kestra/main/company.sales/T"), _secret("kestra/main/company.billings/T")
TENANT, SECOND = (
    _secret("kestra/other/company.billing/T"),
    _secret("kestra-b/main/company.billing/T"),
)
OWN, PARENT = _secret("kestra/main/company.platform/OWN_TOKEN"), _secret("kestra/main/company/T")
READ, WRITE = "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"
#: Who, action, resource, allowed.
AWS: list[tuple[str, str, str, bool]] = [
    ("kestra", READ, OWN, True),
    ("kestra", READ, BILLING, True),
    ("kestra", "secretsmanager:DescribeSecret", BILLING, True),
    ("kestra", READ, CHILD, True),
    *(("kestra", READ, arn, False) for arn in (SALES, ALIKE, TENANT, SECOND, PARENT)),
    *(("kestra", WRITE, arn, False) for arn in (OWN, BILLING, SALES)),
    ("second", READ, SECOND, True),
    *(("second", READ, arn, False) for arn in (OWN, BILLING, SALES, TENANT)),
    *(("deployer", f"secretsmanager:{verb}", BILLING, True) for verb in ("CreateSecret", "PutSecretValue", "DeleteSecret", "TagResource", "PutResourcePolicy")),
    ("deployer", WRITE, CHILD, True),
    *(("deployer", WRITE, arn, False) for arn in (OWN, SALES, ALIKE, TENANT, SECOND, PARENT)),
    *(("deployer", READ, arn, False) for arn in (OWN, SALES, SECOND)),
    *(("deployer", f"secretsmanager:{verb}", SALES, False) for verb in ("CreateSecret", "DeleteSecret", "PutResourcePolicy")),
    ("deployer", "iam:PutRolePolicy", ROLE, False),
    ("deployer", "kms:ScheduleKeyDeletion", KEY, False),
    ("deployer", "kms:PutKeyPolicy", KEY, False),
    ("ssm-kestra", "ssm:GetParameter", _parameter("kestra-OWN_TOKEN"), True),
    ("ssm-kestra", "ssm:GetParameter", _parameter("kestra-BILLING_TOKEN"), True),
    ("ssm-kestra", "ssm:GetParameter", _parameter("kestra-SALES_TOKEN"), False),
    ("ssm-kestra", "ssm:GetParameter", _parameter("kestra-BILLINGS"), False),
    ("ssm-kestra", "ssm:PutParameter", _parameter("kestra-BILLING_TOKEN"), False),
    ("ssm-deployer", "ssm:PutParameter", _parameter("kestra-BILLING_NEW"), True),
    ("ssm-deployer", "ssm:DeleteParameter", _parameter("kestra-BILLING_NEW"), True),
    *(("ssm-deployer", "ssm:PutParameter", _parameter(n), False) for n in ("kestra-SALES_TOKEN", "kestra-OWN_TOKEN", "BILLING_NEW")),
    ("oss-kestra", READ, _secret("kestra/main/company.billing/BILLING_TOKEN"), True),
    ("oss-kestra", READ, BILLING, False),
    ("oss-kestra", READ, _secret("kestra/main/company.sales/SALES_TOKEN"), False),
    ("oss-kestra", "secretsmanager:ListSecrets", "*", False),
]  # fmt: skip
#: Who, action, secret of the request that a service makes to KMS, allowed.
KMS: list[tuple[str, str, str, bool]] = [
    ("kestra", "kms:Decrypt", BILLING, True),
    ("kestra", "kms:Decrypt", OWN, True),
    ("kestra", "kms:Decrypt", SALES, False),
    ("kestra", "kms:Decrypt", SECOND, False),
    ("kestra", "kms:GenerateDataKey", BILLING, False),
    ("second", "kms:Decrypt", SECOND, True),
    ("second", "kms:Decrypt", BILLING, False),
    ("deployer", "kms:GenerateDataKey", BILLING, True),
    ("deployer", "kms:GenerateDataKey", SALES, False),
    ("deployer", "kms:Decrypt", OWN, False),
]


def _second() -> dict[str, Any]:
    document = kestra_stack("aws-secret-manager")
    document["secret"]["aws-secret-manager"]["prefix"] = "kestra-b"
    document["deployment"] = {"namespace": "kestra-b"}
    document["declared-secrets"] = {"T": {"namespace": "company.billing", "generate": {}}}
    return document


def _policies() -> dict[str, dict[str, Any]]:
    kestras = {
        "kestra": kestra_stack("aws-secret-manager", "billing"),
        "second": _second(),
        "ssm-kestra": kestra_stack("aws-ssm-parameter-store", "billing"),
        "oss-kestra": kestra_stack("aws-secret-manager", "billing", is_enterprise=False),
    }
    teams = {"deployer": "aws-secret-manager", "ssm-deployer": "aws-ssm-parameter-store"}
    roles = {who: policy(access(_settings(one), HERE, KEY)) for who, one in kestras.items()}
    for who, manager in teams.items():
        settings = _settings(team_stack(manager))
        roles[who] = json.loads(backend_of(settings).team_deployer_policy(settings))
    return roles


def _request(who: str, action: str, resource: str, roles: dict[str, Any], via: str = "") -> Request:
    """A request of the role; via: the secret of the request that a service makes to KMS for it."""
    principal = DEPLOYER if "deployer" in who else ROLE
    facts = {
        "aws:PrincipalAccount": HERE.account,
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": principal,
    }
    if not action.startswith("kms:"):
        return Request(principal, action, resource, HERE.account, facts, roles[who])
    facts["kms:CallerAccount"] = HERE.account
    if via:
        facts["kms:ViaService"] = HERE.endpoint("secretsmanager")
        facts["kms:EncryptionContext:SecretARN"] = via
    key = key_policy(HERE, "secretsmanager")
    return Request(principal, action, resource, HERE.account, facts, roles[who], key)


@pytest.mark.node
def test_in_aws_each_request_is_allowed_or_denied_as_the_grants_say() -> None:
    roles = _policies()
    asked = [_request(who, action, resource, roles) for who, action, resource, _ in AWS]
    asked += [_request(who, action, KEY, roles, secret) for who, action, secret, _ in KMS]
    rows = [*AWS, *KMS]
    wrong = [
        row
        for row, verdict in zip(rows, judge(asked), strict=True)
        if (verdict == "Allowed") != row[3]
    ]
    assert wrong == []
    # What the table denies is there to be asked for: a role that may do all is allowed it.
    wide = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    denied = [_request(r[0], r[1], r[2], {r[0]: wide}) for r in AWS if not r[3]]
    assert set(judge(denied)) == {"Allowed"}


S = f"{PROJECT}/secrets"
KESTRA = "serviceAccount:kestra-kestra@acme-data.iam.gserviceaccount.com"
SECOND_KESTRA = "serviceAccount:kestra-b-kestra@acme-data.iam.gserviceaccount.com"
ACCESS, ADD = "secretmanager.versions.access", "secretmanager.versions.add"
#: Who, permission, resource, allowed.
GOOGLE: list[tuple[str, str, str, bool]] = [
    (KESTRA, ACCESS, f"{S}/kestra-OWN_TOKEN/versions/1", True),
    (KESTRA, ACCESS, f"{S}/kestra-BILLING_TOKEN/versions/1", True),
    (KESTRA, ACCESS, f"{S}/kestra-BILLING_NEW/versions/7", True),
    (KESTRA, ACCESS, f"{S}/kestra-SALES_TOKEN/versions/1", False),
    (KESTRA, ACCESS, f"{S}/kestra-BILLINGS/versions/1", False),
    (KESTRA, ACCESS, f"{S}/second-BILLING_TOKEN/versions/1", False),
    (KESTRA, ADD, f"{S}/kestra-BILLING_TOKEN", False),
    (SECOND_KESTRA, ACCESS, f"{S}/second-OWN_TOKEN/versions/1", True),
    (SECOND_KESTRA, ACCESS, f"{S}/kestra-BILLING_TOKEN/versions/1", False),
    (SECOND_KESTRA, ACCESS, f"{S}/kestra-OWN_TOKEN/versions/1", False),
]


def test_in_google_cloud_each_request_is_allowed_or_denied_as_the_grants_say() -> None:
    second = kestra_stack("google-secret-manager")
    second["secret"]["google-secret-manager"]["filter-on-prefix"] = {"prefix": "second-"}
    second["deployment"] = {"namespace": "kestra-b"}
    every = [
        *bindings(run(kestra_stack("google-secret-manager", "billing"))),
        *bindings(run(second)),
    ]
    wrong = [row for row in GOOGLE if any(b.allows(*row[:3]) for b in every) != row[3]]
    assert wrong == []
    # The stack of a team grants nothing, not even the use of the platform's key.
    assert list(bindings(run(team_stack("google-secret-manager")))) == []
    # In open source by exact names.
    oss = list(bindings(run(kestra_stack("google-secret-manager", "billing", is_enterprise=False))))
    who = "serviceAccount:kestra-kestra-secrets@acme-data.iam.gserviceaccount.com"
    assert any(b.allows(who, ACCESS, f"{S}/kestra-BILLING_TOKEN/versions/1") for b in oss)
    assert not any(b.allows(who, ACCESS, f"{S}/kestra-BILLING_NEW/versions/1") for b in oss)
    assert not any(b.allows(who, ACCESS, f"{S}/kestra-SALES_TOKEN/versions/1") for b in oss)


def test_the_deployer_of_a_team_in_google_cloud_and_azure_has_the_teams_names_alone() -> None:
    settings = _settings(team_stack("google-secret-manager"))
    below, project = json.loads(backend_of(settings).team_deployer_policy(settings))
    assert (
        below["condition"]
        == 'resource.name.startsWith("projects/PROJECT_NUMBER/secrets/kestra-BILLING_")'
    )
    assert project == {"permissions": ["secretmanager.secrets.create"]}
    assert not [p for p in below["permissions"] if p.endswith("setIamPolicy")]
    settings = _settings(team_stack("azure-key-vault"))
    allowed = json.loads(backend_of(settings).team_deployer_policy(settings))
    assert [scope.rpartition("/")[2] for scope in allowed["scopes"]] == [
        "BILLING-PASSWORD",
        "BILLING-TOKEN",
    ]
    assert all("Microsoft.KeyVault/vaults/secrets/" in action for action in allowed["actions"])


def test_in_azure_open_source_has_a_role_on_each_granted_secret_and_on_no_other() -> None:
    recorded = run(kestra_stack("azure-key-vault", "billing", is_enterprise=False))
    scopes = sorted(r["scope"].rpartition("/")[2] for r in recorded.of("RoleAssignment").values())
    assert scopes == ["kestra-BILLING-PASSWORD", "kestra-BILLING-TOKEN", "kestra-OWN-TOKEN"]
    assert list(run(team_stack("azure-key-vault")).of("RoleAssignment")) == []

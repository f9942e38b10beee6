"""Two judges of Kestra's role in AWS beside each other: ministack with real requests, and the evaluator of policies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from components.backends.aws.permissions import access, policy
from components.backends.aws.policy_documents import irsa_trust, key_policy, secret_policy
from tests.settings.malformed_fixtures import OIDC
from tests.stores import aws_requests_support as table
from tests.stores.aws_requests_support import (
    ACCOUNT,
    HERE,
    KEY,
    OTHER_ACCOUNT,
    SETTINGS,
    TABLE,
    Row,
)
from tests.stores.iam_judge_support import judge
from tests.stores.ministack_support import (
    KEY_CALLS,
    PARAMETER_CALLS,
    SECRET_CALLS,
    Account,
    Ministack,
    is_allowed,
    pairs,
)

pytestmark = [pytest.mark.engine, pytest.mark.node, pytest.mark.long("access")]

ISSUER = OIDC.split(":oidc-provider/")[1]
SUBJECT = "system:serviceaccount:kestra:kestra"
VIA = "kms:ViaService"
WIDE = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
#: Requests that cannot be made of the server, by what they have in common.
NOT_ASKED = {
    "iam:PassRole": "no request of its own: a service asks for it on behalf of its caller",
    OTHER_ACCOUNT: "the server has the resources of the caller's account only",
}
#: What ministack does otherwise than AWS documents; the tests show that it still does.
KEYS_PAGE = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"
)
KMS_PAGE = "https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html"
WRONG = {
    "aws:PrincipalArn": f"of a session of a role it is the role's ARN, not the session's ({KEYS_PAGE})",
    "kms:EncryptionContext": f"it is there when the request names an encryption context ({KMS_PAGE})",
    "kms:CallerAccount": f"it is there in every request ({KMS_PAGE})",
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    server = Ministack(tmp_path_factory.mktemp("ministack"))
    server.start()
    try:
        account = Account(server, ACCOUNT)
        account.create_role(irsa_trust(OIDC, "kestra", "kestra"))
        assert account.assume(ISSUER, SUBJECT)
        yield account
    finally:
        server.stop()


def _tags(row: Row, prefix: str) -> dict[str, str]:
    return {k.removeprefix(prefix): v for k, v in row.context.items() if k.startswith(prefix)}


def _ask(account: Account, row: Row, keys: dict[str, str]) -> bool:
    """Whether ministack allows the request of a row."""
    service, _, action = row.action.partition(":")
    region = row.resource.split(":")[3] if row.resource != "*" else HERE.region
    client = account.kestra(service, region)
    if action in ("ListSecrets", "DescribeParameters"):
        return is_allowed(client.list_secrets if service != "ssm" else client.describe_parameters)
    asked = _tags(row, "aws:RequestTag/")
    if action == "CreateSecret":
        name = row.resource.split(":secret:")[1].rpartition("-")[0]
        allowed = is_allowed(
            lambda: client.create_secret(Name=name, SecretString="a", Tags=pairs(asked))
        )
        if allowed:
            owner = account.owner(service, region)
            owner.delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
        return allowed
    if service == "secretsmanager":
        guards = {table.RECOVERY: (account.role,), table.OURS: ()}
        guard = secret_policy(HERE, guards[row.resource]) if row.resource in guards else None
        with account.secret(row.resource, _tags(row, "aws:ResourceTag/"), guard) as own:
            if action == "RestoreSecret":
                account.owner(service, region).delete_secret(SecretId=own, RecoveryWindowInDays=7)
            return is_allowed(lambda: SECRET_CALLS[action](client, own, asked))
    if service == "ssm":
        with account.parameter(row.resource.split(":parameter/")[1]) as name:
            return is_allowed(lambda: PARAMETER_CALLS[action](client, name, asked))
    context, key = _tags(row, "kms:EncryptionContext:"), keys[row.resource]
    blob = account.owner("kms").encrypt(KeyId=key, Plaintext=b"a", EncryptionContext=context)
    return is_allowed(lambda: KEY_CALLS[action](client, key, context, blob["CiphertextBlob"]))


def _asked(row: Row) -> bool:
    is_possible = not any(what in (row.action, *row.resource.split(":")) for what in NOT_ASKED)
    return is_possible and VIA not in row.context


def _keys(account: Account, service: str) -> dict[str, str]:
    """The keys of the table, to those on the server."""
    return {
        KEY: account.key(key_policy(HERE, service)),
        table.OTHER_KEY: account.key(key_policy(HERE, service)),
    }


def _service(settings: str) -> str:
    return "ssm" if settings.startswith("ssm") else "secretsmanager"


@pytest.fixture(scope="module")
def decisions(account: Account) -> dict[int, bool]:
    """Row of the table that can be asked, to whether ministack allows it."""
    answers: dict[int, bool] = {}
    for settings, loaded in SETTINGS.items():
        keys = _keys(account, _service(settings))
        account.attach(policy(access(loaded, HERE, keys[KEY])))
        for number, row in enumerate(TABLE):
            if row.settings == settings and _asked(row):
                answers[number] = _ask(account, row, keys)
    return answers


def test_ministack_the_evaluator_and_the_table_say_the_same(decisions: dict[int, bool]) -> None:
    assert len(decisions) >= 60
    evaluated = [answer == "Allowed" for answer in judge(table.table_requests())]
    word = {True: "allowed", False: "denied"}
    disagreements = {
        (row.settings, row.action, row.why): (
            f"ministack: {word[decisions[number]]}, iam-simulate: {word[evaluated[number]]},"
            f" table: {word[row.allowed]}"
        )
        for number, row in enumerate(TABLE)
        if number in decisions and {decisions[number], evaluated[number]} != {row.allowed}
    }
    assert disagreements == {}


def test_what_the_table_denies_ministack_allows_to_a_wide_policy(account: Account) -> None:
    account.attach(WIDE)
    open_key = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": account.role}, "Action": "kms:*", "Resource": "*"}]}  # fmt: skip
    denied = [row for row in TABLE if not row.allowed and _asked(row) and row.resource != table.RECOVERY]  # fmt: skip
    assert len(denied) >= 35
    still = [
        row
        for row in denied
        # A key of its own for each, since some of the requests end it.
        if not _ask(account, row, dict.fromkeys((KEY, table.OTHER_KEY), account.key(open_key)))
    ]
    assert still == []


@pytest.mark.parametrize("settings", ["read", "managed", "ssm-read", "ssm-managed"])
def test_a_key_that_a_service_may_use_for_kestra_is_closed_to_kestra_itself(
    account: Account, settings: str
) -> None:
    """`kms:ViaService`: of each request that is allowed through the service the same one made directly."""
    keys = _keys(account, _service(settings))
    mine = lambda: policy(access(SETTINGS[settings], HERE, keys[KEY]))  # noqa: E731
    rows = [r for r in TABLE if r.settings == settings and VIA in r.context and r.allowed]
    assert rows

    def ask() -> set[bool]:
        return {_ask(account, row, keys) for row in rows}

    account.attach(mine())
    assert ask() == {False}
    # The condition in the role's policy alone, then in the key's alone, then in neither.
    key = key_policy(HERE, _service(settings))
    keys[KEY] = account.key(_with_conditions(key))
    account.attach(_with_conditions(mine(), VIA))
    assert ask() == {False}
    keys[KEY] = account.key(_with_conditions(key, VIA))
    account.attach(_with_conditions(mine()))
    assert ask() == {False}
    keys[KEY] = account.key(_with_conditions(key))
    account.attach(_with_conditions(mine()))
    assert ask() == {True}


def _with_conditions(document: dict[str, Any], *kept: str) -> dict[str, Any]:
    """A policy that allows what it allows with no conditions but those on some keys."""
    statements = []
    for statement in document["Statement"]:
        if statement["Effect"] == "Deny":
            statements.append(statement)
            continue
        conditions = {
            operator: {key: value for key, value in keys.items() if key in kept}
            for operator, keys in statement.get("Condition", {}).items()
        }
        rest = {name: value for name, value in statement.items() if name != "Condition"}
        chosen = {operator: keys for operator, keys in conditions.items() if keys}
        statements.append(rest | ({"Condition": chosen} if chosen else {}))
    return document | {"Statement": statements}


def test_explicit_denials_of_a_secret_hold_against_a_wide_policy(account: Account) -> None:
    account.attach(WIDE)

    def reads(guard: dict[str, Any], *, tls: bool = True) -> bool:
        client = account.kestra("secretsmanager", tls=tls)
        with account.secret(table.RECOVERY, {}, guard) as own:
            return is_allowed(lambda: SECRET_CALLS["GetSecretValue"](client, own, {}))

    assert reads(secret_policy(HERE))
    assert not reads(secret_policy(HERE), tls=False)
    assert not reads(secret_policy(HERE, (account.session,)))
    # WRONG, aws:PrincipalArn: in AWS this is denied, as the evaluator says (test_aws_access.py).
    assert reads(secret_policy(HERE, (account.role,)))


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("kms:EncryptionContext:SecretARN", "StringEquals", table.OURS),
        ("kms:CallerAccount", "StringEquals", ACCOUNT),
    ],
)
def test_what_ministack_does_not_know_of_a_request_to_kms_it_still_does_not(
    account: Account, key: str, operator: str, value: str
) -> None:
    assert ":".join(key.split(":")[:2]) in WRONG
    arn = account.key(_with_conditions(key_policy(HERE, "secretsmanager")))
    context = {"kms:EncryptionContext:SecretARN": table.OURS}
    row = Row("read", "kms:Decrypt", KEY, context, True, "its context and account")
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*"}
    account.attach({"Version": "2012-10-17", "Statement": [decrypt]})
    assert _ask(account, row, {KEY: arn})
    conditional = decrypt | {"Condition": {operator: {key: value}}}
    account.attach({"Version": "2012-10-17", "Statement": [conditional]})
    assert not _ask(account, row, {KEY: arn})


@pytest.mark.parametrize(
    ("subject", "audience", "allowed"),
    [
        (SUBJECT, "sts.amazonaws.com", True),
        ("system:serviceaccount:default:kestra", "sts.amazonaws.com", False),
        ("system:serviceaccount:kestra:default", "sts.amazonaws.com", False),
        (f"{SUBJECT}-b", "sts.amazonaws.com", False),
        (SUBJECT, "https://kubernetes.default.svc", False),
    ],
)
def test_a_token_gives_the_role_to_one_service_account_only(
    account: Account, subject: str, audience: str, allowed: bool
) -> None:
    assert account.assume(ISSUER, subject, audience) is allowed


def test_a_token_of_another_issuer_gives_nothing(account: Account) -> None:
    assert not account.assume(f"{ISSUER}D", SUBJECT)

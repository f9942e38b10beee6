"""Credentials in clear are found in files and in variables, and only there."""

from __future__ import annotations

import pytest

from tests.policy.analyzer_support import UNKNOWN, R
from tests.policy.kestra_stack_support import (
    CLEAR,
    config_map,
    deployment,
    env,
    said,
    secret,
    text,
    variables,
)

SUPER = "KESTRA_SECURITY_SUPER_ADMIN_PASSWORD"
GOOD = config_map(text())
URL = f"jdbc:postgresql://kestra:{CLEAR}@db/kestra"


@pytest.mark.parametrize(
    ("stack", "where"),
    [
        ((variables(KESTRA_SERVER_BASIC_AUTH_PASSWORD=CLEAR),), "data.KESTRA_SERVER_BASIC_AUTH_PASSWORD"),
        ((variables(KESTRA_STORAGE_AZURE_CONNECTION_STRING=CLEAR),), "data.KESTRA_STORAGE"),
        ((deployment(env(KESTRA_STORAGE_AZURE_CONNECTION_STRING=CLEAR)),), "env.1.value"),
        ((deployment(env(DATASOURCES_POSTGRES_URL=URL)),), "env.1.value: the variable DATASOURCES"),
        ((deployment(env(JAVA_OPTS=f"-Xmx1g -Dkestra.encryption.secret-key={CLEAR}")),),
         "env.1.value: -Dkestra.encryption.secret-key in the variable JAVA_OPTS"),
        ((deployment(env(KESTRA_CONFIGURATION=text(("kestra.encryption.secret-key", CLEAR)))),), "env.1.value"),
        ((config_map(text(("kestra.encryption", {"secretKey": CLEAR}))),), "kestra.encryption.secretKey"),
    ],
)  # fmt: skip
def test_a_credential_in_clear_is_named_and_not_shown(stack: tuple[R, ...], where: str) -> None:
    (message,) = said("ks-kestra-04", *stack).messages
    assert where in message
    assert CLEAR not in message


@pytest.mark.parametrize(
    "stack",
    [
        (GOOD, deployment(env(JAVA_OPTS="-Xmx1g", ENV_STAGE="test", JDBC="a@b"))),
        (deployment(env(KESTRA_SERVER_BASIC_AUTH_USERNAME="a@example.com")),),
        (deployment(env(X="$(Y)", DATASOURCES_POSTGRES_URL="jdbc:postgresql://db/kestra")),),
        (secret(KESTRA_SERVER_BASIC_AUTH_PASSWORD=CLEAR), variables(KESTRA_SECRET_TYPE="vault")),
        # ks-kubernetes-10 says it.
        (deployment(env(KESTRA_SERVER_BASIC_AUTH_PASSWORD=CLEAR)),),
    ],
)
def test_what_is_no_credential_in_clear_passes(stack: tuple[R, ...]) -> None:
    judged = said("ks-kestra-04", *stack)
    assert (judged.messages, judged.not_yet) == ([], [])


def test_the_super_admins_password_in_a_variable_is_in_clear_but_not_in_a_secret() -> None:
    for stack in ((deployment(env(**{SUPER: CLEAR})),), (variables(**{SUPER: CLEAR}),)):
        (message,) = said("ks-kestra-03", *stack).messages
        assert f"the variable {SUPER}" in message
        assert CLEAR not in message
    reference = {"secretKeyRef": {"name": "credentials", "key": "key"}}
    for stack in (
        (deployment(env(**{SUPER: reference})), secret(key=CLEAR)),
        (deployment(env(**{SUPER: "${OTHER}"})),),
        (secret(**{SUPER: CLEAR}),),
    ):
        assert said("ks-kestra-03", *stack).messages == []


def test_a_shadowed_file_still_stands_in_clear() -> None:
    clear = config_map(text(("kestra.security.super-admin.password", CLEAR)))
    pod = deployment(env(**{SUPER: "${OTHER}"}))
    assert len(said("ks-kestra-03", pod, clear).messages) == 1


def test_an_unknown_value_is_undecided() -> None:
    judged = said("ks-kestra-03", deployment(env(**{SUPER: UNKNOWN})))
    assert judged.messages == []
    assert "before the update" in judged.not_yet[0]

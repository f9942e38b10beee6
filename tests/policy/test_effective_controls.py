"""Every control of the configuration judges what a server has in the end."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.analyzer_support import judge, pack
from tests.policy.kestra_stack_support import (
    NEVER,
    config_map,
    deployment,
    env,
    passed,
    refused,
    said,
    text,
    undecided,
    without,
)

GOOD = config_map(text())


@pytest.mark.parametrize(
    ("control", "name", "value", "says"),
    [
        ("ks-kestra-06", "KESTRA_SECURITY_BASIC_AUTH_PASSWORD_MIN_LENGTH", "4", "password-min-length 4"),
        ("ks-kestra-07", "KESTRA_SECRET_CACHE_EXPIRE_AFTER_WRITE", "1h", "caches secrets 3600s"),
        ("ks-kestra-08", "KESTRA_SECRET_ISOLATION_ENABLED", "false", "has no isolation"),
        ("ks-kestra-08", "KESTRA_SECRET_ISOLATION_DENIED_SERVICES", "EXECUTOR,INDEXER", "lets SCHEDULER"),
        ("ks-kestra-08", "KESTRA_SECRET_ISOLATION_DENIED_SERVICES_2", "WORKER", "lets SCHEDULER"),
        ("ks-kestra-09", "KESTRA_SECRET_READ_ONLY", "false", "may write its secrets"),
        ("ks-kestra-10", "KESTRA_SERVER_LIVENESS_ENABLED", "false", "never notices dead workers"),
        ("ks-kestra-10", "KESTRA_SERVER_LIVENESS_TIMEOUT", "4s", "interval 5s, timeout 4s"),
        ("ks-kestra-10", "KESTRA_SERVER_LIVENESS_INTERVAL", "50s", "interval 50s, timeout 45s"),
        ("ks-kestra-11", "KESTRA_SERVER_BASIC_AUTH_OPEN_URLS", "/", "opens /"),
        ("ks-kestra-11", "KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0", "/api", "opens /api"),
        ("ks-kestra-12", "ENDPOINTS_ENV_ENABLED", "true", "shows its environment"),
        ("ks-kestra-12", "ENDPOINTS_ALL_BASIC_AUTH_PASSWORD", "", "open management endpoints"),
        ("ks-kestra-12", "ENDPOINTS_STOP_ENABLED", "true", "is ended by a request"),
        ("ks-kestra-14", "KESTRA_QUEUE_TYPE", "memory", "keeps it in memory"),
        ("ks-kestra-21", "MICRONAUT_SECURITY_ENABLED", "true", "drops Kestra's log-in"),
        ("ks-vault-02", "KESTRA_SECRET_VAULT_ADDRESS", "http://vault:8200", "without TLS"),
        ("ks-vault-01", "KESTRA_SECRET_VAULT_TOKEN_TOKEN", "${T}", "with a token"),
        ("ks-kestra-05", "KESTRA_SECRET_AWS_SECRET_MANAGER_ACCESS_KEY_ID", "${A}", "a static access-key-id"),
        ("ks-kestra-05", "KESTRA_SECRET_AZURE_KEY_VAULT_CLIENT_SECRET_CLIENT_ID", "x", "a static client-secret"),
        ("ks-kestra-15", "KESTRA_SERVER_TERMINATION_GRACE_PERIOD", "10m", "Kestra takes 600s"),
    ],
)  # fmt: skip
def test_every_control_of_the_configuration_sees_a_variable(
    control: str, name: str, value: str, says: str
) -> None:
    passed(said(control, deployment(), GOOD))
    judged = said(control, deployment(env(**{name: value})), GOOD)
    refused(judged, says)
    if control != "ks-kestra-15" and says != "a static client-secret":
        assert f"the variable {name}" in judged.messages[0]


@pytest.mark.parametrize(
    ("control", "name", "value", "path"),
    [
        ("ks-kestra-07", "KESTRA_SECRET_CACHE_EXPIRE_AFTER_WRITE", "60s", "kestra.secret.cache.expire-after-write"),
        ("ks-kestra-08", "KESTRA_SECRET_ISOLATION_DENIED_SERVICES", "EXECUTOR, INDEXER,SCHEDULER",
         "kestra.secret.isolation.denied-services"),
        ("ks-kestra-09", "KESTRA_SECRET_READ_ONLY", "true", "kestra.secret.read-only"),
        ("ks-kestra-12", "ENDPOINTS_ALL_BASIC_AUTH_PASSWORD", "${P}", "endpoints.all.basic-auth.password"),
    ],
)  # fmt: skip
def test_a_variable_gives_what_the_file_lacks(
    control: str, name: str, value: str, path: str
) -> None:
    lacking = config_map(without(path))
    assert said(control, deployment(), lacking).messages
    passed(said(control, deployment(env(**{name: value})), lacking))


def test_the_time_to_end_is_asked_of_each_workload_by_its_own_configuration() -> None:
    slow = env(KESTRA_SERVER_TERMINATION_GRACE_PERIOD="10m")
    stack: list[Any] = [deployment(slow, name="slow"), deployment(name="quick"), GOOD]
    refused(said("ks-kestra-15", *stack), "slow (kubernetes:apps/v1:Deployment): gives 360s")


def test_without_a_sign_of_the_edition_its_log_in_is_undecided() -> None:
    plain = config_map("kestra: {url: x}\nmicronaut: {security: {enabled: true}}\n")
    mirrored = deployment(image="mirror.example.com/workflows:1")
    undecided(said("ks-kestra-21", mirrored, plain), NEVER, "the edition")
    undecided(said("ks-kestra-21", plain), NEVER, "the edition")
    licensed = config_map(
        "kestra: {ee: {license: {id: x}}}\nmicronaut: {security: {enabled: true}}\n"
    )
    passed(said("ks-kestra-21", mirrored, licensed))
    refused(said("ks-kestra-21", deployment(), licensed), "drops Kestra's log-in")


DELETES = config_map(text(("kestra.configurations.delete-files-on-start", True)))


def test_a_file_that_kestra_does_not_read_need_not_be_deletable() -> None:
    refused(said("ks-kestra-16", deployment(), DELETES), "where Kestra cannot delete it")
    refused(said("ks-kestra-16", deployment(env(KESTRA_CONFIGURATION="")), DELETES), "delete it")
    written = deployment(env(KESTRA_CONFIGURATION=text()))
    passed(said("ks-kestra-16", written, DELETES))
    keeps = env(KESTRA_CONFIGURATIONS_DELETE_FILES_ON_START="false")
    passed(said("ks-kestra-16", deployment(keeps), DELETES))


CLIENT = "micronaut.security.oauth2.clients.keycloak"
ISSUER = "MICRONAUT_SECURITY_OAUTH2_CLIENTS_KEYCLOAK_OPENID_ISSUER"


def test_a_provider_is_judged_with_the_variables_of_its_client() -> None:
    over_tls = config_map(text((f"{CLIENT}.openid.issuer", "https://sso.example.com")))
    passed(said("ks-kestra-22", over_tls, deployment()))
    plain = deployment(env(**{ISSUER: "http://sso.example.com"}))
    refused(said("ks-kestra-22", over_tls, plain), "is asked without TLS", ISSUER)
    named = config_map(text((f"{CLIENT}.openid.issuer", "${SSO}")))
    refused(said("ks-kestra-22", named, deployment(env(SSO="http://sso.example.com"))))
    undecided(said("ks-kestra-22", named, deployment()), NEVER)


def test_a_network_that_encrypts_takes_the_place_of_tls_between_pods() -> None:
    controllers = config_map(text(("kestra.worker", {"controllers": {"type": "STATIC"}})))
    stack = [controllers, deployment(args=["server", "worker"])]
    refused(said("ks-kestra-23", *stack), "talks without TLS, being open source")
    options = {"managedElsewhere": ["pod-network-encryption"]}
    passed(judge(pack("production", options), "ks-kestra-23", stack))

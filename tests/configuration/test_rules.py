"""What the rendering adds, drops and renames, for each version and edition."""

from __future__ import annotations

from typing import Any

import pytest

from components.rendering.configuration import CONTROLLER_SERVICE, GeneratedValueRef, render
from components.settings import Settings
from components.validation import load

LOG_IN = {"server": {"basic-auth": {"username": "admin@example.com"}}}


def rendered(settings: dict[str, Any]) -> dict[str, Any]:
    return render(load(settings, source="test").settings).document


def needed(settings: dict[str, Any]) -> set[str]:
    environment = render(load(settings, source="test").settings).environment
    return {source.key for source in environment.values() if isinstance(source, GeneratedValueRef)}


def enterprise(**blocks: Any) -> dict[str, Any]:
    return {"edition": "enterprise", **blocks}


def vault(**auth: Any) -> dict[str, Any]:
    return enterprise(
        secret={"type": "vault", "vault": {"address": "https://vault.example.com:8200", **auth}}
    )


def test_the_smallest_stack_gets_a_key_a_log_in_and_nothing_else_secret() -> None:
    assert needed(LOG_IN) == {"encryption.secret-key", "server.basic-auth.password"}
    assert rendered(LOG_IN | {"version": "2.0"}) == {
        "kestra": {
            "encryption": {"secret-key": "${STACK_KESTRA_ENCRYPTION_SECRET_KEY}"},
            "server": {
                "basic-auth": {
                    "username": "admin@example.com",
                    "password": "${STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD}",
                }
            },
            "variables": {"env-vars-prefix": "ENV_"},
            "anonymous-usage-report": {"enabled": False},
        }
    }


MANAGEMENT = {"all": {"basic-auth": {"username": "monitoring"}}}
OFF = {"enabled": False}


def test_without_a_log_in_1_3_gets_the_hardened_endpoints_of_2_0_and_2_0_nothing() -> None:
    assert rendered(LOG_IN | {"version": "1.3"})["endpoints"] == {
        "all": {"sensitive": True},
        "env": OFF,
        "stop": OFF,
        "caches": OFF,
        "health": {"sensitive": False, "details-visible": "AUTHENTICATED"},
        "loggers": {"write-sensitive": True},
        "worker": {"sensitive": True},
        "scheduler": {"sensitive": True},
    }
    assert "endpoints" not in rendered(LOG_IN | {"version": "2.0"})


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_with_a_log_in_what_people_read_is_open_to_it(version: str) -> None:
    result = rendered(LOG_IN | {"version": version, "endpoints": MANAGEMENT})["endpoints"]
    assert result.pop("all") == {
        "sensitive": True,
        "basic-auth": {
            "username": "monitoring",
            "password": "${STACK_ENDPOINTS_ALL_BASIC_AUTH_PASSWORD}",
        },
    }
    if version == "1.3":
        # 2.0 has these by itself.
        assert [result.pop(name) for name in ("env", "stop", "caches")] == [OFF] * 3
        assert result["loggers"].pop("write-sensitive") is True
    assert result == {
        "health": {"sensitive": False, "details-visible": "ANONYMOUS"},
        "info": {"sensitive": False},
        "metrics": {"sensitive": False},
        "prometheus": {"sensitive": False},
        "loggers": {"sensitive": False},
    }


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_who_closes_all_endpoints_beside_a_log_in_keeps_them_closed(version: str) -> None:
    every = MANAGEMENT["all"] | {"sensitive": True}
    result = rendered(LOG_IN | {"version": version, "endpoints": {"all": every}})["endpoints"]
    assert result["all"]["sensitive"] is True
    assert {name for name, block in result.items() if block.get("sensitive") is False} == {"health"}


@pytest.mark.parametrize("version", ["1.3", "2.0"])
@pytest.mark.parametrize("log_in", [{}, MANAGEMENT])
def test_opening_all_endpoints_does_not_switch_on_what_is_off(
    version: str, log_in: dict[str, Any]
) -> None:
    endpoints = {"all": log_in.get("all", {}) | {"sensitive": False}}
    result = rendered(LOG_IN | {"version": version, "endpoints": endpoints})["endpoints"]
    assert [result[name] for name in ("env", "stop", "caches")] == [OFF] * 3


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_every_endpoint_is_rendered_as_it_is_set_under_any_id(version: str) -> None:
    chosen = {
        "stop": {"enabled": True, "sensitive": True},
        "prometheus": {"path": "/measured"},
        "health": {"disk-space": {"enabled": False}},
        "of-a-plugin": {"enabled": False},
    }
    settings = LOG_IN | {"version": version, "endpoints": MANAGEMENT | chosen}
    result = rendered(settings)["endpoints"]
    assert result["stop"] == chosen["stop"]
    assert result["prometheus"] == {"sensitive": False, "path": "/measured"}
    assert result["health"]["disk-space"] == {"enabled": False}
    assert result["of-a-plugin"] == {"enabled": False}


def test_what_the_settings_say_of_an_endpoint_wins_over_the_hardened_value() -> None:
    endpoints = {"all": {"sensitive": False, "port": 9081}, "health": {"details-visible": "NEVER"}}
    result = rendered(LOG_IN | {"endpoints": endpoints})["endpoints"]
    assert result["all"] == {"sensitive": False, "port": 9081}
    assert result["health"] == {"details-visible": "NEVER"}
    assert result["env"] == {"enabled": False}


@pytest.mark.parametrize("version", ["1.3", "2.0"])
def test_closing_all_endpoints_leaves_health_open_to_probes(version: str) -> None:
    result = rendered(LOG_IN | {"version": version, "endpoints": {"all": {"sensitive": True}}})
    assert result["endpoints"]["health"]["sensitive"] is False


def test_basic_auth_enabled_and_heartbeat_are_not_rendered() -> None:
    settings = {
        "server": {"basic-auth": {"enabled": True, "username": "admin@example.com"}},
        "heartbeat": {"frequency": "10s"},
    }
    kestra = rendered(settings)["kestra"]
    assert set(kestra["server"]["basic-auth"]) == {"username", "password"}
    assert "heartbeat" not in kestra


def test_the_open_source_edition_drops_enterprise_blocks_even_unchecked() -> None:
    settings = Settings.model_validate(
        {
            "edition": "oss",
            "secret": {"type": "jdbc"},
            "security": {"super-admin": {"username": "admin@example.com"}},
        }
    )
    configuration = render(settings)
    assert not {"secret", "security"} & set(configuration.document["kestra"])
    assert list(configuration.environment) == ["STACK_KESTRA_ENCRYPTION_SECRET_KEY"]


@pytest.mark.parametrize("written", ["super-admin", "instance-owner"])
@pytest.mark.parametrize(("version", "name"), [("1.3", "super-admin"), ("2.0", "instance-owner")])
def test_the_administrator_has_the_name_of_the_version(
    written: str, version: str, name: str
) -> None:
    settings = enterprise(security={written: {"username": "admin@example.com"}}, version=version)
    assert list(rendered(settings)["kestra"]["security"]) == [name]
    assert "security.super-admin.password" in needed(settings)


def test_the_words_of_1_x_are_translated_for_2_0_only() -> None:
    role = {"name": "default", "permissions": {"FLOW": ["READ"], "SETTING": ["READ"]}}

    def permissions(version: str) -> Any:
        settings = enterprise(security={"default-role": role}, version=version)
        return rendered(settings)["kestra"]["security"]["default-role"]["permissions"]

    assert permissions("1.3") == role["permissions"]
    assert permissions("2.0") == {
        "FLOW": ["VIEW", "LIST", "EXPORT"],
        "SYSTEM_SETTINGS": ["VIEW"],
        "TENANT_SETTINGS": ["VIEW"],
    }


def test_the_words_of_2_0_stay_as_written() -> None:
    role = {"name": "default", "permissions": {"FLOW": ["VIEW", "EXECUTE"]}}
    settings = enterprise(security={"default-role": role}, version="2.0")
    assert rendered(settings)["kestra"]["security"]["default-role"] == role


def test_structured_password_rules_are_rendered_on_2_0() -> None:
    rules = {"password-min-length": 12, "password-require-special": True}
    settings = enterprise(security={"basic-auth": rules}, version="2.0")
    assert rendered(settings)["kestra"]["security"]["basic-auth"] == rules


@pytest.mark.parametrize("place", ["secret", "vault"])
def test_vault_is_read_only_in_both_places(place: str) -> None:
    settings = vault(kubernetes={})
    settings["secret"]["read-only"] = True
    if place == "vault":
        settings["secret"]["vault"]["read-only"] = True
    secret = rendered(settings)["kestra"]["secret"]
    assert secret["read-only"] is True
    assert secret["vault"]["read-only"] is True


@pytest.mark.parametrize(
    ("auth", "block", "keys"),
    [
        ({"kubernetes": {}}, {"path": "kubernetes", "role": "kestra"}, set()),
        (
            {"kubernetes": {"path": "eu", "role": "r"}},
            {"path": "eu", "role": "r"},
            set(),
        ),
        (
            {"app-role": {}},
            {
                "path": "approle",
                "role-id": "${STACK_KESTRA_SECRET_VAULT_APP_ROLE_ROLE_ID}",
                "secret-id": "${STACK_KESTRA_SECRET_VAULT_APP_ROLE_SECRET_ID}",
            },
            {"secret.vault.app-role.role-id", "secret.vault.app-role.secret-id"},
        ),
        (
            {"token": {}},
            {"token": "${STACK_KESTRA_SECRET_VAULT_TOKEN_TOKEN}"},
            {"secret.vault.token.token"},
        ),
        (
            {"password": {"user": "kestra"}},
            {"user": "kestra", "password": "${STACK_KESTRA_SECRET_VAULT_PASSWORD_PASSWORD}"},
            {"secret.vault.password.password"},
        ),
    ],
)
def test_vault_gets_what_its_auth_method_needs(
    auth: dict[str, Any], block: dict[str, Any], keys: set[str]
) -> None:
    settings = vault(**auth)
    [method] = auth
    assert rendered(settings)["kestra"]["secret"]["vault"][method] == block
    assert needed(settings) - {"encryption.secret-key"} == keys


@pytest.mark.parametrize("kind", ["jdbc", "elasticsearch"])
def test_an_internal_store_needs_its_key_even_without_its_block(kind: str) -> None:
    settings = enterprise(secret={"type": kind})
    assert needed(settings) == {"encryption.secret-key", f"secret.{kind}.secret"}


def test_tag_filters_have_the_shape_of_their_backend() -> None:
    aws = enterprise(
        secret={
            "type": "aws-secret-manager",
            "read-only": True,
            "aws-secret-manager": {"filter-on-tags": {"tags": {"a": "b"}}},
        }
    )
    block = rendered(aws)["kestra"]["secret"]["aws-secret-manager"]
    assert block["filter-on-tags"] == {"tags": {"a": "b"}}

    flat = vault(kubernetes={})
    flat["secret"]["read-only"] = True
    flat["secret"]["vault"]["filter-on-tags"] = {"a": "b"}
    assert rendered(flat)["kestra"]["secret"]["vault"]["filter-on-tags"] == {"a": "b"}


def test_static_aws_keys_leave_the_file_as_a_whole() -> None:
    keys = {"access-key-id": "AKIA1", "secret-key-id": "s", "session-token": "t"}
    settings = enterprise(secret={"type": "aws-secret-manager", "aws-secret-manager": keys})
    block = rendered(settings)["kestra"]["secret"]["aws-secret-manager"]
    assert all(value.startswith("${STACK_") for value in block.values())


def test_a_kafka_queue_gets_longer_liveness_unless_the_settings_say_otherwise() -> None:
    kafka = {"client": {"properties": {"bootstrap.servers": "kafka:9092"}}}
    settings = enterprise(queue={"type": "kafka"}, kafka=kafka)
    liveness = rendered(settings)["kestra"]["server"]["liveness"]
    assert liveness == {"timeout": "1m", "initial-delay": "1m"}
    settings["server"] = {"liveness": {"timeout": "90s"}}
    liveness = rendered(settings)["kestra"]["server"]["liveness"]
    assert liveness == {"timeout": "90s", "initial-delay": "1m"}


@pytest.mark.parametrize("duration", ["500ms", "45s", "7d", "PT1M30S", "P30D"])
def test_durations_are_rendered_as_written(duration: str) -> None:
    settings = {"server": LOG_IN["server"] | {"termination-grace-period": duration}}
    assert rendered(settings)["kestra"]["server"]["termination-grace-period"] == duration


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("development", None), ("staging", {"enabled": False}), ("production", {"enabled": False})],
)
def test_tutorial_flows_are_for_development(environment: str, expected: Any) -> None:
    settings = LOG_IN | {"tags": {"environment": environment, "owner": "team"}}
    assert rendered(settings)["kestra"].get("tutorial-flows") == expected


def test_the_address_of_kestra_is_that_of_the_deployment_or_else_of_its_ingress() -> None:
    ingress = {"host": "kestra.example.com", "tls-secret": "tls"}
    settings: dict[str, Any] = LOG_IN | {"deployment": {"ingress": ingress}}
    assert rendered(settings)["kestra"]["url"] == "https://kestra.example.com/"
    settings["deployment"] |= {"url": "https://other.example.com/"}
    assert rendered(settings)["kestra"]["url"] == "https://other.example.com/"


def test_workers_of_a_distributed_2_0_know_their_controllers() -> None:
    settings = LOG_IN | {
        "version": "2.0",
        "deployment": {"mode": "distributed"},
        "datasources": {"postgres": {"url": "jdbc:postgresql://db/kestra"}},
        "queue": {"type": "postgres"},
        "repository": {"type": "postgres"},
        "storage": {"type": "gcs", "gcs": {"bucket": "kestra"}},
    }
    controllers = rendered(settings)["kestra"]["worker"]["controllers"]
    assert controllers == {
        "type": "STATIC",
        "static": {"endpoints": [{"host": CONTROLLER_SERVICE, "port": 50051}]},
    }
    assert "worker" not in rendered(settings | {"version": "1.3"})["kestra"]


def test_what_kestra_does_not_start_without_is_a_warning() -> None:
    warnings = render(load(LOG_IN, source="test").settings).warnings
    assert [w.path for w in warnings] == ["kestra:queue", "kestra:repository", "kestra:storage"]
    assert {w.severity for w in warnings} == {"warning"}

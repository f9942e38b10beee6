"""Variables, Java's options and arguments that would undo the configuration, or what the pods assume."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from components.rendering.configuration import render
from components.settings import SettingsError
from components.settings.base import OPAQUE
from components.validation import load
from components.validation.rules.flow_variables import CONFIGURATION_ROOTS
from components.validation.rules.java_options import properties
from components.validation.rules.setting_names import setting_keys, setting_of
from tests.settings.malformed_fixtures import (
    KEY,
    PLANTED,
    SEED_AUTH,
    auth,
    deployment,
    enterprise,
    oss,
)

LOG_IN = "KESTRA_SERVER_BASIC_AUTH_PASSWORD"
PREFIX = "KESTRA_VARIABLES_ENV_VARS_PREFIX"
POSTGRES = {"url": "jdbc:postgresql://db:5432/k", "username": "k", "password": PLANTED}


def _with(
    name: str, value: str | SecretStr = "x", base: dict[str, Any] | None = None
) -> dict[str, Any]:
    document = base or oss()
    block = document.get("deployment", {})
    variables = block.get("environment", {}) | {name: value}
    return document | {"deployment": block | {"environment": variables}}


def _refusal(document: dict[str, Any], path: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(document, source="f.yaml")
    lines = {p.path: p.line() for p in caught.value.problems}
    assert PLANTED not in "".join(lines.values())
    assert list(lines) == [path]
    return lines[path]


def _refused(document: dict[str, Any], name: str) -> str:
    return _refusal(document, f"kestra:deployment.environment.{name}")


LIVENESS = oss(server={"basic-auth": SEED_AUTH, "liveness": {"timeout": "45s"}})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (_with("KESTRA_SERVER_LIVENESS_TIMEOUT", "1m", LIVENESS), "overrides kestra:server.liveness.timeout"),
        (_with("kestra_server_Liveness_timeout", "1m", LIVENESS), "set kestra:server.liveness.timeout instead"),
        (_with(LOG_IN, PLANTED), "overrides kestra:server.basic-auth.password"),
        (_with("KESTRA_SERVER_BASICAUTH_PASSWORD", PLANTED), "kestra:server.basic-auth.password"),
        (_with("KESTRA_SERVER_BASIC__AUTH_PASSWORD", PLANTED), "kestra:server.basic-auth.password"),
        (_with("KESTRA_SERVER_BASIC_AUTH_USERNAME"), "overrides kestra:server.basic-auth.username"),
        (_with("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0", "/", auth(open_urls=["/a"])), "overrides kestra:server.basic-auth.open-urls"),
        (_with("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0", "/"), "opens every path"),
        (_with("kestra_server_basic_auth_open_urls", "/a/, /"), "opens every path"),
        (_with("KESTRA_ENCRYPTION_SECRET_KEY", PLANTED), "overrides kestra:encryption.secret-key"),
        (_with("ENDPOINTS_ENV_ENABLED", "true"), "overrides kestra:endpoints.env.enabled"),
        (_with("ENDPOINTS_LOGGERS_WRITE_SENSITIVE", "false"), "overrides kestra:endpoints.loggers.write-sensitive"),
        (_with("DATASOURCES_POSTGRES_PASSWORD", PLANTED, oss(datasources={"postgres": POSTGRES})), "overrides kestra:datasources.postgres.password"),
        (_with("KESTRA_URL", "https://x", deployment(url="https://k.example.com")), "overrides kestra:deployment.url"),
        (_with("KESTRA_SECURITY_DEFAULT_ROLE_PERMISSIONS_FLOW_0", "DELETE", enterprise(security={"default-role": {"name": "r", "permissions": {"EXECUTION": ["READ"]}}})), "overrides kestra:security.default-role.permissions"),
        (_with("KESTRA_ANONYMOUS_USAGE_REPORT_ENABLED", "true"), "overrides kestra:anonymous-usage-report.enabled"),
        (_with("KESTRA_CONFIGURATION", PLANTED), "replaces the rendered configuration"),
        (_with("KESTRA_CONFIGURATION_PATH"), "replaces the rendered configuration"),
        (_with("KESTRA_CONFIGURATION_X"), "replaces the rendered configuration"),
        (_with("SPRING_APPLICATION_JSON", "{}"), "every key of its JSON"),
        (_with("MICRONAUT_APPLICATION_JSON", "{}"), "every key of its JSON"),
        (_with("MICRONAUT_CONFIG_FILES"), "its own"),
        (_with("MICRONAUT_CONFIG_CLIENT_ENABLED", "true"), "another configuration"),
        (_with("MICRONAUT_ENVIRONMENTS", "dev"), "micronaut.environments"),
        (_with("MICRONAUT_ENV_DEDUCTION", "false"), "micronaut.env.deduction"),
        (_with("MICRONAUT_SECURITY_ENABLED", "true"), "drops the log-in"),
        (_with("micronaut_Security_Enabled", "true"), "drops the log-in"),
        (_with("MICRONAUT_SECURITY_ENABLED", "false", enterprise()), "switches off the log-in"),
        (_with("MICRONAUT_SERVER_CONTEXT_PATH", "/k"), "/health answers 404"),
        (_with("MICRONAUT_SERVER_CONTEXTPATH", "/k"), "micronaut.server.context-path"),
        (_with("MICRONAUT_SERVER_PORT", "9"), "kestra:micronaut.server.port"),
        (_with("MICRONAUT_SERVER_SSL_ENABLED", "true"), "plain HTTP"),
        (_with("MICRONAUT_SERVER_SSL_KEY_STORE_PATH"), "plain HTTP"),
        (_with("MICRONAUT_SERVER_NETTY_LISTENERS_A_PORT", "9"), "replaces the ports"),
        (_with("ENDPOINTS_ALL_PORT", "9"), "kestra:endpoints.all.port"),
        (_with("ENDPOINTS_ALL_PATH", "/m"), "the probes do not ask"),
        (_with("ENDPOINTS_ALL_SENSITIVE", "true", oss(version="2.0")), "kestra:endpoints.all.sensitive"),
        (_with("ENDPOINTS_ALL_BASIC_AUTH_USERNAME"), "kestra:endpoints.all.basic-auth"),
        (_with("KESTRA_SERVER_TERMINATION_GRACE_PERIOD", "1h"), "kestra:server.termination-grace-period"),
        (_with("KESTRA_CONFIGURATIONS_DELETE_FILES_ON_START", "true"), "KESTRA_CONFIGURATION"),
        (_with("KESTRA_STORAGE_S3_STS_ROLE_EXTERNAL_ID"), "kestra.storage.s3.sts.role.external.id"),
        (_with("KESTRA_STORAGE_S3_ACCESS_KEY", PLANTED), "set kestra:storage.s3.access-key instead"),
        (_with("KESTRA_STORAGE_S3_ACCESS__KEY", PLANTED), "set kestra:storage.s3.access-key instead"),
        (_with("KESTRA_PLUGINS_CONFIGURATIONS_0_TYPE"), "KESTRA_PLUGINS_CONFIGURATIONS_0__TYPE"),
        (_with("MICRONAUT_HTTP_SERVICES_A_URLS_0_1"), "a null"),
    ],
)  # fmt: skip
def test_a_variable_that_undoes_the_configuration_is_refused(
    document: dict[str, Any], words: str
) -> None:
    name = next(iter(document["deployment"]["environment"]))
    assert words in _refused(document, name)


@pytest.mark.parametrize("version", ["1.3", "2.0"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        # The settings have no such key, or the stack does not set it.
        ("DATASOURCES_POSTGRES_CONNECTION_TIMEOUT", "30000"),
        ("DATASOURCES_POSTGRES_MAXIMUM_POOL_SIZE", "5"),
        ("KESTRA_SERVER_LIVENESS_TIMEOUT", "1m"),
        ("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0", "/api/v1/main/executions/webhook"),
        ("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS", "/api/v1/a,/api/v1/b"),
        ("KESTRA_URL", "https://k"),
        ("KESTRA_EE_LICENSE_ID", "x"),
        ("KESTRA_TASKS_TMP_DIR_PATH", "/tmp/x"),
        ("KESTRA_STORAGE_S3_REGION", "eu-west-1"),
        ("KESTRA_PLUGINS_PATH", "/app/plugins"),
        ("KESTRA_PLUGINS_CONFIGURATIONS_0__TYPE", "x"),
        ("MICRONAUT_SERVER_MAX_REQUEST_SIZE", "10GB"),
        ("MICRONAUT_SERVER_NETTY_MAX_HEADER_SIZE", "16KB"),
        ("MICRONAUT_HTTP_SERVICES_X_URLS_0", "https://x"),
        ("KESTRA_ANONYMOUS_USAGE_REPORT_ENABLED", "false"),
        ("DB_PASSWORD_1_OLD", "x"),
        ("ENV_COUNTRY", "fr"),
        ("JAVA_OPTS", "-Xmx1g -Dfile.encoding=UTF-8 -Duser.timezone=UTC -Djava.net.preferIPv4Stack=true"),
        (PREFIX, "ENV_"),
        (PREFIX, "FLOW_"),
    ],
)  # fmt: skip
def test_a_variable_of_a_key_that_the_stack_does_not_set_is_accepted(
    version: str, name: str, value: str
) -> None:
    loaded = load(_with(name, value, oss(version=version)), source="f.yaml")
    assert loaded.settings.deployment.environment == {name: value}


@pytest.mark.parametrize(
    "document",
    [
        _with(LOG_IN, "Aa345678", auth(password=f"${{{LOG_IN}}}")),
        _with("KESTRA_ENCRYPTION_SECRET_KEY", KEY, oss(encryption={"secret-key": "${KESTRA_ENCRYPTION_SECRET_KEY}"})),
        _with("DATASOURCES_POSTGRES_URL", "jdbc:postgresql://db/k", oss(datasources={"postgres": {"url": "${DATASOURCES_POSTGRES_URL}"}})),
        _with("OTHER", "x", auth(password="${OTHER}")),
    ],
)  # fmt: skip
def test_a_setting_may_be_fed_by_the_variable_of_that_name(document: dict[str, Any]) -> None:
    # A secret in a variable in clear is a warning of another check.
    assert all(".environment." in w.path for w in load(document, source="f.yaml").warnings)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (PREFIX, "is encrypted, so that nothing says which variables flows can read"),
        ("MICRONAUT_SECURITY_ENABLED", "drops the log-in of open-source Kestra"),
        ("KESTRA_SERVER_BASIC_AUTH_USERNAME", "overrides kestra:server.basic-auth.username"),
        ("KESTRA_CONFIGURATION", "replaces the rendered configuration"),
    ],
)
@pytest.mark.parametrize("value", [OPAQUE, "ENV_", "true"])
def test_an_encrypted_variable_is_judged_by_its_name_alone(
    name: str, words: str, value: str
) -> None:
    assert words in _refused(_with(name, SecretStr(value)), name)


def test_an_encrypted_variable_that_flows_can_read_is_a_warning() -> None:
    document = _with("ENV_TOKEN", SecretStr(PLANTED))
    (warning,) = load(document, source="f.yaml").warnings
    assert "flows can read it as envs.token" in warning.line()
    assert PLANTED not in warning.line()
    prefixed = _with("APP_TOKEN", SecretStr(PLANTED), _with(PREFIX, "APP_"))
    assert "APP_TOKEN" in _refused(prefixed, PREFIX)


def test_a_setting_that_names_another_variable_is_still_overridden() -> None:
    document = _with(LOG_IN, PLANTED, auth(password="${OTHER:}"))
    assert "set kestra:server.basic-auth.password instead" in _refused(document, LOG_IN)


@pytest.mark.parametrize("name", [PREFIX, "kestra_variables_env_vars_prefix"])
@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("", "the encryption key included"),
        ("S", "STACK_…"),
        ("STACK_KESTRA_", "STACK_…"),
        ("SECRET_", "SECRET_…"),
        ("KESTRA_", "KESTRA_…"),
        ("DATASOURCES_", "DATASOURCES_…"),
        ("DB_", "DB_PASSWORD"),
        ("${X:}", "no plain beginning"),
    ],
)
def test_a_prefix_that_shows_flows_a_secret_is_refused(name: str, prefix: str, words: str) -> None:
    base = auth(password="${DB_PASSWORD:}")
    line = _refused(_with(name, prefix, base), name)
    assert words in line
    assert "env-vars-prefix" in line


@pytest.mark.parametrize(
    ("name", "value"),
    [("APP_PASSWORD", PLANTED), ("APP_DB", f"postgres://k:{PLANTED}@db/k"), ("APP_X", "Bearer " + PLANTED)],
)  # fmt: skip
def test_a_prefix_that_shows_flows_a_secret_in_clear_is_refused(name: str, value: str) -> None:
    for prefix in ("APP_", "A"):
        document = _with(name, value, _with(PREFIX, prefix))
        with pytest.raises(SettingsError) as caught:
            load(document, source="f.yaml")
        lines = {p.path: p.line() for p in caught.value.problems if p.severity == "error"}
        assert list(lines) == [f"kestra:deployment.environment.{PREFIX}"]
        assert name in "".join(lines.values())
        assert PLANTED not in caught.value.report()


def test_a_prefix_is_refused_where_secrets_of_unknown_names_become_variables() -> None:
    base = deployment(**{"environment-from": ["kestra-secrets"]})
    assert "environment-from" in _refused(_with(PREFIX, "FLOW_", base), PREFIX)
    load(_with(PREFIX, "ENV_", base), source="f.yaml")


def test_a_secret_that_flows_can_read_is_a_warning() -> None:
    document = _with("ENV_PASSWORD", SecretStr("x"), auth(password="${ENV_PASSWORD}"))
    warnings = {w.path: w.line() for w in load(document, source="f.yaml").warnings}
    assert "envs.password" in warnings["kestra:server.basic-auth.password"]
    assert "envs.password" in warnings["kestra:deployment.environment.ENV_PASSWORD"]


def test_every_problem_of_the_variables_is_reported_at_once() -> None:
    names = {"MICRONAUT_SERVER_PORT": "1", "MICRONAUT_ENVIRONMENTS": "x", PREFIX: ""}
    with pytest.raises(SettingsError) as caught:
        load(deployment(environment=names), source="f.yaml")
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MICRONAUT_SECURITY_ENABLED", True, "micronaut.security.enabled"),
        ("MICRONAUT_SERVER_PORT", 9090, "kestra:micronaut.server.port"),
        ("KESTRA_CONFIGURATION", {"kestra": {"url": PLANTED}}, "replaces the rendered configuration"),
        (PREFIX, None, "the encryption key included"),
        (PREFIX, [PLANTED], "is not text"),
    ],
)  # fmt: skip
def test_a_variable_is_judged_by_its_name_where_its_value_is_no_text_too(
    name: str, value: object, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(deployment(environment={name: value, "OTHER": 1}), source="f.yaml")
    path = "kestra:deployment.environment."
    assert [p.path for p in caught.value.problems if p.message == "is not text"] == [
        path + other for other in sorted((name, "OTHER"))
    ]
    assert words in "".join(p.line() for p in caught.value.problems if p.path == path + name)
    assert PLANTED not in caught.value.report()


@pytest.mark.parametrize(
    "name", ["JAVA_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "KESTRA_JAVA_OPTS"]
)  # fmt: skip
def test_configuration_among_javas_options_is_refused(name: str) -> None:
    document = _with(name, "-Xmx1g -Dkestra.encryption.secretKey=" + PLANTED)
    line = _refused(document, name)
    assert "kestra:encryption.secret-key" in line


@pytest.mark.parametrize("options", ["@/x/options", "-Xmx1g '@'/x", "-XX:VMOptionsFile=/x"])
def test_a_file_of_javas_options_is_refused(options: str) -> None:
    for name in ("JAVA_OPTS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"):
        assert "from a file" in _refused(_with(name, options), name)
    component = deployment(components={"standalone": {"java-options": options}})
    path = "kestra:deployment.components.standalone.java-options"
    assert "from a file" in _refusal(component, path)


def test_options_of_java_are_accepted_whatever_their_values() -> None:
    options = "-Dmail=kestra@example.com -Dx=@y -XX:+UseG1GC -javaagent:/x.jar=kestra.url=1"
    assert not load(_with("JAVA_OPTS", options), source="f.yaml").warnings


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("-Dkestra.url=x", "-Dkestra.url is kestra:deployment.url"),
        ("-Dlogger.levels.io.kestra=DEBUG", "is kestra:logger.levels"),
        ("-Dkestra.no-key=x", "is the variable KESTRA_NO_KEY of"),
        ("-Dmicronaut.server.port=9", "is kestra:micronaut.server.port"),
        ("-Dmicronaut.environments=a", "may not be set for this stack"),
        (
            "-Dkestra.anonymous-usage-report.enabled=true",
            "is kestra:anonymous-usage-report.enabled",
        ),
    ],
)
def test_the_fix_of_a_property_names_a_place_that_takes_it(option: str, words: str) -> None:
    document = deployment(components={"standalone": {"java-options": option}})
    path = "kestra:deployment.components.standalone.java-options"
    assert words in _refusal(document, path)


def test_configuration_in_java_options_of_a_component_is_refused() -> None:
    block = {"standalone": {"java-options": '-Dfile.encoding=x "-Dmicronaut.server.port=9"'}}
    path = "kestra:deployment.components.standalone.java-options"
    assert "micronaut.server.port" in _refusal(deployment(components=block), path)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("-Dfile.encoding=UTF-8 -Duser.timezone=UTC -Djava.io.tmpdir=/x -Xmx1g", []),
        ("-Dmicronaut.environments=a -Dendpoints.all.port=1", ["micronaut.environments", "endpoints.all.port"]),
        ("-Dotel.traces.exporter=none -Dkestrax=1", []),
        ("'-Dkestra.url=x'", ["kestra.url"]),
        ("-Ddatasources.h2.url", ["datasources.h2.url"]),
        ("-D'kestra.url'=x '-'Dkestra.ur\"l\"=x -Dkes'tra'.a=x", ["kestra.url", "kestra.a"]),
        ('-Dname="a -Dkestra.url=x"', ["kestra.url"]),
        ("-Dname=-Dkestra.url=x", []),
        ("", []),
    ],
)  # fmt: skip
def test_only_properties_that_are_configuration_are_named(options: str, names: list[str]) -> None:
    assert list(properties(options)) == names


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--config", "another configuration file"),
        ("--config=/x.yml", "another configuration file"),
        ("-c", "another configuration file"),
        ("-c/x.yml", "another configuration file"),
        ("-vc", "another configuration file"),
        ("--port", "micronaut.server.port"),
        ("--port=9000", "micronaut.server.port"),
        ("-Dkestra.url=x", "java-options"),
        ("@/x/arguments", "from a file"),
    ],
)
def test_an_argument_that_carries_configuration_is_refused(argument: str, words: str) -> None:
    document = deployment(components={"standalone": {"extra-args": ["--internal-log", argument]}})
    path = "kestra:deployment.components.standalone.extra-args[1]"
    assert words in _refusal(document, path)


def test_other_arguments_are_accepted() -> None:
    arguments = ["--flow-path=/flows", "-l", "DEBUG", "-v", "--tenant", "main"]
    load(deployment(components={"standalone": {"extra-args": arguments}}), source="f.yaml")


def test_every_key_of_the_settings_has_its_setting() -> None:
    assert setting_keys()["kestra.secret.vault.app-role.role-id"] == "secret.vault.app-role.role-id"
    assert setting_keys()["kestra.url"] == "deployment.url"
    assert not [key for key in setting_keys() if key.startswith("kestra.deployment")]
    assert setting_of("datasources.mysql.password") == "datasources.mysql.password"
    assert (
        setting_of("datasources.mysql.connection.timeout") == "datasources.mysql.connection-timeout"
    )
    assert setting_of("kestra.ai.providers[0].display.name") == "ai.providers[0].display-name"
    assert (
        setting_of("kestra.kafka.client.properties.bootstrap.servers") == "kafka.client.properties"
    )
    assert setting_of("micronaut.server.context.path") == "micronaut.server.context-path"
    assert setting_of("datasources.mysql.connections") is None
    rendered = render(load(enterprise(version="2.0"), source="f.yaml").settings).document
    assert {key.split(".")[0] for key in setting_keys()} | set(rendered) <= CONFIGURATION_ROOTS

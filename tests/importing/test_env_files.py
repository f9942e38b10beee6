"""Files of variables, and which variables are keys of Kestra's."""

from __future__ import annotations

import pytest

from components.importing.env_files import Line, parse
from components.importing.readers import ImportRefused
from tests.importing.reading_support import Inputs


@pytest.mark.parametrize(
    ("row", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("A = b ", "b"),
        ("A='b # c'", "b # c"),
        ('A="b # c" # d', "b # c"),
        ("A=b # c", "b"),
        ("A=b#c", "b#c"),
        ("A=", ""),
        ("A=#c", ""),
        ('A="b\\nc"', "b\nc"),
        ("A='b\\nc'", "b\\nc"),
        ('A="b\nc"', "b\nc"),
        ("A=b=c==", "b=c=="),
        ("A: b", "b"),
        ('A=\'{"a": "b"}\'', '{"a": "b"}'),
        ("A", None),
    ],
)
def test_a_line_of_an_env_file_has_the_value_that_compose_gives_it(row, value):
    assert [line.value for line in parse(row)[0]] == [value]


@pytest.mark.parametrize(
    ("row", "value"),
    [("A=b # c", "b # c"), ("A=b \\\nc", "b c"), ('A="b c"', "b c"), ("A='b'", "b")],
)
def test_a_line_of_an_environment_file_has_the_value_that_systemd_gives_it(row, value):
    assert [line.value for line in parse(row, "systemd")[0]] == [value]


@pytest.mark.parametrize(
    "row",
    [
        "planted-text",
        "MIIEvQIBADANBg",
        "cGxhbnRlZC1zZWNyZXQ=",
        "-----BEGIN KEY-----",
        "A='open",
        "a b=c",
    ],
)
def test_a_line_that_is_no_variable_is_told_by_its_number_alone(row, tmp_path):
    lines, wrong = parse(f"ENV_A=b\n{row}\n")
    assert lines == [Line("ENV_A", "b", 1)]
    assert wrong == [2]
    result = Inputs(tmp_path).read(_env=f"ENV_A=b\n{row}\n")
    assert result.says("line 2")
    assert row not in result.shown


@pytest.mark.parametrize(
    ("variable", "key"),
    [
        ("DATASOURCES_POSTGRES_URL", "datasources.postgres.url"),
        ("DATASOURCES_POSTGRES_DRIVER_CLASS_NAME", "datasources.postgres.driver-class-name"),
        ("DATASOURCES_POSTGRES_DRIVERCLASSNAME", None),
        ("KESTRA_QUEUE_TYPE", "kestra.queue.type"),
        ("KESTRA_STORAGE_S3_ACCESS_KEY", "kestra.storage.s3.access-key"),
        ("KESTRA_SERVER_BASIC_AUTH_USERNAME", "kestra.server.basic-auth.username"),
        ("KESTRA_SERVER_BASIC_AUTH_OPEN_URLS_0", "kestra.server.basic-auth.open-urls[0]"),
        ("KESTRA_URL", "kestra.url"),
        ("KESTRA_TASKS_TMP_DIR_PATH", "kestra.tasks.tmp-dir.path"),
        ("KESTRA_ENCRYPTION_SECRET_KEY", "kestra.encryption.secret-key"),
        ("MICRONAUT_SERVER_MAX_REQUEST_SIZE", "micronaut.server.max-request-size"),
        ("KESTRA_KAFKA_CLIENT_PROPERTIES_BOOTSTRAP_SERVERS", 'kestra.kafka.client.properties["bootstrap.servers"]'),
        ("ENDPOINTS_ALL_PORT", "endpoints.all.port"),
        ("OTEL_SERVICE_NAME", None),
        ("SECRET_A", None),
        ("ENV_A", None),
    ],
)  # fmt: skip
def test_a_variable_that_micronaut_binds_is_a_key(tmp_path, variable, key):
    result = Inputs(tmp_path).read(_env=f"{variable}=x\n")
    assert result.keys == ({key: "x"} if key else {})
    if key:
        assert variable not in result.variables


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("KESTRA_SERVER_PORT", ()),
        ("KESTRA_DATASOURCES_POSTGRES_URL", ("datasources.postgres.url",)),
        ("KESTRA_BASICAUTH_ENABLED", ("ignored",)),
        ("KESTRA_SECRET_KEY", ()),
        ("KESTRA_CONFIGURATION_QUEUE_TYPE", ("kestra.queue.type",)),
        ("KESTRA_CONFIGURATION_DATASOURCES_POSTGRES_URL", ("datasources.postgres.url",)),
        ("KESTRA_MY_OWN", ("ENV_MY_OWN",)),
        ("MICRONAUT_CONFIG_FILES", ("give those files",)),
        ("KESTRA_SERVER_BASICAUTH_USERNAME", ("kestra.server.basic-auth.username",)),
        ("DATASOURCES_POSTGRES_PASSWORD_FILE", ("no file",)),
        ("KESTRA_PLUGINS_PATH", ("plugins",)),
        ("KESTRA_CONFIGURATION_PATH", ("start script",)),
        ("KESTRA_PLUGINS_DEFAULTS_0_TYPE", ("empty item",)),
    ],
)
def test_a_name_that_looks_like_a_setting_and_is_none_is_named(tmp_path, variable, words):
    result = Inputs(tmp_path).read(_env=f"{variable}=planted-value\nENV_A=b\n")
    assert result.says(variable, *words, kind="not carried")
    assert variable not in result.variables
    assert result.keys == {}
    assert "planted" not in result.shown


def test_a_text_with_commas_is_a_list_where_the_key_is_one(tmp_path):
    result = Inputs(tmp_path).read(
        _env="KESTRA_SERVER_BASIC_AUTH_OPEN_URLS=/a/,/b/\nKESTRA_URL=https://a,b\n"
    )
    assert result.keys == {
        "kestra.server.basic-auth.open-urls[0]": "/a/",
        "kestra.server.basic-auth.open-urls[1]": "/b/",
        "kestra.url": "https://a,b",
    }


def test_such_a_name_stays_where_a_placeholder_needs_it(tmp_path):
    result = Inputs(tmp_path).read(
        application__yml='datasources: {postgres: {url: "jdbc:postgresql://${KESTRA_DB_HOST}/k"}}',
        _env="KESTRA_DB_HOST=db\nKESTRA_DB_PORT=1\n",
    )
    assert result.variables == {"KESTRA_DB_HOST": "db"}
    assert result.says("KESTRA_DB_PORT", kind="not carried")


def test_a_variable_wins_over_files_and_replaces_its_own_placeholders(tmp_path):
    result = Inputs(tmp_path).read(
        application__yml='kestra: {url: "${KESTRA_URL}", queue: {type: h2}, environment: {name: "at ${KESTRA_URL}"}}',
        _env="KESTRA_URL=https://a.example\nKESTRA_QUEUE_TYPE=postgres\n",
    )
    assert result.keys == {
        "kestra.url": "https://a.example",
        "kestra.queue.type": "postgres",
        "kestra.environment.name": "at https://a.example",
    }
    assert result.variables == {}


def test_configuration_in_options_of_java_and_in_json_is_configuration(tmp_path):
    result = Inputs(tmp_path).read(
        _env="""
            JAVA_OPTS="-Xmx2g -Dkestra.queue.type=postgres -Duser.timezone=UTC"
            MICRONAUT_APPLICATION_JSON='{"kestra": {"repository": {"type": "postgres"}}}'
            """
    )
    assert result.keys == {"kestra.queue.type": "postgres", "kestra.repository.type": "postgres"}
    assert result.variables == {"JAVA_OPTS": "-Xmx2g -Duser.timezone=UTC"}


@pytest.mark.parametrize(
    "value", ["$POSTGRESQL_ADDON_PASSWORD", "$(PROJECT_NAME)", "${{ Postgres.PGPASSWORD }}"]
)
def test_a_reference_of_a_platform_is_no_value(tmp_path, value):
    result = Inputs(tmp_path).read(_env=f"ENV_A=b\nDATASOURCES_POSTGRES_PASSWORD={value}\n")
    assert result.keys == {}
    assert result.missing == {"datasources.postgres.password": ("DATASOURCES_POSTGRES_PASSWORD",)}


def test_a_whole_configuration_in_a_variable_is_read(tmp_path):
    result = Inputs(tmp_path).read(
        _env='KESTRA_CONFIGURATION="kestra:\n  queue:\n    type: postgres"\n'
    )
    assert result.keys == {"kestra.queue.type": "postgres"}


def test_a_configuration_that_is_no_yaml_is_named_without_its_text(tmp_path):
    with pytest.raises(ImportRefused, match="no valid YAML") as error:
        Inputs(tmp_path).read(_env='ENV_A=b\nKESTRA_CONFIGURATION="kestra: [planted-pass"\n')
    assert "planted" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("KESTRA_SERVER_PORT", "micronaut.server.port"),
        ("KESTRA_SERVER_CONTEXT_PATH", "micronaut.server.context-path"),
        ("KESTRA_SECRET_KEY", "encryption.secret-key"),
        ("KESTRA_LICENSE_KEY", "ee.license.key"),
        ("KESTRA_POSTGRES_URL", "datasources.postgres.url"),
        ("KESTRA_PG_PASSWORD", "deployment.environment.ENV_PG_PASSWORD"),
    ],
)
def test_a_name_that_is_no_setting_is_told_with_the_one_of_its_meaning(tmp_path, name, setting):
    result = Inputs(tmp_path).read(_env=f"{name}=planted\n")
    assert result.says(name, "is none", f"set kestra:{setting} if", kind="not carried")

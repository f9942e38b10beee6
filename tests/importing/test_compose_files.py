"""Compose files: images, variables, and the configuration that is in force."""

from __future__ import annotations

import pytest

from components.importing.inputs import read
from tests.importing.compose_support import compose_service, read_compose
from tests.importing.installation_support import imported
from tests.importing.reading_support import Inputs, Result


@pytest.mark.parametrize(
    ("image", "settings"),
    [
        ("kestra/kestra:v1.3.21", {"deployment.image.tag": "v1.3.21", "version": "1.3", "edition": "oss"}),
        ("kestra/kestra", {"deployment.image.tag": "latest", "deployment.image.repository": "kestra/kestra"}),
        ("docker.io/kestra/kestra:v2.0.0", {"version": "2.0", "deployment.image.repository": "docker.io/kestra/kestra"}),
        ("registry.kestra.io/docker/kestra-ee:v1.3.21", {"edition": "enterprise"}),
        ("harbor.a.example:5000/mirror/kestra:v1.3.21-no-plugins", {"deployment.image.repository": "harbor.a.example:5000/mirror/kestra", "version": "1.3"}),
        (f"kestra/kestra:v1.3.21@sha256:{'a' * 64}", {"deployment.image.tag": "v1.3.21", "deployment.image.digest": f"sha256:{'a' * 64}"}),
        (f"kestra/kestra@sha256:{'a' * 64}", {"deployment.image.digest": f"sha256:{'a' * 64}"}),
        ("kestra/kestra:v0.21.9", {"version": "1.3", "deployment.image.tag": "v0.21.9"}),
    ],
)  # fmt: skip
def test_an_image_decides_repository_tag_version_and_edition(tmp_path, image, settings):
    result = read_compose(tmp_path, image=image)
    assert settings.items() <= result.settings.items()


def test_an_image_of_a_variable_is_named_and_left_out(tmp_path):
    result = read_compose(tmp_path, image='"${REGISTRY}/kestra:${TAG}"')
    assert not any("image" in key for key in result.settings)
    assert result.says("TAG", "services.kestra.image", kind="changed")


def test_files_of_variables_give_values_and_defaults_fill_in(tmp_path):
    inputs = Inputs(tmp_path)
    compose = inputs.write(
        "compose.yaml",
        """
        services:
          kestra:
            image: kestra/kestra:v1.3.21
            command: server standalone
            environment:
              KESTRA_CONFIGURATION: |
                datasources:
                  postgres:
                    url: jdbc:postgresql://db/${DB:-no}
                    username: $USER_OF_DB
                    password: "${PASS:?missing}"
                kestra:
                  url: "${URL-https://a.example}"
                  environment: {name: "$${NAME}", color: "${COLOR:+red}"}
        """,
    )
    env = inputs.write(".env", "DB='flows'\nUSER_OF_DB=rw\nPASS=pa$$word\n")
    result = Result(read([compose, env]))
    assert result.keys == {
        "datasources.postgres.url": "jdbc:postgresql://db/flows",
        "datasources.postgres.username": "rw",
        "datasources.postgres.password": "pa$word",
        "kestra.url": "https://a.example",
        "kestra.environment.name": "${NAME}",
        "kestra.environment.color": "",
    }
    assert result.says("URL", "defaults", kind="changed")


def test_what_no_file_gives_is_named_and_its_keys_are_missing(tmp_path):
    result = Inputs(tmp_path).read(
        compose__yaml="""
            services:
              kestra:
                image: kestra/kestra:v1.3.21
                environment:
                  - DB_PASSWORD=${SERVICE_PASSWORD_DB}
                  - KESTRA_URL=${SERVICE_FQDN}
                  - SERVICE_FQDN_KESTRA_8080
                  - "KESTRA_CONFIGURATION=datasources: {postgres: {username: '${license-key}', password: '$${DB_PASSWORD}'}}"
            """
    )
    assert result.keys == {"kestra.url": "${KESTRA_URL}"} or "kestra.url" in result.missing
    assert result.missing["datasources.postgres.username"] == ("license-key",)
    assert result.missing["datasources.postgres.password"] == ("DB_PASSWORD",)
    assert result.says(
        "${SERVICE_PASSWORD_DB}", "${SERVICE_FQDN}", "${license-key}", kind="changed"
    )
    assert result.says("SERVICE_FQDN_KESTRA_8080", kind="not carried")


@pytest.mark.parametrize(
    "env_file",
    ["a.env", "[a.env]", "[{path: a.env}]", "[{path: a.env, required: false}]", "[./a.env]"],
)
def test_variables_of_an_env_file_are_those_of_the_process(tmp_path, env_file):
    inputs = Inputs(tmp_path)
    inputs.write("a.env", "ENV_A=b\nSECRET_X='eA=='\nKESTRA_QUEUE_TYPE=h2\n")
    result = Result(read([inputs.write("compose.yaml", compose_service(f"env_file: {env_file}"))]))
    assert result.variables == {"ENV_A": "b", "SECRET_X": "eA=="}
    assert result.keys["kestra.queue.type"] == "h2"
    assert any(file.endswith("a.env") for file, _ in result.installation.sources)


def test_a_missing_env_file_is_named(tmp_path):
    result = read_compose(tmp_path, "env_file: [.env_encoded]")
    assert result.says(".env_encoded", "no input is that file", kind="not carried")


def test_secrets_that_compose_has_placed_are_no_variables_besides(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write(".env", "DB_PASSWORD=planted-one\nOTHER_PASSWORD=planted-two\nENV_A=b\n")
    text = (
        "services:\n  kestra:\n    image: kestra/kestra:v1.3.21\n    env_file: .env\n    environment:\n"
        "      KESTRA_CONFIGURATION: 'datasources: {postgres: {password: \"${DB_PASSWORD}\"}}'\n"
    )
    source = read([inputs.write("compose.yaml", text)])
    assert Result(source).keys["datasources.postgres.password"] == "planted-one"
    result = imported(tmp_path, source)
    result.line("DB_PASSWORD", "compose put into other settings")
    settings = [item.setting for item in result.report.conversion.to_set]
    assert "kestra:deployment.environment.OTHER_PASSWORD" in settings
    assert "kestra:deployment.environment.DB_PASSWORD" not in settings
    assert result.config["deployment"]["environment"] == {"ENV_A": "b"}
    assert "planted" not in result.shown()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Sup3r$zzword", "Sup3r$zzword"),
        ("A1$ZZWORD", "A1$ZZWORD"),
        ("$zzword", "$zzword"),
        ("a$$b", "a$b"),
        ("100$", "100$"),
        ("a$1b", "a$1b"),
    ],
)
def test_a_dollar_sign_in_a_password_makes_no_name_of_its_rest(tmp_path, text, value):
    compose = (
        "services:\n  k:\n    image: kestra/kestra\n    environment:\n"
        f"      KESTRA_CONFIGURATION: 'datasources: {{postgres: {{password: \"{text}\"}}}}'\n"
    )
    result = Inputs(tmp_path).read(compose__yaml=compose)
    assert result.keys == {"datasources.postgres.password": value}
    assert not any(word in result.shown for word in ("zzword", "ZZWORD"))


def test_anchors_extends_and_overrides_are_merged_as_compose_merges_them(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write(
        "base.yml",
        """
        services:
          base:
            image: kestra/kestra:v1.3.21
            environment: {ENV_A: base, ENV_B: base}
            ports: ["9000:8080"]
        """,
    )
    first = inputs.write(
        "one.yml",
        """
        x-env: &env {ENV_C: anchor}
        services:
          kestra:
            extends: {service: base, file: base.yml}
            command: server standalone
            environment: {<<: *env, ENV_B: one}
            mem_limit: 1g
        """,
    )
    second = inputs.write(
        "two.yml",
        """
        services:
          kestra:
            environment: [ENV_D=two]
            mem_limit: !reset null
            command: !override [server, standalone, --worker-thread=8]
        """,
    )
    result = Result(read([first, second]))
    assert result.variables == {"ENV_A": "base", "ENV_B": "one", "ENV_C": "anchor", "ENV_D": "two"}
    assert result.settings["deployment.components.standalone.worker-threads"] == 8
    assert "deployment.components.standalone.resources.limits.memory" not in result.settings
    assert result.says("9000", kind="not carried")


@pytest.mark.parametrize(
    ("mount", "command"),
    [
        (
            "./application.yml:/etc/config/application.yaml",
            "server standalone --config /etc/config/application.yaml",
        ),
        ("./:/etc/config:ro", "server standalone -c /etc/config/application.yml"),
        (
            "{type: bind, source: ./application.yml, target: /a.yaml}",
            "server standalone --config=/a.yaml",
        ),
        ("./application.yml:/root/.kestra/config.yml", "server standalone"),
        ("./application.yml:/somewhere/application.yml", "server standalone"),
    ],
)
def test_a_mounted_configuration_is_read(tmp_path, mount, command):
    inputs = Inputs(tmp_path)
    inputs.write("application.yml", "kestra: {queue: {type: mysql}}")
    text = f"services:\n  k:\n    image: kestra/kestra\n    command: {command}\n    volumes:\n      - {mount}\n"
    assert Result(read([inputs.write("compose.yaml", text)])).keys == {"kestra.queue.type": "mysql"}


def test_a_mounted_configuration_that_nothing_names_is_not_in_force(tmp_path):
    inputs = Inputs(tmp_path)
    inputs.write(
        "application.yml", "kestra: {queue: {type: mysql}, ee: {license: {key: planted-key}}}"
    )
    result = Result(
        read(
            [
                inputs.write(
                    "compose.yaml",
                    compose_service("volumes: ['./application.yml:/app/application.yml']"),
                )
            ]
        )
    )
    assert result.keys["kestra.queue.type"] == "postgres"
    assert result.says("application.yml", "never read", kind="not carried")
    assert "planted" not in result.shown


def test_a_file_of_the_option_wins_over_variables(tmp_path):
    result = Inputs(tmp_path).read(
        compose__yaml="""
            services:
              kestra:
                image: kestra/kestra
                command: server standalone --config /c/a.yaml
                environment: {KESTRA_QUEUE_TYPE: h2, KESTRA_REPOSITORY_TYPE: postgres}
                volumes:
                  - {type: bind, source: ./a.yaml, target: /c/a.yaml, content: "kestra: {queue: {type: mysql}}"}
            """
    )
    assert result.keys == {"kestra.queue.type": "mysql", "kestra.repository.type": "postgres"}
    assert result.says("KESTRA_QUEUE_TYPE", "--config", kind="changed")


def test_configs_of_compose_can_be_the_configuration(tmp_path):
    result = Inputs(tmp_path).read(
        compose__yaml="""
            configs:
              app: {content: "kestra: {queue: {type: mysql}}"}
            services:
              kestra:
                image: kestra/kestra
                command: [server, standalone, -c, /app/x.yaml]
                configs: [{source: app, target: /app/x.yaml}]
                secrets: [db_password]
            """
    )
    assert result.keys == {"kestra.queue.type": "mysql"}
    assert result.says("/run/secrets/db_password", kind="not carried")

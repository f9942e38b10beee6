"""Compose files: which services are Kestra, what they read, what becomes a setting, and what is named."""

from __future__ import annotations

import pytest

from components.importing.inputs import read
from components.importing.readers import ImportRefused
from tests.importing.installation_support import imported
from tests.importing.reading_support import Inputs, Result

CONFIGURATION = "kestra: {queue: {type: postgres}, repository: {type: postgres}}"


def _service(
    extra: str = "", image: str = "kestra/kestra:v1.3.21", command: str = "server standalone"
) -> str:
    lines = "\n".join(f"    {line}" for line in extra.strip("\n").split("\n")) if extra else ""
    return (
        f"services:\n  kestra:\n    image: {image}\n    command: {command}\n"
        f"    environment:\n      KESTRA_CONFIGURATION: '{CONFIGURATION}'\n{lines}\n"
    )


def _read(tmp_path, extra: str = "", **options: str) -> Result:
    return Inputs(tmp_path).read(compose__yaml=_service(extra, **options))


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
    result = _read(tmp_path, image=image)
    assert settings.items() <= result.settings.items()


def test_an_image_of_a_variable_is_named_and_left_out(tmp_path):
    result = _read(tmp_path, image='"${REGISTRY}/kestra:${TAG}"')
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
    result = Result(read([inputs.write("compose.yaml", _service(f"env_file: {env_file}"))]))
    assert result.variables == {"ENV_A": "b", "SECRET_X": "eA=="}
    assert result.keys["kestra.queue.type"] == "h2"
    assert any(file.endswith("a.env") for file, _ in result.installation.sources)


def test_a_missing_env_file_is_named(tmp_path):
    result = _read(tmp_path, "env_file: [.env_encoded]")
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
                    "compose.yaml", _service("volumes: ['./application.yml:/app/application.yml']")
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


@pytest.mark.parametrize(
    ("part", "settings"),
    [
        ("mem_limit: 4g", {"resources.limits.memory": "4Gi"}),
        ("mem_limit: 512M", {"resources.limits.memory": "512Mi"}),
        ("mem_limit: 1073741824", {"resources.limits.memory": "1Gi"}),
        ("cpus: 1.5", {"resources.limits.cpu": "1.5"}),
        ("cpus: '2'", {"resources.limits.cpu": "2"}),
        ("deploy: {resources: {limits: {cpus: '0.5', memory: 1GB}, reservations: {memory: 256m}}}",
         {"resources.limits.cpu": "0.5", "resources.limits.memory": "1Gi", "resources.requests.memory": "256Mi"}),
        ("deploy: {replicas: 3}", {"replicas": 3}),
        ("scale: 2", {"replicas": 2}),
    ],
)  # fmt: skip
def test_resources_become_those_of_the_component(tmp_path, part, settings):
    result = _read(tmp_path, part).settings
    assert {
        f"deployment.components.standalone.{k}": v for k, v in settings.items()
    }.items() <= result.items()


@pytest.mark.parametrize(
    ("part", "kind", "words"),
    [
        ("user: root", "changed", ("user", "root")),
        ("user: '0:0'", "changed", ("root",)),
        ("privileged: true", "not carried", ("privileged",)),
        ("network_mode: host", "not carried", ("network",)),
        ("volumes: ['/var/run/docker.sock:/var/run/docker.sock']", "not carried", ("docker.sock",)),
        ("volumes: ['//var/run/docker.sock:/var/run/docker.sock']", "not carried", ("docker.sock",)),
        ("volumes: ['/run/podman/podman.sock:/var/run/docker.sock']", "not carried", ("docker.sock", "podman.sock")),
        ("volumes: ['data:/app/storage']", "not carried", ("volume data", "storage-volume")),
        ("volumes: ['C:\\kestra\\data:/app/storage']", "not carried", ("C:\\kestra\\data", "/app/storage")),
        ("volumes: ['/srv/ssh:/root/.ssh']", "not carried", ("/root/.ssh", "Secret")),
        ("volumes: ['./plugins:/app/plugins']", "not carried", ("plugins", "image")),
        ("volumes: ['/tmp/kestra-wd:/tmp/kestra-wd']", "changed", ("/tmp/kestra-wd",)),
        ("ports: ['8080:8080']", "not carried", ("8080", "ingress")),
        ("ports: ['127.0.0.1:14080:8080/tcp']", "not carried", ("14080",)),
        ("ports: [{target: 8080, published: '9090'}]", "not carried", ("9090",)),
        ("ports: ['8081:8081']", "changed", ("8081", "management")),
        ("healthcheck: {test: [CMD, a]}", "not carried", ("healthcheck",)),
        ("stop_grace_period: 30s", "changed", ("30s",)),
        ("extra_hosts: ['a:1.2.3.4']", "not carried", ("host-aliases",)),
        ("build: .", "changed", ("registry",)),
        ("labels: ['traefik.http.routers.k.rule=Host(`flows.a.example`)']", "not carried", ("flows.a.example", "ingress")),
        ("labels: {traefik.http.middlewares.a.basicauth.users: 'a:$$planted$$hash'}", "not carried", ("labels", "log-in")),
        ("deploy: {resources: {reservations: {devices: [{driver: nvidia, capabilities: [gpu]}]}}}", "not carried", ("nvidia", "gpu")),
        ("env_file: {a: b}", "", ()),
        ("tmpfs: /run", "not carried", ("tmpfs",)),
    ],
)  # fmt: skip
def test_what_does_not_come_along_is_named(tmp_path, part, kind, words):
    result = _read(tmp_path, part)
    if words:
        assert result.says(*words, kind=kind), result.lines()
    assert "planted" not in result.shown


@pytest.mark.parametrize("grace", ["6m", "5m", "1h", "300"])
def test_a_long_time_to_end_needs_no_word(tmp_path, grace):
    assert not _read(tmp_path, f"stop_grace_period: {grace}").says("stop_grace_period")


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("postgres:16", ("database", "must be moved")),
        ("docker.io/library/mariadb:11", ("database",)),
        ("minio/minio", ("objects",)),
        ("confluentinc/cp-kafka:7", ("Kafka",)),
        ("docker:dind", ("dind", "privileged")),
        ("traefik:v3", ("proxy", "ingress")),
        ("redis:7", ("not deployed",)),
    ],
)
def test_services_besides_kestra_are_named(tmp_path, image, words):
    text = f"{_service()}  other:\n    image: {image}\n    volumes: ['flowdb:/data']\nvolumes: {{flowdb: {{}}}}\n"
    result = Inputs(tmp_path).read(compose__yaml=text)
    assert result.says("services.other", "flowdb", *words, kind="not carried")


def test_components_of_their_own_make_the_mode_distributed(tmp_path):
    services = "".join(
        f"  {name}:\n    image: kestra/kestra:v1.3.21\n    command: server {name}{extra}\n    environment: *env\n"
        for name, extra in (
            ("webserver", ""),
            ("executor", ""),
            ("scheduler", ""),
            ("worker", " --thread=16"),
        )
    )
    text = (
        f"x-env: &env\n  ENV_A: b\n  KESTRA_CONFIGURATION: '{CONFIGURATION}'\nservices:\n{services}"
    )
    result = Inputs(tmp_path).read(compose__yaml=text)
    assert result.settings["deployment.mode"] == "distributed"
    assert result.settings["deployment.components.worker.worker-threads"] == 16
    assert result.variables == {"ENV_A": "b"}
    assert result.keys["kestra.queue.type"] == "postgres"
    assert result.installation.environment["ENV_A"].component is None
    assert not result.says("no service runs")


def test_a_component_that_no_service_runs_is_named(tmp_path):
    result = Inputs(tmp_path).read(
        compose__yaml="services: {w: {image: kestra/kestra, command: server worker}, a: {image: kestra/kestra, command: server webserver}}"
    )
    assert result.settings["deployment.mode"] == "distributed"
    assert result.says("executor, scheduler", kind="changed")


def test_a_worker_group_and_a_second_server_are_named(tmp_path):
    text = (
        f"{_service()}  gpu:\n    image: kestra/kestra:v1.3.21\n    command: server worker --worker-group=gpu\n"
        "    environment: {ENV_A: b}\n  second:\n    image: kestra/kestra:v1.3.21\n    command: server standalone\n"
    )
    result = Inputs(tmp_path).read(compose__yaml=text)
    assert result.settings["deployment.mode"] == "standalone"
    assert result.says("services.gpu", "worker-group", "gpu", kind="not carried")
    assert result.says("services.second", "second service", kind="not carried")
    assert result.says("services.gpu.environment", "differs", kind="changed")


def test_a_file_without_kestra_is_refused(tmp_path):
    path = Inputs(tmp_path).write("compose.yaml", "services: {db: {image: 'postgres:16'}}")
    with pytest.raises(ImportRefused, match="no service that runs Kestra"):
        read([path])


def test_helpers_of_kestras_image_are_no_server(tmp_path):
    text = f"{_service()}  deploy:\n    image: kestra/kestra:v1.3.21\n    command: flow namespace update a b\n"
    result = Inputs(tmp_path).read(compose__yaml=text)
    assert result.says("services.deploy", kind="not carried")


@pytest.mark.parametrize(
    "lines",
    [
        "command: server standalone --worker-thread=8",
        "entrypoint: /app/kestra\ncommand: server standalone --worker-thread 8",
        "entrypoint: /bin/bash -c\ncommand: ['/app/kestra server standalone --worker-thread=8']",
        "entrypoint: [/bin/sh, -c]\ncommand: ['/app/kestra server standalone --worker-thread=8 # x']",
        "entrypoint: /bin/bash\ncommand: -c '/app/kestra server standalone --worker-thread=8'",
        "entrypoint: [bash, -lc, 'exec /app/kestra server standalone --worker-thread=8']",
        "command: >\n  server standalone\n  --worker-thread=8",
        'command: |\n  /bin/sh -c "/app/kestra plugins install x && /app/kestra server standalone --worker-thread=8"',
    ],
)
def test_every_form_of_a_command_is_read(tmp_path, lines):
    body = "\n".join(f"    {line}" for line in lines.split("\n"))
    result = Inputs(tmp_path).read(
        compose__yaml=f"services:\n  k:\n    image: kestra/kestra\n{body}\n"
    )
    assert result.settings["deployment.components.standalone.worker-threads"] == 8
    assert result.settings["deployment.mode"] == "standalone"

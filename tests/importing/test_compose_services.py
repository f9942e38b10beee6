"""Compose files: which services are Kestra, what of them becomes a setting, and what is named."""

from __future__ import annotations

import pytest

from components.importing.inputs import read
from components.importing.readers import ImportRefused
from tests.importing.compose_support import CONFIGURATION, compose_service, read_compose
from tests.importing.reading_support import Inputs


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
    result = read_compose(tmp_path, part).settings
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
    result = read_compose(tmp_path, part)
    if words:
        assert result.says(*words, kind=kind), result.lines()
    assert "planted" not in result.shown


@pytest.mark.parametrize("grace", ["6m", "5m", "1h", "300"])
def test_a_long_time_to_end_needs_no_word(tmp_path, grace):
    assert not read_compose(tmp_path, f"stop_grace_period: {grace}").says("stop_grace_period")


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
    text = f"{compose_service()}  other:\n    image: {image}\n    volumes: ['flowdb:/data']\nvolumes: {{flowdb: {{}}}}\n"
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
        f"{compose_service()}  gpu:\n    image: kestra/kestra:v1.3.21\n    command: server worker --worker-group=gpu\n"
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
    text = f"{compose_service()}  deploy:\n    image: kestra/kestra:v1.3.21\n    command: flow namespace update a b\n"
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

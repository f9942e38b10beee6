"""Keys that mean something else in a stack, or that a stack does better without: what is written, and what is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.importing.draft import ROOTS
from components.importing.installation import Note
from tests.importing.installation_support import ORIGIN, Imported, imported, installation

#: Configuration, a setting, its value (None: it is not there), and words of one line of the report.
ROWS: dict[str, tuple[str, str, Any, tuple[str, ...]]] = {
    "address of one machine": ("kestra: {url: 'http://localhost:8080/'}", "deployment.url", None, ("localhost",)),
    "address without TLS": (
        "kestra: {url: 'http://flows.example.com:30880/'}",
        "deployment.url",
        "http://flows.example.com:30880/",
        ("30880", "http"),
    ),
    "empty address": ("kestra: {url: ''}", "deployment.url", None, ("kestra.url", "empty")),
    "database of the machine": (
        "datasources: {postgres: {url: 'jdbc:postgresql://127.0.0.1:5432/k'}}",
        "datasources.postgres.url",
        "jdbc:postgresql://127.0.0.1:5432/k",
        ("datasources.postgres.url", "127.0.0.1"),
    ),
    "database of compose": (
        "datasources: {postgres: {url: 'jdbc:postgresql://db/k'}}",
        "datasources.postgres.url",
        "jdbc:postgresql://db/k",
        ("datasources.postgres.url", "db"),
    ),
    "number as text": (
        "datasources: {postgres: {maximum-pool-size: '25'}}", "datasources.postgres.maximum-pool-size", 25, (),
    ),
    "address of Kafka that no input has": (
        "kestra: {queue: {type: kafka}}", "queue.type", "kafka", ('kestra:kafka.client.properties["bootstrap.servers"]',),
    ),
    "address of Elasticsearch that no input has": (
        "kestra: {repository: {type: elasticsearch}}", "repository.type", "elasticsearch",
        ("kestra:elasticsearch.client.http-hosts",),
    ),
    "relative folder": (
        "kestra: {storage: {type: local, local: {base-path: app/storage}}}",
        "storage.local.base-path",
        "/app/storage",
        ("base-path", "app/storage"),
    ),
    "local storage": ("kestra: {storage: {type: local}}", "storage.type", "local", ("storage-volume",)),
    "database in memory": ("kestra: {queue: {type: memory}}", "queue.type", "memory", ("memory", "new pod")),
    "open endpoints": ("endpoints: {all: {sensitive: false}}", "endpoints", None, ("sensitive", "closed")),
    "open environment": ("endpoints: {env: {enabled: true}}", "endpoints", None, ("endpoints.env",)),
    "details for anyone": (
        "endpoints: {health: {details-visible: ANONYMOUS}}", "endpoints", None, ("ANONYMOUS",),
    ),
    "open metrics": (
        "endpoints: {prometheus: {sensitive: false}}",
        "endpoints.prometheus.sensitive",
        False,
        ("prometheus", "without a log-in"),
    ),
    "old path of webhooks": (
        "kestra: {server: {basic-auth: {open-urls: [/api/v1/executions/webhook/]}}}",
        "server.basic-auth.open-urls",
        ["/api/v1/main/executions/webhook/"],
        ("/api/v1/main/executions/webhook/",),
    ),
    "bound to loopback": ("micronaut: {server: {host: 127.0.0.1}}", "micronaut", None, ("127.0.0.1",)),
    "empty default": (
        "datasources: {postgres: {username: '${NAME:}'}}", "datasources.postgres.username", None, ("NAME", "empty"),
    ),
    "heartbeat": ("kestra: {heartbeat: {frequency: 10s}}", "heartbeat", None, ("heartbeat", "0.16")),
    "every variable for flows": (
        "kestra: {variables: {env-vars-prefix: ''}}", "variables", None, ("env-vars-prefix",),
    ),
    "old templates": (
        "kestra: {templates: {enabled: true}, listeners: {enabled: true}}", "x", None, ("templates", "listeners"),
    ),
    "folder of the machine": (
        "kestra: {tasks: {tmp-dir: {path: /srv/tmp}}}", "x", None, ("tasks.tmp-dir.path", "/srv/tmp", "volume"),
    ),
    "list as text": (
        "kestra: {security: {super-admin: {username: a@example.com, tenant-admin-access: main}}}",
        "security.super-admin.tenant-admin-access",
        ["main"],
        ("tenant-admin-access", "list"),
    ),
    "unknown key": ("kestra: {server: {portt: 1}}", "server.portt", None, ("kestra.server.portt",)),
}  # fmt: skip
TAGS = {
    "latest": ("v1.3.31", ("latest", "moves")),
    "latest-no-plugins": ("v1.3.31-no-plugins", ("latest-no-plugins",)),
    "v0.21.9": (None, ("v0.21.9", "1.3")),
    "v1.1.5": (None, ("v1.1.5", "1.3")),
    "v1.3": ("v1.3", ("v1.3", "moves")),
    "v1.3.15": ("v1.3.15", ("CVE-2026-53576", "1.3.21")),
    "${VERSION}": (None, ("VERSION",)),
}


def _at(result: Imported, path: str) -> Any:
    node: Any = result.config
    for part in path.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node


@pytest.mark.parametrize("name", ROWS)
def test_what_is_written_and_what_is_said(name: str, tmp_path: Path) -> None:
    text, setting, expected, words = ROWS[name]
    result = imported(tmp_path, installation(text))
    assert _at(result, setting) == expected
    if words:
        result.line(*words)
    assert result.unexpected_problems() == []


@pytest.mark.parametrize("tag", TAGS)
def test_tags_of_the_image(tag: str, tmp_path: Path) -> None:
    expected, words = TAGS[tag]
    source = installation(settings={"deployment": {"image": {"tag": tag}}})
    result = imported(tmp_path, source)
    assert _at(result, "deployment.image.tag") == expected
    result.line(*words)
    assert result.unexpected_problems() == []


def test_a_digest_beside_a_moving_tag_decides(tmp_path: Path) -> None:
    image = {"tag": "latest", "digest": "sha256:" + "a" * 64}
    result = imported(tmp_path, installation(settings={"deployment": {"image": image}}))
    assert _at(result, "deployment.image") == {"digest": image["digest"]}
    result.line("latest", "digest")


def test_a_number_that_is_a_placeholder_gets_the_value_of_its_variable(tmp_path: Path) -> None:
    text = "datasources: {postgres: {maximum-pool-size: '${POOL:4}'}}"
    source = installation(text, {"POOL": "6"}, extra_env_from=[{"secretRef": {"name": "x"}}])
    result = imported(tmp_path, source)
    assert _at(result, "datasources.postgres.maximum-pool-size") == 6
    assert _at(result, "deployment.environment.POOL") == "6"


def test_the_namespace_of_the_command_line_wins(tmp_path: Path) -> None:
    source = installation(settings={"deployment": {"namespace": "old"}})
    result = imported(tmp_path, source, namespace="new")
    assert _at(result, "deployment.namespace") == "new"
    result.line("deployment.namespace", "old", "new")


def test_a_queue_whose_database_is_missing_asks_for_it(tmp_path: Path) -> None:
    source = installation()
    source.configuration.pop("datasources")
    result = imported(tmp_path, source)
    assert _at(result, "queue.type") == "postgres"
    assert result.commands() == ["pulumi config set --path 'kestra:datasources.postgres.url'"]
    assert result.unexpected_problems() == []


def test_a_block_that_is_missing_is_asked_for_by_the_key_that_it_needs(tmp_path: Path) -> None:
    source = installation(
        "kestra: {storage: {type: s3}}",
        settings={"deployment": {"ingress": {"host": "a.example.com"}}},
    )
    result = imported(tmp_path, source)
    assert result.commands() == [
        "pulumi config set --path 'kestra:deployment.ingress.tls-secret'",
        "pulumi config set --path 'kestra:storage.s3.bucket'",
    ]
    assert result.unexpected_problems() == []


def test_roots_of_kestras_file_keep_their_name() -> None:
    assert {"datasources", "endpoints", "micronaut", "logger", "otel", "flyway"} <= ROOTS


@pytest.mark.parametrize(("policy", "said"), [({}, True), ({"ingress-namespace": "nginx"}, False)])
def test_the_namespace_of_the_ingress_controller_is_asked_for(
    policy: dict[str, str], said: bool, tmp_path: Path
) -> None:
    ingress = {"host": "a.example", "tls-secret": "a-tls"}
    deployment = {"ingress": ingress} | ({"network-policy": policy} if policy else {})
    result = imported(tmp_path, installation(settings={"deployment": deployment}))
    command = "pulumi config set --path 'kestra:deployment.network-policy.ingress-namespace'"
    assert (command in result.report.text()) == said


def test_what_is_refused_is_not_told_as_carried_too(tmp_path: Path) -> None:
    place = "deployment.components.standalone.autoscaling"
    note = Note("changed", "HorizontalPodAutoscaler k", "is carried", f"kestra:{place}", ORIGIN)
    scaling = {"min-replicas": 1, "max-replicas": 5, "cpu-percentage": 70}
    settings = {"deployment": {"components": {"standalone": {"autoscaling": scaling}}}}
    result = imported(tmp_path, installation(settings=settings, notes=[note]))
    assert "has no use in mode standalone" in result.line(place, "max-replicas 5")
    assert not [line for line in result.lines if "HorizontalPodAutoscaler k" in line]

"""Configuration files of Kestra's as inputs: one tree, merged and spelled as Micronaut reads them."""

from __future__ import annotations

import pytest

from components.importing.inputs import read
from components.importing.readers import ImportRefused
from tests.importing.reading_support import Inputs


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("kestra: {server: {basicAuth: {username: a@b.example}}}", "kestra.server.basic-auth.username", "a@b.example"),
        ("kestra.server.basic-auth.username: a@b.example", "kestra.server.basic-auth.username", "a@b.example"),
        ("kestra: {encryption.secret-key: x}", "kestra.encryption.secret-key", "x"),
        ("kestra: {queue: {type: postgres}}", "kestra.queue.type", "postgres"),
        ("datasources: {postgres: {driverClassName: org.postgresql.Driver}}", "datasources.postgres.driver-class-name", "org.postgresql.Driver"),
        ("datasources: {postgres: {maximumPoolSize: 010}}", "datasources.postgres.maximum-pool-size", 8),
        ("datasources: {postgres: {connection-timeout: 60_000}}", "datasources.postgres.connection-timeout", 60000),
        ("kestra: {tutorial-flows: {enabled: off}}", "kestra.tutorial-flows.enabled", False),
        ("kestra: {tutorial-flows: {enabled: 'no'}}", "kestra.tutorial-flows.enabled", "no"),
        ("micronaut: {executors: {io: {nThreads: 24}}}", "micronaut.executors.io.n-threads", 24),
        ("logger: {levels: {io.kestra.core.runners: DEBUG}}\nkestra: {}", 'logger.levels["io.kestra.core.runners"]', "DEBUG"),
        ("logger: {levels: {flow: OFF}}\nkestra: {}", "logger.levels.flow", "OFF"),
        ("logger.levels.io.kestra: WARN\nkestra: {}", 'logger.levels["io.kestra"]', "WARN"),
        ("kestra: {kafka: {client: {properties: {bootstrap.servers: 'a:9'}}}}", 'kestra.kafka.client.properties["bootstrap.servers"]', "a:9"),
        ("kestra.kafka.client.properties.bootstrap.servers: a:9", 'kestra.kafka.client.properties["bootstrap.servers"]', "a:9"),
        ("kestra: {plugins: {defaults: [{type: a, values: {authMethod: b}}]}}", "kestra.plugins.defaults[0].values.authMethod", "b"),
        ("kestra: {variables: {globals: {siteName: a}}}", "kestra.variables.globals.siteName", "a"),
        ("kestra: {security: {defaultRole: {permissions: {FLOW: [READ]}}}}", "kestra.security.default-role.permissions.FLOW[0]", "READ"),
        ("kestra: {webserver: {html-head: \"a\\r\\nb\"}}", "kestra.webserver.html-head", "a\r\nb"),
        ("kestra: {url: 2024-01-01}", "kestra.url", "2024-01-01"),
        ("kestra:\n  server:\n    basic-auth:\n      open-urls[0]: /a/", "kestra.server.basic-auth.open-urls[0]", "/a/"),
        ("x: &x {type: postgres}\nkestra: {queue: *x, repository: {<<: *x}}", "kestra.repository.type", "postgres"),
    ],
)  # fmt: skip
def test_a_key_is_read_as_micronaut_reads_it(tmp_path, text, key, value):
    assert Inputs(tmp_path).read(application__yaml=text).keys[key] == value


def test_later_files_win_key_by_key_and_lists_as_a_whole(tmp_path):
    result = Inputs(tmp_path).read(
        a__yml="""
            kestra:
              queue: {type: postgres}
              server: {basic-auth: {open-urls: [/a/, /b/], username: a@b.example}}
              url: https://old.example
            """,
        b__yml="""
            kestra:
              server: {basicAuth: {openUrls: [/c/], username: null}}
            ---
            kestra.url: https://new.example
            """,
    )
    assert result.keys == {
        "kestra.queue.type": "postgres",
        "kestra.server.basic-auth.open-urls[0]": "/c/",
        "kestra.server.basic-auth.username": "a@b.example",
        "kestra.url": "https://new.example",
    }
    origin = result.installation.configuration["kestra"]["url"].origin
    assert str(origin).endswith("b.yml")


def test_two_spellings_of_one_key_are_one(tmp_path):
    result = Inputs(tmp_path).read(
        a__yml="kestra: {server: {basicAuth: {username: a}, basic-auth: {password: b}}}"
    )
    assert set(result.keys) == {
        "kestra.server.basic-auth.username",
        "kestra.server.basic-auth.password",
    }


def test_a_key_that_is_written_twice_is_named_and_the_last_counts(tmp_path):
    result = Inputs(tmp_path).read(
        a__yml="kestra: {queue: {type: h2}}\nkestra: {url: https://a.example}\n"
    )
    assert result.keys == {"kestra.url": "https://a.example"}
    assert result.says("line 2", "second time", kind="changed")


def test_placeholders_of_micronaut_stay_as_they_are(tmp_path):
    result = Inputs(tmp_path).read(
        a__yml='datasources: {postgres: {url: "jdbc:postgresql://${H:localhost}/k", password: "${P}"}}'
    )
    assert result.keys["datasources.postgres.url"] == "jdbc:postgresql://${H:localhost}/k"
    assert result.keys["datasources.postgres.password"] == "${P}"


@pytest.mark.parametrize(
    "value",
    [
        "{{ vault_password }}",
        "ENC[AES256_GCM,data:planted-enc,type:str]",
        "op://vault/planted-item/field",
    ],
)
def test_what_another_program_would_resolve_is_no_value(tmp_path, value):
    result = Inputs(tmp_path).read(
        a__yml=f"datasources: {{postgres: {{username: a, password: '{value}'}}}}"
    )
    assert result.keys == {"datasources.postgres.username": "a"}
    assert "datasources.postgres.password" in result.missing
    assert "planted" not in result.shown


def test_expressions_that_kestra_itself_renders_stay(tmp_path):
    text = "kestra: {plugins: {defaults: [{type: a, values: {key: \"{{ secret('A') }}\"}}]}}"
    result = Inputs(tmp_path).read(a__yml=text)
    assert result.keys["kestra.plugins.defaults[0].values.key"] == "{{ secret('A') }}"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bom.yaml", b"\xef\xbb\xbfkestra:\r\n  queue:\r\n    type: postgres\r\n"),
        ("wide.yaml", "kestra:\n  queue: {type: postgres}\n".encode("utf-16")),
        ("application.json", b'{"kestra": {"queue": {"type": "postgres"}}}'),
        ("application.properties", b"# a comment\nkestra.queue.type=postgres\n"),
    ],
)  # fmt: skip
def test_encodings_and_other_forms_of_the_file_are_read(tmp_path, name, data):
    path = Inputs(tmp_path).write(name, data)
    assert read([path]).configuration["kestra"]["queue"]["type"].value == "postgres"


def test_line_feeds_of_windows_inside_a_block_are_line_feeds(tmp_path):
    path = Inputs(tmp_path).write(
        "a.yml", b"kestra:\r\n  ee:\r\n    license:\r\n      key: |\r\n        a\r\n        b\r\n"
    )
    assert read([path]).configuration["kestra"]["ee"]["license"]["key"].value == "a\nb\n"


@pytest.mark.parametrize(
    "text",
    [
        "id: a\nnamespace: b\ntasks: []\n",
        "hosts: all\n",
        "- a\n- b\n",
        "kestra: {image: {tag: a}, deployments: {}}\n",
    ],
)
def test_other_yaml_is_no_configuration(tmp_path, text):
    path = Inputs(tmp_path).write("application.yaml", text)
    with pytest.raises(ImportRefused, match="not read"):
        read([path])

"""Root keys of Kestra's file other than `kestra`, and names of maps that Micronaut changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.importing.installation_support import imported, installation


def test_an_unknown_root_key_stays_a_root_key(tmp_path: Path) -> None:
    text = "myApp: {list: [{a: 1}, {b: 2}], c: d}"
    result = imported(tmp_path, installation(text))
    assert result.config["additional-configuration"] == {
        "myApp": {"list": [{"a": 1}, {"b": 2}], "c": "d"}
    }
    result.line("myApp", "no root key", "unchecked")
    assert result.unexpected_problems() == []


@pytest.mark.parametrize(
    ("text", "key", "setting"),
    [
        ("url: https://x.example.com", "kestra.url", "kestra:deployment.url"),
        ("queue: {type: h2}", "kestra.queue.type", "kestra:queue.type"),
        ("tasks: {tmp-dir: {path: /tmp/x}}", "kestra.tasks.tmp-dir.path", "kestra:tasks.tmp-dir.path"),
    ],
)  # fmt: skip
def test_a_key_of_kestras_at_the_root_had_no_effect(
    text: str, key: str, setting: str, tmp_path: Path
) -> None:
    result = imported(tmp_path, installation(text))
    result.line("root of the file", key, setting)
    assert result.config["queue"]["type"] == "postgres"
    assert "tasks" not in result.config
    assert "url" not in result.config["deployment"]


def test_a_root_that_later_releases_read_below_kestra_is_carried_there(
    tmp_path: Path, passphrase: str
) -> None:
    text = "tasks: {sdk: {authentication: {password: Planted-Root-1}}}"
    result = imported(tmp_path, installation(text))
    assert set(result.config["tasks"]["sdk"]["authentication"]["password"]) == {"secure"}
    result.line("tasks.sdk.authentication.password", "carried as kestra.tasks.sdk")
    assert "Planted" not in result.shown()


def test_a_root_of_the_catalogue_has_its_own_name(tmp_path: Path) -> None:
    text = "jooq: {datasources: {x: {sql-dialect: POSTGRES}}}"
    result = imported(tmp_path, installation(text))
    assert result.config["jooq"] == {"datasources": {"x": {"sql-dialect": "POSTGRES"}}}
    assert "kestra.jooq" not in result.report.text()


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("kestra: {variables: {globals: {myVar: x}}}", "kestra.variables.globals.myVar", ("globals['my-var']",)),
        ("kestra: {metrics: {tags: {myTag: x}}}", "kestra.metrics.tags.myTag", ("my-tag",)),
        ("micronaut: {metrics: {tags: {myTag: x}}}", "micronaut.metrics.tags.myTag", ("my-tag",)),
    ],
)  # fmt: skip
def test_a_name_that_micronaut_changes_is_named(
    text: str, name: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    result = imported(tmp_path, installation(text))
    result.line(name, "carried as written", *words)
    assert name.rpartition(".")[2] in result.text


def test_a_name_that_micronaut_leaves_is_not_named(tmp_path: Path) -> None:
    text = "kestra: {metrics: {tags: {plain: x, with-hyphen: y}}, plugins: {defaults: [{type: a, values: {fooBar: 1}}]}}"
    assert "Micronaut reads" not in imported(tmp_path, installation(text)).report.text()

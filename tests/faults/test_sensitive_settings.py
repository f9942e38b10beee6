"""Every sensitive setting stays out of what the program registers openly, renders, reports, prints and raises."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from components.backends.interface import StoreArgs
from components.kubernetes.deployment import KestraArgs
from components.rendering.configuration import render
from components.settings import Settings, SettingsError
from components.validation import load, load_file
from components.validation.sensitive import fields, in_clear, plain_secrets
from docsgen.settings import page
from sandbox.leak_scan.scan import Search, search_text
from sandbox.providers.runtime.redaction import silence_client_logs
from sandbox.providers.runtime.values import Secret, unmarshal
from sandbox.report import build, html
from sandbox.state import State
from tests.components.recording_support import run
from tests.faults.planted_support import (
    CATALOGUE,
    catalogue_keys,
    others,
    plant,
    sensitive,
    settings_of,
    stacks,
    values,
    wrong,
)
from tests.secrets_support import without_secrets

OTHERS = dict(others())
#: And the stack whose secrets stand under keys that no model has.
EVERY = OTHERS | {"keys of the catalogue": catalogue_keys()}


def _document(name: str) -> dict[str, Any]:
    return {"config": {f"kestra:{key}": value for key, value in EVERY[name].items()}}


def test_every_secret_of_a_key_that_no_model_has_is_found() -> None:
    paths = {path.partition(".")[0] for path in values(_document("keys of the catalogue"))}
    assert set(CATALOGUE) <= paths


def _place(path: str) -> tuple[str, ...]:
    parts = path.split(".")
    if parts[0] in ("declared-secrets", "datasources"):
        parts[1] = "*"
    if parts[:2] == ["deployment", "worker-groups"]:
        parts[2] = "*"
    return tuple(parts)


def test_every_sensitive_setting_is_planted_in_some_stack() -> None:
    documents = [*stacks().values(), *(_document(name) for name in OTHERS)]
    found = {_place(path) for document in documents for path in values(document)}
    assert found - {("datasources", "*", "url")} == sensitive()


def test_the_reference_knows_the_same_sensitive_settings() -> None:
    rows = [line.split("`")[1] for line in page().splitlines() if "| **secret** " in line]
    listed = {tuple(row.replace("<name>", "*").split(".")) for row in rows}
    assert listed == set(fields())


def test_every_planted_value_is_its_own() -> None:
    for document in [*stacks().values(), *(_document(name) for name in OTHERS)]:
        planted = list(values(document).values())
        assert len(planted) == len(set(planted)) >= 3
        assert min(map(len, planted)) >= 24


def _hidden(value: Any, *, inside: bool = False) -> Iterator[str]:
    """Every text in the secrets of a value."""
    if isinstance(value, Secret):
        yield from _hidden(value.value, inside=True)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _hidden(item, inside=inside)
    elif isinstance(value, list):
        for item in value:
            yield from _hidden(item, inside=inside)
    elif inside and isinstance(value, str):
        yield value


@pytest.mark.parametrize("name", EVERY)
def test_what_is_registered_holds_secrets_only_where_pulumi_encrypts_them(name: str) -> None:
    document = _document(name)
    looking = Search(values(document))
    recorder = run(EVERY[name])
    hidden: list[str] = []
    for resource, request in recorder.requests.items():
        inputs = unmarshal(request.object)
        hidden += _hidden(inputs)
        assert looking.text(json.dumps(without_secrets(inputs)).encode(), resource) == []
    found = {leak.name for leak in looking.text("\n".join(hidden).encode(), "secret inputs")}
    assert found == set(values(document))
    open_outputs = {k: v for k, v in recorder.outputs.items() if k not in recorder.secret_outputs}
    assert looking.text(repr(open_outputs).encode(), "outputs") == []


@pytest.mark.parametrize("name", EVERY)
def test_file_report_and_warnings_hold_no_secret(name: str, tmp_path: Path) -> None:
    document = _document(name)
    looking = Search(values(document))
    file = tmp_path / "Pulumi.planted.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True))
    loaded = load_file(file)
    told = "\n".join(warning.line() for warning in loaded.warnings)
    for path in values(document):
        assert f"pulumi config set --path --secret 'kestra:{path}'" in told
    page = html(build(State(tmp_path / "state"), "planted", file))
    for text, place in (
        (told, "warnings"), (render(loaded.settings).yaml(), "file"), (page, "report"),
        (repr(loaded), "repr"), (repr(render(loaded.settings)), "repr of configuration"),
    ):  # fmt: skip
        assert looking.text(text.encode(), place) == []


@pytest.mark.parametrize("mark", ["'", '"'])
def test_a_key_that_begins_with_a_quotation_mark_is_not_shown(mark: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.a.yaml"
    file.write_text(f"config:\n  kestra:{mark}PlantedZq: x\n  kestra:edition: oss\n")
    with pytest.raises(SettingsError) as raised:
        load_file(file)
    assert f"kestra:{mark}…: is no known key" in str(raised.value)
    assert "PlantedZq" not in str(raised.value)


def test_an_error_in_the_settings_tells_no_value() -> None:
    with pytest.raises(SettingsError) as told:
        load(settings_of(wrong()), source="x")
    text = f"{told.value}{told.value!r}{''.join(traceback.format_exception(told.value))}"
    places = ("tag", "duration", "name", "block", "key", "choice", "edition")
    planted = {place: plant(f"wrong {place}") for place in places}
    assert search_text(text.encode(), "error", values(wrong()) | planted) == []


VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=4, max_size=40
).map(lambda text: f"Plant7xQ9{text}")


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_no_object_shows_its_secrets(value: str) -> None:
    document = {
        "edition": "oss",
        "server": {"basic-auth": {"username": "a@b.example", "password": value}},
        "declared-secrets": {"GIVEN": {"namespace": "a", "value": value}},
        "datasources": {
            "postgres": {"url": "jdbc:postgresql://u:Plant7xQ9url@h/d?password=Plant7xQ9url", "password": value}
        },
        "queue": {"type": "postgres"},
        "repository": {"type": "postgres"},
        "storage": {"type": "local"},
        "tags": {"environment": "development", "owner": "platform", "data-class": "internal"},
    }  # fmt: skip
    loaded = load(document, source="x")
    configuration = render(loaded.settings)
    hidden = pulumi.Output.secret(value)
    objects = (
        loaded,
        loaded.settings,
        configuration,
        StoreArgs(loaded.settings, {"GIVEN": hidden}, hidden),
        KestraArgs(loaded.settings, configuration.yaml(), {"A": hidden}, secrets={"GIVEN": hidden}),
    )
    for each in objects:
        for text in (repr(each), str(each), f"{each}", f"{each!r}", f"{[each]}"):
            assert "Plant7xQ9" not in text


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_no_error_of_the_models_shows_its_input(value: str) -> None:
    for wrong_part in (
        {"server": {"basic-auth": {"password": [value]}}},
        {"declared-secrets": {"GIVEN": {"value": [value]}}},
        {"edition": value, "server": value, "tags": {"owner": {"x": value}}},
    ):
        with pytest.raises(ValidationError) as told:
            Settings.model_validate(wrong_part)
        text = f"{told.value}{told.value!r}{''.join(traceback.format_exception(told.value))}"
        assert "Plant7xQ9" not in text


def test_a_plugin_lets_no_client_library_tell_what_it_sends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names = (
        "botocore.endpoint",
        "boto3",
        "urllib3.connectionpool",
        "hvac",
        "kubernetes.client.rest",
    )
    try:
        with caplog.at_level(logging.DEBUG):
            for name in names:
                logging.getLogger(name).debug("before %s", name)
            assert len(caplog.records) == len(names)
            silence_client_logs()
            for name in names:
                logging.getLogger(name).setLevel(logging.DEBUG)
                logging.getLogger(name).debug("body: %s", plant("debug"))
                logging.getLogger(name).info("body: %s", plant("debug"))
            assert len(caplog.records) == len(names)
    finally:
        logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("document", "keys"),
    [
        ({"server": {"basicAuth": {"password": "x"}}}, ["kestra:server.basicAuth.password"]),
        ({"datasources": {"a b": {"password": "x"}}}, ['kestra:datasources["a b"].password']),
        ({"datasources": {"a": {"url": "jdbc:x://h?password=y"}}}, ["kestra:datasources.a.url"]),
        ({"datasources": {"a": {"url": "jdbc:x://h/d"}}}, []),
        ({"datasources": {"a": {"password": "${POSTGRES_PASSWORD}"}}}, []),
        ({"datasources": {"a": {"password": "${POSTGRES_PASSWORD:}"}}}, []),
        ({"datasources": {"a": {"password": "${NAME:x}"}}}, ["kestra:datasources.a.password"]),
        ({"datasources": {"a": {"password": ""}}, "unknown": {"password": "x"}}, []),
        ({"datasources": [1], "server": "x", "encryption": {"secret-key": ["x"]}}, []),
    ],
)
def test_a_secret_in_clear_is_named_as_the_command_line_takes_it(
    document: dict[str, Any], keys: list[str]
) -> None:
    assert [problem.path for problem in plain_secrets(document, "x")] == keys
    assert len(list(in_clear(document))) == len(keys)

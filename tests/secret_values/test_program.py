"""What the program registers for external secrets, and what it says of those without a value."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from components import program
from components.backends.answers import CurrentVersion
from components.program import build
from components.rendering.configuration import render
from components.validation import load
from sandbox.inspection.recorder import run as run_recorded
from sandbox.report.diagram import diagram
from sandbox.report.paths import recovery_place, secret_paths
from tests.components.recording_support import Recorder, _Monitor, run
from tests.components.test_program import _configure
from tests.secret_values.values_support import (
    DECLARED,
    VAULT_METADATA,
    Manager,
    document_of,
)


def test_vault_knows_tags_of_the_place_before_there_is_a_value() -> None:
    endpoints = run(document_of("vault")).of("Endpoint")
    place = endpoints["store-place-API_TOKEN"]
    assert place["path"] == "kestra/metadata/main/company/team/API_TOKEN"
    metadata = json.loads(place["dataJson"]["value"])["custom_metadata"]
    assert metadata["description"] == "Of the API"
    assert place["ignoreAbsentFields"]


def _annotations(versions: Any) -> set[str]:
    recorder = Recorder()
    settings = load(document_of("vault"), source="test").settings
    run_recorded(lambda: build(settings, None, versions), _Monitor(recorder), "test")
    deployments = recorder.of("Deployment").values()
    return {json.dumps(one["spec"]["template"]["metadata"]["annotations"]) for one in deployments}


def test_another_version_rolls_the_pods() -> None:
    current = CurrentVersion
    first = _annotations({"vault": {"API_TOKEN": current("1")}})
    assert _annotations({"vault": {"API_TOKEN": current("1")}}) == first
    assert _annotations({"vault": {"API_TOKEN": current("2")}}) != first


def test_the_program_warns_of_what_has_no_value_and_stops_where_nobody_answers(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings_: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", warnings_.append)
    _configure(document_of("vault"))
    settings = load(document_of("vault"), source="test").settings
    manager.answers[f"GET {VAULT_METADATA}"] = {
        "data": {"current_version": 2, "versions": {"2": {}}}
    }
    versions = program.read_versions(settings)
    assert {name: one.number for name, one in versions["vault"].items()} == {
        "API_TOKEN": "2", "DATABASE_PASSWORD": "",
    }  # fmt: skip
    (warning,) = warnings_
    assert "kestra:declared-secrets.DATABASE_PASSWORD: flows cannot read it in vault" in warning
    assert "secret generate DATABASE_PASSWORD --stack" in warning
    manager.answers[f"GET {VAULT_METADATA}"] = (403, {"errors": ["permission denied"]})
    recorder = _configure(document_of("vault"))
    with pytest.raises(pulumi.RunError) as caught:
        program.deploy()
    assert "HashiCorp Vault cannot be read: Vault refuses the question (HTTP 403)" in str(
        caught.value
    )
    assert recorder.resources == {}


def test_the_report_says_that_others_have_the_value() -> None:
    document = document_of("vault") | {"encryption": {"external": True, "fingerprint": "1a2b3c4d"}}
    settings = load(document, source="test").settings
    paths = secret_paths(settings, render(settings))
    origins = {path.name: path.origin for path in paths if path.name in DECLARED}
    assert origins == {"API_TOKEN": "others", "DATABASE_PASSWORD": "others", "OWN": "generator"}
    boxes = {box.id: box for box in diagram(settings, paths).boxes}
    assert boxes["from-others"].lines[0] == "2 secrets"
    assert recovery_place(settings) == "kestra-stack/encryption"

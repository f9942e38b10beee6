"""Variables that the pods need not have: empty ones, compose's own, those that only the compose file uses."""

from __future__ import annotations

from pathlib import Path

from components.importing.inputs import read
from tests.importing.installation_support import imported
from tests.importing.reading_support import Inputs

COMPOSE = """
services:
  db: {image: "postgres:${PG_TAG}", environment: {POSTGRES_PASSWORD: "${PG_PASSWORD}"}}
  kestra:
    image: kestra/kestra:${TAG}
    command: server standalone
    env_file: .env
    ports: ["${HTTP_PORT}:8080"]
    environment:
      EXPLICIT: ${TAG}
      KESTRA_CONFIGURATION: |
        kestra: {queue: {type: postgres}, repository: {type: postgres}, url: "$${ADDRESS}"}
        datasources: {postgres: {url: "jdbc:postgresql://db.example.com/k", username: "${PG_USER}", password: "$${PG_PASSWORD}"}}
"""
ENV = """
TAG=v1.3.31
PG_TAG=17
HTTP_PORT=8080
PG_USER=kestra
PG_PASSWORD=Planted-Needless-1
ADDRESS=https://k.example.com
COMPOSE_PROJECT_NAME=flows
SMTP_HOST=
ENV_REGION=north
ENV_EMPTY=
OTHER=x
"""


def test_only_what_tasks_may_read_stays(tmp_path: Path) -> None:
    inputs = Inputs(tmp_path)
    inputs.write(".env", ENV)
    result = imported(tmp_path, read([inputs.write("compose.yaml", COMPOSE)]))
    assert result.config["deployment"]["environment"] == {
        "EXPLICIT": "v1.3.31",
        "ENV_REGION": "north",
        "ENV_EMPTY": "",
        "OTHER": "x",
        # A setting got its value from it, and tasks may read it too.
        "ADDRESS": "https://k.example.com",
    }
    assert result.config["deployment"]["url"] == "https://k.example.com"
    result.line("TAG, PG_TAG, HTTP_PORT, PG_USER, COMPOSE_PROJECT_NAME", "compose")
    result.line("SMTP_HOST", "empty")
    assert "kestra:datasources.postgres.password" in [
        item.setting for item in result.report.conversion.to_set
    ]
    assert "Planted" not in result.shown()
    assert result.unexpected_problems() == []


def test_a_variable_without_a_value_of_a_map_keeps_the_name_of_its_key(tmp_path: Path) -> None:
    text = "services: {k: {image: 'kestra/kestra:v1.3.31', environment: {KESTRA_STORAGE_LOCAL_BASE_PATH: '${BASE}'}}}"
    result = imported(tmp_path, read([Inputs(tmp_path).write("compose.yaml", text)]))
    assert "STORAGE_LOCAL_BASE_PATH}" not in result.text

"""Configuration that no input holds, or that is no YAML: never a stack that passes for the installation."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.__main__ import main
from components.importing.inputs import read
from tests.importing.installation_support import imported
from tests.importing.reading_support import Inputs

COMPOSE = """
services:
  kestra:
    image: kestra/kestra:v1.3.31
    command: server standalone{more}
    environment: {{ENV_A: b{configuration}}}
"""
BROKEN = [
    "kestra: [planted-text",
    "{% if planted-text %}",
    "{{ planted-text }}",
    "planted-text of prose",
    "- planted-text",
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_configuration_that_is_no_yaml_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    compose = COMPOSE.format(configuration=f", KESTRA_CONFIGURATION: {text!r}", more="")
    file = Inputs(tmp_path).write("compose.yaml", compose)
    output = tmp_path / "Pulumi.x.yaml"
    assert main(["import", file, "--output", str(output)]) == 1
    shown = "".join(capsys.readouterr())
    assert "services.kestra.environment.KESTRA_CONFIGURATION is no" in shown
    assert "planted" not in shown
    assert not output.exists()


@pytest.mark.parametrize(
    ("configuration", "more"),
    [
        (", KESTRA_CONFIGURATION: '${CONFIG}'", ""),
        (", KESTRA_CONFIGURATION: ", ""),
        ("", " --config /etc/kestra/application.yml"),
        (", MICRONAUT_CONFIG_FILES: /app/confs/a.yml", ""),
        ("}\n    volumes: ['./confs:/app/confs']\n    labels: {a: b", ""),
    ],
)
def test_check_refuses_a_stack_of_whose_platform_nothing_is_known(
    configuration: str, more: str, tmp_path: Path
) -> None:
    compose = COMPOSE.format(configuration=configuration, more=more)
    result = imported(tmp_path, read([Inputs(tmp_path).write("compose.yaml", compose)]))
    settings = [item.setting for item in result.report.conversion.to_set]
    assert {"kestra:queue.type", "kestra:repository.type"} <= set(settings)
    result.line("this stack is not the installation yet", "check refuses it")
    assert main(["check", str(result.file)]) == 1
    assert result.unexpected_problems() == []
    assert "kestra:queue.type" not in dict(result.report.carried())


def test_a_missing_file_beside_known_settings_leaves_these_alone(tmp_path: Path) -> None:
    configuration = ", KESTRA_QUEUE_TYPE: h2"
    compose = COMPOSE.format(configuration=configuration, more=" --config /etc/a.yml")
    result = imported(tmp_path, read([Inputs(tmp_path).write("compose.yaml", compose)]))
    assert result.config["queue"]["type"] == "h2"
    assert "to-be-set" not in result.text

"""An image of one's own: its tag is no release of Kestra's."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.importing.inputs import read
from tests.importing.installation_support import Imported, imported
from tests.importing.kubernetes_support import current, deployment
from tests.importing.reading_support import Inputs

APPLICATION = "kestra: {queue: {type: postgres}, repository: {type: postgres}}"
DIGEST = "sha256:" + "a" * 64


def _imported(tmp_path: Path, name: str, text: str) -> Imported:
    return imported(tmp_path, read([Inputs(tmp_path).write(name, text)]))


def _of(kind: str, image: str) -> tuple[str, str]:
    repository, _, tag = image.rpartition(":")
    values = current(f"image: {{repository: {repository}, tag: '{tag}'}}")
    return {
        "compose": ("compose.yaml", f"services: {{k: {{image: '{image}', command: server standalone, environment: {{KESTRA_CONFIGURATION: '{APPLICATION}'}}}}}}"),
        "chart": ("values.yaml", values),
        "pods": ("pods.yaml", deployment().replace("kestra/kestra:v1.3.31", image)),
    }[kind]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "tag"),
    [("compose", "1.2"), ("chart", "2.4.1"), ("pods", "0.9.0"), ("pods", "2024.11")],
)
def test_a_tag_of_an_image_of_ones_own_is_kept(kind: str, tag: str, tmp_path: Path) -> None:
    result = _imported(tmp_path, *_of(kind, f"acme/flows:{tag}"))
    assert result.config["deployment"]["image"] == {"repository": "acme/flows", "tag": tag}
    assert result.config["version"] == "1.3"
    result.line("kestra.version", "image is one of your own")
    assert result.unexpected_problems() == []
    assert not [line for line in result.lines if "older than 1.3" in line]


def test_a_moving_tag_of_such_an_image_is_to_be_set(tmp_path: Path) -> None:
    result = _imported(tmp_path, *_of("compose", "acme/flows:latest"))
    assert result.config["deployment"]["image"] == {"repository": "acme/flows"}
    assert "pulumi config set --path 'kestra:deployment.image.tag'" in result.commands()
    assert "v1.3.31" not in result.text


def test_a_digest_beside_a_moving_tag_of_such_an_image_says_what_runs(tmp_path: Path) -> None:
    result = _imported(tmp_path, *_of("compose", f"acme/flows:latest@{DIGEST}"))
    assert result.config["deployment"]["image"]["digest"] == DIGEST
    assert result.unexpected_problems() == []


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("acme/kestra-flows:v2.0.1", "2.0"),
        ("acme/kestra-flows:2.0.1", "1.3"),
        ("mirror.example/kestra/kestra:2.0.1", "2.0"),
    ],
)
def test_the_version_follows_a_tag_that_is_written_as_a_release(
    image: str, version: str, tmp_path: Path
) -> None:
    result = _imported(tmp_path, *_of("compose", image))
    assert result.config["version"] == version
    assert result.config["deployment"]["image"]["tag"] == image.rpartition(":")[2]
    assert result.unexpected_problems() == []

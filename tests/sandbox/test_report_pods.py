"""The report shows what settings add to pods, and no secret of it."""

from __future__ import annotations

from typing import Any

from components.rendering.configuration import render
from components.settings import Settings
from components.validation import load
from sandbox.inspection.settings_view import sections
from sandbox.report.paths import secret_paths
from tests.components import every_pod_setting_support

PLANTED = "Pl4nted-In-Clear9"


def _settings() -> Settings:
    document: dict[str, Any] = every_pod_setting_support.with_worker_group("2.0")
    deployment = document["deployment"]
    clear = {"name": "DB_PASSWORD", "value": PLANTED}
    url = {"name": "PROXY", "value": f"https://user:{PLANTED}@proxy/"}
    sidecar = {"name": "side", "image": "a:1", "env": [clear]}
    components = {"worker": {"extra-env": [clear, url], "extra-containers": [sidecar]}}
    return load(
        document | {"deployment": deployment | {"components": components}}, source="f"
    ).settings


def test_no_secret_of_a_pod_is_in_the_settings_of_the_report() -> None:
    settings = _settings()
    rows = [row for section in sections(settings, render(settings)) for row in section.rows]
    text = "\n".join(f"{row.key}: {row.value}" for row in rows)
    assert "Pl4nted" not in text
    assert "kwreg_" not in text
    shown = {row.key: row for row in rows}
    assert "name: DB_PASSWORD" in shown["deployment.components.worker.extra-env"].value
    assert shown["deployment.components.worker.extra-env"].is_secret
    assert shown["deployment.node-selector.kubernetes.io/os"].value == "linux"


def test_the_way_of_every_secret_of_a_pod_is_shown() -> None:
    settings = _settings()
    ways = {(path.name, path.origin) for path in secret_paths(settings, render(settings))}
    token = "deployment.worker-groups.gpu.registration-token"
    assert {
        ("key password of Secret kestra-db-app", "elsewhere"),
        ("all keys of Secret operators", "elsewhere"),
        ("deployment.extra-env[5].value", "clear"),
        ("deployment.extra-containers[0].env[0].value", "clear"),
        (token, "clear"),
    } <= ways

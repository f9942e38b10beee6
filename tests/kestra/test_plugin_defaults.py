"""What the real Kestra makes of tasks by the defaults of the task runner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.rendering.configuration import render
from components.rendering.document import dump
from components.rendering.plugin_defaults import POD_CREATE, TASK_RUNNER
from sandbox.kestra import ensure
from sandbox.progress import Progress
from sandbox.verify.boot import boot
from tests.components.pods_support import distributed
from tests.kestra.harness_support import with_class

pytestmark = pytest.mark.kestra

SCRIPT = "io.kestra.plugin.scripts.shell.Commands"


def test_defaults_fill_in_what_a_flow_leaves_out_and_forced_ones_win(
    tmp_path: Path, progress: Progress
) -> None:
    document = render(distributed({"task-runner": {"scripts": "forced"}})).document
    file = tmp_path / "application.yaml"
    # Without the rest, which would have a database started.
    file.write_text(dump({"kestra": {"plugins": document["kestra"]["plugins"]}}))
    source = Path(__file__).with_name("PluginDefaults.java")
    harness = with_class(ensure("1.3", progress), source, tmp_path)
    own_runner = {
        "type": TASK_RUNNER,
        "namespace": "mine",
        "podSpec": {"securityContext": {"runAsUser": 5}},
    }
    tasks: dict[str, dict[str, Any]] = {
        "pod": {"type": POD_CREATE, "spec": {"containers": [{"name": "main"}]}},
        "plain": {"type": SCRIPT},
        "process": {"type": SCRIPT, "taskRunner": {"type": "io.kestra.plugin.core.runner.Process"}},
        "own": {"type": SCRIPT, "taskRunner": own_runner},
        "log": {"type": "io.kestra.plugin.core.log.Log"},
    }
    answers = boot(
        harness,
        {"MICRONAUT_CONFIG_FILES": str(file)},
        tmp_path,
        {"runs": list(tasks.values())},
        main="io.kestra.core.services.PluginDefaults",
    )["runs"]
    filled = dict(zip(tasks, answers, strict=True))

    pod = filled["pod"]
    assert pod["namespace"] == "kestra-tasks"
    assert pod["spec"]["containers"] == [{"name": "main"}]
    assert pod["spec"]["serviceAccountName"] == "kestra-tasks"
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["securityContext"]["runAsUser"] == 1000
    assert pod["containerDefaultSpec"]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    for name in ("plain", "process"):
        runner = filled[name]["taskRunner"]
        assert runner["type"] == TASK_RUNNER
        assert (runner["namespace"], runner["serviceAccountName"]) == ("kestra-tasks",) * 2
    # What a flow says of the runner itself stays; the cluster refuses what it must not choose.
    runner = filled["own"]["taskRunner"]
    assert runner["namespace"] == "mine"
    assert runner["podSpec"]["securityContext"]["runAsUser"] == 5
    assert runner["podSpec"]["securityContext"]["runAsNonRoot"] is True
    assert filled["log"] == tasks["log"]

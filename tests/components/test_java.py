"""The share of memory for Java's heap: a default, a setting, and nothing lost of what people write themselves."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.kubernetes.pods import PodArgs, pod_template
from components.settings import SettingsError
from components.settings.java import HEAP_PERCENTAGE, heap_option, java_options
from components.validation import load
from sandbox.kestra import find_java
from tests.conftest import stack_document

DEFAULT = f"-XX:MaxRAMPercentage={HEAP_PERCENTAGE}.0"


def container(
    deployment: dict[str, Any], component: str = "standalone", stack: str = "local"
) -> dict[str, Any]:
    """The main container of a component."""
    document = stack_document(stack)
    block: Any = document["deployment"]
    document["deployment"] = block | deployment
    settings = load(document, source="test").settings
    args = PodArgs(settings, {}, "kestra", False, "configuration", "secret", "versions")
    (workload,) = [w for w in settings.workloads if w.name == component]
    return pod_template(workload, args)["spec"]["containers"][0]


def options(deployment: dict[str, Any], **which: str) -> str | None:
    """`JAVA_OPTS` of a component's container."""
    main = {e["name"]: e.get("value") for e in container(deployment, **which)["env"]}
    return main.get("JAVA_OPTS")


def of(**component: Any) -> dict[str, Any]:
    return {"components": {"standalone": component}}


def test_the_heap_is_a_share_of_the_limit_unless_it_is_said() -> None:
    assert options({}) == DEFAULT
    assert options(of(**{"heap-percentage": 70})) == "-XX:MaxRAMPercentage=70.0"
    assert options(of(**{"java-options": "-XX:+UseZGC"})) == f"{DEFAULT} -XX:+UseZGC"


@pytest.mark.parametrize(
    "said",
    [
        "-Xmx1g",
        "-XX:+UseZGC -Xmx1536m",
        "-XX:MaxRAMPercentage=60",
        "-XX:MaxHeapSize=1g",
        "-XX:MaxRAMFraction=2",
    ],
)
def test_a_heap_that_people_set_stays_alone(said: str) -> None:
    assert options(of(**{"java-options": said})) == said
    assert options({"environment": {"JAVA_OPTS": said}}) == said
    for name in ("JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS"):
        assert options({"environment": {name: said}}) is None


def test_options_of_the_component_come_after_those_of_all_and_neither_is_lost() -> None:
    every = {"environment": {"JAVA_OPTS": "-XX:+UseZGC -Xss2m", "OTHER": "value"}}
    both = every | of(**{"java-options": "-Xss4m"})
    assert options(every) == f"-XX:+UseZGC -Xss2m {DEFAULT}"
    assert options(both) == f"-XX:+UseZGC -Xss2m {DEFAULT} -Xss4m"
    share = every | of(**{"heap-percentage": 60, "java-options": "-Xss4m"})
    assert options(share) == "-XX:+UseZGC -Xss2m -XX:MaxRAMPercentage=60.0 -Xss4m"
    names = [e["name"] for e in container(both)["env"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("deployment", "words"),
    [
        (of(**{"heap-percentage": 60, "java-options": "-Xmx1g"}), "java-options"),
        (
            of(**{"heap-percentage": 60}) | {"environment": {"JAVA_OPTS": "-Xmx1g"}},
            "the variable JAVA_OPTS",
        ),
    ],
)
def test_a_share_beside_a_size_is_refused(deployment: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        container(deployment)
    (problem,) = caught.value.problems
    assert problem.path == "kestra:deployment.components.standalone.heap-percentage"
    assert words in problem.message


@pytest.mark.parametrize("share", [5, 95, "half"])
def test_a_share_leaves_room_for_what_is_no_heap(share: object) -> None:
    with pytest.raises(SettingsError, match="heap-percentage"):
        container(of(**{"heap-percentage": share}))


def run_command(main: dict[str, Any], folder: Path, **environment: str) -> str:
    """`JAVA_OPTS` as the start script sees it, and its arguments."""
    script = folder / "kestra"
    script.write_text('#!/bin/sh\nprintf "%s|%s" "${JAVA_OPTS-unset}" "$*"\n')
    script.chmod(0o755)
    command = [part.replace("/app/kestra", str(script)) for part in main["command"]]
    plain = {e["name"]: e["value"] for e in main["env"]}
    return subprocess.run(
        [*command, *main["args"]],
        env={"PATH": "/bin:/usr/bin"} | environment | plain,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_secret_that_brings_java_options_keeps_them(tmp_path: Path) -> None:
    main = container({}, "worker", "local-vault")
    assert "JAVA_OPTS" not in {e["name"] for e in main["env"]}
    arguments = "server worker --thread=8"
    assert run_command(main, tmp_path) == f"{DEFAULT} |{arguments}"
    brought = run_command(main, tmp_path, JAVA_OPTS="-Xmx1g -Xss2m")
    assert brought == f"{DEFAULT} -Xmx1g -Xss2m|{arguments}"
    worker = {"components": {"worker": {"heap-percentage": 60}}}
    assert options(worker, component="worker", stack="local-vault") == heap_option(60)


def test_what_the_settings_say_is_not_said_again_where_secrets_bring_variables() -> None:
    worker = {"components": {"worker": {"java-options": "-Xmx1g"}}}
    main = container(worker, "worker", "local-vault")
    assert "MaxRAMPercentage" not in str(main)
    assert options(worker, component="worker", stack="local-vault") == "-Xmx1g"


@pytest.mark.kestra
@pytest.mark.parametrize(
    ("component", "environment", "mebibytes"),
    [
        ({}, {}, 1024),
        ({"heap-percentage": 75}, {}, 1536),
        ({"java-options": "-Xmx700m"}, {}, 700),
        ({"java-options": "-XX:MaxRAMPercentage=25"}, {}, 512),
        ({"java-options": "-Xss1m"}, {"JAVA_OPTS": "-XX:MaxHeapSize=600m"}, 600),
        ({"heap-percentage": 40}, {"JAVA_OPTS": "-XX:MaxRAMPercentage=80"}, 819.2),
    ],
)
def test_a_real_java_takes_the_share(
    component: dict[str, Any], environment: dict[str, str], mebibytes: float
) -> None:
    document = stack_document("local")
    document["deployment"] = of(**component) | {"environment": environment}
    deployment = load(document, source="test").settings.deployment
    value = java_options(deployment, deployment.components.standalone)
    assert value is not None
    # The start script's own share stands before; 2 GiB stand for the limit of the container.
    command = [find_java(21), "-XX:MaxRAM=2g", "-XX:MaxRAMPercentage=50.0", *value.split()]
    flags = subprocess.run(
        [*command, "-XX:+PrintFlagsFinal", "-version"], capture_output=True, text=True, check=True
    ).stdout
    (size,) = [line.split()[3] for line in flags.splitlines() if " MaxHeapSize " in line]
    assert int(size) / 2**20 == pytest.approx(mebibytes, abs=4)

"""The machinery of the benchmarks, once and small."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from benchmarks import __main__ as program
from benchmarks import bare, machine, measure, page, record, results, sandbox_commands, settings
from benchmarks.growth import declaring
from benchmarks.results import Result, result
from benchmarks.teams import secrets_alone
from components.program import build
from components.settings.base import reveal
from components.validation import load, load_file
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from tests.conftest import ROOT

HOLDS = "x = bytearray(150 * 2**20); import time; time.sleep(0.4)"


def test_a_command_is_measured_with_what_it_starts(tmp_path: Path) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS!r}])"
    used = measure.run([sys.executable, "-c", child], cwd=tmp_path)
    assert used.seconds > 0.4
    assert used.mebibytes > 150


def test_a_command_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="told why"):
        measure.run([sys.executable, "-c", "import sys; sys.exit('told why')"], cwd=tmp_path)


def test_python_keeps_what_it_compiles_in_what_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    measure.run(
        [sys.executable, "-c", "import sys; sys.exit(sys.dont_write_bytecode)"], cwd=tmp_path
    )


def test_value_and_floor_are_measured_in_turns() -> None:
    order: list[str] = []

    def act(kind: str, n: int) -> measure.Usage:
        order.append(f"{kind}{n}")
        return measure.Usage(n + (kind == "value"), 0, 0)

    pair = measure.in_turns(3, lambda n: act("value", n), lambda n: act("floor", n))
    assert order == ["value0", "floor0", "floor1", "value1", "value2", "floor2"]
    assert pair.median("seconds") == (2, 1)


def test_an_import_is_compared_with_the_sdk_modules_that_the_stack_uses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, sdk = settings.imported("local")
    assert "components.kubernetes.deployment" in own
    assert "pulumi_kubernetes.core.v1" in sdk
    assert not [name for name in sdk if name.startswith("pulumi_aws")]
    monkeypatch.setattr(settings, "imported", lambda _: (["components.tags"], ["json"]))
    (result,) = settings.imports("kubernetes", 1)
    assert result.ratio is not None
    assert result.ratio > 1.5


def test_load_check_and_render_are_measured_on_the_largest_stack_file() -> None:
    sizes = {f: f.stat().st_size for f in (ROOT / "stacks").glob("Pulumi.*.yaml")}
    assert sizes[settings.largest()] == max(sizes.values())
    assert [r.name for r in settings.load_check_render(1)] == [
        "settings.load-check-render",
        "settings.load-check-render.first",
    ]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("recorded")
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.production.yaml").read_text())
    declaring(3)(document["config"])
    (folder / "stack.yaml").write_text(yaml.safe_dump(document))
    assert record.record(folder / "stack.yaml", folder / "bare.json") == 37
    return folder / "bare.json", json.loads((folder / "bare.json").read_text())


def test_the_bare_program_registers_what_the_project_registers(
    recorded: tuple[Path, list[dict[str, Any]]],
) -> None:
    file, resources = recorded
    bare_ones = record.registrations(lambda: bare.register(str(file)))
    loaded = load_file(file.parent / "stack.yaml").settings
    ours = {r.request.name: r for r in record.registrations(lambda: build(loaded)).values()}
    assert len(bare_ones) == len(resources) == len(ours)
    for registration in bare_ones.values():
        request = registration.request
        other = ours[request.name]
        assert registration.inputs == other.inputs, request.name
        assert request.type == other.request.type
        assert request.protect == other.request.protect
        assert request.retainOnDelete == other.request.retainOnDelete


def test_the_bare_program_waits_as_the_project_does(
    recorded: tuple[Path, list[dict[str, Any]]],
) -> None:
    by_name = {one["name"]: one for one in recorded[1]}
    urns = {one["urn"]: name for name, one in by_name.items()}
    after = {name: {urns[urn] for urn in one["after"]} for name, one in by_name.items()}
    assert "generated-encryption-secret-key" in after["store-encryption-key"]
    assert {"kestra-configuration", "kestra-secret"} <= after["kestra-worker"]
    kept = {name for name, one in by_name.items() if one["retain"]}
    assert "generated-encryption-secret-key" in kept


def test_growth_declares_so_many_secrets_and_leaves_the_rest() -> None:
    config = yaml.safe_load((ROOT / "stacks" / "Pulumi.production.yaml").read_text())["config"]
    before = dict(config)
    declaring(12)(config)
    assert len(config.pop("kestra:declared-secrets")) == 12
    before.pop("kestra:declared-secrets")
    assert config == before


def test_the_benchmark_of_teams_is_of_stacks_of_secrets_alone() -> None:
    config = yaml.safe_load((ROOT / "stacks" / "Pulumi.example-team-secrets.yaml").read_text())[
        "config"
    ]
    config["kestra:deployment"]["namespace"] = "team-3"
    config["kestra:secret"]["vault"]["kubernetes"] = {"path": "team-3"}
    secrets_alone("team-3", 12, "-2")(config)
    document = {key.removeprefix("kestra:"): value for key, value in config.items()}
    loaded = load(document, source="test")
    assert loaded.warnings == ()
    assert loaded.settings.is_secrets_alone
    values = [reveal(one.value) for one in loaded.settings.declared_secrets.values()]
    assert values[:2] == ["of-no-worth-00000-2", "of-no-worth-00001"]
    assert len(values) == 12


def test_names_choose_benchmarks_and_quick_leaves_out_what_is_long() -> None:
    assert program.chosen(["growth"], quick=False) == [
        f"growth.{n}" for n in (10, 100, 1000, 2000, 3000)
    ]
    assert program.chosen([], quick=False) == list(program.BENCHMARKS)
    assert "growth.1000" not in program.chosen([], quick=True)
    with pytest.raises(SandboxError, match="There is no benchmark grow"):
        program.chosen(["grow"], quick=False)


class Stopped:
    """Benchmarks that are made up, and files of their own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ran: list[str] = []
        self.console = io.StringIO()
        self.results, self.machine = folder / "results.json", folder / "machine.json"
        monkeypatch.setattr(results, "RESULTS", self.results)
        monkeypatch.setattr(page, "write", lambda: None)
        for function in (results.measured, results.note):
            *others, _ = function.__defaults__ or (None,)
            monkeypatch.setattr(function, "__defaults__", (*others, self.machine))
        monkeypatch.setattr(machine, "now", lambda: results.Measured("2026-01-01", "abc"))
        monkeypatch.setattr(
            program, "BENCHMARKS", {n: program.Benchmark(n, self._act(n)) for n in ("a", "b", "c")}
        )
        self.interrupted = ""

    def _act(self, name: str) -> Any:
        def act(_: program.Session) -> Iterator[Result]:
            self.ran.append(name)
            yield result(f"{name}.first", 3, "s", 2, 1.15 if name == "b" else 2)
            if name == self.interrupted:
                raise KeyboardInterrupt
            yield result(f"{name}.second", 1, "s")

        return act

    def measure(self, **given: Any) -> int:
        chosen = {"names": [], "quick": False, "resume": False, "cold": False, "tests": None}
        progress = Progress(Console(file=self.console, width=200))
        return program.measure(argparse.Namespace(**chosen | given), progress)

    @property
    def kept(self) -> list[str]:
        return [found.name for found in results.read(self.results)]


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stopped:
    return Stopped(tmp_path, monkeypatch)


def test_what_was_measured_before_an_interruption_is_kept_and_the_rest_resumed(
    stopped: Stopped,
) -> None:
    stopped.interrupted = "b"
    with pytest.raises(KeyboardInterrupt):
        stopped.measure()
    assert set(stopped.kept) == {"a.first", "a.second", "b.first"}
    stopped.interrupted, stopped.ran = "", []
    stopped.measure(resume=True)
    assert stopped.ran == ["b", "c"]
    assert len(stopped.kept) == 6


def test_a_missed_target_is_named_and_fails_the_command(stopped: Stopped) -> None:
    assert stopped.measure() == 1
    missed = [line for line in stopped.console.getvalue().splitlines() if "Missed" in line]
    assert missed == ["Missed: b.first: 3 s, floor 2, ratio 1.50 (target 1.15: missed)"]
    assert stopped.measure(names=["a"]) == 0


JUNIT = """<testsuites><testsuite><testcase classname="tests.sandbox.test_engine" name="test_a[1.5]" time="3.5"/>
<testcase classname="tests.x.test_b" name="test_b" time="9"/></testsuite></testsuites>"""
LOG = """====== slowest durations ======
8.00s setup    tests/x/test_b.py::test_b
3.50s call     tests/sandbox/test_engine.py::test_a[1.5]
1.00s call     tests/x/test_b.py::test_b
"""


@pytest.mark.parametrize("text", [JUNIT, LOG])
def test_the_slowest_tests_are_read_from_a_junit_file_and_from_a_log(
    tmp_path: Path, text: str
) -> None:
    file = tmp_path / "durations"
    file.write_text(text)
    assert [(r.name, r.value) for r in sandbox_commands.slowest(file)] == [
        ("tests.test_b::test_b", 9),
        ("tests.test_engine::test_a[1·5]", 3.5),
    ]

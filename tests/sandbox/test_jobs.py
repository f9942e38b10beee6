"""Commands at the same time: their order, what is shown of them, and what a failure ends."""

from __future__ import annotations

import io
import os
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from sandbox.errors import SandboxError
from sandbox.jobs import Job, run_jobs, table


def python(code: str) -> list[str]:
    return [sys.executable, "-S", "-c", code]


def append(file: Path, word: str) -> list[str]:
    return python(f"open({str(file)!r}, 'a').write({word!r})")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def printed(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_commands_of_a_job_follow_one_another_and_a_job_waits_for_the_one_before(
    tmp_path: Path, console: Console
) -> None:
    file = tmp_path / "order"
    first = Job("first", [append(file, "a"), append(file, "b")])
    run_jobs([Job("second", [append(file, "c")], after=first), first], console)
    assert file.read_text() == "abc"


def test_jobs_run_at_the_same_time(tmp_path: Path, console: Console) -> None:
    """Each waits for the other's file, so that neither would end if they ran in turns."""
    wait = (
        "import pathlib, time; pathlib.Path({own!r}).touch(); other = pathlib.Path({other!r})\n"
        "for _ in range(500):\n  if other.exists(): break\n  time.sleep(0.02)\n"
        "else: raise SystemExit(1)"
    )
    a, b = str(tmp_path / "a"), str(tmp_path / "b")
    jobs = [
        Job("a", [python(wait.format(own=a, other=b))]),
        Job("b", [python(wait.format(own=b, other=a))]),
    ]
    run_jobs(jobs, console)
    assert [job.state for job in jobs] == ["done", "done"]


def test_a_job_can_bring_others(tmp_path: Path, console: Console) -> None:
    file = tmp_path / "order"
    first = Job("first", [append(file, "a")])
    first.on_done = lambda: [Job("brought", [append(file, "b")])]
    run_jobs([first], console)
    assert file.read_text() == "ab"
    assert "✓ brought (" in printed(console)


def test_a_failure_says_which_job_and_why_and_stops_the_others(
    tmp_path: Path, console: Console
) -> None:
    pid = tmp_path / "pid"
    endless = python(
        f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    )
    failing = python(
        f"import pathlib, time\nwhile not pathlib.Path({str(pid)!r}).exists(): time.sleep(0.02)\n"
        "print('much before'); raise SystemExit('Error: the disk is full. Make room.')"
    )
    started = time.monotonic()
    with pytest.raises(SandboxError) as caught:
        run_jobs([Job("endless", [endless]), Job("the build", [failing])], console)
    assert str(caught.value) == "the build: the disk is full. Make room."
    assert time.monotonic() - started < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text() or 0), 0)
    assert "✗ the build (" in printed(console)


def test_a_failure_without_a_sentence_shows_the_end_of_what_was_printed(console: Console) -> None:
    code = "print('\\n'.join(map(str, range(40)))); raise SystemExit(3)"
    with pytest.raises(SandboxError) as caught:
        run_jobs([Job("numbers", [python(code)])], console)
    assert str(caught.value).startswith("numbers: 28\n29\n")


def test_a_command_that_is_not_there_is_named(console: Console) -> None:
    with pytest.raises(SandboxError, match="absent: /no/such/program: No such file"):
        run_jobs([Job("absent", [["/no/such/program"]])], console)


def test_the_table_has_a_row_for_each_job_with_the_last_line_of_a_running_one() -> None:
    running = Job("Vault [1.21]", [], lines=["one", "12 of 2580 packages"])
    running.started = time.monotonic() - 65
    done = Job("Python packages", [], lines=["not shown"], status=0)
    done.started, done.ended = 0.0, 12.34
    console = Console(file=io.StringIO(), width=100)
    console.print(table([done, running, Job("Kestra 1.3", [], after=running)]))
    first, second, third = printed(console).splitlines()
    assert first.split() == ["✓", "Python", "packages", "12.3", "s"]
    assert "Vault [1.21]" in second
    assert "1 min 5 s" in second
    assert second.rstrip().endswith("12 of 2580 packages")
    assert third.split() == ["Kestra", "1.3"]


def test_a_terminal_gets_one_table(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    run_jobs([Job("Python packages", [python("print('installed')")])], console)
    assert "✓  Python packages" in printed(console)

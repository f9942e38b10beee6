"""A command whose output nobody reads any more ends like Ctrl-C, without a word and with what it started."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from components.closed_output import OUTPUT_CLOSED, run_command
from sandbox import cli
from sandbox.command_line import INTERRUPTED, CommandConsole


@contextmanager
def closed_output() -> Iterator[None]:
    """Standard output is a pipe that is not read. Within a test: pytest changes it before each."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as output, redirect_stdout(output):
        yield


def test_a_short_output_and_a_long_one_end_quietly() -> None:
    def short() -> int:
        print("valid")
        return 0

    def long() -> int:
        for _ in range(20_000):
            print("a line of a long report")
        return 0

    with closed_output():
        assert run_command(short) == OUTPUT_CLOSED
        # What is written after that goes nowhere.
        assert run_command(long) == 0


def test_a_long_output_ends_where_it_is() -> None:
    lines = iter(range(20_000))

    def long() -> int:
        for line in lines:
            print(f"line {line} of a long report")
        return 0

    with closed_output():
        assert run_command(long) == OUTPUT_CLOSED
    assert next(lines) < 10_000


def test_another_broken_connection_is_an_error_as_before(tmp_path: Path) -> None:
    def ends_server() -> int:
        raise BrokenPipeError("of a server")

    output = (tmp_path / "output").open("w")
    with output, redirect_stdout(output), pytest.raises(BrokenPipeError, match="of a server"):
        run_command(ends_server)


def test_an_output_that_is_read_changes_no_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def says(status: int) -> int:
        print("valid")
        return status

    assert [run_command(lambda status=status: says(status)) for status in (0, 1)] == [0, 1]
    assert capsys.readouterr().out == "valid\nvalid\n"


def test_what_the_main_thread_prints_interrupts_the_command() -> None:
    console = CommandConsole()
    assert console.interrupted == INTERRUPTED
    with closed_output():
        with pytest.raises(KeyboardInterrupt):
            console.print("a step")
        console.print("what the end of the command says goes nowhere")
    assert console.is_closed
    assert console.interrupted == OUTPUT_CLOSED


def test_what_another_thread_prints_interrupts_the_main_one_once() -> None:
    console = CommandConsole()
    all_started = threading.Event()

    def print_event() -> None:
        all_started.wait(20)
        console.print("an event")

    threads = [threading.Thread(target=print_event) for _ in range(4)]

    def wait_for_the_engine() -> None:
        for thread in threads:
            thread.start()
        all_started.set()
        # Nothing else ends this wait: the command hung here.
        threading.Event().wait(20)

    with closed_output(), pytest.raises(KeyboardInterrupt):
        wait_for_the_engine()
    for thread in threads:
        thread.join(20)
    assert console.is_closed


def test_a_command_of_the_sandbox_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def announce(_: object, console: CommandConsole) -> int:
        console.print("… Previewing stack local")
        return 0

    monkeypatch.setattr(cli, "run", announce)
    with closed_output():
        assert cli.main(["preview", "local"]) == OUTPUT_CLOSED
    assert capfd.readouterr() == ("", "")

"""The command line says what is wrong in a sentence, and touches nothing that is not its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from sandbox.cli import main
from sandbox.state import State


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main([str(part) for part in arguments])
    told = capsys.readouterr()
    assert "Traceback" not in told.out + told.err
    return code, told.out + told.err


def test_an_unknown_stack_is_answered_with_the_known_ones(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, told = run(capsys, "up", "nothing", "--state", tmp_path / "state")
    assert code == 1
    assert "There is no stack nothing. Known are " in told
    assert " local," in told


def test_every_problem_of_the_settings_is_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.bad.yaml").write_text(
        "config: {kestra:editoin: oss, kestra:version: '9'}\n"
    )
    code, told = run(capsys, "up", "bad", "--state", tmp_path / "state", "--stacks", tmp_path)
    assert code == 1
    assert "kestra:editoin" in told
    assert "kestra:version" in told
    assert not State(tmp_path / "state").services.exists()


def test_encrypted_values_are_told_before_anything_starts(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "Pulumi.enc.yaml").write_text(
        "encryptionsalt: v1:x\nconfig:\n  kestra:server:\n    basic-auth:\n"
        "      username: admin@kestra.io\n      password: {secure: v1:xx}\n"
    )
    code, told = run(capsys, "up", "enc", "--state", tmp_path / "state", "--stacks", tmp_path)
    assert code == 1
    assert "encrypted values" in told
    assert not State(tmp_path / "state").services.exists()


def test_a_second_command_on_one_state_is_told_to_wait(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = State(tmp_path / "state")
    state.create()
    with FileLock(state.lock):
        code, told = run(capsys, "down", "--state", state.directory)
        assert run(capsys, "status", "--state", state.directory)[0] == 0
    assert code == 1
    assert "Another command works on" in told


@pytest.mark.parametrize("command", [["up", "local"], ["down"], ["down", "--purge"]])
def test_a_folder_that_holds_other_things_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    mode = tmp_path.stat().st_mode
    code, told = run(capsys, *command, "--state", tmp_path)
    assert code == 1
    assert "no sandbox's folder" in told
    assert [p.name for p in tmp_path.iterdir()] == ["precious"]
    assert tmp_path.stat().st_mode == mode


def test_purge_of_an_own_folder_leaves_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    state = State(tmp_path / "state")
    state.create()
    state.passphrase()
    state.stack("local").mkdir(parents=True)
    assert run(capsys, "down", "--purge", "--state", state.directory)[0] == 0
    assert not state.directory.exists()


@pytest.mark.parametrize("command", [["status"], ["down"], ["down", "--purge"]])
def test_asking_about_nothing_makes_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: list[str]
) -> None:
    code, told = run(capsys, *command, "--state", tmp_path / "state")
    assert code == 0
    assert "No servers" in told or "There is nothing" in told
    assert not (tmp_path / "state").exists()


def test_what_the_system_refuses_is_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    code, told = run(capsys, "up", "local", "--state", tmp_path / "file" / "state")
    assert code == 1
    assert told.startswith(f"Error: {tmp_path / 'file'}")


def test_the_passphrase_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    state = State(tmp_path / "state")
    state.create()
    assert state.passphrase() == state.passphrase()
    assert (state.directory / "passphrase").stat().st_mode & 0o077 == 0
    assert state.directory.stat().st_mode & 0o077 == 0

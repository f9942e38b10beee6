"""`check` names the line of each key that it speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.__main__ import main
from components.settings import SettingsError
from components.settings.report import Problem
from components.validation import load_file

FILE = """\
encryptionsalt: v1:abc
config:
  kestra:version: "1.3"
  kestr:secret: {}
  kestra:server:
    basicAuth:
      username: a@b.co
      passwrod: x
    liveness: {interval: 5x,
               timeout: "0s"}
  kestra:datasources:
    postgres: &database
      url: jdbc:postgresql://db/kestra?password=Abc12345
    other: *database
  kestra:deployment:
    network-policy:
      egress-cidrs:
        - 10.0.0.0/8
        - 999.0.0.0/8
    annotations:
      a.b/c: {secure: v1:x}
  kestra:micronaut:
    server.netty.max-header-size: 10 MB
  queue: {type: nothing}
"""


def _problems(folder: Path, text: str) -> dict[str, Problem]:
    file = folder / "Pulumi.test.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError) as error:
        load_file(file)
    return {problem.path: problem for problem in error.value.problems}


def test_each_problem_has_the_line_of_its_key(tmp_path: Path) -> None:
    lines = {path: p.line_number for path, p in _problems(tmp_path, FILE).items()}
    expected = {
        "kestr:secret": 4,
        "kestra:server.basicAuth.passwrod": 8,
        "kestra:server.liveness.interval": 9,
        "kestra:server.liveness.timeout": 10,
        "kestra:datasources.postgres.url": 13,
        "kestra:datasources.other.url": 13,
        "kestra:deployment.network-policy.egress-cidrs[1]": 19,
        "kestra:deployment.annotations.a.b/c": 21,
        "kestra:micronaut.server.netty.max-header-size": 23,
        "kestra:queue.type": 24,
    }
    assert {path: line for path, line in lines.items() if path in expected} == expected


def test_a_key_that_is_not_there_has_no_line(tmp_path: Path) -> None:
    problems = _problems(tmp_path, "config:\n  kestra:server: {basic-auth: {password: x}}\n")
    problem = problems["kestra:server.basic-auth.username"]
    assert problem.message == "is missing"
    assert problem.line_number is None


def test_the_command_writes_file_and_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "Pulumi.test.yaml"
    file.write_text(FILE)
    assert main(["check", str(file)]) == 1
    shown = capsys.readouterr().err
    assert f"  {file}:24: kestra:queue.type: is not an allowed value." in shown


def test_lines_of_aliases_within_aliases_are_soon_found(tmp_path: Path) -> None:
    levels = "\n".join(f"    l{i}: &l{i} {{a: *l{i - 1}, b: *l{i - 1}}}" for i in range(1, 12))
    text = (
        f"config:\n  kestra:server: {{zzz: 1}}\n  kestra:traces:\n    l0: &l0 {{a: x}}\n{levels}\n"
    )
    assert _problems(tmp_path, text)["kestra:server.zzz"].line_number == 2

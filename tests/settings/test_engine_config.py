"""Pulumi's engine hands on a stack file's settings as the tests of the settings say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto
from pulumi.runtime import config as runtime_config

from components.stack_encryption import encrypted, new_salt
from sandbox.progress import Progress
from sandbox.tools import ensure
from tests.settings.engine_support import by_check, engine_config, parse, project
from tests.settings.malformed_fixtures import KEY

pytestmark = pytest.mark.engine

PASSPHRASE = "of-the-tests"
#: What is encrypted is written as in the other tests.
TEXT = """
config:
  kestra:version: 2.0
  kestra:edition: oss
  kestra:encryption:
  kestra:unknown:
  kestra:empty: {}
  kestra:list: []
  kestra:deployment:
    environment: {TOKEN: {secure: Pl4nted}, FLAG: true, NUMBER: 5, FRACTION: 1.5, WHOLE: 3.0, NOTHING: }
    environment-from: [a, {secure: b}]
  kestra:server: {true: 1, 2: x, nested: [{a: null}, []]}
  kestra:tags: {secure: whole}
  kestra:scalars: [yes, No, on, OFF, y, "true", True, TRUE, tRUE, ~, null, Null, nULL, 1:30, 1:30:00.5, 1_000, 0x1F, 0o17,
    017, 08, 0b11, +5, -3, 1e3, 1.5e-3, .5, 5., 1_0.5, 12e, 1.2.3, v1.3, 0.0.0.0/0, '', -, +, ., =, <, ---a, 1_a, 1,2,
    2026-13-01x, 2026, 1970-1-1a, 0x_, 0_, -017,
    2026-11-01, 2026-1-5, 2026-13-01, 2026-11-01 1:02:03, 2026-11-01T01:02:03Z, 2026-11-01T01:02:03, 2026-11-01 1:02]
"""


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.fixture
def open_stack(
    tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., auto.Stack]:
    """Opens the stack `test` of the project in the test's folder."""
    binary, root = ensure(["pulumi"], progress)["pulumi"], tmp_path / "engine"
    (root / "bin").mkdir(parents=True)
    (root / "bin" / "pulumi").symlink_to(binary)
    (tmp_path / "state").mkdir()
    environment = {
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE,
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def opened(program: Callable[[], None] = lambda: None) -> auto.Stack:
        command = auto.PulumiCommand(root=str(root), skip_version_check=True)
        options = auto.LocalWorkspaceOptions(work_dir=str(tmp_path), pulumi_command=command)
        return auto.create_or_select_stack(
            "test", project_name="kestra", program=program, opts=options
        )

    return opened


def _sealed(text: str) -> str:
    """A stack file in which the plain texts of `secure:` are encrypted."""
    salt = new_salt(PASSPHRASE)

    def seal(match: re.Match[str]) -> str:
        return f"{{secure: {encrypted(match[1], PASSPHRASE, salt)['secure']}}}"

    return f"encryptionsalt: {salt}\n" + re.sub(r"\{secure: (\w+)\}", seal, text)


def test_the_engine_decrypts_values_and_names_first_level_keys(
    tmp_path: Path, open_stack: Callable[..., auto.Stack]
) -> None:
    seen: dict[str, Any] = {}

    def program() -> None:
        seen["config"] = dict(runtime_config.CONFIG.get())
        seen["secret"] = [key for key in seen["config"] if pulumi.runtime.is_config_secret(key)]

    project(tmp_path, _sealed(TEXT))
    open_stack(program).preview(color="never")
    config = parse(TEXT)["config"]
    expected, secret = engine_config(config)
    # Defaults of the project file are the project's own.
    assert {k: _value(t) for k, t in seen["config"].items()} == {
        k: _value(expected[k]) for k in config
    }
    assert set(seen["secret"]) == set(secret)


#: Stack files with faults that a command mends, and what to give it.
MENDED = {
    "a secret in clear": ("kestra:deployment: {environment: {CLIENT_SECRET: x, TZ: UTC}}", "y"),
    "a key in clear": (f"kestra:encryption: {{secretKey: {KEY}}}", KEY),
    "a name in clear with a dot": ("kestra:datasources: {h2: {url: 'jdbc:h2:mem:x', password: x}}", "y"),
    "an encrypted tag": ("kestra:tags: {additional: {team.a: {secure: x}}}", "y"),
    "an encrypted item": ("kestra:deployment: {environment-from: [{secure: x}, b]}", "a"),
    "an encrypted number": ("kestra:deployment: {components: {standalone: {worker-threads: {secure: 5}}}}", "6"),
    "an encrypted version": ("kestra:version: {secure: x}", "1.3"),
    "an encrypted block": ("kestra:deployment: {ingress: {secure: x}}", None),
    "an encrypted list": ("kestra:deployment: {environment-from: {secure: x}}", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), MENDED.values(), ids=MENDED.keys())
def test_the_command_of_a_fix_mends_the_file(
    text: str, value: str | None, tmp_path: Path, open_stack: Callable[..., auto.Stack]
) -> None:
    log_in = "kestra:server: {basic-auth: {username: a@b.c}}"
    file = project(tmp_path, _sealed(f"config:\n  {log_in}\n  {text}\n"))
    _, said = by_check(file)
    ((_, _, _, fix, _),) = said
    (command,) = re.findall(r"pulumi (config (?:set|rm) [-a-z ]*)'([^']+)'", fix)
    stack = open_stack()
    arguments = [*command[0].split(), command[1], *([value] if value else []), "--stack", "test"]
    stack.workspace.pulumi_command.run(arguments, str(tmp_path), {})
    loaded, said = by_check(file)
    assert said == set()
    assert loaded is not None

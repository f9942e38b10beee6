"""Pulumi's engine hands on a stack file's settings as the tests of the settings say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi import automation as auto
from pulumi.runtime import config as runtime_config

from sandbox.encryption import encrypted, new_salt
from sandbox.progress import Progress
from sandbox.tools import ensure
from tests.settings.engine_support import engine_config, project

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
"""


def _sealed(value: Any, salt: str) -> Any:
    """The same with what is encrypted really encrypted."""
    if isinstance(value, dict):
        if set(value) == {"secure"}:
            return encrypted(value["secure"], PASSPHRASE, salt)
        return {key: _sealed(item, salt) for key, item in value.items()}
    return [_sealed(item, salt) for item in value] if isinstance(value, list) else value


def test_the_engine_decrypts_values_and_names_first_level_keys(
    tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
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
    seen: dict[str, Any] = {}

    def program() -> None:
        seen["config"] = dict(runtime_config.CONFIG.get())
        seen["secret"] = [key for key in seen["config"] if pulumi.runtime.is_config_secret(key)]

    salt, config = new_salt(PASSPHRASE), yaml.safe_load(TEXT)["config"]
    document = {"encryptionsalt": salt, "config": _sealed(config, salt)}
    project(tmp_path, yaml.safe_dump(document))
    command = auto.PulumiCommand(root=str(root), skip_version_check=True)
    options = auto.LocalWorkspaceOptions(work_dir=str(tmp_path), pulumi_command=command)
    stack = auto.create_or_select_stack(
        "test", project_name="kestra", program=program, opts=options
    )
    stack.preview(color="never")
    expected, secret = engine_config(config)
    read = {key: yaml.safe_load(text) for key, text in seen["config"].items()}
    # Defaults of the project file are the project's own.
    assert read == {key: yaml.safe_load(expected[key]) for key in config}
    assert set(seen["secret"]) == set(secret)

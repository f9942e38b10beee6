"""A stack file with encrypted values in the sandbox: opened with the caller's passphrase, sealed with its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from components import stack_encryption
from components.stack_encryption import decrypted, encrypted, key_of, new_salt
from sandbox.engine.workspace import write_workspace
from sandbox.errors import SandboxError

THEIRS, OWN, PLANTED = "the caller's passphrase", "the sandbox's passphrase", "Planted-Value-Zq81"


def _stack(tmp_path: Path) -> Path:
    salt = new_salt(THEIRS)
    sealed = encrypted(PLANTED, THEIRS, salt)
    config = {"kestra:deployment": {"environment": {"TOKEN": sealed, "ENV_A": "b"}}}
    file = tmp_path / "Pulumi.imported.yaml"
    file.write_text(yaml.safe_dump({"encryptionsalt": salt, "config": config}))
    return file


@pytest.fixture(autouse=True)
def _few_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_encryption, "_ITERATIONS", 3)
    stack_encryption.key_of.cache_clear()
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_values_of_the_caller_are_encrypted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", THEIRS)
    copy = tmp_path / "workspace" / "stacks" / "Pulumi.imported.yaml"
    values = write_workspace(_stack(tmp_path), copy, lambda config: None, lambda: OWN)
    assert values == [PLANTED]
    document = yaml.safe_load(copy.read_text())
    key = key_of(OWN, document["encryptionsalt"].split(":")[1])
    variables = document["config"]["kestra:deployment"]["environment"]
    assert decrypted(key, variables["TOKEN"]["secure"]).decode() == PLANTED
    assert variables["ENV_A"] == "b"
    assert PLANTED not in copy.read_text()


@pytest.mark.parametrize("passphrase", [None, "another"])
def test_without_the_right_passphrase_the_sandbox_says_so(
    passphrase: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if passphrase:
        monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", passphrase)
    copy = tmp_path / "workspace" / "stacks" / "Pulumi.imported.yaml"
    with pytest.raises(SandboxError, match="none of your keys"):
        write_workspace(_stack(tmp_path), copy, lambda config: None, lambda: OWN)

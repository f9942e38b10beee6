"""What the tests of external values share: the command, and managers that answer it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from components.__main__ import main
from components.backends.azure import drift as azure
from tests.secret_values.values_support import (
    PLANTED,
    Manager,
    Piped,
)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Manager]:
    manager = Manager()
    thread = threading.Thread(target=manager.server.serve_forever, args=(0.01,))
    thread.start()
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho token-of-az\n")
    az.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("VAULT_ADDR", manager.address)
    monkeypatch.setenv("VAULT_TOKEN", "token-of-vault")
    for name in ("VAULT_NAMESPACE", "VAULT_CACERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", f"{manager.address}/v1/")
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token-of-google")
    monkeypatch.setenv("ARM_SUBSCRIPTION_ID", "subscription")
    monkeypatch.setattr(azure, "ADDRESS", manager.address)
    yield manager
    manager.server.shutdown()
    manager.server.server_close()
    thread.join()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs the command: status and what it printed; no value is in it."""

    def call(*arguments: str, value: bytes = b"") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", Piped(value))
        status = main(["secret", *arguments])
        printed = "".join(capsys.readouterr())
        assert PLANTED not in printed
        assert "Traceback" not in printed
        return status, printed

    return call


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """AWS's own client with answers in place of a server."""
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    clients = {name: boto3.client(name, **keys) for name in ("secretsmanager", "ssm")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(boto3.Session, "client", lambda self, name, config: clients[name])
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()

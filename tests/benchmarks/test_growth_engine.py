"""A stack of many declared secrets through the real engine and a real Vault."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.growth import declaring
from benchmarks.rig import rig
from sandbox.leak_scan.scan import search
from sandbox.progress import Progress
from tests.tiers import long

pytestmark = pytest.mark.engine


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("size", [3, pytest.param(3000, marks=long("many"))])
def test_every_declared_secret_is_made_and_none_is_in_the_state(
    progress: Progress, tools: dict[str, Path], size: int
) -> None:
    with rig(progress) as servers:
        stack = servers.prepare(f"many-{size}", "production", declaring(size), bare=False)
        stack.operate("up")
        resources = servers.state.latest(stack.name)["resources"]
        secrets = [r for r in resources if r["type"] == "vault:kv/secretV2:SecretV2"]
        # One of them is the copy of the encryption key.
        assert len(secrets) == size + 1
        assert all(r["id"] for r in secrets)
        values = {str(n): f"of-no-worth-{n:05d}" for n in (0, size // 2, size - 1)}
        assert search([servers.state.stack(stack.name)], values) == []
        stack.operate("preview")

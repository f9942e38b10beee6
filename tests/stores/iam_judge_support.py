"""An independent judge of AWS policies, installed once into the cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from sandbox.errors import SandboxError
from sandbox.tools import cache_folder
from tests.conftest import ROOT

SOURCE = ROOT / "tests" / "tools" / "iam-simulate"
#: The judge drops the names of encryption contexts, since it knows no key that ends in a name of its caller's after
#: a colon. Under a key of the same kind that it knows, the same operators compare the same values.
UNKNOWN, KNOWN = "kms:EncryptionContext:", "aws:PrincipalTag/kms-encryption-context-"
FILES = ("package.json", "package-lock.json", "judge.mjs")


@dataclass(frozen=True)
class Request:
    """A request, and every policy that has a say in it."""

    principal: str
    action: str
    resource: str
    account: str
    """The account that the resource belongs to."""
    context: dict[str, Any] = field(default_factory=dict)
    identity: dict[str, Any] | None = None
    """The policy of the principal."""
    resource_policy: dict[str, Any] | None = None

    def simulation(self) -> dict[str, Any]:
        """As the judge takes it."""
        made: dict[str, Any] = {
            "request": {
                "principal": self.principal,
                "action": self.action,
                "resource": {"resource": self.resource, "accountId": self.account},
                "contextVariables": self.context,
            },
            "identityPolicies": [{"name": "role", "policy": self.identity}]
            if self.identity
            else [],
            "serviceControlPolicies": [],
            "resourceControlPolicies": [],
        }
        made |= {"resourcePolicy": self.resource_policy} if self.resource_policy else {}
        return json.loads(json.dumps(made).replace(UNKNOWN, KNOWN))


def judge(requests: Sequence[Request]) -> list[str]:
    """`Allowed`, `ImplicitlyDenied` or `ExplicitlyDenied` for each.

    Raises:
        SandboxError: when the judge cannot be had or cannot judge, with what to do.
    """
    done = subprocess.run(
        [_program("node"), str(installed() / "judge.mjs")],
        input=json.dumps([request.simulation() for request in requests]),
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise SandboxError(f"The judge of AWS policies failed: {done.stderr.strip()[-600:]}")
    results: list[str] = json.loads(done.stdout)
    wrong = [
        f"{r.action} on {r.resource}: {found}"
        for r, found in zip(requests, results, strict=True)
        if found.startswith("error")
    ]
    if wrong:
        raise SandboxError(f"The judge of AWS policies cannot judge: {'; '.join(wrong)}")
    return results


def installed() -> Path:
    """The folder of the judge; what its lock file names is installed there once.

    Raises:
        SandboxError: when it cannot be installed.
    """
    digest = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES))
    entry = cache_folder() / "tests" / f"iam-simulate-{digest.hexdigest()[:12]}"
    entry.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{entry}.lock"):
        if not _complete(entry):
            _install(entry)
    return entry


def _complete(entry: Path) -> bool:
    return (entry / "judge.mjs").exists() and (
        entry / "node_modules" / "@cloud-copilot" / "iam-simulate" / "package.json"
    ).exists()


def _install(entry: Path) -> None:
    npm = _program("npm")
    prefix = f".{entry.name}-"
    for left in [*entry.parent.glob(f"{prefix}*"), entry]:
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=entry.parent, prefix=prefix) as folder:
        made = Path(folder) / "done"
        made.mkdir()
        for name in FILES:
            shutil.copy(SOURCE / name, made / name)
        done = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=made,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SandboxError(
                f"The judge of AWS policies could not be installed: {done.stderr.strip()[-600:]} "
                "Check that npm reaches its registry (npm ping), then run the tests again."
            )
        os.replace(made, entry)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SandboxError(
            f"{name} is not installed. Install Node.js 20 or later (https://nodejs.org), with which the tests judge "
            "AWS policies."
        )
    return found

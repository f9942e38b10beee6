"""An independent judge of AWS policies, installed once into the cache."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from tests.conftest import ROOT
from tests.installed_support import installed

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
        [_program("node"), str(folder() / "judge.mjs")],
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


def folder() -> Path:
    """The folder of the judge; what its lock file names is installed there once.

    Raises:
        SandboxError: when it cannot be installed.
    """
    inputs = [(SOURCE / name).read_bytes() for name in FILES]
    return installed("iam-simulate", inputs, _complete, _install)


def _complete(entry: Path) -> bool:
    return (entry / "judge.mjs").exists() and (
        entry / "node_modules" / "@cloud-copilot" / "iam-simulate" / "package.json"
    ).exists()


def _install(made: Path) -> None:
    npm = _program("npm")
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


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SandboxError(
            f"{name} is not installed. Install Node.js 20 or later (https://nodejs.org), with which the tests judge "
            "AWS policies."
        )
    return found

"""Boots a real Kestra with a configuration, compares what it bound with what is meant, and runs flows.

`overlay` writes the files of a run, `boot` starts Kestra, `compare` and `flows` judge what it answers, and `report`
tells it.
"""

from __future__ import annotations

import secrets

import yaml

from sandbox import kestra
from sandbox.progress import Progress
from sandbox.verify import flows, overlay
from sandbox.verify.boot import boot
from sandbox.verify.compare import compare, flatten, kind
from sandbox.verify.job import VerifyJob
from sandbox.verify.report import Report

__all__ = ["Report", "VerifyJob", "verify"]


def verify(job: VerifyJob, progress: Progress) -> Report:
    """Runs the whole check.

    Raises:
        SandboxError: when Kestra cannot be built or started.
    """
    harness = kestra.ensure(job.kestra_version, progress)
    report = Report(harness.release)
    folder, version = job.directory, job.kestra_version
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = yaml.safe_load(job.application_yaml)
    report.overlay = overlay.told(document, folder, version)
    leaves = dict(flatten(job.intended))
    plaintext = f"plain-{secrets.token_hex(12)}"
    as_deployed, without_key = folder / "as-deployed", folder / "without-key"
    with progress.step(f"Booting a real Kestra {harness.release} with the configuration read back"):
        wanted = flows.write(job, folder / "flows", plaintext)
        runs = [
            {
                "files": overlay.files(job.application_yaml, version, as_deployed),
                "leaves": {path: kind(path, value) for path, value in leaves.items()},
                "flows": wanted,
            },
            {
                "files": overlay.files(job.application_yaml, version, without_key, with_key=False),
                "leaves": {},
                "flows": wanted[:1],
            },
        ]
        request = {"runs": [run | {"flowFolder": str(folder / "flows")} for run in runs]}
        first, second = boot(harness, job.environment, folder, request)["runs"]
    if "error" in first:
        words = job.without_secrets(first["error"])[:400]
        report.mismatches.append({"path": "start", "meant": "Kestra starts", "bound": words})
    compare(leaves, first.get("bound", {}), report, dict(flatten(document)))
    flows.judge(job, (first, second), plaintext, as_deployed / "storage", report)
    return report

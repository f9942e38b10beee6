"""Boots a real Kestra with a configuration, compares what it bound with what is meant, and runs flows.

`overlay` writes the files of a run, `boot` starts Kestra, `compare` and `flows` judge what it answers, and `report`
tells it.
"""

from __future__ import annotations

import secrets
from typing import Any

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
    report.overlay = overlay.describe(document, folder, version)
    leaves = dict(flatten(job.intended))
    plaintext = f"plain-{secrets.token_hex(12)}"
    places = {True: folder / "as-deployed", False: folder / "without-key"}
    with progress.step(f"Booting a real Kestra {harness.release} with the configuration read back"):
        expected = flows.write(job, folder / "flows", plaintext)

        def answers(*with_keys: bool) -> list[dict[str, Any]]:
            runs = [
                {
                    "files": overlay.files(
                        job.application_yaml, version, places[with_key], with_key=with_key
                    ),
                    "leaves": {path: kind(path, value) for path, value in leaves.items()}
                    if with_key
                    else {},
                    "flows": expected if with_key else expected[:1],
                    "flowFolder": str(folder / "flows"),
                }
                for with_key in with_keys
            ]
            return boot(harness, job.environment, folder, {"runs": runs})["runs"]

        answered = dict(zip(places, answers(*places), strict=True))
        for with_key, answer in answered.items():
            if version != "1.3" and "error" in answer:
                # The port of 2.0's controller was free when it was chosen, and may have been taken since.
                places[with_key] = places[with_key].with_suffix(".again")
                (answered[with_key],) = answers(with_key)
    first, second = answered.values()
    for path, run in (("start", first), ("start without the key", second)):
        if "error" in run:
            words = job.without_secrets(run["error"])[:400]
            report.mismatches.append({"path": path, "meant": "Kestra starts", "bound": words})
    compare(leaves, first.get("bound", {}), report, dict(flatten(document)))
    flows.judge(job, (first, second), plaintext, places[True] / "storage", report)
    return report

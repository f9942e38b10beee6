"""The flows that a real Kestra runs, and what they show."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from sandbox import kestra
from sandbox.verify.job import VerifyJob
from sandbox.verify.report import Report

NAMESPACE = "company.team"
"""Of the flows, to Kestra."""
SEED = "my_secret_flow"
#: The server components that run in the one process of the check.
_SERVICES = {
    "1.3": {"EXECUTOR", "WORKER", "SCHEDULER", "INDEXER"},
    "2.0": {"EXECUTOR", "CONTROLLER", "WORKER", "SCHEDULER", "INDEXER"},
}
#: Value of the output of the flow that is no secret.
CLEAR = "stored-in-clear"


def sources(job: VerifyJob, mark: str = "") -> dict[str, str]:
    """Id to YAML of the flows, the one with the secret first.

    Args:
        job: what is verified.
        mark: a text that each flow logs, followed by its id; empty for none.
    """
    texts = {SEED: (kestra.HERE / "flows" / f"{SEED}.yml").read_text()} | {
        reader(name): _secret_flow(reader(name), name) for name in job.readable_secrets
    }
    return {id_: _marked(text, f"{mark}-{id_}") if mark else text for id_, text in texts.items()}


def _marked(source: str, mark: str) -> str:
    document = yaml.safe_load(source)
    document["tasks"][0]["message"] += f" ({mark})"
    return yaml.safe_dump(document, sort_keys=False)


def write(job: VerifyJob, folder: Path, plaintext: str) -> list[dict[str, Any]]:
    """Writes the flows into a folder; the executions that are wanted, the one with the secret first."""
    folder.mkdir(exist_ok=True)
    expected: list[dict[str, Any]] = []
    for id_, source in sources(job).items():
        (folder / f"{id_}.yml").write_text(source)
        expected.append({"id": id_, "namespace": NAMESPACE, "inputs": {}})
    expected[0] |= {
        "inputs": {"secret": plaintext},
        "given": plaintext,
        "input": "secret",
        "output": "secret_output",
        "key": job.key,
        "otherKey": base64.b64encode(secrets.token_bytes(32)).decode(),
    }
    return expected


def reader(name: str) -> str:
    """Id of the flow that reads a declared secret."""
    return f"reads_{name.lower()}"


def _secret_flow(id_: str, name: str) -> str:
    return yaml.safe_dump(
        {
            "id": id_,
            "namespace": NAMESPACE,
            "tasks": [
                {
                    "id": "log",
                    "type": "io.kestra.plugin.core.log.Log",
                    "message": f"the value is {{{{ secret('{name}') }}}}",
                }
            ],
            "outputs": [{"id": "value", "type": "STRING", "value": f"{{{{ secret('{name}') }}}}"}],
        },
        sort_keys=False,
    )


def judge(
    job: VerifyJob,
    runs: tuple[Mapping[str, Any], Mapping[str, Any]],
    plaintext: str,
    storage: Path,
    report: Report,
) -> None:
    """Notes what the flows showed.

    Args:
        job: what is verified.
        runs: what the harness answered, as deployed and without the encryption key.
        plaintext: the secret that the flow was given.
        storage: folder of Kestra's internal storage.
        report: takes the checks.
    """
    first, without_key = runs
    ran = {flow["id"]: flow for flow in first.get("flows", [])}
    _services(job.kestra_version, first.get("services", {}), report)
    seed, tables = ran.get(SEED, {}), first.get("tables", {})
    report.while_running = list(seed.get("whileRunning", []))
    in_clear = [f"table {name}" for name, rows in tables.items() if plaintext in rows] + [
        f"file {file.relative_to(storage)}"
        for file in sorted(storage.rglob("*"))
        if file.is_file() and plaintext.encode() in file.read_bytes()
    ]
    # A search that does not find what is no secret finds nothing.
    finds = any(CLEAR in rows for rows in tables.values())
    judge_seed(seed, in_clear, finds, plaintext, report)
    for name, value in job.readable_secrets.items():
        judge_declared(name, value, ran.get(reader(name), {}), report)
    if job.declared_secrets and not job.readable_secrets:
        report.unchecked["declared-secrets"] = (
            "flows of the Enterprise Edition read them through closed code; the store is checked instead"
        )
    failed = (without_key.get("flows") or [{}])[0]
    report.note(
        "without the key",
        failed.get("state"),
        {
            "the same flow is refused since encryption is not configured": failed.get("state")
            == "REFUSED"
            and "encryption is not configured" in failed.get("message", "")
        },
    )


def _services(version: str, services: Mapping[str, str], report: Report) -> None:
    needed = _SERVICES[version]
    *others, last = sorted(name.lower() for name in needed)
    running = {name for name, state in services.items() if state == "RUNNING"}
    report.note("services", "RUNNING", {f"{', '.join(others)} and {last} run": running == needed})


def judge_seed(
    seed: Mapping[str, Any], in_clear: list[str] | None, finds: bool, plaintext: str, report: Report
) -> None:
    """Notes what the flow with the secret showed.

    Args:
        seed: what it left: `state`, and how its `input` and `output` are stored.
        in_clear: where the plain value was found in database and storage after its end; None: not searched.
        finds: whether that search finds a value that is no secret.
        plaintext: the secret that the flow was given.
        report: takes the checks.
    """
    stored = {kind: seed.get(kind) or {} for kind in ("input", "output")}
    nowhere = "at its end the plain value is nowhere in the database, nor in the internal storage"
    searched = {}
    if in_clear is not None:
        name = f"{nowhere}: it is in {', '.join(in_clear)}" if in_clear else nowhere
        searched[name] = not in_clear and finds
    report.note(
        SEED,
        seed.get("state"),
        {"ends with SUCCESS": seed.get("state") == "SUCCESS"}
        | {
            f"its SECRET {kind} is stored encrypted": variable.get("storedType")
            == "io.kestra.datatype:aes_encrypted"
            for kind, variable in stored.items()
        }
        | searched
        | {
            "the stored values decrypt with the stack's key": all(
                variable.get("decrypted") == plaintext for variable in stored.values()
            ),
            "and not with another key": all(
                variable.get("otherKey") == "refused" for variable in stored.values()
            ),
        },
    )


def judge_declared(name: str, value: str, flow: Mapping[str, Any], report: Report) -> None:
    """Notes what the flow that reads a declared secret showed; the value is not told."""
    logs = "\n".join(flow.get("logs", []))
    report.note(
        f"secret('{name}')",
        flow.get("state"),
        {
            "ends with SUCCESS": flow.get("state") == "SUCCESS",
            "reads the declared value": (flow.get("outputs") or {}).get("value") == value,
            "is masked in the log": "******" in logs and value not in logs,
        },
    )

"""A real Kestra that is given something else than what was meant must say so."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from sandbox import verify as verification
from sandbox.kestra import RELEASES, ensure
from sandbox.progress import Progress
from sandbox.verify import Report, VerifyJob, flows, overlay, verify
from sandbox.verify.boot import boot

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(range(1, 33))).decode()
DECLARED = "Declared-value-91b2"
TRICKY = "pa${HOME}ss-Word-1"

DOCUMENT = """
kestra:
  encryption: {secret-key: "${STACK_KESTRA_ENCRYPTION_SECRET_KEY}"}
  server:
    basic-auth: {username: admin@kestra.io, password: "${STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD}"}
    liveness: {timeout: TIMEOUT, interval: 7s}
"""
#: What a distributed 2.0 has besides: an address that only its cluster knows.
CONTROLLERS = """
  worker: {controllers: {type: STATIC, static: {endpoints: [{host: kestra-controller, port: 50051}]}}}
"""

pytestmark = [
    pytest.mark.kestra,
    pytest.mark.parametrize("version", list(RELEASES)),
]


def job(version: str, folder: Path, timeout: str, environment: dict[str, str]) -> VerifyJob:
    intended: dict[str, Any] = {
        "kestra": {
            "encryption": {"secret-key": KEY},
            "server": {
                "basic-auth": {"username": "admin@kestra.io", "password": "Right-1234-word"},
                "liveness": {"timeout": "60s", "interval": "7s"},
            },
        }
    }
    text = DOCUMENT.replace("TIMEOUT", timeout)
    if version != "1.3":
        text += CONTROLLERS.strip("\n")
    return VerifyJob(version, "oss", text, environment, intended, {"API_KEY": DECLARED}, folder)


def environment(**changed: str) -> dict[str, str]:
    return {
        "STACK_KESTRA_ENCRYPTION_SECRET_KEY": KEY,
        "STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD": "Right-1234-word",
        "SECRET_API_KEY": base64.b64encode(DECLARED.encode()).decode(),
    } | changed


def failed(report: Report) -> list[str]:
    return [
        f"{group['id']}: {check['what']}"
        for group in report.flows
        for check in group["checks"]
        if not check["ok"]
    ]


def assert_no_secret(folder: Path, report: Report, *values: str) -> None:
    log = (folder / "kestra.log").read_text()
    for value in (KEY, OTHER_KEY, DECLARED, *values):
        assert value not in log
        assert value not in report.to_json()


def test_what_was_meant_is_bound_and_the_flows_run(
    version: str, tmp_path: Path, progress: Progress
) -> None:
    report = verify(job(version, tmp_path, "60s", environment()), progress)
    assert failed(report) == []
    assert report.mismatches == []
    assert report.bound["kestra.server.liveness.timeout"] == "bean"
    assert report.version == RELEASES[version]
    checks = {check["what"] for group in report.flows for check in group["checks"]}
    assert {f"its SECRET {kind} is stored encrypted" for kind in ("input", "output")} <= checks
    assert ("controller" in str(checks)) is (version != "1.3")
    assert report.ok
    assert_no_secret(tmp_path, report, "Right-1234-word")


def test_a_plain_value_that_stays_is_found_with_its_place(version: str, tmp_path: Path) -> None:
    report = Report(version)
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "kept").write_text("a plain-word here")
    seed = {"id": "my_secret_flow", "state": "SUCCESS"}
    tables = {"flows": "stored-in-clear", "queues": "one plain-word more", "logs": ""}
    runs = {"flows": [seed], "tables": tables}
    verify_job = job(version, tmp_path, "60s", {})
    flows.judge(verify_job, (runs, {}), "plain-word", tmp_path / "storage", report)
    assert any(f.endswith("storage: it is in table queues, file kept") for f in failed(report))
    # A search that reads nothing is no search.
    silent = Report(version)
    flows.judge(verify_job, (runs | {"tables": {}}, {}), "another", tmp_path / "storage", silent)
    assert any("at its end the plain value is nowhere" in f for f in failed(silent))


SLEEPING = """
id: sleeping
namespace: company.team
inputs:
  - {id: secret, type: SECRET}
tasks:
  - {id: sleep, type: io.kestra.plugin.core.flow.Sleep, duration: PT2S}
"""


def test_the_plain_input_is_in_the_queue_of_1_3_while_a_task_runs(
    version: str, tmp_path: Path, progress: Progress
) -> None:
    planted = "Plain-input-5a7d"
    place = tmp_path / "run"
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "sleeping.yml").write_text(SLEEPING)
    run = {
        "files": overlay.files(job(version, tmp_path, "60s", {}).application_yaml, version, place),
        "leaves": {},
        "flows": [
            {
                "id": "sleeping",
                "namespace": "company.team",
                "inputs": {"secret": planted},
                "given": planted,
            }
        ],
        "flowFolder": str(tmp_path / "flows"),
    }
    (answer,) = boot(ensure(version, progress), environment(), tmp_path, {"runs": [run]})["runs"]
    (flow,) = answer["flows"]
    assert flow["state"] == "SUCCESS"
    assert flow["whileRunning"] == {"1.3": ["queues", "worker_job_running"], "2.0": []}[version]
    assert [name for name, rows in answer["tables"].items() if planted in rows] == []
    assert [name for name, rows in answer["tables"].items() if "sleeping" in rows] != []


def test_a_port_that_was_taken_meanwhile_is_no_difference(
    version: str, tmp_path: Path, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    booted: list[int] = []

    def refused_once(*arguments: Any) -> dict[str, Any]:
        answer = boot(*arguments)
        booted.append(len(answer["runs"]))
        if len(booted) == 1:
            answer["runs"][1] = {"error": "BindException: Address already in use"}
        return answer

    monkeypatch.setattr(verification, "boot", refused_once)
    report = verify(job(version, tmp_path, "60s", environment()), progress)
    if version == "1.3":
        # No port of its own: what failed is told.
        assert [m["path"] for m in report.mismatches] == ["start without the key"]
        assert "Address already in use" in str(report.mismatches)
        assert not report.ok
    else:
        assert booted == [2, 1]
        assert report.ok


def test_every_wrong_value_is_found(version: str, tmp_path: Path, progress: Progress) -> None:
    variables = environment(
        STACK_KESTRA_ENCRYPTION_SECRET_KEY=OTHER_KEY,
        STACK_KESTRA_SERVER_BASIC_AUTH_PASSWORD=TRICKY,
        SECRET_API_KEY=base64.b64encode(b"Not-what-was-declared").decode(),
    )
    report = verify(job(version, tmp_path, "banana", variables), progress)
    assert {m["path"] for m in report.mismatches} == {
        "kestra.encryption.secret-key",
        "kestra.server.basic-auth.password",
        "kestra.server.liveness.timeout",
    }
    assert "my_secret_flow: the stored values decrypt with the stack's key" in failed(report)
    assert "secret('API_KEY'): reads the declared value" in failed(report)
    assert not report.ok
    assert_no_secret(tmp_path, report, TRICKY, "Not-what-was-declared")

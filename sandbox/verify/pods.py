"""The check of a stack whose pods run: what Kestra bound in them, and flows that run there."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from components.rendering.web_server import WebServer
from components.settings import Settings
from sandbox.errors import SandboxError
from sandbox.nodes.kestra_api import KestraApi, KestraPod
from sandbox.nodes.pods import log, running_pods
from sandbox.progress import Progress
from sandbox.verify import flows
from sandbox.verify.compare import compare, flatten, kind
from sandbox.verify.job import VerifyJob
from sandbox.verify.report import Report

_INITIALIZATION = 12
"""Bytes of Kestra's ciphertexts before the text itself. Source: EncryptionService, kestra-io/kestra."""
_REMOVAL_SECONDS = 20


def verify_in_pods(
    job: VerifyJob, settings: Settings, kubeconfig: Any, namespace: str, progress: Progress
) -> Report:
    """Runs the whole check in the pods of a stack.

    Args:
        job: what is verified.
        settings: of the stack.
        kubeconfig: of the cluster.
        namespace: of the pods.
        progress: shows what is done.

    Raises:
        SandboxError: when no pod runs, or one does not answer.
    """
    report = Report(job.kestra_version)
    pods = [
        KestraPod(kubeconfig, namespace, name, component)
        for name, component in running_pods(kubeconfig, namespace)
    ]
    if not pods:
        raise SandboxError(f"No pod of Kestra's runs in namespace {namespace}.")
    server = WebServer.of(yaml.safe_load(job.application_yaml), settings)
    with progress.step(f"Asking {len(pods)} pod{'s' * (len(pods) > 1)} what Kestra bound"):
        for pod in pods:
            progress.detail(pod.name)
            _bindings(job, pod, report)
            _management(job, pod, server, report)
    web = next((pod for pod in pods if pod.component in ("standalone", "webserver")), None)
    if web is None or server.is_tls:
        report.unchecked["flows"] = (
            "no pod has a web server"
            if web is None
            else "the web port speaks TLS, which the programs in the pod do not"
        )
        return report
    with progress.step("Running flows in the pods"):
        _flows(job, KestraApi(web, server.port, server.context_path, *_log_in(job)), pods, report)
    return report


def _bindings(job: VerifyJob, pod: KestraPod, report: Report) -> None:
    leaves = dict(flatten(job.intended))
    answer = pod.inspect({"leaves": {path: kind(path, value) for path, value in leaves.items()}})
    if answer is None:
        report.unchecked[f"settings in {pod.name}"] = (
            "the image is not the stand-in, which says what it bound; the flows show what counts of them"
        )
        report.bound.setdefault(f"(pod {pod.name})", "overlay")
        return
    own = Report(job.kestra_version)
    if "error" in answer:
        words = job.without_secrets(answer["error"])[:400]
        own.mismatches.append({"path": "start", "meant": "Kestra answers", "bound": words})
    written = dict(flatten(yaml.safe_load(job.application_yaml)))
    compare(leaves, answer.get("bound", {}), own, written, answer.get("replaced", []))
    report.bound |= own.bound
    report.unchecked |= own.unchecked
    report.mismatches += [{**one, "path": f"{one['path']} ({pod.name})"} for one in own.mismatches]
    states = answer.get("services", {})
    report.note(
        f"pod {pod.name}",
        "RUNNING",
        {f"{name.lower()} runs": state == "RUNNING" for name, state in states.items()},
    )


def _management(job: VerifyJob, pod: KestraPod, server: WebServer, report: Report) -> None:
    """The management endpoints with their log-in, with a wrong one, and without."""
    log_in = ((job.intended.get("endpoints") or {}).get("all") or {}).get("basic-auth")
    if not log_in:
        return
    user, password = str(log_in["username"]), str(log_in["password"])
    path = server.management("/health")
    status = {
        who: pod.status(server.management_port, path, header)
        for who, header in (
            ("the log-in", (user, password)),
            ("a wrong one", (user, secrets.token_hex(8))),
            ("none", None),
        )
    }
    report.note(
        f"health of {pod.name}",
        "ASKED",
        {
            f"answers {code} to {who}": status[who] == code
            for who, code in (("the log-in", 200), ("a wrong one", 401), ("none", 401))
        },
    )


def _log_in(job: VerifyJob) -> tuple[str, str]:
    kestra = job.intended.get("kestra") or {}
    security = kestra.get("security") or {}
    users = (
        (kestra.get("server") or {}).get("basic-auth"),
        security.get("super-admin"),
        security.get("instance-owner"),
    )
    user = next((one for one in users if one and one.get("username")), {})
    return str(user.get("username", "")), str(user.get("password", ""))


def _flows(job: VerifyJob, api: KestraApi, pods: Sequence[KestraPod], report: Report) -> None:
    plaintext = f"plain-{secrets.token_hex(12)}"
    mark = f"run-{secrets.token_hex(8)}"
    sources = flows.sources(job, mark)
    for source in sources.values():
        api.import_flow(source)
    ended = {
        id_: _run(api, id_, {"secret": plaintext} if id_ == flows.SEED else {}) for id_ in sources
    }
    seed = ended[flows.SEED]
    for part, variable in (("input", "secret"), ("output", "secret_output")):
        seed[part] = _decrypted(job.key, seed, part, variable)
    in_clear, finds = _search(api.pod, plaintext, report)
    flows.judge_seed(seed, in_clear, finds, plaintext, report)
    for name, value in job.readable_secrets.items():
        flows.judge_declared(name, value, ended[flows.reader(name)], report)
    _where_it_ran(job, pods, ended, (mark, plaintext), report)


def _run(api: KestraApi, id_: str, inputs: Mapping[str, str]) -> dict[str, Any]:
    execution = api.await_end(api.execute(flows.NAMESPACE, id_, inputs)["id"])
    return {
        "id": id_,
        "state": execution["state"]["current"],
        "inputs": execution.get("inputs") or {},
        "outputs": execution.get("outputs") or {},
        "logs": api.logs(execution["id"]),
    }


def _decrypted(key: str, flow: Mapping[str, Any], part: str, name: str) -> dict[str, Any]:
    """How a SECRET variable is stored, and what the stack's key and another make of it."""
    stored = flow[f"{part}s"].get(name)
    if not isinstance(stored, Mapping):
        return {}
    other = base64.b64encode(secrets.token_bytes(32)).decode()
    value = str(stored.get("value"))
    return {
        "storedType": stored.get("type"),
        "decrypted": decrypt(key, value),
        "otherKey": "refused" if decrypt(other, value) is None else "decrypts",
    }


def decrypt(key: str, value: str) -> str | None:
    """A text that Kestra has encrypted with AES-GCM; None when this key is not the one."""
    try:
        data = base64.b64decode(value, validate=True)
        cipher = AESGCM(base64.b64decode(key))
        return cipher.decrypt(data[:_INITIALIZATION], data[_INITIALIZATION:], None).decode()
    except (InvalidTag, ValueError, binascii.Error):
        return None


def _search(pod: KestraPod, plaintext: str, report: Report) -> tuple[list[str] | None, bool]:
    """Where a text is in clear after the end of a flow, and whether the search finds what is no secret."""
    deadline = time.monotonic() + _REMOVAL_SECONDS
    while True:
        answer = pod.inspect({"leaves": {}, "search": [plaintext, flows.CLEAR]})
        if answer is None:
            report.unchecked["database"] = (
                "the image is not the stand-in, which searches its database; search yours for a SECRET input"
            )
            return None, True
        tables = answer.get("tables", {})
        files = pod.files_with(plaintext)
        in_clear = [f"table {name}" for name in tables.get(plaintext, [])] + files
        # 1.3 removes what it handed to the worker a moment after the end.
        if not in_clear or time.monotonic() > deadline:
            return in_clear, bool(tables.get(flows.CLEAR))
        time.sleep(1)


def _where_it_ran(
    job: VerifyJob,
    pods: Sequence[KestraPod],
    ended: Mapping[str, Mapping[str, Any]],
    texts: tuple[str, str],
    report: Report,
) -> None:
    """The pod that runs a task prints what the task logs: a worker's, with nothing of a secret in it."""
    logs = {pod: log(pod.kubeconfig, pod.namespace, pod.name, "kestra") for pod in pods}
    mark, plaintext = texts
    hidden = [plaintext, *job.declared_secrets.values()]
    for id_, flow in ended.items():
        where = [pod for pod, text in logs.items() if f"{mark}-{id_}" in text]
        workers = [
            pod for pod in where if pod.component.partition("-")[0] in ("standalone", "worker")
        ]
        report.note(
            f"{id_}: pod",
            flow["state"],
            {f"its task ran in {', '.join(p.name for p in where) or 'no pod'}": len(workers) == 1},
        )
    shown = [pod.name for pod, text in logs.items() if any(one in text for one in hidden)]
    label = "no pod's log shows a secret"
    report.note(
        "logs", "READ", {f"{label}: {', '.join(shown)} does" if shown else label: not shown}
    )

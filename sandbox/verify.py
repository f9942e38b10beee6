"""Boots a real Kestra with a configuration, compares what it bound with what is meant, and runs flows."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from components.settings.base import is_placeholder
from components.settings.durations import milliseconds
from sandbox import kestra
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.services.process import private

BOOT_SECONDS = 240
_DURATIONS = re.compile(
    r"kestra\.server\.(liveness\.(interval|timeout|initial-delay|heartbeat-interval)|"
    r"termination-grace-period|service\.purge\.(retention|initial-delay|fixed-delay))"
    r"|kestra\.secret\.cache\.expire-after-write|kestra\.security\.invitations\.expire-after"
)
#: Closed parts of the Enterprise Edition: what the configuration system resolves is compared, what their code
#: makes of it is not.
_CLOSED = ("kestra.secret.", "kestra.security.", "kestra.ee.")
#: Parts that only Kestra's web server uses, which is not among the published artifacts.
_WEB = ("endpoints.", "kestra.server.basic-auth.", "kestra.url", "kestra.tutorial-flows.")


@dataclass(frozen=True)
class VerifyJob:
    """What is verified. The texts of `environment` and `intended` are secret."""

    kestra_version: str
    edition: str
    application_yaml: str
    """As read from the API server."""
    environment: Mapping[str, str]
    """Data of the Secret, as read from the API server."""
    intended: Mapping[str, Any]
    """What Kestra is meant to see, secrets in clear."""
    declared_secrets: Mapping[str, str]
    """Name to value of the secrets that flows read."""
    directory: Path


@dataclass
class Report:
    """What was found. Holds no secret."""

    version: str
    bound: dict[str, str] = field(default_factory=dict)
    """Setting to how it was seen: `bean`, `property` or `overlay`."""
    mismatches: list[dict[str, str]] = field(default_factory=list)
    unchecked: dict[str, str] = field(default_factory=dict)
    overlay: dict[str, Any] = field(default_factory=dict)
    flows: list[dict[str, Any]] = field(default_factory=list)
    stores: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every setting is as meant and every check holds."""
        checks = [c["ok"] for group in (*self.flows, *self.stores) for c in group["checks"]]
        return not self.mismatches and bool(self.bound) and all(checks)

    def to_json(self) -> str:
        """The report as data."""
        return json.dumps(
            {
                "ok": self.ok,
                "kestra": {
                    "version": self.version,
                    "bound": self.bound,
                    "mismatches": self.mismatches,
                    "unchecked": self.unchecked,
                },
                "overlay": self.overlay,
                "flows": self.flows,
                "stores": self.stores,
            },
            indent=2,
        )

    def render(self, console: Console) -> None:
        """The report for a person."""
        table = Table(
            title=f"Kestra {self.version}", title_justify="left", box=None, padding=(0, 1)
        )
        table.add_column("")
        table.add_column("what")
        table.add_column("result", overflow="fold")
        by = {
            how: sum(v == how for v in self.bound.values())
            for how in ("bean", "property", "overlay")
        }
        table.add_row(
            _mark(not self.mismatches),
            "settings",
            f"{len(self.bound) - by['overlay']} as meant ({by['bean']} seen in Kestra's own objects, "
            f"{by['property']} in its configuration), {by['overlay']} in the overlay below, "
            f"{len(self.mismatches)} different",
        )
        for wrong in self.mismatches:
            table.add_row(
                "[red]✗", wrong["path"], f"meant {wrong['meant']}, bound {wrong['bound']}"
            )
        for group in (*self.flows, *self.stores):
            for check in group["checks"]:
                table.add_row(_mark(check["ok"]), group["id"], check["what"])
        console.print(table)
        if self.overlay:
            console.print("What this machine lacks and the overlay stands in for:")
            console.print(
                yaml.safe_dump(self.overlay, sort_keys=False).strip(), style="dim", markup=False
            )
        reasons: dict[str, int] = {}
        for reason in self.unchecked.values():
            reasons[reason] = reasons.get(reason, 0) + 1
        for reason, count in reasons.items():
            console.print(
                f"Not checked further, {count} settings: {reason}", style="dim", markup=False
            )
        verdict = "every check passed" if self.ok else "some checks failed"
        console.print(
            f"Kestra {self.version}: {verdict}", style="bold green" if self.ok else "bold red"
        )


def _mark(ok: bool) -> str:
    return "[green]✓" if ok else "[red]✗"


def verify(job: VerifyJob, progress: Progress) -> Report:
    """Runs the whole check.

    Raises:
        SandboxError: when Kestra cannot be built or started.
    """
    harness = kestra.ensure(job.kestra_version, progress)
    report = Report(harness.release)
    folder = job.directory
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = yaml.safe_load(job.application_yaml)
    report.overlay = overlay(document, folder)
    leaves = dict(flatten(job.intended))
    plaintext = f"plain-{secrets.token_hex(12)}"
    with progress.step(f"Booting a real Kestra {harness.release} with the configuration read back"):
        answer = _boot(job, harness, folder, document, leaves, plaintext, report)
    first, without_key = answer["runs"]
    if "error" in first:
        report.mismatches.append(
            {
                "path": "start",
                "meant": "Kestra starts",
                "bound": _without_secrets(first["error"], job)[:400],
            }
        )
    compare(leaves, first.get("bound", {}), report, dict(flatten(document)))
    _judge_flows(job, first, without_key, plaintext, report)
    return report


def overlay(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What one machine lacks: database, queue, storage, web server; laid over the configuration."""
    laid: dict[str, Any] = {
        "datasources.h2": f"jdbc:h2:file:{folder.name}/database",
        "kestra.queue.type": "h2",
        "kestra.repository.type": "h2",
        "kestra.storage": f"local, {folder.name}/storage",
    }
    if others := left_out(document):
        laid["left out"] = ", ".join(others)
    return laid


def left_out(document: Mapping[str, Any]) -> list[str]:
    """Blocks of the configuration whose servers this machine lacks."""
    databases = [
        f"datasources.{name}" for name in document.get("datasources") or {} if name != "h2"
    ]
    storage = (document.get("kestra") or {}).get("storage") or {}
    return databases + [
        f"kestra.storage.{name}" for name in storage if name not in ("type", "local")
    ]


def without(document: Mapping[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """A copy of the document without some blocks."""
    copy = json.loads(json.dumps(document))
    for path in paths:
        *parents, last = path.split(".")
        block = copy
        for name in parents:
            block = block.get(name) or {}
        block.pop(last, None)
    return copy


def _files(job: VerifyJob, document: Mapping[str, Any], folder: Path, run: str) -> str:
    """The configuration files of a run: what Kestra's own start script supplies, the file, the overlay."""
    url = f"jdbc:h2:file:{folder / run / 'database'};TIME ZONE=UTC;DB_CLOSE_ON_EXIT=FALSE"
    base = {
        "micronaut": {
            "application": {"name": "kestra"},
            "server": {"port": -1},
            "executors": {"scheduled": {"type": "scheduled", "core-pool-size": 1}},
        },
        "jackson": {
            "serialization": {"writeDatesAsTimestamps": False, "writeDurationsAsTimestamps": False},
            "serialization-inclusion": "non_null",
            "deserialization": {"FAIL_ON_UNKNOWN_PROPERTIES": False},
        },
        "kestra": {
            "server-type": "STANDALONE",
            "variables": {"cache-enabled": True, "cache-size": 1000},
            "metrics": {"prefix": "kestra"},
            "retries": {"attempts": 5, "multiplier": 2.0, "delay": "1s", "maxDelay": ""},
            "jdbc": {
                "queues": {
                    "min-poll-interval": "10ms",
                    "max-poll-interval": "100ms",
                    "poll-switch-interval": "5s",
                },
                "cleaner": {"initial-delay": "1h", "fixed-delay": "1h", "retention": "7d"},
            },
            "server": {
                "service": {
                    "purge": {"initial-delay": "1h", "fixed-delay": "1d", "retention": "30d"}
                }
            },
        },
        "flyway": {
            "datasources": {
                "h2": {
                    "enabled": True,
                    "locations": ["classpath:migrations/h2"],
                    "ignore-migration-patterns": "*:missing,*:future",
                    "out-of-order": True,
                }
            }
        },
    }
    laid = {
        "datasources": {
            "h2": {
                "url": url,
                "username": "sa",
                "password": "",
                "driver-class-name": "org.h2.Driver",
            }
        },
        "kestra": {
            "queue": {"type": "h2"},
            "repository": {"type": "h2"},
            "storage": {"type": "local", "local": {"base-path": str(folder / run / "storage")}},
        },
    }
    (folder / run).mkdir(exist_ok=True)
    gone = left_out(document) + (["kestra.encryption"] if run == "without-key" else [])
    # Byte for byte as the API server has it, unless something must be left out.
    text = (
        yaml.safe_dump(without(document, gone), sort_keys=False) if gone else job.application_yaml
    )
    made = []
    for name, content in (("base", base), ("application", text), ("overlay", laid)):
        file = folder / run / f"{name}.yaml"
        private(
            file, content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        )
        made.append(str(file))
    return ",".join(made)


def _boot(
    job: VerifyJob,
    harness: kestra.Harness,
    folder: Path,
    document: Mapping[str, Any],
    leaves: Mapping[str, Any],
    plaintext: str,
    report: Report,
) -> dict[str, Any]:
    flows = folder / "flows"
    flows.mkdir(exist_ok=True)
    seed = kestra.HERE / "flows" / "my_secret_flow.yml"
    (flows / seed.name).write_text(seed.read_text())
    wanted = [
        {
            "id": "my_secret_flow",
            "namespace": "company.team",
            "inputs": {"secret": plaintext},
            "output": "secret_output",
            "key": _key(job),
            "otherKey": base64.b64encode(secrets.token_bytes(32)).decode(),
        }
    ]
    names = [] if job.edition == "enterprise" else list(job.declared_secrets)
    for name in names:
        id_ = f"reads_{name.lower()}"
        (flows / f"{id_}.yml").write_text(_secret_flow(id_, name))
        wanted.append({"id": id_, "namespace": "company.team", "inputs": {}})
    kinds = {path: _kind(path, value) for path, value in leaves.items()}
    runs = [
        {
            "files": _files(job, document, folder, "as-deployed"),
            "leaves": kinds,
            "flows": wanted,
            "flowFolder": str(flows),
        },
        {
            "files": _files(job, document, folder, "without-key"),
            "leaves": {},
            "flows": wanted[:1],
            "flowFolder": str(flows),
        },
    ]
    return _run(harness, job, folder, {"runs": runs})


def _run(
    harness: kestra.Harness, job: VerifyJob, folder: Path, request: Mapping[str, Any]
) -> dict[str, Any]:
    log = folder / "kestra.log"
    command = [
        str(harness.java), "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        f"-Dlogback.configurationFile={kestra.HERE / 'logback.xml'}",
        "--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp", harness.classpath, "Harness",
    ]  # fmt: skip
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
    }
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
            env=environment | dict(job.environment),
            cwd=folder,
        )
        try:
            answer, _ = process.communicate(json.dumps(request), timeout=BOOT_SECONDS)
        except subprocess.TimeoutExpired:
            raise SandboxError(
                f"Kestra did not answer in {BOOT_SECONDS} s; its log is {log}."
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    lines = [line for line in answer.splitlines() if line.startswith('{"runs"')]
    if process.returncode or not lines:
        raise SandboxError(
            f"Kestra ended before it answered (exit {process.returncode}); its log is {log}."
        )
    return json.loads(lines[-1])


def _key(job: VerifyJob) -> str:
    return str(job.intended["kestra"]["encryption"]["secret-key"])


def _secret_flow(id_: str, name: str) -> str:
    return yaml.safe_dump(
        {
            "id": id_,
            "namespace": "company.team",
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


def flatten(document: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a document with its dotted path; a list is one leaf."""
    for name, value in document.items():
        at = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            yield from flatten(value, at)
        else:
            yield at, value


def _kind(path: str, value: Any) -> str:
    if isinstance(value, list):
        return "list"
    return "duration" if _DURATIONS.fullmatch(path) else "text"


def _without_secrets(text: str, job: VerifyJob) -> str:
    """An error of Kestra's, which may quote the value that it could not use, without such values."""
    for value in sorted({*job.environment.values(), *job.declared_secrets.values()}, key=len)[::-1]:
        if value:
            text = text.replace(value, "[secret]")
    return text


def compare(
    leaves: Mapping[str, Any],
    bound: Mapping[str, Any],
    report: Report,
    written: Mapping[str, Any],
) -> None:
    """What was meant against what Kestra has; a secret is never told, only that it differs.

    `written` are the leaves of the file: a placeholder stands there for itself only where it is also
    what was meant. A secret that merely contains `${` is compared like any other.
    """
    for path, meant in leaves.items():
        if path.startswith("datasources.") or re.match(
            r"kestra\.(queue|repository|storage)\.", path
        ):
            report.bound[path] = "overlay"
            report.unchecked[path] = (
                "this machine lacks the database, queue or storage; the overlay stands in"
            )
            continue
        if (
            isinstance(meant, str)
            and written.get(path) == meant
            and re.search(r"\$\{[A-Za-z_]", meant)
        ):
            report.unchecked[path] = (
                "comes from an environment variable that this stack does not set"
            )
            continue
        if isinstance(meant, str) and written.get(path) != meant and is_placeholder(meant):
            # A secret `${NAME:default}` went into a variable of ours; nothing here sets NAME.
            meant = meant[2:-1].partition(":")[2]
        found = bound.get(path, {})
        if same(path, meant, found.get("value")):
            report.bound[path] = found["by"]
            if path.startswith(_CLOSED):
                report.unchecked[path] = (
                    "Kestra's closed Enterprise code, of which no artifact can be had, uses it"
                )
            elif path.startswith(_WEB):
                report.unchecked[path] = (
                    "Kestra's web server, of which no artifact can be had, uses it"
                )
            continue
        shown = not _sensitive(path)
        report.mismatches.append(
            {
                "path": path,
                "meant": str(meant) if shown else "[secret]",
                "bound": str(found.get("value", found.get("error", "nothing")))
                if shown
                else "[another]",
            }
        )


def _sensitive(path: str) -> bool:
    last = path.rpartition(".")[2]
    return re.search(r"secret|password|token|key|service-account|credential", last) is not None


def same(path: str, meant: Any, bound: Any) -> bool:
    """Whether a bound value is the one that was meant: durations by length, the rest by text."""
    if bound is None:
        return False
    if isinstance(meant, list):
        return [str(m) for m in meant] == [str(b) for b in bound]
    if _DURATIONS.fullmatch(path):
        return milliseconds(str(meant)) == milliseconds(str(bound))
    if isinstance(meant, bool):
        return str(meant).lower() == str(bound).lower()
    return str(meant) == str(bound)


def _judge_flows(
    job: VerifyJob,
    first: Mapping[str, Any],
    without_key: Mapping[str, Any],
    plaintext: str,
    report: Report,
) -> None:
    ran = {flow["id"]: flow for flow in first.get("flows", [])}
    services = first.get("services", {})
    report.flows.append(
        {
            "id": "services",
            "state": "RUNNING",
            "checks": [
                _check(
                    "executor, worker, scheduler and indexer run",
                    len(services) == 4 and set(services.values()) == {"RUNNING"},
                )
            ],
        }
    )
    seed = ran.get("my_secret_flow", {})
    rows = first.get("rows", "")
    report.flows.append(
        {
            "id": "my_secret_flow",
            "state": seed.get("state", "NONE"),
            "checks": [
                _check("ends with SUCCESS", seed.get("state") == "SUCCESS"),
                _check(
                    "its SECRET output is stored encrypted",
                    seed.get("storedType") == "io.kestra.datatype:aes_encrypted",
                ),
                _check(
                    "the plain value is nowhere in the database",
                    len(rows) > 100 and "my_secret_flow" in rows and plaintext not in rows,
                ),
                _check(
                    "the stored value decrypts with the stack's key",
                    seed.get("decrypted") == plaintext,
                ),
                _check("and not with another key", seed.get("otherKey") == "refused"),
            ],
        }
    )
    if job.edition != "enterprise":
        for name, value in job.declared_secrets.items():
            flow = ran.get(f"reads_{name.lower()}", {})
            logs = "\n".join(flow.get("logs", []))
            report.flows.append(
                {
                    "id": f"secret('{name}')",
                    "state": flow.get("state", "NONE"),
                    "checks": [
                        _check("ends with SUCCESS", flow.get("state") == "SUCCESS"),
                        _check(
                            "reads the declared value",
                            (flow.get("outputs") or {}).get("value") == value,
                        ),
                        _check("is masked in the log", "******" in logs and value not in logs),
                    ],
                }
            )
    elif job.declared_secrets:
        report.unchecked["declared-secrets"] = (
            "flows of the Enterprise Edition read them through closed code; the store is checked instead"
        )
    failed = (without_key.get("flows") or [{}])[0]
    report.flows.append(
        {
            "id": "without the key",
            "state": failed.get("state", "NONE"),
            "checks": [
                _check(
                    "the same flow is refused since encryption is not configured",
                    failed.get("state") == "REFUSED"
                    and "encryption is not configured" in failed.get("message", ""),
                )
            ],
        }
    )


def _check(what: str, ok: bool) -> dict[str, Any]:
    return {"what": what, "ok": ok}

"""A sandbox whose every place is searched: files, console, processes while they run, Kubernetes objects."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import yaml

from sandbox.clouds import Clouds
from sandbox.engine.automation import Stack
from sandbox.leak_scan.scan import Leak, Search
from sandbox.services import AwsServer, ControlPlane, Vault
from sandbox.state import State
from tests.conftest import ROOT

#: What nobody may have a look into: memory of processes, as they or the system would write it.
DUMPS = ("core*", "*.hprof", "hs_err_pid*", "*.dmp", "*.heapsnapshot")

#: The engine gives a policy pack the whole configuration, secrets too, in PULUMI_CONFIG. What takes them out has them.
LAUNCHERS = ("sandbox.engine.policy_host", "pulumi-analyzer")


class Watch(threading.Thread):
    """Reads arguments, environment and limits of every process of a state, over and over, while others work."""

    def __init__(self, state: Path) -> None:
        super().__init__(daemon=True)
        self._mark, self._over = str(state).encode(), threading.Event()
        self.seen: dict[tuple[str, str, bytes], None] = {}
        """Name of a process, file of /proc, content."""
        self.names: set[str] = set()
        self.dumping: set[str] = set()
        """Processes that would dump core."""

    def run(self) -> None:
        while not self._over.is_set():
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit() and int(folder.name) != os.getpid():
                    with contextlib.suppress(OSError):
                        self._look(folder)
            self._over.wait(0.1)

    def _look(self, folder: Path) -> None:
        contents = {name: (folder / name).read_bytes() for name in ("cmdline", "environ")}
        if not any(self._mark in content for content in contents.values()):
            return
        words = contents["cmdline"].split(b"\0")
        name = (folder / "comm").read_text().strip()
        module = words[words.index(b"-m") + 1].decode() if b"-m" in words else ""
        name = f"{name} {module}".strip()
        self.names.add(name)
        for kind, content in contents.items():
            self.seen[name, kind, content] = None
        limit = next(x for x in (folder / "limits").read_text().splitlines() if "core file" in x)
        if limit.split()[4] != "0":
            self.dumping.add(name)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


@dataclass
class Searched:
    """A sandbox of the tests' own, and what was found in it after each command."""

    folder: Path
    tools: dict[str, Path]
    looking: Search
    found: dict[str, list[Leak]] = field(default_factory=dict)
    """Step to what was found after it."""
    told: dict[str, str] = field(default_factory=dict)
    launchers: list[bytes] = field(default_factory=list)
    """Environments of what starts a policy pack, for the moment that it takes."""
    processes: set[str] = field(default_factory=set)
    dumping: set[str] = field(default_factory=set)
    objects: set[str] = field(default_factory=set)
    """Kinds of Kubernetes objects of which some were searched."""
    kinds: int = 0
    exported: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Stack to its state as exported, without and with secrets shown."""
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    """Stack to the data of its one Secret."""

    @property
    def state(self) -> State:
        return State(self.folder / "state")

    @property
    def plane(self) -> ControlPlane:
        return ControlPlane(self.state.services / "kubernetes", self.tools)

    @property
    def stacks(self) -> Path:
        return self.folder / "stacks"

    def write(self, name: str, document: Mapping[str, Any]) -> None:
        """Writes a stack file, which is searched no more than a person's own is."""
        self.stacks.mkdir(exist_ok=True)
        (self.stacks / f"Pulumi.{name}.yaml").write_text(
            yaml.safe_dump(dict(document), allow_unicode=True)
        )

    def stack(self, name: str) -> Stack:
        """A stack, for what the command line has no word for."""
        vault = Vault(self.state.services / "vault", self.tools) if "vault" in name else None
        clouds = Clouds(AwsServer(self.state.services / "aws")) if "aws" in name else Clouds()
        return Stack(
            self.state, name, self.tools, self.plane, vault, clouds=clouds, stacks=self.stacks
        )

    def run(self, step: str, *arguments: str, expect: int = 0) -> str:
        """Runs a command and searches everything during and after it."""
        temporary = self.folder / "tmp"
        temporary.mkdir(exist_ok=True)
        where = ["--state", str(self.state.directory), "--stacks", str(self.stacks)]
        with Watch(self.state.directory) as watch:
            done = subprocess.run(
                [sys.executable, "-m", "sandbox", *arguments, *where],
                cwd=ROOT,
                env=os.environ | {"TMPDIR": str(temporary)},
                capture_output=True,
                text=True,
                timeout=400,
            )
        told = done.stdout + done.stderr
        self.told[step] = told
        self.processes |= watch.names
        self.dumping |= watch.dumping
        found = self.looking.text(told.encode(), "console")
        for name, kind, content in watch.seen:
            if kind == "environ" and any(word in name for word in LAUNCHERS):
                self.launchers.append(content)
                continue
            found += self.looking.text(content, f"{kind} of {name}")
        self.found[step] = [*found, *self.search_files(), *self.search_objects()]
        assert done.returncode == expect, (step, done.returncode, told[-3000:])
        assert "Traceback" not in told
        return told

    @property
    def stores(self) -> dict[str, Path]:
        """What holds secrets on purpose: the API server's database, and the keys of Pulumi's state and of Vault."""
        services = self.state.services
        return {
            "etcd": services / "kubernetes" / "etcd-data",
            "passphrase": self.state.directory / "passphrase",
            "root token": services / "vault" / "root-token",
            "token of the provider": self.state.directory / ".vault-token",
        }

    def search_files(self) -> list[Leak]:
        """Leaks in everything under the state's folder and in the folder of temporary files."""
        paths = [self.state.directory, self.folder / "tmp", *Path("/tmp").glob("pulumi*")]
        return self.looking.files(paths, without=self.stores.values())

    def search_objects(self) -> list[Leak]:
        """Leaks in every object of every kind but the stacks' own Secrets."""
        if not (self.plane._ports_file.exists() and self.plane.healthy):
            return []
        found, kinds = [], list(self._kinds())
        self.kinds = max(self.kinds, len(kinds))
        for kind, items in kinds:
            for item in items:
                self.objects.add(kind)
                where = f"{kind} {item['metadata'].get('namespace', '')}/{item['metadata']['name']}"
                if kind != "v1/secrets" or not item["metadata"]["name"].startswith("kestra-secret"):
                    found += self.looking.text(json.dumps(item, ensure_ascii=False).encode(), where)
        return found

    def _kinds(self) -> Any:
        session, url = self.plane.session(), self.plane.url
        versions = [f"api/{v}" for v in session.get(f"{url}/api", timeout=30).json()["versions"]]
        groups = session.get(f"{url}/apis", timeout=30).json()["groups"]
        versions += [f"apis/{v['groupVersion']}" for group in groups for v in group["versions"]]
        for version in versions:
            listed = session.get(f"{url}/{version}", timeout=30).json().get("resources", [])
            for resource in listed:
                if "list" in resource["verbs"] and "/" not in resource["name"]:
                    answer = session.get(f"{url}/{version}/{resource['name']}", timeout=30)
                    assert answer.ok, answer.text
                    name = version.partition("/")[2]
                    yield f"{name}/{resource['name']}", answer.json().get("items") or []

    def secret_of(self, namespace: str) -> dict[str, str]:
        """The decoded data of the one Secret of a stack."""
        answer = self.call("GET", f"/api/v1/namespaces/{namespace}/secrets")
        items = [i for i in answer.json()["items"] if i["metadata"]["name"].startswith("kestra-")]
        (item,) = items
        return {k: base64.b64decode(v).decode() for k, v in item["data"].items()}

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.plane.session().request(
            method, f"{self.plane.url}{path}", json=body, timeout=30
        )

    def export(self, name: str, *flags: str) -> str:
        """`pulumi stack export` of a stack."""
        with self.stack(name)._selected() as stack:
            run = stack.workspace.pulumi_command.run
            return run(
                ["stack", "export", "--stack", name, *flags], stack.workspace.work_dir, {}
            ).stdout

    def dumps(self) -> list[Path]:
        """Dumps of memory, and processes' own reports of their end."""
        return [f for pattern in DUMPS for f in self.folder.rglob(pattern) if f.is_file()]

"""A machine before and after real nodes, and pods of one small program on them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from kubernetes import client

from sandbox.errors import SandboxError
from sandbox.nodes import archive, machine_needs
from sandbox.nodes.control_plane import RealControlPlane
from sandbox.nodes.pods import api_client, execute

AGENT = "localhost/agent:1"
_SOURCE = Path(__file__).parent / "fixtures" / "agent"
#: What the kernel counts, whoever runs.
_COUNTERS = ("kernel/random", "kernel/ns_last_pid", "kernel/pty", "net/netfilter/nf_conntrack_count",
             "kernel/perf_event_max_sample_rate", "kernel/perf_cpu")  # fmt: skip


def require_machine() -> None:
    """Skips the test, with what is missing, where there can be no real nodes."""
    try:
        machine_needs.require()
    except SandboxError as error:
        pytest.skip(str(error))


@dataclass(frozen=True)
class Machine:
    """What real nodes could leave on the machine."""

    mounts: frozenset[str] = field(default_factory=lambda: frozenset(_mounts()))
    interfaces: frozenset[str] = field(
        default_factory=lambda: frozenset(os.listdir("/sys/class/net"))
    )
    routes: str = field(default_factory=lambda: _said("ip", "route", "show", "table", "all"))
    rules: str = field(default_factory=lambda: _said("iptables-save"))
    sets: str = field(default_factory=lambda: _said("ipset", "list", "-name"))
    settings: Mapping[str, str] = field(default_factory=lambda: dict(_settings()))
    control_groups: frozenset[str] = field(default_factory=lambda: frozenset(_control_groups()))
    folders: frozenset[str] = field(default_factory=lambda: frozenset(_folders()))

    def left(self, before: Machine) -> dict[str, Any]:
        """What is here and was not there before, by kind."""
        sets = ("mounts", "interfaces", "control_groups", "folders")
        left: dict[str, Any] = {kind: getattr(self, kind) - getattr(before, kind) for kind in sets}
        left |= {
            kind: (getattr(before, kind), getattr(self, kind))
            for kind in ("routes", "rules", "sets")
            if getattr(self, kind) != getattr(before, kind)
        }
        left["settings"] = {
            name: (before.settings.get(name), value)
            for name, value in self.settings.items()
            if before.settings.get(name) != value
        }
        return {kind: what for kind, what in left.items() if what}


def processes_of(folder: Path) -> list[str]:
    """Command lines of processes that work in a folder or name it."""
    lines = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            if process.pid != os.getpid() and (
                str(folder) in line or process.cwd().startswith(str(folder))
            ):
                lines.append(line)
        except psutil.Error:
            continue
    return lines


def _mounts() -> list[str]:
    return Path("/proc/self/mounts").read_text().splitlines()


def _said(*command: str) -> str:
    environment = {"PATH": machine_needs.search_path()}
    text = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    # Times and counters of packets are no rules.
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(line.split(" [")[0] for line in lines)


def _settings() -> Iterator[tuple[str, str]]:
    for root in ("kernel", "vm", "net"):
        for file in Path("/proc/sys", root).rglob("*"):
            name = str(file.relative_to("/proc/sys"))
            if file.is_file() and not name.startswith(_COUNTERS):
                try:
                    yield name, file.read_text()
                except (OSError, UnicodeDecodeError):
                    continue


def _control_groups() -> Iterator[str]:
    for path, _, _ in os.walk("/sys/fs/cgroup"):
        if "kestra-sandbox" in path:
            yield path


def _folders() -> Iterator[str]:
    """Of the places where containerd, kubelet and the network plugins write by default."""
    for root in ("/run", "/var/lib", "/var/log", "/etc", "/opt", "/usr/libexec", "/var/run"):
        if Path(root).is_dir():
            yield from (f"{root}/{name}" for name in os.listdir(root))


def eventually(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Waits until something is so; fails with its name when it is not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


@cache
def agent_archive(folder: Path) -> Path:
    """The image of the agent, built in a folder."""
    subprocess.run(
        ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", folder / "agent", "."],
        cwd=_SOURCE,
        env=os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""},
        check=True,
    )  # fmt: skip
    layer = archive.layer(folder / "layer.tar", [(folder / "agent", "agent", 0)])
    config = {"Entrypoint": ["/agent"]}
    return archive.write(folder / "agent.tar", [AGENT], [layer], config)


def docker_archive(source: Path, target: Path, *names: str) -> Path:
    """An image as older versions of `docker save` write it: an image of its own for each name, or one without any.

    Args:
        source: an archive of `sandbox.nodes.archive`.
        target: the file.
        names: of the images.
    """
    with tarfile.open(source) as read, tarfile.open(target, "w") as written:

        def blob(digest: str) -> bytes:
            file = read.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            assert file is not None
            return file.read()

        def add(name: str, data: bytes) -> str:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            written.addfile(entry, io.BytesIO(data))
            return name

        index = read.extractfile("index.json")
        assert index is not None
        manifest = json.loads(blob(json.load(index)["manifests"][0]["digest"]))
        layers = [
            add(f"{n}/layer.tar", blob(one["digest"])) for n, one in enumerate(manifest["layers"])
        ]
        images: list[dict[str, Any]] = []
        for number, name in enumerate(names or (None,)):
            image = json.loads(blob(manifest["config"]["digest"]))
            image["config"]["Labels"] = {"number": str(number)}
            config = add(f"{number}.json", json.dumps(image).encode())
            images.append({"Config": config, "RepoTags": name and [name], "Layers": layers})
        add("manifest.json", json.dumps(images).encode())
    return target


def agent_pod(
    name: str,
    *arguments: str,
    labels: Mapping[str, str] | None = None,
    image: str = AGENT,
    **spec: Any,
) -> dict[str, Any]:
    """A pod of the agent."""
    container = {
        "name": "agent",
        "image": image,
        "imagePullPolicy": "Never",
        "args": list(arguments) or ["serve", "tcp:1"],
    }
    return {
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"containers": [container], "terminationGracePeriodSeconds": 0, **spec},
    }


class Pods:
    """Pods of a cluster with a real node."""

    def __init__(self, plane: RealControlPlane, api: client.ApiClient) -> None:
        self.plane = plane
        # Both take plain documents, which the client's types do not say.
        self.core: Any = client.CoreV1Api(api)
        self.network: Any = client.NetworkingV1Api(api)

    def namespace(self, name: str) -> None:
        """Makes a namespace, and waits for what pods need of it."""
        self.core.create_namespace({"metadata": {"name": name}})
        eventually(lambda: self._has_account(name), 30, f"no service account in {name}")

    def _has_account(self, namespace: str) -> bool:
        accounts = self.core.list_namespaced_service_account(namespace).items
        return any(account.metadata.name == "default" for account in accounts)

    def start(self, namespace: str, pod: dict[str, Any]) -> None:
        """Creates a pod."""
        self.core.create_namespaced_pod(namespace, pod)

    def is_ready(self, namespace: str, name: str) -> bool:
        """Whether a pod is ready."""
        status = self.core.read_namespaced_pod(name, namespace).status
        return any(c.type == "Ready" and c.status == "True" for c in status.conditions or ())

    def wait(self, namespace: str, *names: str, seconds: float = 120) -> None:
        """Waits until pods are ready."""
        for name in names:
            eventually(
                lambda name=name: self.is_ready(namespace, name), seconds, f"{name} is not ready"
            )

    def address(self, namespace: str, name: str) -> str:
        """The address of a pod."""
        return self.core.read_namespaced_pod(name, namespace).status.pod_ip

    def ask(self, namespace: str, name: str, *targets: str) -> dict[str, str]:
        """Who answers an agent at each target (`tcp:HOST:PORT`): a host's name, or `nobody`."""
        answer = execute(
            self.plane.kubeconfig,
            namespace,
            name,
            "agent",
            ["/agent", "ask", *targets],
            seconds=120,
        )
        assert answer.code == 0, answer.err
        return dict(line.rsplit(" ", 1) for line in answer.out.splitlines())  # type: ignore[misc]


@contextmanager
def pods_of(plane: RealControlPlane) -> Iterator[Pods]:
    """Pods by the API server of a control plane."""
    with api_client(plane.kubeconfig) as api:
        yield Pods(plane, api)

"""What the kernel lets Kestra's container do: user, capabilities, places to write, and a volume of root's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes import client

from components.kubernetes.pods import USER
from sandbox.nodes.pods import Answer, api_client, execute, running_pods
from sandbox.state import ROOT
from tests.nodes.nodes_support import eventually
from tests.tiers import long

pytestmark = [pytest.mark.engine, pytest.mark.kestra, long("pods"), pytest.mark.timeout(3600)]

NAMESPACE = "kestra"
WRITABLE = ("/app/confs", "/app/storage", "/tmp", "/dev/shm")
REFUSED = (
    "/",
    "/app",
    "/app/plugins",
    "/etc",
    "/etc/kestra",
    "/home/kestra",
    "/opt",
    "/var/tmp",
    "/usr/bin",
)


@dataclass(frozen=True)
class Kestra:
    """A stack with a volume for Kestra's storage, on a real node."""

    services: Path

    @property
    def kubeconfig(self) -> Path:
        return self.services / "kubeconfig"

    def pod(self) -> str:
        """The pod that is ready."""
        eventually(lambda: running_pods(self.kubeconfig, NAMESPACE), 300, "no pod is ready")
        return running_pods(self.kubeconfig, NAMESPACE)[0][0]

    def bash(self, script: str) -> Answer:
        """A script in Kestra's container."""
        command = ["/bin/bash", "-c", script]
        return execute(self.kubeconfig, NAMESPACE, self.pod(), "kestra", command)

    def status(self) -> dict[str, str]:
        """What the kernel says of the container's first process."""
        lines = self.bash("cat /proc/1/status").out.splitlines()
        return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


@pytest.fixture(scope="module")
def kestra(
    node_tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kestra]:
    folder = tmp_path_factory.mktemp("containers")
    document = yaml.safe_load((ROOT / "stacks" / "Pulumi.local.yaml").read_text())
    document["config"]["kestra:deployment"]["storage-volume"] = {"size": "1Gi"}
    (folder / "Pulumi.local.yaml").write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "sandbox"]
    state = folder / "state"
    here = ["--state", state, "--stacks", folder]
    try:
        subprocess.run(
            [*command, "up", "local", "--nodes", "real", "--no-policy", *here], cwd=ROOT, check=True
        )
        yield Kestra(state / "services" / "kubernetes")
    finally:
        subprocess.run([*command, "down", "--purge", *here], cwd=ROOT, check=True)


def test_kestra_runs_as_a_user_without_any_power(kestra: Kestra) -> None:
    status = kestra.status()
    assert status["Uid"].split() == [str(USER)] * 4
    assert status["Gid"].split() == [str(USER)] * 4
    assert status["Groups"].split() == [str(USER)]
    for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(status[capabilities], 16) == 0, capabilities
    assert status["NoNewPrivs"] == "1"
    # 2: the calls of the runtime's default filter alone.
    assert status["Seccomp"] == "2"


def test_only_what_kestra_needs_can_be_written(kestra: Kestra) -> None:
    script = "for place in {}; do if : 2>/dev/null >$place/written; then echo $place; rm $place/written; fi; done"
    answer = kestra.bash(script.format(" ".join((*WRITABLE, *REFUSED))))
    assert set(answer.out.split()) == set(WRITABLE)


def test_a_container_cannot_look_at_the_machine(kestra: Kestra) -> None:
    # Its process 1 is Java, and it sees nothing of the node's programs.
    assert kestra.status()["Name"] == "java"
    others = kestra.bash("cat /proc/[0-9]*/comm").out.split()
    assert not {"kubelet", "containerd", "python"} & set(others)


def test_a_disk_that_belongs_to_root_is_given_to_kestras_group_and_keeps_its_data(
    kestra: Kestra,
) -> None:
    before = kestra.pod()
    assert kestra.bash("echo kept >/app/storage/kept").code == 0
    (disk,) = (path.parent for path in (kestra.services / "node" / "volumes").glob("*/kept"))
    assert disk.stat().st_uid == 0
    assert disk.stat().st_gid == USER
    assert disk.stat().st_mode & 0o2070 == 0o2070
    with api_client(kestra.kubeconfig) as api:
        core: Any = client.CoreV1Api(api)
        core.delete_namespaced_pod(before, NAMESPACE, grace_period_seconds=5)
        eventually(
            lambda: (
                before not in [p.metadata.name for p in core.list_namespaced_pod(NAMESPACE).items]
            ),
            120,
            "the pod does not end",
        )
    assert kestra.pod() != before
    assert kestra.bash("cat /app/storage/kept").out == "kept\n"

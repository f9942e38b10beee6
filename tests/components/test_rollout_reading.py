"""How pods are read from a cluster, and how a program says what it waits for."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.kubernetes.cluster_reader import Kubectl, UnreadClusterError
from components.safeguards import failed_rollout
from components.safeguards.failed_rollout import DEPLOYMENT, RolloutWatch
from tests.components.rollout_support import (
    NAME,
    SPACE,
    Cluster,
    deployment,
    pod,
    replica_set,
    waiting,
)


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A `kubectl` that writes down how it is called, and answers with a file."""
    script = tmp_path / "kubectl"
    script.write_text(
        f'#!/bin/sh\nfor a in "$@"; do case "$a" in --kubeconfig=*) cat "${{a#*=}}" > {tmp_path}/read;; esac; done\n'
        f'echo "$@" >> {tmp_path}/calls\ncat {tmp_path}/answer; exit "$(cat {tmp_path}/code)"\n'
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def answer(text: str, code: int = 0) -> Path:
        (tmp_path / "answer").write_text(text)
        (tmp_path / "code").write_text(str(code))
        return tmp_path

    return answer


def test_kubectl_is_asked_in_the_stacks_context_and_only_reads(kubectl: Any) -> None:
    folder = kubectl(json.dumps({"items": [{"kind": "Pod"}]}))
    reader = Kubectl("production", "apiVersion: v1\nkind: Config\n")
    assert reader.objects("kestra") == [{"kind": "Pod"}]
    assert reader.secret_values("kestra", []) == []
    reader.log("kestra", "p", "c", previous=True, lines=3)
    get, log = (folder / "calls").read_text().splitlines()
    assert get.startswith("--context=production --kubeconfig=/")
    assert "--namespace=kestra --request-timeout=15s get deployments.apps,replicasets" in get
    assert log.endswith("logs p --container=c --tail=3 --previous=true")
    # The text of a kubeconfig is a file for as long as kubectl runs.
    assert (folder / "read").read_text() == "apiVersion: v1\nkind: Config\n"
    assert not Path(get.split("--kubeconfig=")[1].split()[0]).exists()


def test_one_secret_is_no_list(kubectl: Any) -> None:
    kubectl(json.dumps({"kind": "Secret", "data": {"A": "dmFsdWU="}}))
    assert Kubectl().secret_values("kestra", ["one"]) == ["value"]
    kubectl("")
    assert Kubectl().secret_values("kestra", ["absent"]) == []


@pytest.mark.parametrize(("text", "code"), [("denied: planted", 1), ("no JSON: planted", 0)])
def test_a_refusal_is_no_report_and_is_not_quoted(kubectl: Any, text: str, code: int) -> None:
    kubectl(text, code)
    with pytest.raises(UnreadClusterError) as caught:
        Kubectl().objects("kestra")
    assert "planted" not in str(caught.value)
    if code:
        assert Kubectl().log("kestra", "p", "c", previous=False, lines=1) == ""


def test_a_machine_without_kubectl_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(*_: Any, **__: Any) -> None:
        raise FileNotFoundError("kubectl")

    monkeypatch.setattr(subprocess, "run", absent)
    with pytest.raises(UnreadClusterError, match="not installed"):
        Kubectl().objects("kestra")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the program says, at once and every moment."""
    lines: list[str] = []
    monkeypatch.setattr(failed_rollout, "FIRST_SECONDS", 0)
    monkeypatch.setattr(failed_rollout, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(pulumi.log, "info", lambda words, ephemeral: lines.append(words))
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)
    return lines


async def _watched(
    cluster: Cluster, metadata: Any, monkeypatch: pytest.MonkeyPatch, looks: int
) -> bool:
    """Watches one Deployment for some moments; whether the watch had ended by itself."""
    noted: list[Any] = []
    monkeypatch.setattr(pulumi.runtime, "register_stack_transformation", noted.append)
    watch = RolloutWatch(cluster)
    watch.follow()
    urn: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    resource = SimpleNamespace(urn=SimpleNamespace(future=lambda: urn))
    (note,) = noted
    note(SimpleNamespace(type_="kubernetes:core/v1:Secret", resource=resource, props={}))
    note(SimpleNamespace(type_=DEPLOYMENT, resource=resource, props={"metadata": metadata}))
    for _ in range(looks * 20):
        await asyncio.sleep(0.005)
    urn.set_result("urn")
    await asyncio.sleep(0.05)
    ended = watch._task is not None and watch._task.done()
    await watch.end()
    return ended


def test_what_a_deployment_waits_for_is_said_until_the_engine_has_answered(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = pod(container=waiting("ErrImagePull", "no"))
    cluster = Cluster([deployment(), replica_set("new"), bad])
    metadata = {"namespace": SPACE, "name": NAME}
    assert asyncio.run(_watched(cluster, metadata, monkeypatch, 3))
    assert len(said) > 1
    assert set(said) == {f"{NAME}: 0 of 1 new pods ready (ErrImagePull)"}


@pytest.mark.parametrize("case", ["ready", "unread", "unknown"])
def test_nothing_is_said_where_nothing_is_known(
    case: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = UnreadClusterError("denied") if case == "unread" else None
    cluster = Cluster([deployment(), replica_set("new"), pod(ready=True)], error=error)
    metadata = {"name": NAME} if case == "unknown" else {"namespace": SPACE, "name": NAME}
    assert asyncio.run(_watched(cluster, metadata, monkeypatch, 1))
    assert said == []


def test_a_preview_waits_for_no_rollout(said: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[Any] = []
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    monkeypatch.setattr(pulumi.runtime, "register_stack_transformation", noted.append)
    RolloutWatch(Cluster([])).follow()
    assert noted == []

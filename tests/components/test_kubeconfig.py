"""The cluster of `kestra:deployment.kubeconfig`: everything of Kubernetes is made by its provider, and it is read with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime import rpc

from components.kubernetes.cluster_reader import READER, Kubectl, cluster_reader
from components.validation import load
from sandbox.cli import main
from sandbox.engine.workspace import use_own_cluster
from tests.components.recording_support import Recorder, run
from tests.conftest import stack_document

TOKEN = "Pl4nted-Kubeconfig-Rm63"
KUBECONFIG = json.dumps(
    {
        "clusters": [{"name": "c", "cluster": {"server": "https://cluster.example.com"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": TOKEN}}],
        "current-context": "c",
    }
)


def document(name: str) -> dict[str, Any]:
    """A stack with a cluster of its own."""
    settings: dict[str, Any] = stack_document(name)
    return settings | {"deployment": settings["deployment"] | {"kubeconfig": KUBECONFIG}}


def _providers(recorded: Recorder) -> dict[str, str]:
    """Name of each resource of Kubernetes to the provider that makes it."""
    requests = recorded.requests.values()
    return {r.name: r.provider for r in requests if r.custom and r.type.startswith("kubernetes:")}


def test_every_object_is_made_by_the_provider_of_the_cluster() -> None:
    recorded = run(document("local-vault"))
    (provider,) = [r for r in recorded.requests.values() if r.type == "pulumi:providers:kubernetes"]
    assert provider.name == "cluster"
    providers = _providers(recorded)
    assert providers
    assert {one.rpartition("::")[0].rpartition("::")[2] for one in providers.values()} == {
        "cluster"
    }
    # As in a stack without the setting.
    assert set(providers) == set(_providers(run(stack_document("local-vault"))))


def test_without_the_setting_the_default_provider_makes_them() -> None:
    recorded = run(stack_document("local-vault"))
    assert set(_providers(recorded).values()) == {""}
    assert not [r for r in recorded.requests.values() if r.type.startswith("pulumi:providers:")]


def test_the_kubeconfig_is_registered_as_a_secret() -> None:
    request = run(document("local-vault")).requests["cluster"]
    kubeconfig = request.object["kubeconfig"]
    assert kubeconfig[rpc._special_sig_key] == rpc._special_secret_sig


def test_the_cluster_is_read_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = cluster_reader(load(document("local"), source="t").settings)
    assert isinstance(reader, Kubectl)
    with reader._options() as options:
        (option,) = options
        assert Path(option.removeprefix("--kubeconfig=")).read_text() == KUBECONFIG
    other: Any = object()
    token = READER.set(lambda: other)
    try:
        assert cluster_reader(load(stack_document("local"), source="t").settings) is other
    finally:
        READER.reset(token)


def test_the_sandbox_keeps_to_its_own_cluster() -> None:
    config: dict[str, Any] = {"kestra:deployment": {"kubeconfig": KUBECONFIG, "namespace": "x"}}
    use_own_cluster(config)
    assert config == {"kestra:deployment": {"namespace": "x"}}
    use_own_cluster(unchanged := {"kestra:version": "1.3"})
    assert unchanged == {"kestra:version": "1.3"}


def test_doctor_and_report_take_outputs_of_other_stacks_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings: dict[str, Any] = stack_document("local")
    stack = "acme/cluster/production"
    settings["deployment"] = {
        "namespace": {"from-stack": stack, "output": "namespace"},
        "kubeconfig": {"from-stack": stack, "output": "kubeconfig"},
    }
    config = {f"kestra:{key}": value for key, value in settings.items()}
    (tmp_path / "Pulumi.mine.yaml").write_text(yaml.safe_dump({"config": config}))
    common = ["mine", "--stacks", str(tmp_path), "--state", str(tmp_path / "state")]
    for command in ("doctor", "report"):
        assert main([command, *common]) == 1
        said = capsys.readouterr()
        assert f"--outputs {stack}=FILE" in said.err
    values = tmp_path / "cluster.json"
    values.write_text(json.dumps({"namespace": "of-the-cluster", "kubeconfig": "[secret]"}))
    page = tmp_path / "page.html"
    outputs = ["--outputs", f"{stack}={values}", "--output", str(page)]
    assert main(["report", *common, *outputs]) == 0
    assert "of-the-cluster" in page.read_text()

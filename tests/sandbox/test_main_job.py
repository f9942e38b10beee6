"""The main job as a person runs it: up, again, verify, and down; in an environment full of traps."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi import automation as auto

from sandbox.check import read_back
from sandbox.engine.automation import Stack
from sandbox.leak_scan.scan import search, search_text
from sandbox.services import ControlPlane, Vault
from sandbox.services.process import began_at
from sandbox.state import State
from tests.conftest import ROOT

pytestmark = [pytest.mark.engine, pytest.mark.kestra]

TRAPS = {
    "KUBECONFIG": "/nowhere/kubeconfig",
    "VAULT_ADDR": "http://127.0.0.1:9",
    "VAULT_TOKEN": "trap",
    "AWS_ACCESS_KEY_ID": "trap",
    "AWS_SECRET_ACCESS_KEY": "trap",
    "GOOGLE_APPLICATION_CREDENTIALS": "/nowhere/key.json",
    "PULUMI_BACKEND_URL": "https://127.0.0.1:9",
    "PULUMI_ACCESS_TOKEN": "trap",
    "PULUMI_CONFIG_PASSPHRASE": "trap",
    "HTTPS_PROXY": "http://127.0.0.1:9",
}
GIVEN = "Given-Pl4nted-Zq81-Value"


@dataclass
class Sandbox:
    """A sandbox of the tests' own, driven by its command line."""

    state: State
    stacks: Path
    tools: dict[str, Path]
    console: str = ""

    def run(self, *arguments: str, expect: int = 0) -> str:
        command = [
            sys.executable,
            "-m",
            "sandbox",
            *arguments,
            "--state",
            str(self.state.directory),
        ]
        command += ["--stacks", str(self.stacks)]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | TRAPS, capture_output=True, text=True, timeout=900
        )
        self.console += done.stdout + done.stderr
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def plane(self) -> ControlPlane:
        return ControlPlane(self.state.services / "kubernetes", self.tools)

    def stack(self, name: str) -> Stack:
        vault = Vault(self.state.services / "vault", self.tools) if "vault" in name else None
        return Stack(self.state, name, self.tools, self.plane, vault, stacks=self.stacks)

    def outputs(self, name: str) -> dict[str, Any]:
        return {k: v.value for k, v in self.stack(name).outputs().items()}

    def encrypted(self, name: str, path: str, value: str) -> dict[str, str]:
        """The value as `pulumi config set --path --secret` writes it into the stack file."""
        self.state.create()
        stack = self.stack(name)
        with stack._selected() as selected:
            selected.set_config(path, auto.ConfigValue(value, secret=True), path=True)
        copy = yaml.safe_load(stack._file.read_text())
        file = self.stacks / f"Pulumi.{name}.yaml"
        document = yaml.safe_load(file.read_text()) | {"encryptionsalt": copy["encryptionsalt"]}
        file.write_text(yaml.safe_dump(document, sort_keys=False))
        block: Any = copy["config"]
        for part in path.split("."):
            block = block[part]
        assert set(block) == {"secure"}
        return block

    def edit(self, name: str, **config: Any) -> None:
        file = self.stacks / f"Pulumi.{name}.yaml"
        document = yaml.safe_load(file.read_text())
        for key, value in config.items():
            document["config"][f"kestra:{key.replace('_', '-')}"] = value
        file.write_text(yaml.safe_dump(document, sort_keys=False))


@pytest.fixture(scope="module")
def sandbox(tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    stacks = folder / "stacks"
    shutil.copytree(ROOT / "stacks", stacks)
    made = Sandbox(State(folder / "state"), stacks, tools)
    yield made
    made.run("down", "--purge")


@pytest.fixture(scope="module")
def local(sandbox: Sandbox) -> str:
    """Brings `local` up, with one declared secret of a given, planted value."""
    secrets = yaml.safe_load((ROOT / "stacks" / "Pulumi.local.yaml").read_text())["config"]
    path = "kestra:declared-secrets.PLANTED.value"
    planted = {"namespace": "company.team", "value": sandbox.encrypted("local", path, GIVEN)}
    declared = secrets["kestra:declared-secrets"] | {"PLANTED": planted}
    sandbox.edit("local", declared_secrets=declared)
    return sandbox.run("up", "local")


@pytest.fixture(scope="module")
def with_vault(sandbox: Sandbox, local: str) -> str:
    return sandbox.run("up", "local-vault")


def test_malformed_settings_start_nothing(tools: dict[str, Path], tmp_path: Path) -> None:
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    (stacks / "Pulumi.bad.yaml").write_text("config: {kestra:edition: ent, kestra:foo: 1}")
    made = Sandbox(State(tmp_path / "state"), stacks, tools)
    told = made.run("up", "bad", expect=1)
    assert "2 problems" in told or "3 problems" in told
    assert "kestra:foo" in told
    assert not made.state.services.exists()
    assert "There is no stack" in made.run("up", "nothing", expect=1)


def test_up_brings_the_stack_up_and_a_second_up_changes_nothing(
    sandbox: Sandbox, local: str
) -> None:
    assert "Stack local: 22 created" in local
    assert "Stack local: no change" in sandbox.run("up", "local")


def test_preview_of_a_stack_that_is_up_would_change_nothing(sandbox: Sandbox, local: str) -> None:
    assert "would change nothing" in sandbox.run("preview", "local")


def test_verify_shows_every_setting_in_a_real_kestra(
    sandbox: Sandbox, local: str, tmp_path: Path
) -> None:
    told = sandbox.run("verify", "local", "--json", str(tmp_path / "report.json"))
    assert "every check passed" in told
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["ok"] is True
    assert report["kestra"]["version"] == "1.3.31"
    assert report["kestra"]["mismatches"] == []
    assert report["kestra"]["bound"]["kestra.server.liveness.timeout"] == "bean"
    flows = {flow["id"]: flow for flow in report["flows"]}
    assert flows["my_secret_flow"]["state"] == "SUCCESS"
    assert flows["without the key"]["state"] == "REFUSED"
    assert {"secret('PLANTED')", "secret('API_TOKEN')", "secret('DATABASE_PASSWORD')"} <= set(flows)
    assert all(check["ok"] for flow in flows.values() for check in flow["checks"])


def test_a_vault_stack_comes_up_beside_it_and_verifies(
    sandbox: Sandbox, with_vault: str, tmp_path: Path
) -> None:
    assert "Stack local-vault:" in with_vault
    assert "no change" in sandbox.run("up", "local-vault")
    sandbox.run("verify", "local-vault", "--json", str(tmp_path / "report.json"))
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["ok"] is True
    assert len(report["stores"][0]["checks"]) == 8
    assert "kestra.secret.vault.address" in report["kestra"]["bound"]


def test_the_namespace_refuses_a_pod_that_violates_restricted(sandbox: Sandbox, local: str) -> None:
    plane = sandbox.plane
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "violating"},
        "spec": {"hostPID": True, "containers": [{"name": "c", "image": "busybox:1.37"}]},
    }
    url = f"{plane.url}/api/v1/namespaces/kestra/pods?dryRun=All"
    refused = plane.session().post(url, json=pod, timeout=30)
    assert refused.status_code == 403
    assert 'violates PodSecurity "restricted:latest"' in refused.json()["message"]


@pytest.mark.parametrize(
    ("name", "namespace"), [("local", "kestra"), ("local-vault", "kestra-vault")]
)
def test_the_pods_of_every_deployment_are_accepted_there(
    sandbox: Sandbox, with_vault: str, name: str, namespace: str
) -> None:
    plane = sandbox.plane
    base = f"{plane.url}/apis/apps/v1/namespaces/{namespace}/deployments"
    deployments = plane.session().get(base, timeout=30).json()["items"]
    assert len(deployments) == (1 if name == "local" else 5)
    for deployment in deployments:
        template = deployment["spec"]["template"]
        pod = {"apiVersion": "v1", "kind": "Pod", **template}
        pod["metadata"] = {**template["metadata"], "name": "from-template"}
        url = f"{plane.url}/api/v1/namespaces/{namespace}/pods?dryRun=All"
        answer = plane.session().post(url, json=pod, timeout=30)
        assert answer.status_code == 201, answer.text
        assert "Warning" not in answer.headers
        wanted = deployment["spec"]["replicas"]
        assert deployment["status"]["availableReplicas"] == wanted


def test_drift_is_seen_by_refresh_and_mended_by_up(sandbox: Sandbox, local: str) -> None:
    plane = sandbox.plane
    url = f"{plane.url}/apis/networking.k8s.io/v1/namespaces/kestra/networkpolicies/kestra-default-deny"
    assert plane.session().delete(url, timeout=30).ok
    told = sandbox.run("refresh", "local")
    assert "kestra-default-deny" in told
    assert "1 created" in sandbox.run("up", "local")
    assert plane.session().get(url, timeout=30).ok


def test_a_changed_declared_secret_makes_a_new_version_and_rolls_the_pods(
    sandbox: Sandbox, with_vault: str
) -> None:
    def annotation() -> str:
        url = f"{sandbox.plane.url}/apis/apps/v1/namespaces/kestra-vault/deployments/kestra-worker"
        template = sandbox.plane.session().get(url, timeout=30).json()["spec"]["template"]
        return template["metadata"]["annotations"]["kestra.pulumi/secret-versions"]

    before, key = annotation(), sandbox.outputs("local-vault")["generated"]["encryption.secret-key"]
    document = yaml.safe_load((sandbox.stacks / "Pulumi.local-vault.yaml").read_text())
    declared = document["config"]["kestra:declared-secrets"]
    path = "kestra:declared-secrets.API_TOKEN.value"
    value = sandbox.encrypted("local-vault", path, GIVEN)
    declared["API_TOKEN"] = {"namespace": "company.team.billing", "value": value}
    sandbox.edit("local-vault", declared_secrets=declared)
    sandbox.run("up", "local-vault")
    outputs = sandbox.outputs("local-vault")
    assert outputs["versionIds"]["API_TOKEN"] == "2"
    assert outputs["versionIds"]["DATABASE_PASSWORD"] == "1"
    assert annotation() != before
    assert outputs["generated"]["encryption.secret-key"] == key
    sandbox.run("verify", "local-vault")


def test_no_secret_is_in_any_file_log_or_message(sandbox: Sandbox, with_vault: str) -> None:
    secrets = {"given": GIVEN}
    for name in ("local", "local-vault"):
        generated = sandbox.outputs(name)["generated"]
        assert len(generated) >= 4
        secrets |= {f"{name} {key}": value for key, value in generated.items()}
    services = sandbox.state.services
    # The API server's and Vault's own stores hold them on purpose.
    stores = [services / "kubernetes" / "etcd-data", services / "vault" / "data"]
    assert search([sandbox.state.directory, sandbox.stacks], secrets, without=stores) == []
    assert search_text(sandbox.console.encode(), "console", secrets) == []
    for name in ("local", "local-vault"):
        text, environment = read_back(sandbox.plane, sandbox.outputs(name))
        assert search_text(text.encode(), "ConfigMap", secrets) == []
        assert search_text(json.dumps(environment).encode(), "Secret", secrets)


def test_no_kubernetes_object_but_the_secret_holds_a_secret(
    sandbox: Sandbox, with_vault: str
) -> None:
    generated = sandbox.outputs("local")["generated"] | {"given": GIVEN}
    session, plane = sandbox.plane.session(), sandbox.plane
    for path in (
        "api/v1/configmaps", "api/v1/pods", "api/v1/events", "api/v1/services", "api/v1/serviceaccounts",
        "apis/apps/v1/deployments", "apis/apps/v1/replicasets", "apis/networking.k8s.io/v1/networkpolicies",
    ):  # fmt: skip
        answer = session.get(f"{plane.url}/{path}", timeout=30)
        assert answer.ok
        assert search_text(answer.content, path, generated) == []


def test_the_passphrase_and_the_keys_are_readable_by_their_owner_only(
    sandbox: Sandbox, local: str
) -> None:
    state = sandbox.state.directory
    for file in (state / "passphrase", sandbox.plane.kubeconfig):
        assert file.stat().st_mode & 0o077 == 0
    assert state.stat().st_mode & 0o077 == 0


def test_status_names_what_runs(sandbox: Sandbox, local: str) -> None:
    told = sandbox.run("status")
    assert "kube-apiserver" in told
    assert "healthy" in told
    assert "local" in told


def test_after_down_the_state_goes_on_where_it_was(sandbox: Sandbox, local: str) -> None:
    key = sandbox.outputs("local")["generated"]["encryption.secret-key"]
    pids = [s.identity.pid for s in sandbox.plane.servers if s.identity]
    assert len(pids) == 5
    sandbox.run("down")
    assert [pid for pid in pids if began_at(pid) is not None] == []
    assert "no change" in sandbox.run("up", "local")
    assert sandbox.outputs("local")["generated"]["encryption.secret-key"] == key


def test_destroy_keeps_the_protected_encryption_key(sandbox: Sandbox, local: str) -> None:
    key = sandbox.outputs("local")["generated"]["encryption.secret-key"]
    told = sandbox.run("destroy", "local")
    assert "deleted" in told
    assert "Protected, and still there: generated-encryption-secret-key." in told
    assert "destroy local --unprotect" in told
    answer = sandbox.plane.session().get(
        f"{sandbox.plane.url}/api/v1/namespaces/kestra", timeout=30
    )
    assert answer.status_code == 404
    sandbox.run("up", "local")
    assert sandbox.outputs("local")["generated"]["encryption.secret-key"] == key


def test_purge_leaves_no_process_and_no_file(tools: dict[str, Path], tmp_path: Path) -> None:
    made = Sandbox(State(tmp_path / "state"), ROOT / "stacks", tools)
    made.run("preview", "local")
    pids = [s.identity.pid for s in made.plane.servers if s.identity]
    assert len(pids) == 5
    made.run("down", "--purge")
    assert [pid for pid in pids if began_at(pid) is not None] == []
    assert not made.state.directory.exists()

"""What the engine gets: a workspace of its own and an environment from scratch."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from pulumi import automation as auto
from pulumi.automation import CommandResult
from rich.console import Console

from components.redaction.secrets import Redaction
from sandbox.display import Events
from sandbox.engine.automation import Stack
from sandbox.engine.events import Recorder
from sandbox.engine.outcome import engine_errors
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.state import Last, State

TRAPS = {
    "KUBECONFIG": "/trap/kubeconfig",
    "VAULT_ADDR": "http://trap",
    "VAULT_TOKEN": "trap",
    "VAULT_NAMESPACE": "trap",
    "AWS_PROFILE": "trap",
    "AWS_ACCESS_KEY_ID": "trap",
    "AZURE_CLIENT_SECRET": "trap",
    "GOOGLE_APPLICATION_CREDENTIALS": "/trap/key.json",
    "PULUMI_ACCESS_TOKEN": "trap",
    "PULUMI_BACKEND_URL": "https://trap",
    "PULUMI_CONFIG": '{"kestra:edition": "trap"}',
    "HTTPS_PROXY": "http://trap",
}


def made(tmp_path: Path, config: dict[str, Any], *, vault: bool = False, **extra: Any) -> Stack:
    state = State(tmp_path / "state")
    state.create()
    stacks = tmp_path / "stacks"
    stacks.mkdir(exist_ok=True)
    file = stacks / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({**extra, "config": config}))
    authority = tmp_path / "ca.crt"
    authority.write_text("CERTIFICATE")
    plane: Any = SimpleNamespace(
        url="https://127.0.0.1:1",
        ca_file=authority,
        kubeconfig=tmp_path / "kubeconfig",
        reached_by_pods=lambda address: address,
    )
    server: Any = SimpleNamespace(address="http://127.0.0.1:2", root_token="root")
    return Stack(
        state,
        "dev",
        {"pulumi": tmp_path / "pulumi"},
        plane,
        server if vault else None,
        stacks=stacks,
    )


def written(stack: Stack) -> dict[str, Any]:
    stack.write_workspace()
    return yaml.safe_load(stack._file.read_text())


def test_the_users_stack_file_stays_as_it_is_and_the_copy_has_the_sandboxs_addresses(
    tmp_path: Path,
) -> None:
    secret = {"type": "vault", "vault": {"address": "https://vault.example", "kubernetes": {}}}
    stack = made(tmp_path, {"kestra:edition": "enterprise", "kestra:secret": secret}, vault=True)
    before = (tmp_path / "stacks" / "Pulumi.dev.yaml").read_bytes()
    config = written(stack)["config"]
    assert config["kestra:secret"]["vault"] == {"address": "http://127.0.0.1:2", "kubernetes": {}}
    assert config["kestra:identity"]["vault"]["kubernetes-host"] == "https://127.0.0.1:1"
    assert config["kestra:identity"]["vault"]["kubernetes-ca-certificate"] == "CERTIFICATE"
    assert (tmp_path / "stacks" / "Pulumi.dev.yaml").read_bytes() == before


def test_a_stack_without_vault_gets_no_address(tmp_path: Path) -> None:
    assert written(made(tmp_path, {"kestra:edition": "oss"}))["config"] == {"kestra:edition": "oss"}


def test_the_salt_of_the_copy_is_kept_and_changed_settings_arrive(tmp_path: Path) -> None:
    stack = made(tmp_path, {"kestra:edition": "oss"})
    stack._file.parent.mkdir(parents=True)
    stack._file.write_text("encryptionsalt: v1:of-the-sandbox\nconfig: {kestra:edition: oss}\n")
    stack = made(tmp_path, {"kestra:version": "2.0"}, encryptionsalt="v1:of-the-user")
    assert written(stack) == {
        "encryptionsalt": "v1:of-the-sandbox",
        "config": {"kestra:version": "2.0"},
    }


def test_the_users_key_is_not_asked_for(tmp_path: Path) -> None:
    stack = made(tmp_path, {}, encryptionsalt="v1:x", secretsprovider="awskms://key")
    assert written(stack) == {"config": {}}


@pytest.mark.parametrize(
    "value", [{"secure": "v1:xx"}, {"deep": [{"password": {"secure": "v1:xx"}}]}]
)
def test_encrypted_values_are_refused_with_a_sentence(tmp_path: Path, value: object) -> None:
    stack = made(tmp_path, {"kestra:server": value})
    with pytest.raises(SandboxError, match=r"Pulumi\.dev\.yaml holds encrypted values"):
        stack.write_workspace()


def test_the_environment_has_nothing_of_the_callers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in TRAPS.items():
        monkeypatch.setenv(name, value)
    environment = made(tmp_path, {}, vault=True).environment()
    assert not [name for name, value in environment.items() if "trap" in value]
    assert environment["VAULT_ADDR"] == "http://127.0.0.1:2"
    assert environment["PULUMI_BACKEND_URL"] == f"file://{tmp_path / 'state' / 'backend'}"
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"
    assert "VAULT_ADDR" not in made(tmp_path, {}).environment()


def test_the_engines_words_are_its_errors_and_nothing_else() -> None:
    result = CommandResult("@ updating....\n", "error: failed to load checkpoint: EOF\n", 1)
    assert engine_errors(auto.CommandError(result)) == "failed to load checkpoint: EOF"
    killed = auto.CommandError(CommandResult("Pl4nted output", "", -9))
    assert engine_errors(killed) == "The engine was killed. Run the same command again to go on."


def test_the_sdks_debug_lines_which_quote_secrets_are_kept_nowhere(tmp_path: Path) -> None:
    stack = made(tmp_path, {})
    stack.folder.mkdir(parents=True)
    console = Console(file=io.StringIO())
    events = Events(Progress(console))
    act = Recorder(stack.folder / "events.jsonl", Redaction(), events)
    for severity, message in (("debug", "props=Pl4nted"), ("warning", "a warning")):
        told = SimpleNamespace(severity=severity, message=message, urn="", ephemeral=False)
        act(
            SimpleNamespace(
                sequence=1,
                timestamp=2,
                resource_pre_event=None,
                res_outputs_event=None,
                res_op_failed_event=None,
                diagnostic_event=told,
                policy_event=None,
                stdout_event=None,
            )
        )
    kept = (stack.folder / "events.jsonl").read_text()
    assert "a warning" in kept
    assert "Pl4nted" not in kept
    assert events.warnings == ["a warning"]


def test_how_the_last_operation_ended_is_kept(tmp_path: Path) -> None:
    assert Last.read(tmp_path) is None
    last = Last("up", "succeeded", 1.5, 2.5, {"create": 3}, {"namespace": "kestra"})
    last.write(tmp_path)
    assert Last.read(tmp_path) == last
    (tmp_path / "last.json").write_text("{}")
    assert Last.read(tmp_path) is None


def test_the_engine_finds_plugins_where_the_caller_has_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack, seen = made(tmp_path, {}), {}
    engine = tmp_path / "pulumi"
    engine.write_text("#!/bin/sh\necho 3.259.0\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"/own/plugins{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(auto, "create_or_select_stack", lambda *_, **__: seen.update(os.environ))
    with stack._selected():
        pass
    assert "/own/plugins" in seen["PATH"].split(os.pathsep)
    assert seen["PULUMI_HOME"] == str(tmp_path / "state" / "pulumi")
    assert os.environ["PATH"].startswith("/own/plugins")


@pytest.mark.parametrize(("is_replaced", "goes_on"), [(False, True), (True, False)])
def test_after_a_failed_update_with_replaced_objects_the_next_one_stops_at_its_first_failure(
    is_replaced: bool, goes_on: bool, tmp_path: Path
) -> None:
    resources = [{"urn": "a"}, {"urn": "a", "delete": is_replaced}]
    exported = SimpleNamespace(stdout=json.dumps({"deployment": {"resources": resources}}))
    command = SimpleNamespace(run=lambda *_: exported)
    asked: dict[str, Any] = {}
    engine: Any = SimpleNamespace(
        workspace=SimpleNamespace(pulumi_command=command, work_dir=str(tmp_path)),
        up=lambda **options: asked.update(options),
    )
    stack = made(tmp_path, {})
    stack._recover(engine)
    stack.update(engine, {})
    assert asked["continue_on_error"] is goes_on

"""The program: nothing is registered for bad settings, secrets are marked, only what is needed is imported."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pulumi
import pytest
from pulumi.runtime import stack as sdk

from components import program, tags
from components.backends.aws.tag_limits import AWS_TAGS
from components.backends.azure.tag_limits import AZURE_TAGS
from components.backends.gcp.tag_limits import GOOGLE_LABELS
from components.backends.vault.store import policy_text
from components.backends.vault.tag_limits import VAULT_METADATA
from components.settings import SettingsError
from components.settings.tag_rules import KUBERNETES_LABELS, TagLimits
from components.validation import load
from tests.components.recording_support import Recorder, _test, run
from tests.conftest import ROOT, stack_document


def _configure(document: dict[str, Any]) -> Recorder:
    recorder = Recorder()
    pulumi.runtime.set_mocks(recorder, project="kestra", stack="test", preview=False)
    config = {
        f"kestra:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in document.items()
    }
    pulumi.runtime.set_all_config(config)
    return recorder


def test_bad_settings_register_nothing_and_report_everything() -> None:
    document = stack_document("local") | {
        "secret": {"type": "jdbc"},
        "tags": {"environment": "prod"},
    }
    recorder = _configure(document)
    with pytest.raises(pulumi.RunError) as caught:
        program.deploy()
    assert "kestra:secret" in str(caught.value)
    assert "kestra:tags.environment" in str(caught.value)
    assert recorder.resources == {}


def test_a_text_where_a_block_belongs_is_reported() -> None:
    _configure({"edition": "oss", "server": "hello"})
    with pytest.raises(pulumi.RunError, match="kestra:server: is not a block of keys"):
        program.deploy()


def test_a_first_level_key_that_nobody_knows_is_reported() -> None:
    _configure(stack_document("local") | {"sercet": {"type": "vault"}})
    with pytest.raises(pulumi.RunError, match=r"kestra:sercet: is no known key.*secret"):
        program.deploy()


def test_the_program_reads_what_pulumi_hands_on() -> None:
    _configure(stack_document("local") | {"version": "2"})
    settings = program.read_settings().settings
    assert settings.version == "2.0"
    assert settings.server.basic_auth is not None


#: Stack to the SDKs of clouds that its program loads, beside what every stack loads.
SDKS = {
    "local": [],
    "local-vault": ["pulumi_vault"],
    "example-google-secret-manager": ["pulumi_gcp"],
    "example-aws-secret-manager": ["pulumi_aws"],
    "example-aws-ssm-parameter-store": ["pulumi_aws"],
    "example-azure-key-vault": ["pulumi_azure_native"],
}
_LOADING = """
import json, sys
from components.program import build
from components.validation import load_file
from sandbox.inspection.recorder import preview

settings = load_file(f"stacks/Pulumi.{sys.argv[1]}.yaml").settings
preview(lambda: build(settings), "test")
print(json.dumps([module for module in sys.argv[2:] if module in sys.modules]))
"""


@pytest.mark.parametrize("stack", SDKS)
def test_only_the_sdk_of_the_chosen_store_is_loaded(stack: str) -> None:
    clouds = sorted({sdk for sdks in SDKS.values() for sdk in sdks})
    command = [sys.executable, "-c", _LOADING, stack, *clouds]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == SDKS[stack]


def test_the_settings_and_the_rendering_know_nothing_of_pulumi() -> None:
    code = "import sys, components.settings, components.rendering.configuration; from components.backends.registry import all_backends; all_backends(); print('pulumi' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_policies_have_exactly_the_paths_and_capabilities_of_the_mode() -> None:
    read_only = policy_text("kestra", mode="read-only")
    assert read_only == (
        'path "kestra/data/*" {\n  capabilities = ["read", "list"]\n}\n'
        'path "kestra/metadata/*" {\n  capabilities = ["read", "list"]\n}\n'
    )
    managed = policy_text("kestra", mode="managed")
    assert managed.count('"create", "read", "update", "delete", "list"') == 2
    assert managed.count("path ") == 2


def test_a_secret_id_has_the_limits_of_its_role() -> None:
    document = stack_document("local-vault")
    document["secret"] = {
        "type": "vault",
        "read-only": True,
        "vault": {"address": "https://v:8200", "app-role": {}},
    }
    recorded = run(document)
    (role,) = (i for n, i in recorded.of("AuthBackendRole").items())
    (secret_id,) = recorded.of("AuthBackendRoleSecretId").values()
    assert role["secretIdTtl"] == secret_id["ttl"] == 720 * 3600
    assert role["secretIdNumUses"] == secret_id["numUses"] == 1000
    assert role["tokenTtl"] <= role["tokenMaxTtl"]


def test_a_given_credential_is_used_and_nothing_is_provisioned_for_it() -> None:
    document = stack_document("local-vault")
    block = {"address": "https://v:8200", "app-role": {"role-id": "r", "secret-id": "s"}}
    document["secret"] = {"type": "vault", "read-only": True, "vault": block}
    recorded = run(document)
    assert recorded.of("AuthBackendRole") == {}
    assert recorded.of("AuthBackend") == {}


TAGS = {"application": "kestra", "owner": "Team A"}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (AWS_TAGS, TAGS),
        (AZURE_TAGS, TAGS),
        (VAULT_METADATA, TAGS),
        (GOOGLE_LABELS, None),
        (KUBERNETES_LABELS, None),
    ],
)
def test_a_tag_is_translated_or_refused_with_the_limit(
    limits: TagLimits, expected: dict[str, str] | None
) -> None:
    if expected is not None:
        assert tags.translate(TAGS, limits) == expected
        return
    with pytest.raises(ValueError, match="63"):
        tags.translate(TAGS, limits)


def test_a_tag_that_the_store_cannot_hold_is_a_problem_of_the_settings() -> None:
    document = stack_document("local-vault")
    document["tags"] = {"additional": {"team": "ünïcode"}}
    document["secret"] = {"type": "google-secret-manager", "read-only": True}
    with pytest.raises(SettingsError, match="Google Cloud labels"):
        load(document, source="f")


@pytest.mark.parametrize("edition", ["oss", "enterprise"])
def test_no_declared_name_collides_with_another_resource(edition: str) -> None:
    document = stack_document("local" if edition == "oss" else "local-vault")
    names = [
        "ENCRYPTION_KEY",
        "ENGINE",
        "SERVER_BASIC_AUTH_PASSWORD",
        "ENDPOINTS_ALL_BASIC_AUTH_PASSWORD",
    ]
    document["declared-secrets"] = {n: {"namespace": "a", "generate": {}} for n in names}
    urns = [(type_, name) for name, (type_, _) in run(document).resources.items()]
    generated = {n for t, n in urns if t == "random:index/randomPassword:RandomPassword"}
    assert {f"generated-declared-{n}" for n in names} <= generated
    assert "generated-endpoints-all-basic-auth-password" in generated
    written = {n for t, n in urns if t == "vault:kv/secretV2:SecretV2"}
    if edition == "enterprise":
        assert written == {"store-encryption-key", *(f"store-declared-{n}" for n in names)}


def test_a_placeholder_of_the_encryption_key_is_not_kept_as_if_it_were_the_key() -> None:
    document = stack_document("local-vault") | {"encryption": {"secret-key": "${KESTRA_KEY}"}}
    recorded = run(document)
    assert len(recorded.of("SecretV2")) == 2
    assert not [n for n in recorded.resources if "encryption" in n]


def test_secrets_are_declared_only_where_the_stack_can_write_them() -> None:
    document = stack_document("local-vault")
    document["secret"] = {"type": "aws-secret-manager", "read-only": True}
    with pytest.raises(SettingsError, match=r"add kestra:store\.aws"):
        load(document, source="f")


def test_what_was_generated_is_the_one_secret_output() -> None:
    for stack in ("local", "local-vault"):
        recorded = run(stack_document(stack))
        assert recorded.secret_outputs == {"generated"}
        assert "encryption.secret-key" in recorded.outputs["generated"]


def test_the_address_is_that_of_the_settings() -> None:
    assert run(stack_document("local")).outputs["endpoint"] == "http://kestra-web.kestra.svc"
    document = stack_document("local")
    document["deployment"] = {"url": "https://kestra.example.com/"}
    assert run(document).outputs["endpoint"] == "https://kestra.example.com/"


def test_every_registration_is_answered_before_the_sdk_waits_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, answered = list[Any](), list[str]()
    monkeypatch.setattr(pulumi, "export", lambda name, value: None)
    monkeypatch.setattr(pulumi, "run", begin.append)
    monkeypatch.setattr(program, "register_error_hook", lambda _: None)  # mocks know no hooks
    monkeypatch.setattr(program, "watched", lambda _: None)
    original, waited = sdk.wait_for_rpcs, list[int]()

    async def wait(*arguments: Any) -> None:
        waited.append(len(sdk._get_rpc_manager().rpcs))  # pyright: ignore[reportPrivateImportUsage]
        await original(*arguments)

    monkeypatch.setattr(sdk, "wait_for_rpcs", wait)
    recorder = _configure(stack_document("local"))

    async def act() -> None:
        program.deploy()
        for each in begin:
            await each()
        answered.extend(recorder.resources)

    _test(act)
    assert len(recorder.resources) > 5
    assert waited[0] >= len(recorder.resources)
    # Hooks are answered until then.
    assert len(answered) == len(recorder.resources)


@pytest.mark.parametrize(
    "image",
    [{"tag": "v1.3.5"}, {"digest": "sha256:" + "a" * 64}, {"tag": "v1.3"}, {"tag": "v1.3.31"}],
)
def test_the_engines_way_warns_of_known_holes_as_the_check_does(image: dict[str, str]) -> None:
    document: dict[str, Any] = stack_document("local")
    document["deployment"] = {**document["deployment"], "image": image}
    _configure(document)
    warnings = [(w.path, w.message, w.fix) for w in program.read_settings().warnings]
    expected = load(document, source="Pulumi.test.yaml").warnings
    assert warnings == [(w.path, w.message, w.fix) for w in expected]
    assert bool(warnings) is (image != {"tag": "v1.3.31"})

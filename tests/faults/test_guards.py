"""What cannot be had back is not lost by an update that did not say so; and each refusal has a way through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from components.safeguards.irreversible_changes import (
    confirmation_token,
    find_losses,
    fingerprint,
    refusal,
    snapshot,
)
from components.settings import Settings
from components.validation import load
from sandbox.services import AwsServer, Vault
from tests.components.inventory_support import documents
from tests.components.recording_support import run
from tests.conftest import stack_document
from tests.faults.taken_support import FaultStack, program
from tests.settings.keys_support import has_key

STACKS = documents()
KEY, OTHER = "Pl4ntedKeyA" + "A" * 32 + "=", "Pl4ntedKeyB" + "B" * 32 + "="
VALUE = "Pl4nted-Value-Zq81"
Document = dict[str, Any]


def _facts(document: Document, key: str | None = KEY) -> dict[str, Any]:
    facts = snapshot(load(deepcopy(document), source="test").settings)
    return facts | ({"encryptionKey": fingerprint(key)} if key else {})


def _stack(example: str, environment: str | None = None) -> Document:
    document: Document = deepcopy(stack_document(example))
    if environment is not None:
        document["tags"]["environment"] = environment
    return document


def _set(*path: str, to: Any) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        *above, last = path
        for step in above:
            document = document.setdefault(step, {})
        document[last] = to

    return change


AWS, SSM, AZURE, GOOGLE, VAULT = (
    "example-aws-secret-manager",
    "example-aws-ssm-parameter-store",
    "example-azure-key-vault",
    "example-google-secret-manager",
    "staging",
)
MOVED = [
    (VAULT, _set("secret", "vault", "root-engine", to="other"), "secret.vault.root-engine would change from kestra-staging to other"),
    (VAULT, _set("secret", "vault", "secret-path-prefix", to="p"), "secret.vault.secret-path-prefix would change from nothing to p"),
    (VAULT, _set("identity", "vault", "mount-engine", to=False), "identity.vault.mount-engine"),
    (AWS, _set("secret", "aws-secret-manager", "region", to="eu-north-1"), "secret.aws-secret-manager.region"),
    (AWS, _set("secret", "aws-secret-manager", "prefix", to="other"), "secret.aws-secret-manager.prefix"),
    (AWS, _set("store", "aws", "kms", to={"arn": "arn:aws:kms:eu-west-1:111122223333:key/a"}), "store.aws.kms.arn"),
    (SSM, _set("deployment", "namespace", to="other"), "deployment.namespace"),
    (AZURE, _set("secret", "azure-key-vault", "vault-name", to="another-kv"), "secret.azure-key-vault.vault-name"),
    (AZURE, _set("store", "azure", "resource-group", to="other"), "store.azure.resource-group"),
    (AZURE, _set("store", "azure", "recovery-vault-name", to="other-rec"), "store.azure.recovery-vault-name"),
    (GOOGLE, _set("secret", "google-secret-manager", "project", to="other-project"), "secret.google-secret-manager.project"),
    (GOOGLE, _set("store", "gcp", "kms", to={"enabled": False}), "store.gcp.kms.enabled"),
    (GOOGLE, _set("store", "gcp", "regions", to=["europe-west9"]), "store.gcp.regions"),
    (VAULT, lambda d: d["declared-secrets"].pop("API_TOKEN"), "declared-secrets.API_TOKEN is gone"),
    (VAULT, _set("declared-secrets", "API_TOKEN", "namespace", to="company.other"), "declared-secrets.API_TOKEN would move"),
    (VAULT, _set("declared-secrets", "API_TOKEN", to={"namespace": "company.team.billing", "external": True}), "declared-secrets.API_TOKEN becomes external"),
    (VAULT, _set("secret", to={"type": "jdbc"}), "Kestra reads its secrets from vault"),
]  # fmt: skip


@pytest.mark.parametrize(("example", "change", "says"), MOVED, ids=[m[2] for m in MOVED])
def test_a_change_that_loses_secrets_is_a_loss(
    example: str, change: Callable[[Document], object], says: str
) -> None:
    document = _stack(example)
    before = _facts(document)
    change(document)
    if "jdbc" in says or document["secret"] == {"type": "jdbc"}:
        # Kestra alone writes there.
        document.pop("store", None)
        document["declared-secrets"] = {}
    told = refusal(before, _facts(document), None)
    assert says in told
    assert "docs/guards.md" in told


@pytest.mark.parametrize("stack", STACKS)
def test_every_setting_that_a_guard_names_exists(stack: str) -> None:
    settings = load(deepcopy(STACKS[stack]), source="test").settings
    for place in snapshot(settings)["stores"].values():
        for path in place:
            assert has_key(Settings, path), path


@pytest.mark.parametrize("stack", STACKS)
def test_nothing_is_lost_where_nothing_changes_and_nothing_secret_is_kept(stack: str) -> None:
    document = STACKS[stack]
    facts = _facts(document)
    assert find_losses(facts, deepcopy(facts)) == []
    assert KEY not in json.dumps(facts)
    values = [d.get("value") for d in document.get("declared-secrets", {}).values()]
    assert not [v for v in values if v and str(v) in json.dumps(facts)]


def test_development_is_not_guarded_but_what_is_left_or_entered_is() -> None:
    document = _stack("local-vault", "development")
    after = document | {"declared-secrets": {}}
    assert find_losses(_facts(document), _facts(after, OTHER)) == []
    assert find_losses(_facts(_stack("local-vault", "staging")), _facts(after, OTHER)) != []


def test_the_end_of_kestra_in_its_own_stack_is_refused() -> None:
    document = _stack("local-vault", "staging")
    team = {
        "edition": "enterprise",
        "deployment": {"enabled": False},
        "secret": {"type": "vault", "read-only": True, "vault": {"address": "http://v:8200", "root-engine": "kestra"}},
        "identity": {"vault": {"mount-engine": True}},
        "store": {"teams": {"team": {"namespaces": ["company.team"]}}},
        "declared-secrets": document["declared-secrets"],
    }  # fmt: skip
    message = refusal(_facts(document), _facts(team, None), None)
    assert message.count("\n- ") == 1
    assert "kestra:deployment.enabled would become false" in message


def test_a_word_lets_one_change_pass_and_no_other() -> None:
    document = _stack(VAULT)
    before, changed = _facts(document), _facts(document, OTHER)
    accepted = confirmation_token(find_losses(before, changed))
    assert refusal(before, changed, accepted) == ""
    # The key that is not known at preview is the same change as the one made of it.
    assert refusal(before, {**changed, "encryptionKey": object()}, accepted) == ""
    # Left on by accident, it does not let the key go back, nor anything else.
    assert accepted in refusal(changed, before, accepted)
    fewer = document | {"declared-secrets": {}}
    assert "was for another change" in refusal(before, _facts(fewer, OTHER), accepted)


def test_the_internal_store_s_own_key_is_guarded_too() -> None:
    document = _stack("local") | {"edition": "enterprise", "secret": {"type": "jdbc"}}
    document.pop("declared-secrets")
    document["tags"]["environment"] = "staging"
    before = _facts(document) | {"internalKey": "11111111"}
    told = refusal(before, before | {"internalKey": "22222222"}, None)
    assert "kestra:secret.jdbc.secret would change" in told


def test_no_setting_changes_how_the_encryption_key_is_made() -> None:
    made = {}
    for stack, document in STACKS.items():
        for request, inputs in run(deepcopy(document)).registered.values():
            if request.name == "generated-encryption-secret-key":
                made[stack] = json.dumps(inputs, sort_keys=True)
                assert request.protect
                assert request.retainOnDelete
    assert len(made) > 10
    assert len(set(made.values())) == 1


OSS: Document = {
    "edition": "oss",
    "server": {"basic-auth": {"username": "admin@example.com"}},
    "declared-secrets": {"TOKEN": {"namespace": "company.team", "value": VALUE}},
    "tags": {"environment": "production", "owner": "platform"},
    "encryption": {"secret-key": KEY},
    "deployment": {"image": {"tag": "v1.3.31", "digest": "sha256:" + "0" * 64}},
}


def _accepted(document: Document, told: str) -> Document:
    """The settings with the word that a refusal asked for."""
    match = re.search(r"set kestra:deployment\.accept to (ok-[0-9a-f]{8})", told)
    assert match, told
    made = deepcopy(document)
    made["deployment"]["accept"] = match[1]
    return made


def _state(stack: FaultStack) -> dict[str, Any]:
    """URN to inputs of all that the state has; a provider may be asked where it works, whatever comes after."""
    deployment = stack._with(lambda: None).export_stack().deployment or {}
    inputs_by_urn = {r["urn"]: r.get("inputs") for r in deployment["resources"]}
    return {
        urn: inputs for urn, inputs in inputs_by_urn.items() if "::pulumi:providers:" not in urn
    }


def _urns(stack: FaultStack, part: str) -> list[str]:
    deployment = stack._with(lambda: None).export_stack().deployment or {}
    return [r["urn"] for r in deployment["resources"] if r.get("protect") and part in r["urn"]]


@pytest.mark.engine
def test_the_encryption_key(tmp_path: Path, tools: dict[str, Path]) -> None:
    stack = FaultStack(tmp_path, tools["pulumi"], [], {})
    assert stack.act("up", program(OSS)) == ""
    before = _state(stack)
    other = OSS | {"encryption": {"secret-key": OTHER}}
    for operation in ("preview", "up"):
        told = stack.act(operation, program(other))
        assert f"fingerprint {fingerprint(KEY)} goes, {fingerprint(OTHER)} comes" in told
        assert _state(stack) == before

    accepted = _accepted(other, told)
    assert stack.act("up", program(accepted)) == ""
    assert stack.up(program(accepted))[0] == {}
    # The word is still there, and lets nothing else pass.
    assert "refused" in stack.act("preview", program(_accepted(OSS, told)))

    # From here on the key is the stack's own, as by default.
    generated = accepted | {"encryption": {}}
    made = _accepted(generated, stack.act("preview", program(generated)))
    assert stack.act("up", program(made)) == ""
    (random,) = _urns(stack, "generated-encryption-secret-key")
    key = stack._with(lambda: None).outputs()["generated"].value["encryption.secret-key"]

    # Lost from the state: no new one is made in its place.
    stack.lose(random)
    for operation in ("preview", "up"):
        told = stack.act(operation, program(made))
        assert "kestra:encryption.secret-key would change" in told
    assert stack.act("up", program(made | {"encryption": {"secret-key": key}})) != ""
    (random,) = _urns(stack, "generated-encryption-secret-key")
    stack.unprotect(random)
    back = program(made | {"encryption": {"secret-key": key}})
    assert stack.act("up", back) == ""
    assert stack.up(back)[0] == {}
    for secret in (KEY, OTHER, key, VALUE):
        assert secret not in stack.told


@pytest.fixture
def vault_and_aws(
    tmp_path: Path, vault_server: Vault, aws_server: AwsServer, tools: dict[str, Path]
) -> Iterator[FaultStack]:
    environment = {
        "VAULT_ADDR": vault_server.address,
        "VAULT_TOKEN": vault_server.root_token,
        **aws_server.environment,
    }
    stack = FaultStack(tmp_path, tools["pulumi"], ["vault", "aws"], environment)
    yield stack
    stack.unprotect()
    assert stack.act("destroy") == ""


@pytest.mark.engine
def test_backends_stores_and_the_whole_stack(vault_and_aws: FaultStack) -> None:
    stack = vault_and_aws
    in_vault: Document = {
        "type": "vault",
        "read-only": True,
        "vault": {"address": "https://vault.example.com:8200", "root-engine": "guarded"},
    }
    in_aws: Document = {
        "type": "aws-secret-manager",
        "read-only": True,
        "aws-secret-manager": {"prefix": "guarded", "region": "eu-west-1"},
    }
    irsa = {"oidc-provider-arn": "arn:aws:iam::123456789012:oidc-provider/issuer.example.com"}
    base = OSS | {
        "edition": "enterprise",
        "identity": {"vault": {"reach-cluster": False}, "aws": {"irsa": irsa}},
        "deployment": OSS["deployment"] | {"namespace": "guarded"},
    }
    del base["server"]
    before = base | {"secret": in_vault, "identity": {"vault": {"reach-cluster": False}}}
    assert stack.act("up", program(before)) == ""
    first = _state(stack)

    # The store itself, and the backend, at preview already; and nothing of an update is done.
    moved = deepcopy(before)
    moved["secret"]["vault"]["root-engine"] = "elsewhere"
    at_once = base | {"secret": in_aws, "store": {"aws": {}}}
    for document, says in (
        (moved, "secret.vault.root-engine would change from guarded to elsewhere"),
        (at_once, "Kestra reads its secrets from vault, and the declared secrets TOKEN and"),
    ):
        assert says in stack.act("preview", program(document))
        assert says in stack.act("up", program(document))
        assert _state(stack) == first

    # By the steps of docs/moving.md nothing is refused but what is protected.
    both = base | {"secret": in_vault, "store": {"aws": {}, "also": in_aws}}
    swapped = base | {"secret": in_aws, "store": {"aws": {}, "also": in_vault}}
    assert stack.act("up", program(both)) == ""
    assert stack.act("up", program(swapped)) == ""
    assert "pulumi state unprotect" in stack.act("preview", program(at_once))
    stack.unprotect(*_urns(stack, "VaultStore"))
    assert stack.act("up", program(at_once)) == ""

    # The store's place, with its KMS key, in AWS: refused by the guard, and by the engine after the word.
    elsewhere = deepcopy(at_once)
    elsewhere["secret"]["aws-secret-manager"]["region"] = "eu-north-1"
    told = stack.act("preview", program(elsewhere))
    assert "secret.aws-secret-manager.region would change from eu-west-1 to eu-north-1" in told
    worded = _accepted(elsewhere, told)
    assert "marked for protection" in stack.act("preview", program(worded))
    worded["deployment"]["protect"] = False
    assert stack.act("up", program(worded)) == ""
    assert stack.up(program(worded))[0] == {}

    # The stack: the engine deletes nothing that is protected; unprotected by the setting, the key alone stays.
    del worded["deployment"]["protect"]
    assert stack.act("up", program(worded)) == ""
    told = stack.act("preview_destroy")
    assert "cannot be deleted" in told
    assert "pulumi state unprotect" in told
    worded["deployment"]["protect"] = False
    assert stack.act("up", program(worded)) == ""
    assert stack.act("destroy", exclude_protected=True) == ""
    assert VALUE not in stack.told


def test_a_state_of_before_the_guard_is_not_refused() -> None:
    settings = load(_stack(VAULT), source="test").settings
    assert refusal({}, snapshot(settings), None) == ""

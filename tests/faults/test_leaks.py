"""No secret is anywhere but in its stores, whatever is done with a stack and however it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import yaml

from sandbox.leak_scan.scan import Search
from tests.faults.leaks_support import Searched
from tests.faults.planted_support import plant, stacks, values, wrong

pytestmark = pytest.mark.engine

STEPS = (
    "preview", "up", "up of open source", "up on AWS", "refresh", "an error in the settings",
    "a violation of a policy", "a failed update", "report", "report of open source", "report on AWS", "status",
    "destroy of open source", "destroy", "destroy on AWS", "down",
)  # fmt: skip
#: Stack to a planted value of its Secret.
IN_SECRET = {
    "leaks-vault": "management",
    "leaks-oss": "basic auth",
    "leaks-aws": "aws session token",
}
NAMES = ("leaks-vault", "leaks-oss", "leaks-aws")


def refuse_secrets(sandbox: Searched) -> None:
    """From now on the API server refuses Secrets of a namespace, and quotes one of their values."""
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "quoting"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "leaks-oss"}},
            },
            "validations": [
                {"expression": "false", "messageExpression": "'forbidden value ' + string(object.data['SECRET_GIVEN'])"}
            ],
        },
    }  # fmt: skip
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "quoting"},
        "spec": {"policyName": "quoting", "validationActions": ["Deny"]},
    }
    base = "/apis/admissionregistration.k8s.io/v1"
    for path, body in (("policies", policy), ("policybindings", binding)):
        answer = sandbox.call("POST", f"{base}/validatingadmission{path}", body)
        assert answer.ok, answer.text
    tried = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tried"}, "stringData": {"SECRET_GIVEN": "quoted"},
    }  # fmt: skip
    deadline = time.monotonic() + 60
    while "forbidden value" not in (
        said := sandbox.call("POST", "/api/v1/namespaces/leaks-oss/secrets?dryRun=All", tried).text
    ):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def accept_secrets(sandbox: Searched) -> None:
    for kind in ("policybindings", "policies"):
        path = f"/apis/admissionregistration.k8s.io/v1/validatingadmission{kind}/quoting"
        assert sandbox.call("DELETE", path).ok


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    """Every planted value by its stack and setting."""
    documents = {**stacks(), "wrong": wrong()}
    found = {f"{n} {key}": value for n, d in documents.items() for key, value in values(d).items()}
    misplaced = ("tag", "duration", "name", "block", "choice", "edition")
    found |= {f"wrong {place}": plant(f"wrong {place}") for place in misplaced}
    return found | {"leaks-oss later": plant("later")}


@pytest.fixture(scope="module")
def story(
    tools: dict[str, Path], tmp_path_factory: pytest.TempPathFactory, planted: dict[str, str]
) -> Searched:
    """Every command on the three stacks, each with a search of everything during and after it."""
    sandbox = Searched(tmp_path_factory.mktemp("leaks"), tools, Search(planted))
    try:
        tell(sandbox)
    finally:
        sandbox.run("down", "down")
    return sandbox


def tell(sandbox: Searched) -> None:
    documents, mandatory = stacks(), sandbox.folder / "policy.json"
    for name, document in {**documents, "leaks-wrong": wrong()}.items():
        sandbox.write(name, document)
    mandatory.write_text(json.dumps({"ks-kubernetes-07": "mandatory"}))
    sandbox.run("preview", "preview", "leaks-vault")
    sandbox.run("up", "up", "leaks-vault")
    sandbox.run("up of open source", "up", "leaks-oss")
    sandbox.run("up on AWS", "up", "leaks-aws")
    learn_generated(sandbox)
    for name in NAMES:
        sandbox.exported[name] = (sandbox.export(name), sandbox.export(name, "--show-secrets"))
        sandbox.held[name] = sandbox.secret_of(name)
    sandbox.run("refresh", "refresh", "leaks-vault")
    sandbox.run("an error in the settings", "up", "leaks-wrong", expect=1)
    arguments = ("up", "leaks-vault", "--policy-config", str(mandatory))
    sandbox.run("a violation of a policy", *arguments, expect=1)
    refuse_secrets(sandbox)
    later = {"namespace": "company.team", "value": plant("later")}
    documents["leaks-oss"]["config"]["kestra:declared-secrets"]["LATER"] = later
    sandbox.write("leaks-oss", documents["leaks-oss"])
    sandbox.run("a failed update", "up", "leaks-oss", expect=1)
    accept_secrets(sandbox)
    sandbox.run("report", "report", "leaks-vault")
    sandbox.run("report of open source", "report", "leaks-oss")
    sandbox.run("report on AWS", "report", "leaks-aws")
    sandbox.run("status", "status")
    sandbox.run("destroy of open source", "destroy", "leaks-oss")
    sandbox.run("destroy", "destroy", "leaks-vault")
    sandbox.run("destroy on AWS", "destroy", "leaks-aws")


def learn_generated(sandbox: Searched) -> None:
    """From now on what the stacks generated is searched for too, also in what was written before."""
    made = {"passphrase": sandbox.state.passphrase()}
    made["root token of Vault"] = sandbox.stores["root token"].read_text()
    for name in NAMES:
        generated = sandbox.stack(name).outputs()["generated"].value
        made |= {f"{name} generated {key}": value for key, value in generated.items()}
    sandbox.looking.add(made)


@pytest.mark.parametrize("step", STEPS)
def test_no_secret_is_anywhere_after(story: Searched, step: str) -> None:
    assert story.found[step] == []


def test_what_was_told_before_holds_nothing_that_was_generated_later(story: Searched) -> None:
    told = "\n".join(story.told.values())
    assert "Stack leaks-vault: " in told
    assert story.looking.text(told.encode(), "console") == []


def test_nothing_else_was_done(story: Searched) -> None:
    assert set(story.found) == set(STEPS)
    print(
        f"{story.looking.secrets} secrets in {story.looking.forms} forms, {story.looking.places} places,"
        f" {story.looking.bytes / 1e6:.1f} MB, {story.kinds} kinds of Kubernetes objects,"
        f" processes: {', '.join(sorted(story.processes))}"
    )


def test_the_processes_that_were_looked_at_are_all_there_are(story: Searched) -> None:
    words = " ".join(story.processes)
    for name in (
        "pulumi", "sandbox.providers.kubernetes", "sandbox.providers.vault", "sandbox.providers.random",
        "sandbox.providers.aws", "pulumi.policy", "etcd", "kube-apiserver", "vault", "moto.server", "kwok",
    ):  # fmt: skip
        assert name in words
    assert story.dumping == set()
    assert story.dumps() == []


def test_the_objects_that_were_looked_at_are_of_every_kind(story: Searched) -> None:
    wanted = {
        "v1/secrets",
        "v1/configmaps",
        "v1/pods",
        "v1/events",
        "apps/v1/deployments",
        "apps/v1/replicasets",
    }
    assert wanted <= story.objects
    assert story.kinds > 50


@pytest.mark.parametrize("name", NAMES)
def test_the_places_that_hold_secrets_on_purpose_hold_them(story: Searched, name: str) -> None:
    (plain, shown), held = story.exported[name], story.held[name]
    assert story.looking.text(plain.encode(), "export") == []
    found = {leak.name for leak in story.looking.text(shown.encode(), "export with secrets")}
    settings = [
        key for key in story.looking.names if key.startswith(f"{name} ") and "later" not in key
    ]
    # What is generated for a declared secret that Kestra reads from its store is in the state too.
    assert set(settings) <= found
    in_secret = {
        leak.name for leak in story.looking.text("\n".join(held.values()).encode(), "Secret")
    }
    declared = () if name == "leaks-oss" else ("declared-secrets",)
    assert {key for key in settings if not any(word in key for word in declared)} <= in_secret
    kept = b"".join(f.read_bytes() for f in story.stores["etcd"].rglob("*.wal"))
    assert plant(IN_SECRET[name]).encode() in kept


def test_not_even_what_starts_a_policy_pack_has_the_passphrase(story: Searched) -> None:
    found = {leak.name for env in story.launchers for leak in story.looking.text(env, "environ")}
    assert not found & {"passphrase", "root token of Vault"}


def test_the_failed_update_told_the_servers_words_without_the_value(story: Searched) -> None:
    told = story.told["a failed update"]
    assert "forbidden value [secret]" in told or "quote a secret value and are not shown" in told
    assert "kestra-secret" in told


def test_the_other_refusals_are_those_that_were_meant(story: Searched) -> None:
    assert "8 problems in the settings" in story.told["an error in the settings"]
    assert "1 violation of ks-kubernetes-07" in story.told["a violation of a policy"]


def test_whoever_writes_a_secret_in_clear_is_told_how_to_encrypt_it(story: Searched) -> None:
    told = story.told["up of open source"]
    for key in (
        "declared-secrets.GIVEN.value",
        "server.basic-auth.password",
        "storage.s3.secret-key",
    ):
        assert f"pulumi config set --path --secret 'kestra:{key}'" in told
    for name in NAMES:
        copied = story.stack(name)._file.read_text()
        config = yaml.safe_load(copied)["config"]
        assert set(config["kestra:declared-secrets"]["GIVEN"]["value"]) == {"secure"}


def test_a_leak_into_the_state_folder_would_be_seen(story: Searched) -> None:
    value = plant("oss GIVEN")
    for place in ("events.jsonl", "verify/kestra.log", "new"):
        file = story.state.stack("leaks-oss") / place
        file.parent.mkdir(exist_ok=True)
        before = file.read_bytes() if file.exists() else None
        with file.open("a") as out:
            out.write(json.dumps({"message": f"refused {value[:20]}\n{value[20:]}"}))
        try:
            assert str(file) in {leak.place for leak in story.search_files()}
        finally:
            file.unlink() if before is None else file.write_bytes(before)

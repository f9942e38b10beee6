"""What to do stands below what a server said, once, and holds nothing of its own where nothing fits."""

from __future__ import annotations

import re

import pytest

from components.kubernetes.rollout_report import MARK
from components.safeguards.error_hooks import suggest_fix
from components.safeguards.failed_resource import FailedResource
from components.safeguards.hints import HINTS, suggest_fixes, suggest_vault_address
from components.validation import load
from sandbox.hints import GO_ON, with_advice
from tests.conftest import ROOT, stack_document

VAULT = "vault:SecretV2 a: Error making API request. URL: PUT http://v/v1/kestra/data/a Code: {}. Errors: {}"

#: A server's words as they were seen, and a part of what to do.
SEEN = [
    (VAULT.format(503, "Vault is sealed"), "vault operator unseal"),
    (VAULT.format(403, "2 errors occurred: * permission denied * invalid token"), "vault:maxLeaseTtlSeconds"),
    (VAULT.format(403, "permission denied"), "vault token capabilities"),
    (
        "vault:Mount m: failed to lookup token, err=Error making API request. URL: GET http://v/v1/auth/token/lookup-self"
        " Code: 403. Errors: permission denied",
        "vault login",
    ),
    ("vault:Mount m: GET http://v/v1/sys/mounts: Vault does not answer (ConnectionError)", "vault status"),
    (VAULT.format(500, "internal error"), "Its own log says why"),
    (
        'kubernetes:Secret s: resource "urn" was not successfully created by the Kubernetes API server: secrets is'
        ' forbidden: User "u" cannot create resource "secrets" in API group ""',
        "kubectl auth can-i",
    ),
    (
        "kubernetes:Secret s: configured Kubernetes cluster is unreachable: GET: Connection refused",
        "kubectl cluster-info",
    ),
    (
        'kubernetes:Deployment d: GET "https://127.0.0.1:6443/apis/apps/v1": Connection refused',
        "kubectl cluster-info",
    ),
    ("kubernetes:Secret s: configured Kubernetes cluster is unreachable: Unauthorized", "kubectl auth whoami"),
    (
        "aws:Secret s: creating Secrets Manager Secret (s): operation error Secrets Manager: CreateSecret, https response"
        " error StatusCode: 400, ThrottlingException: Rate exceeded",
        "throttles",
    ),
    ("aws:Secret s: StatusCode: 400, AccessDeniedException: User: x is not authorized to perform: y", "sts get-caller"),
    ("aws:Secret s: StatusCode: 400, ExpiredTokenException: expired", "Log in again"),
    ("aws:Secret s: StatusCode: 500, InternalServiceError: x", "Its own log says why"),
    ("gcp:Secret s: Error creating Secret: googleapi: Error 429: Quota exceeded", "throttles"),
    ("gcp:Secret s: Error creating Secret: googleapi: Error 403: Permission denied", "gcloud auth list"),
    ("gcp:Secret s: Error creating Secret: googleapi: Error 503: unavailable", "Its own log says why"),
    ("gcp:Secret s: POST http://g/v1/s: the answer is not JSON, so it is not Secret Manager's", "log-in page"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "part"), SEEN)
def test_a_known_failure_has_a_way_out(words: str, part: str) -> None:
    (advice,) = suggest_fixes([words])
    assert part in advice


def test_every_hint_of_the_table_is_reached() -> None:
    reached = {advice for words, _ in SEEN for advice in suggest_fixes([words])}
    reached |= set(suggest_fixes(["context deadline exceeded"]))
    assert reached == {hint.advice for hint in HINTS}


def test_the_same_advice_is_given_once_below_all_errors() -> None:
    sealed = [VAULT.format(503, "Vault is sealed"), VAULT.format(503, "Vault is sealed") + " "]
    lines = with_advice(sealed).splitlines()
    assert lines[:2] == sealed
    assert [bool(re.match("→ Vault is sealed", line)) for line in lines[2:]] == [True, False]
    assert lines[-1] == GO_ON


@pytest.mark.parametrize(
    "said",
    [
        f"worker: 0 of 1 {MARK}.\nErrImagePull: 429 too many requests",
        "kubernetes:Deployment worker: timed out waiting for the condition; Error 403 at the registry",
    ],
)
def test_a_report_on_pods_gets_no_advice_for_the_words_of_other_servers(said: str) -> None:
    assert suggest_fixes([said])
    assert with_advice([said]) == f"{said}\n{GO_ON}"


def test_what_is_not_known_stays_as_it_was_said() -> None:
    assert suggest_fixes(["something else"]) == []
    assert with_advice(["something else"]) == f"something else\n{GO_ON}"
    assert with_advice([]) == ""


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
def test_a_plain_update_has_the_same_advice(operation: str) -> None:
    urn = "urn:pulumi:dev::kestra::vault:kv/secretV2:SecretV2::store-declared-A"
    sealed = FailedResource(
        urn, {}, "PUT http://v/v1/x Code: 503. Errors: * Vault is sealed", "", operation
    )
    assert suggest_fix(sealed) == suggest_fixes(["Vault is sealed"])[0]
    assert "vault operator unseal" in suggest_fix(sealed)
    taken = FailedResource(
        urn, {"path": "kestra"}, "path is already in use at kestra/", "", operation
    )
    assert ("pulumi import" in suggest_fix(taken)) == (operation == "create")


def test_the_advice_of_a_plain_update_names_nothing_of_the_sandbox() -> None:
    assert not [hint.advice for hint in HINTS if "sandbox" in hint.advice]


@pytest.mark.parametrize(
    ("stack", "configured", "environ", "is_said"),
    [
        ("local-vault", None, {}, True),
        ("local-vault", "https://vault:8200", {}, False),
        ("local-vault", None, {"VAULT_ADDR": "https://vault:8200"}, False),
        ("local", None, {}, False),
    ],
)
def test_a_missing_address_of_vault_is_said_before_the_provider_fails(
    stack: str, configured: str | None, environ: dict[str, str], is_said: bool
) -> None:
    settings = load(stack_document(stack), source="test").settings
    advice = suggest_vault_address(settings, configured, environ)
    assert ("VAULT_ADDR is not set" in advice) == is_said


def test_the_runbook_has_an_answer_of_the_table_for_what_vaults_provider_says() -> None:
    page = (ROOT / "docs" / "runbook.md").read_text()
    rows = re.findall(r"(?m)^\| (`[^|]*`[^|]*) \|[^|]*\| (.+?) \|$", page)
    says = {words: answer for words, answer in rows if "Code: " in words}
    assert len(says) == 2
    for words, answer in says.items():
        (advice,) = suggest_fixes([words.replace("`", "")])
        assert re.findall(r"`(vault \w+(?: \w+)?)`", advice)[0] in answer

"""What to do stands below what a server said, once, and holds nothing of its own where nothing fits."""

from __future__ import annotations

import re

import pytest

from sandbox.hints import GO_ON, HINTS, advice, with_advice

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
        'kubernetes:Secret s: resource "urn" was not successfully created by the Kubernetes API server: secrets "s"'
        " already exists",
        "pulumi import",
    ),
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
    (told,) = advice([words])
    assert part in told


def test_every_hint_of_the_table_is_reached() -> None:
    reached = {told for words, _ in SEEN for told in advice([words])}
    reached |= set(advice(["context deadline exceeded"]))
    assert reached == {hint.advice for hint in HINTS}


def test_the_same_advice_is_given_once_below_all_errors() -> None:
    sealed = [VAULT.format(503, "Vault is sealed"), VAULT.format(503, "Vault is sealed") + " "]
    lines = with_advice(sealed).splitlines()
    assert lines[:2] == sealed
    assert [bool(re.match("→ Vault is sealed", line)) for line in lines[2:]] == [True, False]
    assert lines[-1] == GO_ON


def test_what_is_not_known_stays_as_it_was_said() -> None:
    assert advice(["something else"]) == []
    assert with_advice(["something else"]) == f"something else\n{GO_ON}"
    assert with_advice([]) == ""

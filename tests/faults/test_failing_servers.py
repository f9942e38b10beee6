"""A server that fails: what is said, what is recorded, and that the next run finishes. Real engine, real servers.

One update meets a fault on all four servers at once, each on a secret of its own, beside secrets that no fault meets.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from components.safeguards.hints import suggest_fixes
from tests.faults.failing_support import MOUNT, QUICK, Case, Run, Servers
from tests.faults.proxy_support import HTML, Answer, Cut, Fault, Hang, Rule, Slow, Then

pytestmark = pytest.mark.engine

Make = Callable[..., Case]

#: The requests that make the secret of the fault, and those that read it afterwards.
WRITES = {
    "vault": r"POST /v1/faults/data/{}-bad",
    "kubernetes": r"POST /api/v1/namespaces/faults/secrets\?.*{}-bad",
    "aws": r"\[CreateSecret\].*{}-bad",
    "gcp": r"POST /v1/projects/sandbox/secrets\?secretId={}-bad",
}
READS = {
    "vault": r"GET /v1/faults/data/{}-bad",
    "aws": r"\[DescribeSecret\].*{}-bad",
    "gcp": r"GET /v1/projects/sandbox/secrets/{}-bad \[",
}


def spoil(
    servers: Servers,
    case: Case,
    fault: dict[str, Fault],
    times: float = float("inf"),
    requests: dict[str, str] = WRITES,
) -> dict[str, Rule]:
    """Faults on the requests of the case's `bad` secrets, server by server."""
    return {
        server: servers.proxies[server].spoil(requests[server].format(case.name), one, times)
        for server, one in fault.items()
    }


def failed(case: Case, run: Run, words: dict[str, str]) -> dict[str, str]:
    """Checks a failed run: the resource, the server's words, no secret, and that the state knows what exists."""
    assert not run.ok
    said = {server: case.is_said(run, server, text) for server, text in words.items()}
    case.is_plain(run)
    case.knows_all()
    return said


def aws_error(code: str, status: int = 400) -> Answer:
    body = {"__type": code, "message": f"{code} by the test"}
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def vault_error(status: int, words: str) -> Answer:
    return Answer(status, json.dumps({"errors": [words]}).encode())


def kubernetes_error(status: int, words: str, **headers: str) -> Answer:
    body = {"kind": "Status", "status": "Failure", "message": words, "code": status}
    return Answer(status, json.dumps(body).encode(), headers)


def google_error(status: int, words: str) -> Answer:
    return Answer(status, json.dumps({"error": {"code": status, "message": words}}).encode())


def test_a_denied_permission_is_told_for_every_server_at_once(make: Make, servers: Servers) -> None:
    mine = f'path "{MOUNT}/*" {{ capabilities = ["create", "read", "update", "list"] }}\n'
    token = 'path "auth/token/create" { capabilities = ["update"] }\n'
    denied = f'path "{MOUNT}/data/denied-bad" {{ capabilities = ["deny"] }}\n'
    servers.at_vault("PUT", "sys/policies/acl/faults", {"policy": mine + token + denied})
    made = servers.at_vault("POST", "auth/token/create", {"policies": ["faults"]})
    servers.allow_kubernetes("limited", ["configmaps"])
    iam = servers.aws.client("iam")
    iam.create_user(UserName="limited")
    allowed = ["ssm:*", "kms:*", "sts:*"]
    keys = iam.create_access_key(UserName="limited")["AccessKey"]

    def allow(actions: list[str]) -> None:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=document)

    allow(allowed)
    case = make(
        "denied",
        environment={
            "VAULT_TOKEN": made["auth"]["client_token"],
            "KUBECONFIG": str(servers.kubeconfig("limited")),
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        },
    )
    google = google_error(403, "Permission 'secretmanager.secrets.create' denied on resource")
    spoil(servers, case, {"gcp": google})
    servers.aws.enforce()
    try:
        run = case.up()
    finally:
        servers.aws.relax()
    said = failed(
        case,
        run,
        {
            "vault": r"Code: 403\. Errors: .*permission denied",
            "kubernetes": r'secrets is forbidden: User "system:serviceaccount:faults:limited" cannot create',
            "aws": r"AccessDenied.*User: \S+user/limited is not authorized to perform: secretsmanager:CreateSecret",
            "gcp": r"googleapi: Error 403: Permission 'secretmanager.secrets.create' denied",
        },
    )
    advice = " ".join(suggest_fixes(said.values()))
    for way in ("vault token capabilities", "kubectl auth can-i", "aws sts get-caller-identity"):
        assert way in advice
    servers.at_vault("PUT", "sys/policies/acl/faults", {"policy": mine + token})
    servers.allow_kubernetes("limited", ["configmaps", "secrets"])
    allow([*allowed, "secretsmanager:*"])
    servers.aws.enforce()
    try:
        servers.heal()
        assert case.up().ok
    finally:
        servers.aws.relax()
    case.finishes()


def test_a_passing_fault_is_asked_again_and_the_update_goes_through(
    make: Make, servers: Servers
) -> None:
    case = make("passing")
    again = kubernetes_error(
        429, "Too many requests, please try again later.", **{"Retry-After": "0"}
    )
    busy = kubernetes_error(503, "apiserver is shutting down", **{"Retry-After": "0"})
    first: dict[str, Fault] = {
        "vault": vault_error(503, "Vault is sealed"),
        "kubernetes": again,
        "aws": aws_error("ThrottlingException"),
        "gcp": google_error(429, "Quota exceeded"),
    }
    second: dict[str, Fault] = {
        "vault": Answer(429, b'{"errors":["request path quota exceeded"]}', {"Retry-After": "0"}),
        "kubernetes": busy,
        "aws": aws_error("InternalServiceError", 500),
        "gcp": google_error(503, "The service is currently unavailable."),
    }
    rules = [spoil(servers, case, first, 1), spoil(servers, case, second, 1)]
    rules.append(spoil(servers, case, {"kubernetes": again, "aws": Slow(1.0), "gcp": Slow(1.0)}, 1))
    run = case.up()
    assert run.ok, run.told
    assert [rule.hits for one in rules for rule in one.values()] == [1] * 11
    case.is_plain(run)
    case.finishes()


def test_a_lasting_fault_fails_when_the_providers_attempts_are_used_up(
    make: Make, servers: Servers
) -> None:
    # Botocore's pauses are random: before a fourth attempt up to 7 s, with which the operation's time may be over.
    case = make("lasting", timeouts=QUICK, environment={"AWS_MAX_ATTEMPTS": "3"})
    rules = spoil(
        servers,
        case,
        {
            "vault": vault_error(500, "internal error"),
            "kubernetes": kubernetes_error(
                429, "Too many requests, try again", **{"Retry-After": "0"}
            ),
            "aws": aws_error("ThrottlingException"),
            "gcp": google_error(503, "The service is currently unavailable."),
        },
    )
    run = case.up()
    said = failed(
        case,
        run,
        {
            "vault": r"Code: 500\. Errors: (\* )?internal error",
            "kubernetes": "Too many requests, try again",
            "aws": "ThrottlingException by the test",
            "gcp": "Error 503: The service is currently unavailable",
        },
    )
    # Vault: 1 + max_retries; client-go: 1 + 10; AWS_MAX_ATTEMPTS; Google: until the time of the operation is over.
    assert {s: rules[s].hits for s in ("vault", "kubernetes", "aws")} == {
        "vault": 3, "kubernetes": 11, "aws": 3,
    }  # fmt: skip
    assert rules["gcp"].hits > 2
    advice = " ".join(suggest_fixes(said.values()))
    assert "The server throttles" in advice
    assert "Its own log says why" in advice
    case.finishes()


def test_a_server_that_never_answers_ends_at_the_providers_own_limit(
    make: Make, servers: Servers
) -> None:
    limits = {"VAULT_CLIENT_TIMEOUT": "5", "PULUMI_K8S_CLIENT_TIMEOUT": "5"}
    case = make("hanging", timeouts=QUICK, environment=limits)
    spoil(servers, case, dict.fromkeys(WRITES, Hang()))
    for server in ("vault", "gcp"):
        servers.proxies[server].spoil("hanging-ok", Slow(1.0), 1)
    run = case.up()
    failed(
        case,
        run,
        {
            "vault": "POST http://.*hanging-bad: Vault does not answer: context deadline exceeded",
            "kubernetes": "Read timed out",
            "aws": "context deadline exceeded",
            "gcp": "context deadline exceeded",
        },
    )
    case.finishes()


def test_what_was_made_before_its_reading_failed_is_recorded_and_not_made_twice(
    make: Make, servers: Servers
) -> None:
    case = make("unread", timeouts=QUICK)
    spoil(servers, case, dict.fromkeys(READS, Cut()), requests=READS)
    run = case.up()
    failed(
        case, run, {"vault": "Vault does not answer", "aws": "not AWS's", "gcp": "does not answer"}
    )
    known = case.recorded()
    for server in READS:
        assert f"{server}-unread-bad" in case.existing()
        assert known[f"{server}-unread-bad"]["initErrors"]
    # An update of a KV secret writes a version, as the official provider's does.
    case.finishes(values={"vault": 2})


def test_an_answer_that_breaks_off_after_the_server_acted_has_a_way_out(
    make: Make, servers: Servers
) -> None:
    case = make("cut", timeouts=QUICK)
    spoil(servers, case, {"vault": Cut(), "kubernetes": Cut()}, times=1)
    run = case.up()
    assert not run.ok
    case.is_said(run, "vault", "Vault does not answer")
    case.is_said(run, "kubernetes", "not successfully created by the Kubernetes API server: POST")
    case.is_plain(run)
    servers.heal()
    taken = case.up()
    case.is_said(taken, "kubernetes", 'secrets "cut-bad" already exists')
    case.finishes({"PULUMI_K8S_UPSERT_EXISTING_OBJECTS": "true"}, values={"vault": 2})


def test_an_answer_that_is_not_the_servers_is_told_as_such(make: Make, servers: Servers) -> None:
    case = make("foreign", timeouts=QUICK)
    spoil(servers, case, dict.fromkeys(WRITES, Answer(200, HTML, {"Content-Type": "text/html"})))
    run = case.up()
    said = failed(
        case,
        run,
        {
            "vault": "the answer is not JSON, so it is not Vault's",
            "kubernetes": "the answer is not JSON, so it is not the API server's",
            "aws": "the answer is not JSON, so it is not AWS's",
            "gcp": "the answer is not JSON, so it is not Secret Manager's",
        },
    )
    assert "Please log in" not in run.told
    assert any(
        "Something else than the server answered" in text for text in suggest_fixes(said.values())
    )
    case.finishes()


def test_an_update_that_outlives_its_token_says_so_and_the_next_goes_on(
    make: Make, servers: Servers
) -> None:
    # As thousands of secrets do with the provider's 20 minutes.
    case = make("outliving", environment={"TERRAFORM_VAULT_MAX_TTL": "10"})
    spoil(servers, case, {"vault": Slow(14)})
    said = failed(case, case.up(), {"vault": "permission denied .*invalid token"})
    assert "vault:maxLeaseTtlSeconds" in suggest_fixes(said.values())[0]
    case.finishes({"TERRAFORM_VAULT_MAX_TTL": "7200"})


def test_servers_that_refuse_connections_hold_up_no_other(make: Make, servers: Servers) -> None:
    case = make("refusing")
    for server in ("kubernetes", "aws"):
        servers.proxies[server].refuse()
    run = case.up()
    assert not run.ok
    said = [
        case.is_said(run, "kubernetes", "configured Kubernetes cluster is unreachable: .*refused"),
        case.is_said(run, "aws", "validating provider credentials"),
    ]
    assert "kubectl cluster-info" in suggest_fixes(said)[0]
    case.is_plain(run)
    servers.heal()
    made = {f"{server}-refusing-{kind}" for server in ("vault", "gcp") for kind in ("bad", "ok")}
    assert case.existing() == made
    assert made <= set(case.recorded())
    case.finishes()


def test_a_plain_update_records_what_was_under_way_when_a_server_failed(
    make: Make, servers: Servers
) -> None:
    case = make("plain")
    begun = threading.Event()

    def hold() -> None:
        begun.set()
        time.sleep(2)  # a slow server; Vault refuses meanwhile

    refusal = replace(vault_error(400, "no"), after=lambda: begun.wait(60))
    spoil(servers, case, {"vault": refusal, "gcp": Then(hold)})
    run = case.up(continue_on_error=False)
    assert not run.ok
    case.is_said(run, "vault", r"Code: 400\. Errors: (\* )?no")
    case.is_plain(run)
    assert case.existing() <= set(case.recorded())
    assert "gcp-plain-bad" in case.existing()
    case.finishes()


def test_the_proxy_spoils_what_it_should(servers: Servers) -> None:
    proxy: Any = servers.proxies["vault"]
    rule = proxy.spoil("GET /v1/sys/health", Answer(500), 1)
    assert isinstance(proxy.fault("GET /v1/sys/health [] "), Answer)
    assert proxy.fault("GET /v1/sys/health [] ") is None
    assert rule.hits == 1
    servers.heal()

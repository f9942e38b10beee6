"""What to do about the failures that people meet most: a server's own words, and the way out.

One table for all places that show errors. A hint adds to the server's words and never takes their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from components.safeguards.name_conflicts import OTHERWISE

GO_ON = "What was made is recorded. When the cause is mended, run the same command again: it goes on from there."

_IMPORT = re.compile(r"pulumi import (.+?) --protect=false --generate-code=false --yes")


@dataclass(frozen=True)
class Hint:
    """Words of a server, and what to do."""

    pattern: re.Pattern[str]
    advice: str


def _hint(pattern: str, advice: str) -> Hint:
    return Hint(re.compile(pattern, re.IGNORECASE | re.DOTALL), advice)


#: The program itself answers a name that is taken (`components/safeguards/name_conflicts.py`); this is for what it has no answer to.
TAKEN = _hint(
    r"not successfully created by the Kubernetes API server: .*already exists",
    "The object is there, but not in the state: somebody else made it, or the answer to its creation was lost."
    " Import it (`pulumi import <type> <name> <namespace>/<name>`), or, if it is this stack's own, run once more"
    " with PULUMI_K8S_UPSERT_EXISTING_OBJECTS=true, which takes it over.",
)

#: The first that fits an error is its hint; so the special stand before the general.
HINTS: tuple[Hint, ...] = (
    _hint(
        r"Vault is sealed",
        "Vault is sealed and answers nothing. Unseal it with `vault operator unseal`; the sandbox unseals its own at"
        " the next command.",
    ),
    _hint(
        r"(failed to lookup token|/auth/token/).*(permission denied|bad token|invalid token)",
        "Vault does not take the token: it has ended, was revoked, or is another Vault's. Log in again (`vault login`)"
        " and check VAULT_ADDR and VAULT_TOKEN.",
    ),
    _hint(
        r"URL: \w+ \S*/v1/.*Code: 403.*invalid token",
        "The token that Vault's provider makes for itself has ended: it lives 20 minutes, and thousands of secrets take"
        " longer. Set the stack's `vault:maxLeaseTtlSeconds`, or TERRAFORM_VAULT_MAX_TTL, to more seconds.",
    ),
    _hint(
        r"URL: \w+ \S*/v1/.*Code: 403",
        "Vault's token may not do this. `vault token capabilities <path>` shows what it may do on the path that is"
        " named; add what is missing to one of its policies.",
    ),
    _hint(
        r"Vault does not answer",
        "Vault is not reachable or too slow. `vault status` asks it; check its address and the network between; the"
        " sandbox starts its own again at the next command.",
    ),
    _hint(
        r"User \"[^\"]+\" cannot \w+ resource",
        "The caller lacks a permission in the cluster. `kubectl auth can-i <verb> <resource> --namespace <namespace>`"
        " asks for it; have a Role or ClusterRole bound that gives it.",
    ),
    _hint(
        r"\bUnauthorized\b.*(cluster|kubernetes|API server)|(cluster|kubernetes|API server).*\bUnauthorized\b",
        "The API server does not know the caller: the credentials of the kubeconfig have ended. Get new ones and check"
        " with `kubectl auth whoami`.",
    ),
    _hint(
        r"Kubernetes cluster is unreachable|unable to get cluster state|unreachable cluster"
        r"|\b(GET|POST|PUT|PATCH|DELETE) \"https?://",
        "The API server is not reachable or broke off. `kubectl cluster-info` asks it; check KUBECONFIG, the context and"
        " the network between; the sandbox starts its own again at the next command.",
    ),
    TAKEN,
    _hint(
        r"Throttling|TooManyRequests|RequestLimitExceeded|Error 429|Code: 429|too many requests|rate limit",
        "The server throttles, and all repetitions were used up. Wait a little, or ask less at once with"
        " `--parallel 4`; a quota that is too small is raised at the server.",
    ),
    _hint(
        r"AccessDenied|is not authorized to perform",
        "The caller lacks a permission in AWS; AWS names the action. `aws sts get-caller-identity` shows who calls;"
        " add the action to one of its policies (docs/backends/ lists what the program needs).",
    ),
    _hint(
        r"Error 403",
        "The caller lacks a permission in Google Cloud; `gcloud auth list` shows who calls. Give it the role that the"
        " message names (docs/backends/ lists what the program needs).",
    ),
    _hint(
        r"ExpiredToken|InvalidClientTokenId|UnrecognizedClient|Error 401|validating provider credentials",
        "The cloud does not take the credentials: they have ended or are another account's. Log in again.",
    ),
    _hint(
        r"(AWS API server|Secret Manager) does not answer|context deadline exceeded",
        "The server is not reachable or too slow. Check its address and the network between; the sandbox starts its"
        " own servers again at the next command.",
    ),
    _hint(
        r"the answer is not JSON|does not answer as expected",
        "Something else than the server answered, such as a proxy or a log-in page. Check the address.",
    ),
    _hint(
        r"(Code: |Error |StatusCode: )5\d\d",
        "The server failed by itself, also when it was asked again. Its own log says why.",
    ),
)


def advice(errors: Iterable[str]) -> list[str]:
    """What to do about some errors, each advice once, in the errors' order; none for what the program answered.

    Args:
        errors: what was said, one text an error.
    """
    said = list(errors)
    answered = {TAKEN.advice} if any(f" {OTHERWISE} " in error for error in said) else set[str]()
    found = (
        next((hint.advice for hint in HINTS if hint.pattern.search(error)), None) for error in said
    )
    return list(dict.fromkeys(text for text in found if text and text not in answered))


def with_advice(errors: Iterable[str]) -> str:
    """The errors, a line each, and below them what to do."""
    said = list(dict.fromkeys(errors))
    told = [f"→ {text}" for text in advice(said)]
    return "\n".join([*said, *told, GO_ON] if said else said)


def own_commands(text: str, stack: str, options: str = "") -> str:
    """The text with the sandbox's command in place of Pulumi's, which needs a log-in and a language plugin.

    Args:
        text: what was said.
        stack: the stack's name.
        options: of the sandbox's command line, each with a space before it.
    """
    return _IMPORT.sub(lambda found: f"python -m sandbox import {stack} {found[1]}{options}", text)

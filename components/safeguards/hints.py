"""What to do about the failures of servers that people meet most: a server's own words to a way to go on; pure.

The one table, for a plain `pulumi up` (`components/safeguards/error_hooks.py`) and for the sandbox. A name that is taken
has its own (`components/safeguards/name_conflicts.py`), which gives commands. A hint adds to the server's words and never
takes their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..settings import Settings


@dataclass(frozen=True)
class Hint:
    """Words of a server, and what to do."""

    pattern: re.Pattern[str]
    advice: str


def _hint(pattern: str, advice: str) -> Hint:
    return Hint(re.compile(pattern, re.IGNORECASE | re.DOTALL), advice)


#: The first that fits an error is its hint; so the special stand before the general.
HINTS: tuple[Hint, ...] = (
    _hint(
        r"Vault is sealed",
        "Vault is sealed and answers nothing. Unseal it with `vault operator unseal`.",
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
        "Vault is not reachable or too slow. `vault status` asks it; check its address and the network between.",
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
        " the network between.",
    ),
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
        "The server is not reachable or too slow. Check its address and the network between.",
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


def suggest_fixes(errors: Iterable[str]) -> list[str]:
    """What to do about some errors, each advice once, in the errors' order; none for what is not known.

    Args:
        errors: what was said, one text an error.
    """
    fitting = (
        next((hint.advice for hint in HINTS if hint.pattern.search(error)), None)
        for error in errors
    )
    return list(dict.fromkeys(advice for advice in fitting if advice))


def suggest_vault_address(
    settings: Settings, configured: str | None, environ: Mapping[str, str] = os.environ
) -> str:
    """What to set when Vault's provider has no address; empty when it has one, or the stack uses no Vault.

    Args:
        settings: of the stack. Their address of Vault is Kestra's, from within the cluster.
        configured: the stack's `vault:address`, which the provider takes before the variable.
        environ: the variables of the program, which are the provider's.
    """
    uses_vault = any(manager.type == "vault" for manager in settings.managers)
    if not uses_vault or configured or environ.get("VAULT_ADDR"):
        return ""
    return (
        "VAULT_ADDR is not set: Pulumi's provider does not know where Vault is. Set it to the address that this machine"
        " reaches, and VAULT_TOKEN; or put the address into the stack: `pulumi config set vault:address ADDRESS`."
    )

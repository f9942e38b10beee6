"""What to do when another's operator does not bring a secret or a certificate; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NOT_READY = re.compile(r"timed out|condition", re.IGNORECASE)
_PLURALS = {
    "SecretStore": "secretstore",
    "ExternalSecret": "externalsecret",
    "Issuer": "issuer",
    "Certificate": "certificate",
}
_CAUSES = {
    "SecretStore": (
        "The operator cannot log in to the secret manager: the address, the role or identity, or the service account "
        "(kestra:store and kestra:identity), or the operator itself does not run."
    ),
    "ExternalSecret": (
        "The operator cannot read one of the secrets, and then writes none: one that others made is not there yet or "
        "has another name or property (declared-secrets.<NAME>.existing), or its owner has to grant it. The Secret and "
        "the pods of before are as they were."
    ),
    "Issuer": "cert-manager cannot sign with it, or does not run.",
    "Certificate": (
        "cert-manager has not issued it: the issuer does not sign these names, lifetimes or usages "
        "(kestra:deployment.grpc-tls), or cert-manager does not run."
    ),
}


def explain_not_ready(words: str, inputs: Mapping[str, Any]) -> str:
    """What to look at when an object of such an operator is not ready in time; empty for other failures.

    The operator's own words are in the Events of the object: its condition does not say why.

    Args:
        words: what the provider said.
        inputs: of the resource that failed.
    """
    kind = inputs.get("kind")
    if kind not in _PLURALS or not _NOT_READY.search(words):
        return ""
    metadata = inputs.get("metadata")
    # What is not known yet is an output in a hook.
    known = metadata if isinstance(metadata, Mapping) else {}
    place = [f"--namespace {known['namespace']}"] if isinstance(known.get("namespace"), str) else []
    name = [known["name"]] if isinstance(known.get("name"), str) else []
    command = " ".join(["kubectl", *place, "describe", _PLURALS[kind], *name])
    return f"{_CAUSES[kind]} The operator's own words are among the Events:\n  {command}"

"""Secrets that stand in clear where a text and a secret are both allowed."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.credentials import credential_sign
from components.settings.findings import Finding
from components.settings.model import Settings


def variables(s: Settings) -> Iterator[Finding]:
    """A variable of the containers in clear: in the stack file, in Pulumi's state, in the specification of the pods."""
    for name, value in s.deployment.plain_environment.items():
        if sign := credential_sign(name, value):
            at = ("deployment", "environment", name)
            yield Finding(
                at,
                f"{sign} and stands in clear",
                "a variable in clear stands in the stack file, in Pulumi's state and in the specification of the pods; "
                "an encrypted one is kept in the stack's Secret",
                "encrypt it",
                warning=True,
                encrypts=True,
            )

"""What is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class VerifyJob:
    """What is verified. The texts of `environment` and `intended` are secret."""

    kestra_version: str
    edition: str
    application_yaml: str
    """As read from the API server."""
    environment: Mapping[str, str]
    """Data of the Secret, as read from the API server."""
    intended: Mapping[str, Any]
    """What Kestra is meant to see, secrets in clear."""
    declared_secrets: Mapping[str, str]
    """Name to value of the secrets that flows read."""
    directory: Path

    @property
    def key(self) -> str:
        """The encryption key."""
        return str(self.intended["kestra"]["encryption"]["secret-key"])

    def without_secrets(self, text: str) -> str:
        """An error of Kestra's, which may quote the value that it could not use, without such values."""
        secrets = {*self.environment.values(), *self.declared_secrets.values()}
        for value in sorted(secrets, key=len, reverse=True):
            if value:
                text = text.replace(value, "[secret]")
        return text

    @property
    def readable_secrets(self) -> Mapping[str, str]:
        """The declared secrets that flows read through code that is open."""
        return {} if self.edition == "enterprise" else self.declared_secrets

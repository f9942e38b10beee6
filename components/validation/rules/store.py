"""What is provisioned in a cloud: the block of the chosen manager, and values that its cloud accepts."""

from __future__ import annotations

from collections.abc import Iterator

from components.settings.findings import Finding
from components.settings.model import Settings

BLOCKS = {
    "aws": "aws-secret-manager or aws-ssm-parameter-store",
    "azure": "azure-key-vault",
    "gcp": "google-secret-manager",
}


def blocks(s: Settings) -> Iterator[Finding]:
    """Blocks of another cloud than the secret manager's, which would do nothing."""
    for name, types in BLOCKS.items():
        for room in ("store", "identity"):
            if name not in s.clouds and name in getattr(s, room).model_fields_set:
                yield Finding(
                    (room, name),
                    "has no secret manager that it belongs to",
                    f"it works with kestra:secret.type {types}",
                    "remove it, or change kestra:secret.type",
                    kind="missing",
                )

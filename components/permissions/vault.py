"""What Kestra may do in HashiCorp Vault, as a table and as the policy of its role.

Sources: Kestra documentation, enterprise/governance/secrets-manager, HashiCorp Vault (paths and capabilities of
each mode); Vault documentation, KV version 2 (what the paths hold).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Mode = Literal["read-only", "managed"]

READ = ("read", "list")
WRITE = ("create", "read", "update", "delete", "list")


@dataclass(frozen=True)
class Permission:
    """Capabilities on one half of the KV engine, and why Kestra needs them."""

    path: str
    """Below `root-engine`."""
    capabilities: tuple[str, ...]
    reason: str


PERMISSIONS: Mapping[Mode, tuple[Permission, ...]] = {
    "read-only": (
        Permission("data", READ, "Flows read values; this stack or others write them."),
        Permission("metadata", READ, "Kestra lists the secrets and reads their tags."),
    ),
    "managed": (
        Permission("data", WRITE, "Kestra reads and writes the secrets that its users enter."),
        Permission(
            "metadata",
            WRITE,
            "Kestra lists the secrets, writes their tags, and deletes a secret with all its versions.",
        ),
    ),
}


def policy_text(root_engine: str, *, read_only: bool) -> str:
    """The policy of Kestra's role: exactly the paths and capabilities that its mode needs."""
    text = ""
    for permission in PERMISSIONS["read-only" if read_only else "managed"]:
        capabilities = ", ".join(f'"{name}"' for name in permission.capabilities)
        text += (
            f'path "{root_engine}/{permission.path}/*" {{\n  capabilities = [{capabilities}]\n}}\n'
        )
    return text


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Mode, capabilities, path and reason of each permission, for the documentation."""
    for mode, permissions in PERMISSIONS.items():
        for p in permissions:
            yield mode, ", ".join(p.capabilities), f"paths `<root-engine>/{p.path}/*`", p.reason

"""Where secrets lie in Vault; pure, so that tools can use it without the SDK."""

from __future__ import annotations

from collections.abc import Iterable

from ...settings.declared import DeclaredSecret

VALUE = "value"
"""Field of a declared secret: flows write `secret('NAME', subkey='value')`."""
ENCRYPTION_KEY_PATH = "encryption"
"""Where the copy of the encryption key is, below the stack's own engine."""
KEY_FIELD = "secret-key"
"""Field of that copy."""


def stack_engine(root_engine: str) -> str:
    """The engine of what the stack keeps for recovery, which Kestra's policy does not reach."""
    return f"{root_engine}-stack"


def clean_path(path: str | None) -> str:
    """A path below the engine without slashes at its ends; empty when there is none."""
    return (path or "").strip("/")


def secret_path(name: str, secret: DeclaredSecret, prefix: str | None) -> str:
    """Where Kestra looks a secret up, below the engine: tenant, parts of the namespace, name."""
    parts = [clean_path(prefix), secret.tenant, *secret.namespace.split("."), name]
    return "/".join(part for part in parts if part)


def namespace_path(tenant: str, namespace: str, prefix: str | None) -> str:
    """The folder of a namespace's secrets and of the namespaces below it, below the engine."""
    parts = [clean_path(prefix), tenant, *namespace.split(".")]
    return "/".join(part for part in parts if part)


def stored_path(name: str, secret: DeclaredSecret, prefix: str | None) -> str:
    """Where a secret is, below the engine, that this stack declares or that others made."""
    if secret.existing is not None and secret.existing.name is not None:
        return clean_path(secret.existing.name)
    return secret_path(name, secret, prefix)


def folders_to(path: str, prefix: str | None) -> list[str]:
    """The folders above a secret, from the prefix (without one, from the tenant) down to its own."""
    parts = path.split("/")
    first = len(clean_path(prefix).split("/"))
    return ["/".join(parts[:end]) for end in range(first, len(parts))]


def policy_rule(path: str, capabilities: Iterable[str]) -> str:
    """Capabilities on a path as a policy of Vault has them."""
    listed = ", ".join(f'"{name}"' for name in capabilities)
    return f'path "{path}" {{\n  capabilities = [{listed}]\n}}\n'

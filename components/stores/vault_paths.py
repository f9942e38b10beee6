"""Where secrets lie in Vault; pure, so that tools can use it without the SDK."""

from __future__ import annotations

from components.settings.declared import DeclaredSecret

VALUE = "value"
"""Field of a declared secret: flows write `secret('NAME', subkey='value')`."""


def secret_path(name: str, secret: DeclaredSecret, prefix: str | None) -> str:
    """Where Kestra looks a secret up, below the engine: tenant, parts of the namespace, name."""
    parts = [
        *(prefix or "").strip("/").split("/"),
        secret.tenant,
        *secret.namespace.split("."),
        name,
    ]
    return "/".join(part for part in parts if part)

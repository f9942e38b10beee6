"""Values of resources as the engine hands them on, without what it marks as secret."""

from __future__ import annotations

from typing import Any

from sandbox.providers.runtime.values import Secret


def without_secrets(value: Any) -> Any:
    """What is left of a value without its secrets."""
    if isinstance(value, Secret):
        return "[secret]"
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items()}
    return [without_secrets(item) for item in value] if isinstance(value, list) else value

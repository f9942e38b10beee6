"""What the pack says of a stack of this project, from what its program registers."""

from __future__ import annotations

from typing import Any

from policy.core.model import Environment
from tests.components.inventory_support import SECRET_MARK, documents
from tests.components.recording_support import run
from tests.policy.analyzer_support import R, everything, pack, secret


def plain_secrets(value: Any) -> Any:
    """Recorded inputs with secrets as Pulumi marks them."""
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return secret(plain_secrets(value["value"]))
        return {k: plain_secrets(v) for k, v in value.items()}
    return [plain_secrets(v) for v in value] if isinstance(value, list) else value


def findings_of(
    name: str | dict[str, Any], environment: Environment, options: dict[str, Any]
) -> list[tuple[str, str]]:
    """Control and message of every problem of a stack.

    Args:
        name: of an inventory, or the settings.
        environment: that the stack is judged for.
        options: of the pack.
    """
    recorded = run(documents()[name] if isinstance(name, str) else name)
    stack = [
        R(type_, plain_secrets(inputs), name_of, name_of in recorded.protected)
        for name_of, (type_, inputs) in recorded.resources.items()
    ]
    return everything(pack(environment, options), stack)

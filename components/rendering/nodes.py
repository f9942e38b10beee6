"""Parts of the document that several sections need."""

from __future__ import annotations

from .leaves import GeneratedValueRef, Node


def block(settings: dict[str, Node], key: str) -> dict[str, Node] | None:
    """The mapping under ``key``, or None where the settings have none."""
    value = settings.get(key)
    return dict(value) if isinstance(value, dict) else None


def with_password(credentials: dict[str, Node], key: str) -> dict[str, Node]:
    """Credentials with a password: the given one, else the one that the stack generates."""
    password = credentials.get("password", GeneratedValueRef(key))
    out = dict(credentials)
    # `username`, then `password`, as everybody writes it.
    head = {"username": out.pop("username")} if "username" in out else {}
    return head | {"password": password} | {k: v for k, v in out.items() if k != "password"}

"""Pod Security of the namespaces that a stack makes; pure."""

from __future__ import annotations


def restricted_labels() -> dict[str, str]:
    """Labels by which a namespace refuses pods that are not `restricted`, and warns of them."""
    return namespace_labels("restricted")


def namespace_labels(enforced: str) -> dict[str, str]:
    """Labels by which a namespace refuses pods above a level, and warns of those that are not `restricted`."""
    return {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (
            ("", enforced if mode == "enforce" else "restricted"),
            ("-version", "latest"),
        )
    }

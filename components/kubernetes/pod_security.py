"""Pod Security of the namespaces that a stack makes; pure."""

from __future__ import annotations


def restricted_labels() -> dict[str, str]:
    """Labels by which a namespace refuses pods that are not `restricted`, and warns of them."""
    return {
        f"pod-security.kubernetes.io/{mode}{suffix}": value
        for mode in ("enforce", "audit", "warn")
        for suffix, value in (("", "restricted"), ("-version", "latest"))
    }

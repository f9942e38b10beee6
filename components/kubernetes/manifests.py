"""Fields of Kubernetes objects in the form in which the API server keeps them; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def annotated(annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Annotations as a part of metadata; nothing for none.

    The API server drops an empty map, which would be a difference for ever.
    """
    return {"annotations": annotations} if annotations else {}


def api(fields: Any) -> Any:
    """Fields in the Kubernetes API's own spelling, which the SDK's typed dictionaries do not know."""
    return fields

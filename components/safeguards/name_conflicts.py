"""What to do when a name is taken: a server's message to a fix; pure.

The rows of a provider are in the folder of its backend, those of Kubernetes here. Used by the program for every
resource (`components/safeguards/error_hooks.py`), and by tools that show a failed update.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..backends.registry import all_backends
from ..kubernetes.cluster_apis import not_served
from .failed_resource import ConflictHint, FailedResource

OTHERWISE = "Otherwise:"
"""Stands in every suggested fix, and so tells one from other messages."""
#: Parts of the logical names of what holds the copy of the encryption key.
_COPIES = ("encryption-key", "stack-engine", "recovery-vault")
_EARLIER = (
    "It may hold the encryption key of an earlier installation: read it first, and give that key as "
    "kestra:encryption.secret-key if Kestra's database is the earlier one."
)


def suggest_fix(failed: FailedResource) -> str:
    """What a person can do about a name that is taken; empty where nothing is known of it."""
    if failed.operation != "create":
        return ""
    if missing := not_served(failed.type, failed.message):
        return missing
    answer = answer_to(failed)
    if answer is None:
        return ""
    matter, command, otherwise = answer
    if any(part in failed.name for part in _COPIES):
        matter = f"{matter} {_EARLIER}"
    return f"{matter}\n  To go on with what is there:\n    {command}\n  {OTHERWISE} {otherwise}"


def answer_to(failed: FailedResource) -> tuple[str, str, str] | None:
    """What is the matter, the way to go on with what is there, and the other ways; None where nothing is known."""
    for hint in all_hints():
        if re.search(hint.types, failed.type) and re.search(
            hint.message, failed.message, re.IGNORECASE
        ):
            return hint.advice(failed)
    return None


def all_hints() -> Iterator[ConflictHint]:
    """Every row; the first one that fits counts."""
    yield from dict.fromkeys(hint for backend in all_backends() for hint in backend.conflict_hints)
    yield _KUBERNETES


def _kubernetes(failed: FailedResource) -> tuple[str, str, str]:
    name, namespace = (
        failed.input_text("metadata", "name"),
        failed.input_text("metadata", "namespace"),
    )
    kind = failed.type.rpartition(":")[2]
    id_ = f"{namespace}/{name}" if namespace else name
    own = (
        " To use a namespace that another owner keeps, set kestra:deployment.create-namespace to false."
        if kind == "Namespace"
        else ""
    )
    return (
        f"Kubernetes has a {kind} {id_} already, and this stack did not make it (compare its labels first).",
        failed.import_command(id_),
        f"choose another namespace (kestra:deployment.namespace), or remove what is there.{own}",
    )


_KUBERNETES = ConflictHint(r"^kubernetes:", r'"[^"]+" already exists|field conflict', _kubernetes)

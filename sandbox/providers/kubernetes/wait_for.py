"""The annotation `pulumi.com/waitFor`: one expression, or a list of them as JSON, that must all hold.

`condition=TYPE` (or `condition=TYPE=STATUS`) and `jsonpath={.path}` (or `jsonpath={.path}=VALUE`), as the official
provider reads them; they take the place of its own rule for the kind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import jsonpath_rfc9535 as jsonpath

from sandbox.providers.kubernetes.naming import annotation
from sandbox.providers.kubernetes.readiness import READY, Readiness, conditions

ANNOTATION = "pulumi.com/waitFor"


class ExpressionError(ValueError):
    """What the annotation says is no condition."""


def expressions(manifest: Mapping[str, Any]) -> list[str]:
    """What an object's annotation asks for; empty without one.

    Raises:
        ExpressionError: with the official provider's words.
    """
    text = annotation(manifest, ANNOTATION)
    if not text:
        return []
    try:
        listed = json.loads(text)
    except ValueError:
        listed = None
    result = [text]
    if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
        result = listed
    if not result:
        raise ExpressionError("at least one condition must be specified")
    for expression in result:
        _parse(expression)
    return result


def check(live: dict[str, Any], expressions: list[str]) -> Readiness:
    """Whether all expressions hold for an object at this moment; what its controller says where one does not."""
    for expression in expressions:
        if not _holds(live, expression):
            status = f"Waiting for {expression.partition('=')[2]}"
            return Readiness(False, status, tuple(_controller_says(live, expression)))
    return READY


def _controller_says(live: dict[str, Any], expression: str) -> Iterator[str]:
    kind, name, _ = _parse(expression)
    if kind != "condition":
        return
    condition = _condition(live, name)
    if condition is None:
        yield f"no controller has set its condition {name}"
    elif condition.get("message"):
        yield f"[{condition.get('reason')}] {condition['message']}"


def _parse(expression: str) -> tuple[str, str, str]:
    """Kind, what it looks at, and the value that it must have (may be empty)."""
    kind, _, rest = expression.partition("=")
    if kind == "condition":
        name, _, status = rest.partition("=")
        return kind, name, status or "True"
    if kind != "jsonpath":
        raise ExpressionError(f'expected a "jsonpath=" or "condition=" prefix, got "{expression}"')
    # `==` belongs to a filter; the last single sign is before the value.
    end = rest.rfind("}") + 1
    path, value = rest[:end].strip(), rest[end:].removeprefix("=")
    if not path.startswith("{"):
        raise ExpressionError(f"{rest} should be wrapped in brackets {{ ... }}")
    path = path[1:-1].strip()
    query = path if path.startswith("$") else f"${path}"
    try:
        jsonpath.compile(query)
    except jsonpath.JSONPathError as error:
        raise ExpressionError(f'parsing "{{{path}}}": {error}') from None
    return kind, query, value


def _holds(live: dict[str, Any], expression: str) -> bool:
    kind, what, value = _parse(expression)
    status = live.get("status") or {}
    observed = status.get("observedGeneration")
    if kind == "condition":
        condition = _condition(live, what)
        if condition is None:
            return False
        observed = condition.get("observedGeneration", observed)
        matches = str(condition.get("status", "")).lower() == value.lower()
    else:
        values = [node.value for node in jsonpath.find(what, live)]
        matches = bool(values) and (not value or _text(values[0]) == value)
    generation = live["metadata"].get("generation")
    is_stale = generation is not None and observed is not None and observed < generation
    return matches and not is_stale


def _condition(live: dict[str, Any], name: str) -> dict[str, Any] | None:
    by_type = {type_.lower(): condition for type_, condition in conditions(live).items()}
    return by_type.get(name.lower())


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Policy documents: two that say the same are the same (after hashicorp/awspolicyequivalence)."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.providers.runtime.terraform_values import go_json

_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def same_policy(before: str, after: str) -> bool:
    """Whether two documents grant and deny the same; other text is compared as it is."""
    try:
        return _policy(json.loads(before)) == _policy(json.loads(after))
    except (ValueError, AttributeError, TypeError):
        return before == after


def kept(before: str | None, current: Any) -> str:
    """What goes into the state: the text that was there if it says the same, else the server's."""
    text = current if isinstance(current, str) else json.dumps(current)
    if before and same_policy(before, text):
        return before
    try:
        return go_json(json.loads(text))
    except ValueError:
        return text


def _policy(document: Any) -> Any:
    statements = _list(document.get("Statement", []))
    rest = {k: v for k, v in document.items() if k != "Statement"}
    return rest, sorted(go_json(_statement(s)) for s in statements)


def _statement(statement: dict[str, Any]) -> dict[str, Any]:
    out = dict(statement)
    for name in _LISTS:
        if name in out:
            out[name] = _texts(out[name])
    for name in ("Principal", "NotPrincipal"):
        if name in out:
            named = {"AWS": out[name]} if isinstance(out[name], str) else out[name]
            out[name] = {kind: [_root(p) for p in _texts(ps)] for kind, ps in named.items()}
    if "Condition" in out:
        out["Condition"] = {
            operator: {key: _texts(values) for key, values in keys.items()}
            for operator, keys in out["Condition"].items()
        }
    return out


def _root(principal: str) -> str:
    # AWS writes an account as its root user.
    match = re.fullmatch(r"arn:[\w-]+:iam::(\d{12}):root", principal)
    return match[1] if match else principal


def _texts(value: Any) -> list[str]:
    return sorted(
        str(v).lower() if isinstance(v, bool) else v if isinstance(v, str) else str(v)
        for v in _list(value)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]

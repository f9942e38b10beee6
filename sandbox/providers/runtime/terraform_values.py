"""Values and JSON documents as Terraform's providers see them."""

from __future__ import annotations

import json
from typing import Any

ZERO: tuple[Any, ...] = (None, "", 0, False, [], {})
"""What Terraform does not tell from nothing."""


def go_json(value: Any) -> str:
    """A document as Go writes it: sorted, without spaces, safe inside HTML."""
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def normalize_json(text: str) -> str:
    """JSON in one spelling; other text as it is."""
    try:
        return go_json(json.loads(text))
    except ValueError:
        return text


def is_json_object(text: str) -> bool:
    """Whether the text is a JSON object."""
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def alike(before: Any, after: Any) -> bool:
    """Whether two values are the same to Terraform: nothings are alike, and so are `1` and `"1"`."""
    if before in ZERO and after in ZERO:
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return all(alike(before.get(k), after.get(k)) for k in before.keys() | after.keys())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(alike, before, after))
    if isinstance(before, (bool, int, float)) or isinstance(after, (bool, int, float)):
        return str(before).lower() == str(after).lower()
    return before == after

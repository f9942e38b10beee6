"""Labels, of which the official provider only manages those of the program and its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sandbox.providers.gcp.resource import Google
from sandbox.providers.runtime.values import Properties

_LOWER = r"[^\W\d_A-Z]"
_KEY = re.compile(rf"{_LOWER}(?:{_LOWER}|[\d_-]){{0,62}}")
_VALUE = re.compile(rf"(?:{_LOWER}|[\d_-]){{0,63}}")


def labels_wanted(g: Google, p: Properties) -> dict[str, str]:
    """Those of the program with those of the provider."""
    return g.labels | (p.get("labels") or {})


def labels_sent(g: Google, p: Properties, olds: Properties) -> dict[str, str]:
    """All labels that the object is to have; foreign ones stay."""
    own = olds.get("pulumiLabels") or {}
    foreign = {k: v for k, v in (olds.get("effectiveLabels") or {}).items() if k not in own}
    return foreign | labels_wanted(g, p)


def labels_seen(g: Google, p: Properties, there: dict[str, str]) -> Properties:
    """The three outputs of labels. An import sees none of its own, as with the official provider."""
    own = p.get("pulumiLabels") or labels_wanted(g, p)
    seen: Properties = {
        "effectiveLabels": there,
        "pulumiLabels": {k: v for k, v in there.items() if k in own},
    }
    if p.get("labels"):
        seen["labels"] = {k: v for k, v in there.items() if k in p["labels"]}
    return seen


def label_failures(labels: dict[str, str]) -> Iterator[str]:
    """Why Google would refuse the labels."""
    if len(labels) > 64:
        yield f"There are {len(labels)} labels; an object has at most 64."
    for key, value in labels.items():
        if not _KEY.fullmatch(key):
            yield f"Label key {key!r} must begin with a lowercase letter and hold only lowercase letters, digits, _ and -, at most 63 of them."
        if not _VALUE.fullmatch(value):
            yield f"The value of label {key!r} must hold only lowercase letters, digits, _ and -, at most 63 of them."

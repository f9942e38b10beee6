"""`python -m sandbox.providers.extract_schema SCHEMA OUT TYPE…`: the part of an official provider schema that a stand-in needs.

The official schema of a provider is what `pulumi package get-schema <provider>` prints where the official
plugin can be downloaded.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

KEPT = ("type", "items", "additionalProperties", "secret", "willReplaceOnChanges", "default")


def extract(schema: dict[str, Any], tokens: list[str]) -> dict[str, Any]:
    """Token to inputs (type, secret, replacement, default), required inputs and outputs."""
    return {token: _resource(schema["resources"][token]) for token in sorted(tokens)}


def _resource(resource: dict[str, Any]) -> dict[str, Any]:
    return {
        "inputs": {k: _kept(v) for k, v in sorted(resource["inputProperties"].items())},
        "required": sorted(resource.get("requiredInputs", [])),
        "outputs": {k: _kept(v) for k, v in sorted(resource["properties"].items())},
    }


def _kept(declared: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in declared.items() if k in KEPT}
    for part in ("items", "additionalProperties"):
        if part in kept:
            kept[part] = _kept(kept[part])
    return kept


if __name__ == "__main__":
    source, target, *tokens = sys.argv[1:]
    text = json.dumps(
        extract(json.loads(Path(source).read_text()), tokens), indent=1, sort_keys=True
    )
    Path(target).write_text(text + "\n")

"""Runs a policy pack without the secrets that the engine gives it.

The engine puts a stack's whole configuration, decrypted, into the environment of a pack's process (`PULUMI_CONFIG`).
This project's pack reads from it which environment it judges and which release an image's digest is, and no more.
"""

from __future__ import annotations

import json
import os
import sys

_KEPT = ("kestra:tags", "kestra-policy:environment")


def needed(config: str) -> str:
    """What the pack reads of a configuration, a JSON mapping."""
    try:
        values = json.loads(config)
        kept = {key: values[key] for key in _KEPT if key in values}
    except (ValueError, TypeError):
        return "{}"
    return json.dumps(kept | _image(values))


def _image(values: dict[str, str]) -> dict[str, str]:
    """Tag and digest of the image, of all that `kestra:deployment` holds."""
    try:
        image = json.loads(values["kestra:deployment"])["image"]
        kept = {key: image[key] for key in ("tag", "digest") if key in image}
    except (ValueError, TypeError, KeyError):
        return {}
    return {"kestra:deployment": json.dumps({"image": kept})}


if __name__ == "__main__":
    if "PULUMI_CONFIG" in os.environ:
        os.environ["PULUMI_CONFIG"] = needed(os.environ["PULUMI_CONFIG"])
    os.environ.pop("PYTHONPATH", None)  # the launcher's, for this module
    os.execv(sys.executable, [sys.executable, "-u", "-m", "pulumi.policy", *sys.argv[1:]])  # noqa: S606

"""Runs a policy pack without the secrets that the engine gives it.

The engine puts a stack's whole configuration, decrypted, into the environment of a pack's process (`PULUMI_CONFIG`).
This project's pack is told which stack it judges by the engine's protocol, and keeps of it what it needs.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # PYTHONPATH is the launcher's, for this module.
    for name in ("PULUMI_CONFIG", "PYTHONPATH"):
        os.environ.pop(name, None)
    os.execv(sys.executable, [sys.executable, "-u", "-m", "pulumi.policy", *sys.argv[1:]])  # noqa: S606

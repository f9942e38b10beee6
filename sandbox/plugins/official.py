"""The official provider plugins that stand-ins stand for, and where a machine has them."""

from __future__ import annotations

import shutil
from pathlib import Path

STAND_INS = {
    "aws": "7.51.1",
    "azure-native": "3.29.0",
    "gcp": "10.2.0",
    "kubernetes": "4.34.2",
    "random": "4.21.4",
    "vault": "7.14.0",
}
"""Plugin to the version that its stand-in stands for."""


def installed(name: str) -> Path:
    """The folder in which Pulumi keeps the official plugin, where it has it."""
    return Path.home() / ".pulumi" / "plugins" / f"resource-{name}-v{STAND_INS[name]}"


def is_official(name: str) -> bool:
    """Whether the machine has the official plugin."""
    return installed(name).is_dir() or shutil.which(f"pulumi-resource-{name}") is not None

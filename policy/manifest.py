"""The pack's name and version."""

from __future__ import annotations

import re
from pathlib import Path

NAME = "kestra"
"""What the engine calls it in its messages."""
FOLDER = Path(__file__).parent

_manifest = (FOLDER / "PulumiPolicy.yaml").read_text(encoding="utf-8")
_version = re.search(r"^version: (\S+)$", _manifest, re.MULTILINE)
assert _version is not None
VERSION = _version[1]
"""Of this release of the pack, as `PulumiPolicy.yaml` says it."""

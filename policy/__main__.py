"""Where the engine starts the pack: `pulumi up --policy-pack policy`."""

import sys
from pathlib import Path

# The engine runs this folder as a program, so the folder itself is where modules are looked up first, and
# its names (kubernetes, vault) would hide packages. The pack is a package of the folder above.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from policy.core.adapter import start  # noqa: E402

start()

"""`python -m sandbox.tools`: builds every tool and fetches every Kestra that is not in the cache yet."""

from __future__ import annotations

import sys

from sandbox import kestra
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.tools import MODULES, ensure


def main() -> int:
    """Builds; 0 when everything is there."""
    progress = Progress()
    try:
        ensure([name for module in MODULES.values() for name in module.packages], progress)
        for version in kestra.RELEASES:
            kestra.ensure(version, progress)
    except SandboxError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

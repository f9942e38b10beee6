"""``python -m sandbox.providers.kubernetes <engine address>``: the plugin process."""

from __future__ import annotations

import sys

from sandbox.providers.kubernetes.servicer import serve


def main() -> None:
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    try:
        serve(addresses[0] if addresses else "")
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()

"""`python -m sandbox`."""

import signal
import sys

from sandbox.cli import main

if __name__ == "__main__":
    for sign in (signal.SIGTERM, signal.SIGHUP):
        # Ends like Ctrl-C: the engine finishes what it is doing.
        signal.signal(sign, signal.default_int_handler)
    sys.exit(main())

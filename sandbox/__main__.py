"""`python -m sandbox`."""

import resource
import signal
import sys

from components.missing_packages import explain

try:
    from sandbox.cli import main
except ModuleNotFoundError as error:
    sys.exit(explain(error, ".venv/sandbox"))

if __name__ == "__main__":
    # A dump of the engine's, a plugin's or Kestra's memory would hold every secret.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    for sign in (signal.SIGTERM, signal.SIGHUP):
        # Ends like Ctrl-C: the engine finishes what it is doing.
        signal.signal(sign, signal.default_int_handler)
    sys.exit(main())

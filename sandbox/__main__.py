"""`python -m sandbox`."""

import resource
import sys

from components.missing_packages import explain

try:
    from sandbox.cli import main
    from sandbox.command_line import run_command
except ModuleNotFoundError as error:
    sys.exit(explain(error, ".venv/sandbox"))

if __name__ == "__main__":
    # A dump of the engine's, a plugin's or Kestra's memory would hold every secret.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    sys.exit(run_command(main))

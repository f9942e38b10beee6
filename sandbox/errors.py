"""What a person is told when something outside the program does not work."""


class SandboxError(Exception):
    """One clear sentence and what to do. Shown without a traceback; the exit code is 1."""

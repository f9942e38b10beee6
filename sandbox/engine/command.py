"""The engine's command, so that an interruption ends an update between two operations and not within one."""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from os import environ
from typing import IO, Any

from pulumi import automation as auto
from pulumi.automation.errors import create_command_error

# As with Pulumi itself: the first asks, the second insists; the third does not ask any more.
_SIGNS = (signal.SIGINT, signal.SIGINT, signal.SIGKILL)


class EngineCommand(auto.PulumiCommand):
    """Runs `pulumi` in a process group of its own and hands an interruption on, once each.

    The Automation API leaves the engine alone when it is interrupted: the engine dies of its closed pipes in
    the middle of an operation, and the next update finds objects that the state does not know.
    """

    def __init__(
        self, root: str, notify: Callable[[str], None], redact: Callable[[str], str] = str
    ) -> None:
        super().__init__(root=root, skip_version_check=True)
        self._notify, self._redact = notify, redact

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> auto.CommandResult:
        """Runs one command.

        Raises:
            auto.CommandError: when it fails; without secrets, as far as `redact` knows them.
            KeyboardInterrupt: when it was interrupted, after it has ended.
        """
        process = subprocess.Popen(
            [self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**environ, **additional_env, "PULUMI_AUTOMATION_API": "true"},
            encoding="utf-8",
            errors="replace",
            # Ctrl-C reaches the whole group of the terminal: the engine would hear it twice and give up.
            process_group=0,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        out, err = _Reader(process.stdout, on_output), _Reader(process.stderr, on_error)
        interrupted = self._wait(process, (out, err))
        if interrupted:
            raise KeyboardInterrupt
        if process.returncode != 0:
            said, failed = self._redact(out.text), self._redact(err.text)
            raise create_command_error(auto.CommandResult(said, failed, process.returncode))
        return auto.CommandResult(out.text, err.text, process.returncode)

    def _wait(self, process: subprocess.Popen[str], readers: tuple[_Reader, _Reader]) -> bool:
        interruptions = 0
        while True:
            try:
                for reader in readers:
                    reader.join()
                process.wait()
            except KeyboardInterrupt:
                if interruptions == 0:
                    self._notify("Interrupted: the engine ends the operations that are under way.")
                with suppress(ProcessLookupError):
                    process.send_signal(_SIGNS[min(interruptions, len(_SIGNS) - 1)])
                interruptions += 1
            else:
                return interruptions > 0


class _Reader(threading.Thread):
    """Collects the lines of a stream."""

    def __init__(self, stream: IO[str], act: Callable[[str], Any] | None) -> None:
        super().__init__(daemon=True)
        self._stream, self._act = stream, act
        self._lines: list[str] = []
        self.start()

    def run(self) -> None:
        with self._stream:
            for line in self._stream:
                text = line.rstrip()
                self._lines.append(text)
                if self._act is not None:
                    self._act(text)

    @property
    def text(self) -> str:
        """What was read."""
        return "\n".join(self._lines)

"""Downloads official provider plugins as `pulumi plugin install` does, where their servers can be reached.

A plugin is downloaded once, into the cache. Whether the servers can be reached is asked quickly; a download that failed
is not tried again for a while, so that a machine without a network loses no time.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from filelock import FileLock

from sandbox.engine.official_plugins import sdk_versions
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.services.process import private
from sandbox.tools import cache_folder

PROBE_SECONDS = 3
DOWNLOAD_SECONDS = 120
"""For one plugin; the largest has 40 MB."""
RETRY_SECONDS = 3600
"""How long a failure is remembered."""
OVERRIDES = "PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES"
"""Pulumi's own variable: `regexp=URL,…`, for whoever keeps the plugins on a server of their own."""
_SERVERS = ("https://github.com", "https://get.pulumi.com")
_PASSED_ON = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "PATH")


class Memory:
    """Answers that are kept in a file of the cache."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def get(self, key: str) -> Any:
        """What is kept; None where there is nothing, or not any more."""
        until, value = self._read().get(key, (0, None))
        return value if until is None or until > time.time() else None

    def put(self, key: str, value: Any, seconds: float | None = None) -> None:
        """Keeps a JSON value, for some seconds or for good."""
        until = None if seconds is None else time.time() + seconds
        self._file.parent.mkdir(parents=True, exist_ok=True)
        private(self._file, json.dumps({**self._read(), key: (until, value)}))

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text()))
        except (OSError, ValueError, TypeError):
            return {}


@dataclass(frozen=True)
class Failure:
    """Why a plugin could not be downloaded."""

    reason: str
    at: float
    """Seconds since the epoch."""


class Downloads:
    """The downloads of official plugins into `download_home()`."""

    def __init__(
        self,
        pulumi: Path,
        progress: Progress,
        *,
        again: bool = False,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """
        Args:
            pulumi: the engine's command.
            progress: told of what is downloaded.
            again: whether what failed is tried again before its time.
            environ: the caller's environment.
        """
        self._pulumi, self._progress, self._environ = pulumi, progress, environ
        self._home, self._again = download_home(), again
        self._memory = Memory(self._home / "failures.json")
        self._failed_at: list[float] = []

    @property
    def retry_hint(self) -> str:
        """When plugins that could not be downloaded are tried again; empty where there is none."""
        if not self._failed_at:
            return ""
        until = time.strftime("%H:%M", time.localtime(min(self._failed_at) + RETRY_SECONDS))
        return f"Downloads are tried again after {until}, or now with --official-plugins."

    def install(self, names: Iterable[str]) -> dict[str, Failure]:
        """Downloads plugins of their SDKs' versions; the failures by name."""
        failures: dict[str, Failure] = {}
        missing: list[str] = []
        for name in names:
            kept = None if self._again else self._memory.get(self._key(name))
            if kept is None:
                missing.append(name)
            else:
                failures[name] = Failure(**kept)
                self._failed_at.append(failures[name].at)
        if missing and (reason := self._unreachable()):
            return failures | {name: self._failed(name, reason) for name in missing}
        for i, name in enumerate(missing, 1):
            title = f"Downloading the official provider plugin {name} {sdk_versions()[name]}"
            try:
                with self._progress.step(title, i, len(missing)):
                    self._download(name, sdk_versions()[name])
            except SandboxError as error:
                failures[name] = self._failed(name, str(error))
        return failures

    def _failed(self, name: str, reason: str) -> Failure:
        failure = Failure(reason, time.time())
        self._failed_at.append(failure.at)
        self._memory.put(self._key(name), vars(failure), RETRY_SECONDS)
        return failure

    def _key(self, name: str) -> str:
        return f"{name} {sdk_versions()[name]} {self._environ.get(OVERRIDES, '')}"

    def _unreachable(self) -> str:
        """Why no plugin can be downloaded now; empty where a server answers, whatever it says."""
        servers, reachable = self._servers(), threading.Event()

        def ask(server: str) -> None:
            with suppress(requests.RequestException):
                requests.head(server, timeout=PROBE_SECONDS)
                reachable.set()

        # A name server that does not answer keeps a thread longer than any time limit of a connection.
        threads = [threading.Thread(target=ask, args=(s,), daemon=True) for s in servers]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PROBE_SECONDS
        while time.monotonic() < deadline and any(thread.is_alive() for thread in threads):
            if reachable.wait(0.02):
                break
        hosts = " and ".join(urlsplit(server).netloc for server in servers)
        return "" if reachable.is_set() else f"{hosts} cannot be reached"

    def _servers(self) -> list[str]:
        """The addresses from which Pulumi takes plugins."""
        urls = re.findall(r"=(https?://[^,]+)", self._environ.get(OVERRIDES, ""))
        places = dict.fromkeys("://".join(urlsplit(url)[:2]) for url in urls)
        return list(places) or list(_SERVERS)

    def _download(self, name: str, version: str) -> None:
        """Downloads one plugin.

        Raises:
            SandboxError: with the reason, when it cannot be had.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        both = (n for variable in _PASSED_ON for n in (variable, variable.lower()))
        passed = (*both, OVERRIDES, "GITHUB_TOKEN")
        environment = {n: self._environ[n] for n in passed if n in self._environ}
        environment |= {
            "HOME": str(self._home),
            "PULUMI_HOME": str(self._home),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_CREDENTIALS_PATH": str(self._home),
        }
        command = [str(self._pulumi), "plugin", "install", "resource", name, version, "--exact"]
        try:
            with FileLock(self._home / "lock"):
                done = subprocess.run(
                    [*command, "--non-interactive", "--color=never"],
                    cwd=self._home,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=DOWNLOAD_SECONDS,
                )
        except subprocess.TimeoutExpired:
            raise SandboxError(f"its download took more than {DOWNLOAD_SECONDS} s") from None
        if done.returncode != 0:
            errors = re.findall(r"^error: (.+)$", done.stderr, re.MULTILINE)
            said = errors[-1] if errors else f"Pulumi ended with {done.returncode}"
            raise SandboxError(f"its download failed: {said.rstrip('.')}")


def download_home() -> Path:
    """The PULUMI_HOME of the sandbox's downloads, which all states share."""
    return cache_folder() / "pulumi"

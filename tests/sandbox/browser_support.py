"""Opens pages in a real browser without a window."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--virtual-time-budget=3000",
    "--enable-logging=stderr",
)


def find_browser() -> str:
    """The browser: KESTRA_BROWSER, else one that is installed.

    Without one the test fails, or is skipped where KESTRA_SKIP_BROWSER=1 says that this is known.
    """
    found = os.environ.get("KESTRA_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found:
        return found
    said = "No Chromium here (Debian: apt-get install chromium); KESTRA_SKIP_BROWSER=1 skips its tests."
    if os.environ.get("KESTRA_SKIP_BROWSER") == "1":
        pytest.skip(said)
    pytest.fail(said, pytrace=False)


@dataclass(frozen=True)
class Shown:
    """What the browser made of a page."""

    dom: str
    console: list[str]
    """Lines of the console: errors, and what the page's own rules refused."""


@dataclass(frozen=True)
class Browser:
    """A browser that keeps nothing from one page to the next."""

    command: str

    def _run(
        self, page: Path, *flags: str, dark: bool, size: str
    ) -> subprocess.CompletedProcess[str]:
        scheme = ("--force-dark-mode",) if dark else ()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            return subprocess.run(
                [self.command, *_QUIET, *scheme, f"--user-data-dir={profile}", f"--window-size={size}",
                 *flags, page.as_uri()],
                capture_output=True, text=True, timeout=120, check=True,
            )  # fmt: skip

    def show(self, page: Path, *, dark: bool = False, size: str = "1280,900") -> Shown:
        """Opens a page and reads what became of it."""
        done = self._run(page, "--dump-dom", dark=dark, size=size)
        return Shown(done.stdout, re.findall(r"CONSOLE[^\]]*\] (.*)", done.stderr))

    def picture(self, page: Path, target: Path, *, dark: bool = False, size: str) -> bytes:
        """Takes a picture (PNG) of a page."""
        self._run(page, f"--screenshot={target}", dark=dark, size=size)
        return target.read_bytes()

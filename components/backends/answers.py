"""Questions to a secret manager's own API, asked with the caller's credentials; they read no value."""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECONDS = 30
"""How long one answer may take."""


class UnansweredError(Exception):
    """Nobody could be asked; the message says why, and what to do."""


@dataclass(frozen=True)
class WrittenSecret:
    """A secret as the last update of the stack wrote it."""

    name: str
    """In the settings: `DATABASE_PASSWORD`, or `encryption.secret-key` for the recovery copy."""
    id: str
    """In the secret manager, as the output `secretIds` has it."""
    version: str
    """As the output `versionIds` has it."""
    resource: Mapping[str, Any]
    """The resource that wrote it, as the state has it."""

    @property
    def is_declared(self) -> bool:
        """Whether it is a declared secret, and not the recovery copy."""
        return "." not in self.name


@dataclass(frozen=True)
class CurrentVersion:
    """What is in force in the secret manager."""

    number: str
    """Its number or id; empty where there is none."""
    fault: str = ""
    """What keeps it from being read: `it is deleted`."""


@dataclass(frozen=True)
class VersionQuery:
    """How a secret manager is asked which version of a secret is in force."""

    resource_type: str
    """Type of the resources that write its secrets."""
    owns: Callable[[str], bool]
    """Whether an id of the output `secretIds` is one of its own."""
    current_version: Callable[[WrittenSecret], CurrentVersion]
    """Asks; raises `UnansweredError`."""
    remedy: Callable[[WrittenSecret, CurrentVersion], Sequence[str]]
    """Commands after which the stack's value is in force again."""


def get_json(
    url: str, headers: Mapping[str, str], service: str, *, missing: tuple[int, ...] = (404,)
) -> dict[str, Any] | None:
    """One answer; None where there is nothing.

    Raises:
        UnansweredError: the service does not answer, refuses, or answers with something else.
    """
    if not url.startswith(("https://", "http://")):
        raise UnansweredError(f"{url} is no address of {service}.")
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310 - checked above
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            document = json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in missing:
            return None
        raise UnansweredError(f"{service} refuses the question (HTTP {error.code}).") from None
    except (OSError, ValueError) as error:
        raise UnansweredError(f"{service} does not answer ({type(error).__name__}).") from None
    if not isinstance(document, dict):
        raise UnansweredError(f"{service} answers with something else than an object.")
    return document


def command_output(*command: str) -> str:
    """What a cloud's own command line prints: a token.

    Raises:
        UnansweredError: it is not installed, or nobody is logged in.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        raise UnansweredError(f"`{command[0]}` is not installed, or does not answer.") from None
    if done.returncode:
        raise UnansweredError(f"`{' '.join(command[:3])}` failed; log in first.")
    return done.stdout.strip()

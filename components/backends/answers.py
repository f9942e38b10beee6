"""Requests to a secret manager's own API, made with the caller's credentials."""

from __future__ import annotations

import json
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..redaction.search import redacted

SECONDS = 30
"""How long one answer may take."""
SHORTEST = 4
"""Characters of a hidden value that can be taken out of a text."""
MOST_WORDS = 400
"""Characters of a service's words that a message repeats."""
MOST_BYTES = 65_536
"""Of a refusal that are read."""


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
    changed: str = ""
    """When it was put in force, as ISO 8601 in UTC; empty where the manager does not say."""


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
    return request_json("GET", url, headers, service, missing=missing)


def request_json(
    method: str,
    url: str,
    headers: Mapping[str, str],
    service: str,
    *,
    body: Mapping[str, Any] | None = None,
    missing: tuple[int, ...] = (404,),
    hidden: Collection[str] = (),
    ca_file: str | None = None,
) -> dict[str, Any] | None:
    """The answer to a request; None where there is nothing.

    Args:
        method: GET, POST, PUT.
        url: of `https` or `http`.
        headers: of the request, with the credential. Secret.
        service: its name, for messages.
        body: what is sent, as JSON. Secret.
        missing: statuses that mean that there is nothing.
        hidden: what no message may hold. Secret.
        ca_file: of the certificate authority; None: those of the machine.

    Raises:
        UnansweredError: the service does not answer, refuses (with its own words), or answers with something else.
    """
    if not url.startswith(("https://", "http://")):
        raise UnansweredError(f"{url} is no address of {service}.")
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", **headers} if data else dict(headers)
    request = urllib.request.Request(url, data, sent, method=method)  # noqa: S310 - checked above
    try:
        context = ssl.create_default_context(cafile=ca_file) if ca_file else None
        with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310
            document = json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        if error.code in missing:
            return None
        words = own_words(_refusal(error), hidden)
        said = f": {words}" if words else "."
        raise UnansweredError(f"{service} refuses the question (HTTP {error.code}){said}") from None
    except (OSError, ValueError) as error:
        raise UnansweredError(f"{service} does not answer ({type(error).__name__}).") from None
    if not isinstance(document, dict):
        raise UnansweredError(f"{service} answers with something else than an object.")
    return document


def own_words(text: str, hidden: Collection[str]) -> str:
    """What a service said, on one line with a full stop, without what is hidden.

    Args:
        text: of the service.
        hidden: values that it must not hold, in whatever encoding. Secret.
    """
    if any(0 < len(value) < SHORTEST and value in text for value in hidden):
        # Too short to be told from a part of a word.
        return ""
    line = " ".join(redacted(text, hidden).split())[:MOST_WORDS]
    printable = "".join(c for c in line if c.isprintable())
    return f"{printable.rstrip('.')}." if printable else ""


def _refusal(error: urllib.error.HTTPError) -> str:
    """The text of a refusal as Vault, Google and Azure write it; empty for another form."""
    try:
        document = json.loads(error.read(MOST_BYTES))
    except (OSError, ValueError):
        return ""
    if not isinstance(document, dict):
        return ""
    errors, one = document.get("errors"), document.get("error")
    if isinstance(errors, list):
        return "; ".join(str(text) for text in errors)
    return str(one.get("message") or "") if isinstance(one, dict) else ""


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

"""Takes a stack's secret values out of everything that is said of it.

The engine masks what it knows to be secret in properties. It does not look into the texts of its plugins: a server that
refuses an object may quote a value of it, and the plugin hands the server's words on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from threading import Lock
from typing import Any

import pulumi

from .search import Search, redacted

SHORTEST = 4
"""Characters that a value needs to be taken out: fewer stand in too many words."""
_MESSAGES = ("diagnostic_event", "policy_event", "stdout_event")
_IN_ADDRESS = re.compile(r"(?i)(?:password|pwd)\s*=\s*([^&;,)\s]+)|//[^/?@:]*:([^/?@]+)@")
_SAYS_SECRET = re.compile(r"pass|secret|token|key|credential|value", re.IGNORECASE)


class Redaction:
    """The secret values of one stack. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._search = Search({})
        self._known, self._new = set[str](), set[str]()
        self._sources: list[Callable[[], Iterable[object]]] = []
        self._learning: set[asyncio.Future[None]] = set()
        self._lock = Lock()

    def add(self, *values: object) -> None:
        """Has every text in these values taken out from here on, also those in a JSON document."""
        texts = _long_enough(values)
        with self._lock:
            self._new |= texts

    def read_later(self, source: Callable[[], Iterable[object]]) -> None:
        """Has values added that take time to be read, when the first text comes.

        Args:
            source: gives them; what it raises is that text's.
        """
        self._sources.append(source)

    def text(self, text: str) -> str:
        """The text without the values, in every form that `components.redaction.encodings` knows."""
        with self._lock:
            while self._sources:
                self._new |= _long_enough(self._sources.pop()())
            # A leak has the name of its value; the values are their own names here.
            self._search.add({value: value for value in self._new - self._known})
            self._known |= self._new
            self._new = set()
            leaks = self._search.text(text.encode(errors="replace"), "")
        return redacted(text, {leak.name for leak in leaks}) if leaks else text

    def event(self, event: Any) -> Any:
        """An event of the Automation API, its texts without the values."""
        for name in _MESSAGES:
            said = getattr(event, name, None)
            if said is not None:
                said.message = self.text(said.message)
        return event

    def follow(self) -> None:
        """Learns the secrets among the inputs of every resource that the running program registers from here on.

        A value is known before the engine has it: it is waited for here before the registration waits for it.
        """
        pulumi.runtime.register_stack_transformation(self.note)

    def note(self, args: pulumi.ResourceTransformationArgs) -> None:
        """Learns the secrets of one resource; a transformation."""
        for output in _outputs(args.props):
            learning = asyncio.ensure_future(self._learn(output))
            self._learning.add(learning)
            learning.add_done_callback(self._learning.discard)

    async def _learn(self, output: pulumi.Output[Any]) -> None:
        # What the output needs may have failed; the engine and the SDK say so.
        with contextlib.suppress(Exception):
            if await output.is_secret():
                self.add(await output.future(with_unknowns=True))


def _outputs(value: Any) -> Iterator[pulumi.Output[Any]]:
    if isinstance(value, pulumi.Output):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _outputs(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _outputs(item)
    elif not isinstance(value, (pulumi.Resource, Enum)) and hasattr(value, "__dict__"):
        # The SDKs' classes of inputs.
        yield from _outputs(vars(value))


def _long_enough(values: object) -> set[str]:
    return {text for text in _texts(values) if len(text) >= SHORTEST}


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        for parts in _IN_ADDRESS.findall(value):
            yield from filter(None, parts)
        if value[:1] in ("{", "["):
            try:
                document = json.loads(value)
            except ValueError:
                return
            if isinstance(document, dict) and len(document) > 1:
                # A cloud's key has names and addresses beside what is secret.
                document = [v for k, v in document.items() if _SAYS_SECRET.search(k)]
            yield from _texts(document)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for item in value:
            yield from _texts(item)

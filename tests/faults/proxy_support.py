"""A reverse proxy on loopback that spoils chosen requests to a real server.

It stands between a provider plugin and its server by the provider's ordinary address setting, so it works for the
official plugins as it does for the stand-ins.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import urllib3

#: What belongs to one connection; the name of the host stays, for AWS signs it.
_HOPS = {"connection", "transfer-encoding", "content-length", "keep-alive"}
HTML = b"<html><body>Please log in</body></html>"


@dataclass(frozen=True)
class Answer:
    """Answers in the server's place; the server never sees the request."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    after: Callable[[], object] | None = None
    """Waited for before it is answered."""


@dataclass(frozen=True)
class Cut:
    """The server acts, and its answer breaks off in the middle."""


@dataclass(frozen=True)
class Slow:
    """The server is asked only after some seconds."""

    seconds: float


@dataclass(frozen=True)
class Hang:
    """Nobody answers; the server never sees the request."""


@dataclass(frozen=True)
class Then:
    """Something happens before the server is asked."""

    act: Callable[[], object]


Fault = Answer | Cut | Slow | Hang | Then


@dataclass
class Rule:
    """Which requests are spoilt, how, and how often."""

    pattern: re.Pattern[str]
    fault: Fault
    times: float
    hits: int = 0


class Proxy:
    """Stands in front of one server.

    Args:
        upstream: the server's address.
        tls: how the server is verified, as urllib3 takes it.
    """

    def __init__(self, upstream: str, **tls: Any) -> None:
        self.upstream = upstream.rstrip("/")
        self._pool = urllib3.PoolManager(maxsize=32, retries=False, **tls)
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self.released = threading.Event()
        self.port = 0
        self._server: _Server | None = None

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Listens; at the same port as before, if there was one."""
        self._server = _Server(self, self.port)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def refuse(self) -> None:
        """Listens no more: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def spoil(self, pattern: str, fault: Fault, times: float = float("inf")) -> Rule:
        """Spoils requests whose line fits: `METHOD path?query [AWS action] body`.

        Args:
            pattern: a regular expression, searched for.
            fault: what happens.
            times: how many requests are spoilt.
        """
        rule = Rule(re.compile(pattern, re.DOTALL), fault, times)
        with self._lock:
            self._rules.append(rule)
        return rule

    def heal(self) -> None:
        """Spoils nothing any more, and listens."""
        with self._lock:
            self._rules.clear()
        self.released.set()
        self.released = threading.Event()
        if self._server is None:
            self.start()

    def fault(self, line: str) -> Fault | None:
        """What happens to a request; counts it."""
        with self._lock:
            for rule in self._rules:
                if rule.hits < rule.times and rule.pattern.search(line):
                    rule.hits += 1
                    return rule.fault
        return None

    def serves(self, server: object) -> bool:
        """Whether a listener is the one that answers now."""
        return self._server is server

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> urllib3.BaseHTTPResponse:
        """The server's answer."""
        url, sent = (
            self.upstream + path,
            {k: v for k, v in headers.items() if k.lower() not in _HOPS},
        )
        return self._pool.request(
            method, url, body=body, headers=sent, decode_content=False, redirect=False
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, proxy: Proxy, port: int) -> None:
        self.proxy = proxy
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def _proxy(self) -> Proxy:
        assert isinstance(self.server, _Server)
        return self.server.proxy

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        if not self._proxy.serves(self.server):  # refuses, also on connections that stand
            self.close_connection = True
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        target = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        line = f"{self.command} {self.path} [{target}] {body.decode(errors='replace')}"
        self._answer(self._proxy.fault(line), body)

    def _answer(self, fault: Fault | None, body: bytes) -> None:
        proxy = self._proxy
        match fault:
            case Answer():
                if fault.after:
                    fault.after()
                return self._send(fault.status, fault.headers, fault.body)
            case Hang():
                proxy.released.wait(120)
                self.close_connection = True
                return None
            case Slow():
                time.sleep(fault.seconds)
            case Then():
                fault.act()
        try:
            answer = proxy.forward(self.command, self.path, dict(self.headers), body)
        except urllib3.exceptions.HTTPError:
            # As a connection to a server that is gone: nothing is answered.
            self.close_connection = True
            return None
        data = answer.data
        cut = data[: len(data) // 2] if isinstance(fault, Cut) else data
        return self._send(answer.status, dict(answer.headers), cut, len(data))

    def _send(
        self, status: int, headers: dict[str, str], data: bytes, length: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOPS:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        self.end_headers()
        self.wfile.write(data)
        if length is not None and len(data) < length:
            self.close_connection = True

"""Kestra asked from within its own pod: the API of its web server, and what the stand-in image says of itself."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.nodes.pods import execute

CONTAINER = "kestra"
TENANT = "main"
INSPECTION_PORT = 9099
"""Where the stand-in image says what it bound; nothing listens there in Kestra's own image."""
_ENDS = ("SUCCESS", "WARNING", "FAILED", "KILLED")
_REFUSED = 7
"""Exit code of `_SEND` where nobody listens."""
#: Sends as many bytes of standard input as `$2` says, and prints the answer. Both may hold secrets: neither is an
#: argument nor a file.
_SEND = f'exec 3<>"/dev/tcp/127.0.0.1/$1" || exit {_REFUSED}; head -c "$2" >&3; cat <&3'
#: Searches the places where Kestra may write for the text of standard input, which holds `$1` bytes.
_FIND = 'text=$(head -c "$1"); grep -rlF -f <(printf %s "$text") /tmp /app/storage /app/confs 2>/dev/null; true'


@dataclass(frozen=True)
class KestraPod:
    """A pod of Kestra's that runs."""

    kubeconfig: Path
    namespace: str
    name: str
    component: str
    """Its label `app.kubernetes.io/component`: `standalone`, `worker-gpu`."""

    def inspect(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the process of the stand-in image bound; None for another image.

        Args:
            question: `leaves` as `sandbox.verify` asks for them, and texts to `search` the database for.

        Raises:
            SandboxError: when the pod does not answer.
        """
        body = json.dumps(question).encode()
        answer = self.send(INSPECTION_PORT, _request("POST", "/", {}, body))
        return None if answer is None else json.loads(_body(answer, self.name)[1])

    def status(self, port: int, path: str, log_in: tuple[str, str] | None) -> int:
        """The status of an HTTP answer; 0 where nobody listens.

        Args:
            port: of the pod.
            path: what is asked for.
            log_in: user and password; None: without.
        """
        headers = {} if log_in is None else {"Authorization": _basic(*log_in)}
        answer = self.send(port, _request("GET", path, headers, b""))
        return 0 if answer is None else _body(answer, self.name)[0]

    def files_with(self, text: str) -> list[str]:
        """The files in the pod's writable places that hold a text."""
        answer = execute(
            self.kubeconfig,
            self.namespace,
            self.name,
            CONTAINER,
            ["/bin/bash", "-c", _FIND, "find", str(len(text.encode()))],
            stdin=text,
        )
        return [f"file {name}" for name in answer.out.split("\n") if name]

    def send(self, port: int, request: bytes) -> bytes | None:
        """The answer to an HTTP request; None where nobody listens."""
        answer = execute(
            self.kubeconfig,
            self.namespace,
            self.name,
            CONTAINER,
            ["/bin/bash", "-c", _SEND, "send", str(port), str(len(request))],
            stdin=request.decode(),
        )
        if answer.code == _REFUSED:
            return None
        if answer.code:
            raise SandboxError(f"Port {port} of pod {self.name} gave no answer.")
        return answer.out.encode()


@dataclass(frozen=True)
class KestraApi:
    """The API of a pod with a web server."""

    pod: KestraPod
    port: int
    context_path: str
    user: str
    password: str

    def import_flow(self, source: str) -> None:
        """Creates a flow, or its next revision.

        Raises:
            SandboxError: when Kestra refuses it.
        """
        part = 'name="fileUpload"; filename="flow.yaml"\r\nContent-Type: application/x-yaml'
        self._ask("POST", "flows/import", {part: source})

    def execute(self, namespace: str, flow: str, inputs: Mapping[str, str]) -> dict[str, Any]:
        """Starts a flow; the new execution.

        Raises:
            SandboxError: when Kestra refuses it.
        """
        return self._ask(
            "POST",
            f"executions/{namespace}/{flow}",
            {f'name="{name}"': value for name, value in inputs.items()},
        )

    def await_end(self, execution: str, seconds: float = 120) -> dict[str, Any]:
        """The execution as it is when it has ended, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            # A new execution is in the queue before it is in the repository.
            current = self._ask("GET", f"executions/{execution}", missing={})
            state = current.get("state", {}).get("current", "NONE")
            if state in _ENDS or time.monotonic() > deadline:
                return {"id": execution, "state": {"current": state}} | current
            time.sleep(0.5)

    def logs(self, execution: str, seconds: float = 20) -> list[str]:
        """What the tasks of an ended execution logged; the lines come a moment after its end."""
        deadline = time.monotonic() + seconds
        while True:
            lines = [entry["message"] for entry in self._ask("GET", f"logs/{execution}")]
            if lines or time.monotonic() > deadline:
                return lines
            time.sleep(0.5)

    def _ask(
        self, method: str, path: str, parts: Mapping[str, str] | None = None, *, missing: Any = None
    ) -> Any:
        headers = {"Authorization": _basic(self.user, self.password)}
        body = b""
        if parts is not None:
            boundary = secrets.token_hex(16)
            headers["Content-Type"] = f"multipart/form-data; boundary={boundary}"
            body = _multipart(boundary, parts)
        request = _request(method, f"{self.context_path}/api/v1/{TENANT}/{path}", headers, body)
        answer = self.pod.send(self.port, request)
        if answer is None:
            raise SandboxError(f"Nobody listens on port {self.port} of pod {self.pod.name}.")
        status, text = _body(answer, self.pod.name)
        if status == 404 and missing is not None:
            return missing
        if status != 200:
            raise SandboxError(
                f"Kestra in pod {self.pod.name} answers {method} {path} with {status}."
            )
        return json.loads(text)


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.0", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _multipart(boundary: str, parts: Mapping[str, str]) -> bytes:
    text = "".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n"
        for head, value in parts.items()
    )
    return f"{text}--{boundary}--\r\n".encode()


def _body(answer: bytes, pod: str) -> tuple[int, str]:
    """Status and text of an HTTP answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if not head.startswith(b"HTTP/") or not words[1].isdigit():
        raise SandboxError(f"Pod {pod} answers something that is no HTTP.")
    return int(words[1]), body.decode()

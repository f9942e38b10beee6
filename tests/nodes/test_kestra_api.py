"""Kestra asked from within its pod, with bash of this machine in place of the pod's."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from sandbox.errors import SandboxError
from sandbox.nodes import kestra_api
from sandbox.nodes.kestra_api import KestraApi, KestraPod
from sandbox.nodes.pods import Answer

PASSWORD = "planted-Passw0rd-91c4"


class _Kestra(BaseHTTPRequestHandler):
    """Answers as Kestra's API does, and keeps what it was asked."""

    asked: ClassVar[list[tuple[str, str, str, bytes]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self._answer(self.rfile.read(length))

    def do_GET(self) -> None:
        self._answer(b"")

    def _answer(self, body: bytes) -> None:
        log_in = self.headers.get("Authorization", "")
        self.asked.append((self.command, self.path, log_in, body))
        expected = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        self.send_response(200 if log_in == f"Basic {expected}" else 401)
        self.end_headers()
        if "logs" in self.path:
            self.wfile.write('[{"message": "größer ✓"}]'.encode())
        else:
            self.wfile.write(b'{"id": "e1", "state": {"current": "SUCCESS"}}')

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    """The port of an API."""
    _Kestra.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Kestra) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The commands that the pod was given; they run here."""
    run: list[Sequence[str]] = []

    def execute(*where: object, stdin: str) -> Answer:
        command = where[-1]
        assert isinstance(command, list)
        run.append(command)
        answer = subprocess.run(command, input=stdin.encode(), capture_output=True)
        return Answer(answer.returncode, answer.stdout.decode(), answer.stderr.decode())

    monkeypatch.setattr(kestra_api, "execute", execute)
    return run


POD = KestraPod(Path("kubeconfig"), "kestra", "kestra-standalone-1", "standalone")


def test_a_flow_is_imported_and_run_with_inputs(port: int, commands: list[Sequence[str]]) -> None:
    api = KestraApi(POD, port, "/base", "admin", PASSWORD)
    api.import_flow("id: one\nnamespace: company.team\n")
    assert api.execute("company.team", "one", {"secret": "v✓"})["id"] == "e1"
    assert api.await_end("e1")["state"]["current"] == "SUCCESS"
    assert api.logs("e1") == ["größer ✓"]
    paths = [(method, path) for method, path, _, _ in _Kestra.asked]
    assert paths == [
        ("POST", "/base/api/v1/main/flows/import"),
        ("POST", "/base/api/v1/main/executions/company.team/one"),
        ("GET", "/base/api/v1/main/executions/e1"),
        ("GET", "/base/api/v1/main/logs/e1"),
    ]
    assert b'name="fileUpload"; filename="flow.yaml"' in _Kestra.asked[0][3]
    assert 'name="secret"\r\n\r\nv✓\r\n'.encode() in _Kestra.asked[1][3]


def test_neither_log_in_nor_inputs_are_arguments_of_a_command(
    port: int, commands: list[Sequence[str]]
) -> None:
    api = KestraApi(POD, port, "", "admin", PASSWORD)
    api.execute("company.team", "one", {"secret": "planted-input-5d"})
    arguments = " ".join(word for command in commands for word in command)
    encoded = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    assert not any(one in arguments for one in (PASSWORD, encoded, "planted-input-5d"))


def test_a_refusal_names_the_request_and_the_status(
    port: int, commands: list[Sequence[str]]
) -> None:
    api = KestraApi(POD, port, "", "admin", "another-planted")
    with pytest.raises(SandboxError, match="GET executions/e1 with 401") as error:
        api.await_end("e1")
    assert "another-planted" not in str(error.value)


def test_an_image_that_does_not_say_what_it_bound_is_no_error(
    commands: list[Sequence[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kestra_api, "INSPECTION_PORT", 1)
    assert POD.inspect({"leaves": {}}) is None
    with pytest.raises(SandboxError, match="Nobody listens on port 1"):
        KestraApi(POD, 1, "", "admin", PASSWORD).await_end("e1")


def test_files_of_the_pod_are_searched_for_a_text(
    commands: list[Sequence[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "planted-✓-text"
    (tmp_path / "holds").write_text(f"a {text} b")
    (tmp_path / "other").write_text("planted-✓")
    monkeypatch.setattr(
        kestra_api, "_FIND", kestra_api._FIND.replace("/tmp /app/storage /app/confs", str(tmp_path))
    )
    assert POD.files_with(text) == [f"file {tmp_path}/holds"]
    assert text not in " ".join(commands[0])

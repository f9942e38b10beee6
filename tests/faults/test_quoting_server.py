"""A server that quotes what it was sent: nobody reads the value, also in a stack's first update."""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pulumi
import pulumi_random
import pulumi_vault as vault
import pytest
from rich.console import Console

from sandbox.display import Events
from sandbox.engine.automation import EngineFailure, Stack
from sandbox.leak_scan.scan import Search
from sandbox.progress import Progress
from sandbox.state import State

pytestmark = pytest.mark.engine

GIVEN = "Pl4nted-Quoted-Zü%\"\\+/=&'<1>"


class Quoting(ThreadingHTTPServer):
    """As Vault, but it refuses every write with what it was sent: in clear, in base64, within JSON."""

    daemon_threads = True
    root_token = "root-token-of-the-test"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.values: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Quoting  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        status, said = 200, {"auth": {"client_token": self.server.root_token}}
        if "/data/" in self.path:
            value = json.loads(body)["data"]["value"]
            self.server.values.append(value)
            quoted = base64.b64encode(value.encode()).decode()
            token = self.headers["X-Vault-Token"]
            status, said = 400, {"errors": [f"refused: {value} {quoted} {body} of {token}"]}  # type: ignore[dict-item]
        data = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = _answer


def _program() -> None:
    made = pulumi_random.RandomPassword("made", length=24).result
    for name, value in (("given", pulumi.Output.secret(GIVEN)), ("generated", made)):
        document = value.apply(lambda text: json.dumps({"value": text}))
        vault.kv.SecretV2(name, mount="kv", name=name, data_json=document)


@pytest.fixture
def server() -> Iterator[Quoting]:
    quoting = Quoting()
    threading.Thread(target=quoting.serve_forever, daemon=True).start()
    yield quoting
    quoting.shutdown()
    quoting.server_close()


def test_a_first_update_that_fails_tells_no_value_whatever_the_server_quotes(
    server: Quoting, tools: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, stacks = State(tmp_path / "state"), tmp_path / "stacks"
    state.create()
    stacks.mkdir()
    (stacks / "Pulumi.dev.yaml").write_text("config: {}\n")
    plane: Any = SimpleNamespace(kubeconfig=tmp_path / "kubeconfig")
    quoting: Any = server
    for _ in range(2):  # the second update reads the values from the state too
        stack = Stack(state, "dev", tools, plane, quoting, stacks=stacks)
        monkeypatch.setattr(stack, "_program", _program)
        console = io.StringIO()
        events = Events(Progress(Console(file=console, width=200)))
        with pytest.raises(EngineFailure) as failure:
            stack.up(events)
        looking = Search({f"value {n}": value for n, value in enumerate(server.values)})
        looking.add({"token": server.root_token})
        assert looking.secrets >= 3
        said = "\n".join([str(failure.value), console.getvalue(), *events.errors, *events.warnings])
        assert said.count("refused: [secret]") + said.count("are not shown") >= 2
        assert "given" in said
        assert "generated" in said
        assert looking.text(said.encode(), "console") == []
        # The token's own file, and the passphrase.
        own = [state.directory / ".vault-token", state.passphrase_file()]
        assert looking.files([state.directory], without=own) == []
    assert GIVEN in server.values

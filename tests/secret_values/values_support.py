"""Secret managers that answer on loopback, and stack files with external secrets."""

from __future__ import annotations

import copy
import io
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import stack_document

PLANTED = "Pl4nted-External-Zq86"


GENERATED = {"namespace": "company.team", "generate": {"keep-from-state": True, "length": 20}}


DECLARED = {
    "API_TOKEN": {"namespace": "company.team", "external": True, "description": "Of the API"},
    "DATABASE_PASSWORD": GENERATED,
    "OWN": {"namespace": "company.team", "generate": {}},
}


STACKS = {
    "vault": "local-vault",
    "aws-secret-manager": "example-aws-secret-manager",
    "aws-ssm-parameter-store": "example-aws-ssm-parameter-store",
    "azure-key-vault": "example-azure-key-vault",
    "google-secret-manager": "example-google-secret-manager",
}


VAULT_SECRET = "/v1/kestra/data/main/company/team/API_TOKEN"


VAULT_METADATA = VAULT_SECRET.replace("/data/", "/metadata/")


GOOGLE_SECRET = "/v1/projects/example-kestra-prod/secrets/API_TOKEN"


def document_of(type_: str, **declared: Any) -> dict[str, Any]:
    document: dict[str, Any] = stack_document(STACKS[type_])
    return document | {"declared-secrets": copy.deepcopy(declared or DECLARED)}


class Manager:
    """Answers as secret managers do, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        """`METHOD path` to a status or a document, or to a pair of both."""
        self.sent: list[tuple[str, Any]] = []
        manager = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = f"{self.command} {self.path.partition('?')[0]}"
                manager.sent.append((asked, json.loads(body) if body else None))
                answer = manager.answers.get(asked, 404)
                status, document = answer if isinstance(answer, tuple) else (200, answer)
                if isinstance(answer, int):
                    status, document = answer, {}
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            do_GET = do_POST = do_PUT = _answer

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


def stack_file(folder: Path, document: dict[str, Any], name: str = "tried") -> str:
    file = folder / f"Pulumi.{name}.yaml"
    config = {f"kestra:{key}": value for key, value in document.items()}
    file.write_text(yaml.safe_dump({"config": config}))
    return str(file)


class Piped(io.TextIOWrapper):
    """Standard input that is no terminal."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))

"""The download of the database, from a server on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vulnerabilities.downloads import download
from vulnerabilities.records import DatabaseError

ARCHIVES = {"/npm/all.zip": b"of npm", "/GitHub%20Actions/all.zip": b"of actions"}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = ARCHIVES.get(self.path)
        self.send_response(200 if body is not None else 404)
        # The last one ends before it is whole.
        self.send_header(
            "Content-Length", str(len(body or b"") + (50 if self.path[1:3] == "Gi" else 0))
        )
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_archive_lands_in_the_folder_of_its_ecosystem(address: str, tmp_path: Path) -> None:
    lines: list[str] = []
    download(tmp_path, lines.append, address=address, names=("npm",))
    assert (tmp_path / "npm" / "all.zip").read_bytes() == b"of npm"
    assert lines == [f"Downloading {address}/npm/all.zip"]


@pytest.mark.parametrize("name", ["GitHub Actions", "Maven"])
def test_one_that_is_cut_off_or_missing_replaces_nothing(
    name: str, address: str, tmp_path: Path
) -> None:
    kept = tmp_path / name / "all.zip"
    kept.parent.mkdir()
    kept.write_bytes(b"of yesterday")
    with pytest.raises(DatabaseError, match=r"/all\.zip"):
        download(tmp_path, print, address=address, names=(name,))
    assert kept.read_bytes() == b"of yesterday"
    assert list(kept.parent.iterdir()) == [kept]

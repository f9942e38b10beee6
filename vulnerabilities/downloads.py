"""The OSV database, from where osv.dev publishes it: an archive an ecosystem."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import requests

from vulnerabilities.records import DatabaseError
from vulnerabilities.versions import ORDERS

ADDRESS = "https://osv-vulnerabilities.storage.googleapis.com"
"""Below it `PyPI/all.zip`, and so on (google.github.io/osv.dev/data)."""
_SECONDS = 120
"""Without a byte of an answer."""
_CHUNK = 1 << 20


def download(
    folder: Path,
    say: Callable[[str], None],
    *,
    address: str = ADDRESS,
    names: tuple[str, ...] = tuple(ORDERS),
) -> None:
    """Fetches the archive of each ecosystem; an archive is replaced when the new one is whole.

    Args:
        folder: gets `PyPI/all.zip`, and so on.
        say: gets a line for each archive.
        address: of the database.
        names: ecosystems.

    Raises:
        DatabaseError: when one cannot be fetched.
    """
    for name in names:
        url = f"{address}/{quote(name)}/all.zip"
        say(f"Downloading {url}")
        target = folder / name / "all.zip"
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name("partial")
        try:
            with requests.get(url, stream=True, timeout=_SECONDS) as answer:
                answer.raise_for_status()
                with partial.open("wb") as file:
                    for chunk in answer.iter_content(_CHUNK):
                        file.write(chunk)
                expected = answer.headers.get("Content-Length")
        except (requests.RequestException, OSError) as error:
            partial.unlink(missing_ok=True)
            raise DatabaseError(f"{url} could not be fetched: {error}") from error
        if expected and partial.stat().st_size != int(expected):
            partial.unlink()
            raise DatabaseError(f"{url} ended too early: fetch it again.")
        partial.replace(target)

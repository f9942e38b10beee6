"""Small copies of the OSV database."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = "https://github.com/kestra-io/kestra"


def record(
    ecosystem: str,
    name: str,
    *events: Mapping[str, str],
    number: str = "GHSA-aaaa-bbbb-cccc",
    **more: Any,
) -> dict[str, Any]:
    """A record about one package; `versions` goes to the package, everything else to the record."""
    affected: dict[str, Any] = {"package": {"ecosystem": ecosystem, "name": name}}
    if events:
        kind = "SEMVER" if ecosystem in ("Go", "npm") else "ECOSYSTEM"
        affected["ranges"] = [{"type": kind, "events": list(events)}]
    affected["versions"] = more.pop("versions", [])
    return {
        "schema_version": "1.7.3",
        "id": number,
        "modified": "2026-11-20T00:00:00Z",
        "summary": "a planted vulnerability",
        "affected": [affected],
        **more,
    }


def of_repository(repository: str, *tags: str, number: str, **more: Any) -> dict[str, Any]:
    """A record without a package, as those that were converted from CVE numbers."""
    entry = record("", "", number=number, **more)
    events = [{"introduced": "0"}, {"fixed": "0123456789abcdef0123456789abcdef01234567"}]
    entry["affected"] = [
        {"ranges": [{"type": "GIT", "repo": repository, "events": events}], "versions": list(tags)}
    ]
    return entry


def harmless() -> list[dict[str, Any]]:
    """One record of each ecosystem, about packages that nobody pins."""
    names = ("PyPI", "Go", "npm", "Maven", "GitHub Actions")
    records = [
        record(name, f"not-pinned-{n}", {"introduced": "0"}, number=f"GHSA-0000-0000-000{n}")
        for n, name in enumerate(names)
    ]
    return [*records, of_repository("https://example.com/nobody", "v1", number="CVE-2000-0001")]


def write(folder: Path, *records: Mapping[str, Any] | bytes) -> Path:
    """An archive of records, as osv.dev publishes one."""
    path = folder / "osv.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, item in enumerate(records):
            text = item if isinstance(item, bytes) else json.dumps(item).encode()
            archive.writestr(f"{number}.json", text)
    return path

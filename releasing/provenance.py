"""What was built from what, as an in-toto statement with SLSA's provenance (both v1).

Unsigned: it says what a builder claims. The workflow's own attestation (`.github/workflows/release.yml`) is signed.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from releasing import locks
from releasing.source import Source

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://slsa.dev/provenance/v1"
#: Packages that the build itself runs, of the locked ones.
TOOLS = ("hatchling", "cyclonedx-bom", "cyclonedx-python-lib")
_LOCKS = ("requirements.txt", "requirements/dev.txt", "requirements/sandbox.txt")


def sha256(file: Path) -> str:
    """The checksum of a file, in hexadecimal digits."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def checksums(files: list[Path]) -> str:
    """The text of `SHA256SUMS`, as `sha256sum --check` reads it."""
    return "".join(f"{sha256(file)}  {file.name}\n" for file in sorted(files))


def statement(source: Source, tree: Path, files: list[Path]) -> dict[str, Any]:
    """The statement about the files of a release.

    Args:
        source: the commit.
        tree: its files.
        files: what was built.
    """
    repository = os.environ.get("RELEASE_REPOSITORY", "")
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": file.name, "digest": {"sha256": sha256(file)}} for file in sorted(files)
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:kestra-on-pulumi:make-release:v1",
                "externalParameters": {
                    "repository": repository,
                    "commit": source.commit,
                    "version": source.version,
                    "released": source.is_released,
                },
                "internalParameters": {
                    "SOURCE_DATE_EPOCH": source.epoch,
                    "python": platform.python_version(),
                },
                "resolvedDependencies": [
                    {
                        "uri": f"git+{repository}" if repository else "git",
                        "digest": {"gitCommit": source.commit},
                    },
                    *_materials(tree),
                ],
            },
            "runDetails": {
                "builder": {"id": os.environ.get("RELEASE_BUILDER", "urn:kestra-on-pulumi:local")},
            },
        },
    }


def _materials(tree: Path) -> Iterator[dict[str, Any]]:
    for name in _LOCKS:
        yield {"name": name, "digest": {"sha256": sha256(tree / name)}}
    pins = locks.read(tree / "requirements" / "dev.txt")
    for name in TOOLS:
        pin = pins[name]
        yield {
            "uri": f"pkg:pypi/{pin.name}@{pin.version}",
            "annotations": {"sha256 of its files": list(pin.hashes)},
        }


def as_text(document: dict[str, Any]) -> str:
    """The statement as its file has it."""
    return json.dumps(document, indent=1, sort_keys=True) + "\n"

"""`python -m components drift STATE`: which secrets have another version in force than the stack wrote.

Official providers do not read a value back from Vault and Azure, and in Google Cloud they look at their own version
only: a value that somebody else wrote stays in force and no preview shows it. The numbers of versions tell, and are
no secrets. In AWS the providers see another value themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import COMMAND
from .backends.answers import CurrentVersion, UnansweredError, VersionQuery, WrittenSecret
from .backends.registry import all_backends

_DECLARED, _COPY = "store-declared-", "store-encryption-key"
_STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Drift:
    """A secret of which another version is in force than the stack wrote, or none."""

    secret: WrittenSecret
    current: CurrentVersion
    remedy: Sequence[str]
    """Commands, in their order."""

    def line(self) -> str:
        """What is wrong, without a value."""
        wrote = f"this stack wrote version {_number(self.secret.version)}"
        if not self.current.number:
            return f"{self.secret.name}: {self.current.fault}; {wrote}."
        fault = f", and {self.current.fault}" if self.current.fault else ""
        number = self.current.number
        return f"{self.secret.name}: version {number} is the newest{fault}; {wrote}."


def written_secrets(deployment: Mapping[str, Any]) -> list[WrittenSecret]:
    """The secrets of a state whose drift no provider sees.

    Args:
        deployment: `deployment` of what `pulumi stack export` writes.
    """
    resources: Sequence[Mapping[str, Any]] = deployment.get("resources") or []
    outputs = next((r.get("outputs") or {} for r in resources if r.get("type") == _STACK), {})
    ids, versions = outputs.get("secretIds") or {}, outputs.get("versionIds") or {}
    secrets: list[WrittenSecret] = []
    queries = _queries()
    for resource in resources:
        query = queries.get(resource.get("type", ""))
        name = _secret_name(resource)
        id_, version = ids.get(name), versions.get(name)
        if query is None or resource.get("delete") or not isinstance(version, str):
            continue
        if isinstance(id_, str) and query.owns(id_):
            secrets.append(WrittenSecret(name, id_, version, resource))
    return secrets


def _queries() -> dict[str, VersionQuery]:
    """The type of the resources that write secrets to the question for their version."""
    queries = (backend.version_query for backend in all_backends())
    return {query.resource_type: query for query in queries if query}


def _secret_name(resource: Mapping[str, Any]) -> str:
    name = str(resource.get("urn", "")).rpartition("::")[2].removesuffix("-version")
    return "encryption.secret-key" if name == _COPY else name.removeprefix(_DECLARED)


def find_drift(secrets: Sequence[WrittenSecret]) -> Iterator[Drift]:
    """The secrets of which another version is in force.

    Raises:
        UnansweredError: a secret manager cannot be asked.
    """
    queries = _queries()
    for secret in secrets:
        query = queries[secret.resource["type"]]
        current = query.current_version(secret)
        if current.fault or current.number != _number(secret.version):
            yield Drift(secret, current, query.remedy(secret, current))


def _number(version: str) -> str:
    """Google's versions are whole names."""
    return version.rpartition("/")[2]


def run(file: str) -> int:
    """Prints what drifted and how to mend it. 0 when nothing did, 1 when something did, 2 when nobody could be asked.

    Args:
        file: what `pulumi stack export` wrote; `-` for standard input.
    """
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        secrets = written_secrets(json.loads(text)["deployment"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        print(
            f"{file} is no state: `pulumi stack export | .venv/bin/{COMMAND} drift -`.",
            file=sys.stderr,
        )
        return 2
    try:
        drifted = list(find_drift(secrets))
    except UnansweredError as error:
        print(error, file=sys.stderr)
        return 2
    for drift in drifted:
        print(drift.line())
        print("".join(f"    {command}\n" for command in drift.remedy), end="")
    if not secrets:
        print(
            "No secret of this stack is in Vault, Azure Key Vault or Google Secret Manager; "
            "elsewhere `pulumi preview --refresh` shows what changed."
        )
    elif not drifted:
        print(f"{len(secrets)} secrets: the versions that this stack wrote are in force.")
    return 1 if drifted else 0

"""Two judges of Kubernetes objects that know nothing of this project: kubeconform and checkov."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from tests.conftest import ROOT
from tests.installed_support import environment

REQUIREMENTS = ROOT / "tests" / "tools" / "checkov" / "requirements.txt"
_SCHEMA = "{{.ResourceKind}}-{{.Group}}-{{.ResourceAPIVersion}}.json"

Object = dict[str, Any]


def write_schemas(openapi: dict[str, Any], folder: Path) -> Path:
    """Writes what an API server says of its kinds (`/openapi/v2`) as the files that kubeconform reads.

    A field that the server does not name is refused: that is kubeconform's strict mode, which is a matter of the
    schemas.
    """
    folder.mkdir()
    definitions = {name: _strict(name, d) for name, d in openapi["definitions"].items()}
    (folder / "_definitions.json").write_text(json.dumps({"definitions": definitions}))
    for name, definition in definitions.items():
        kinds = definition.get("x-kubernetes-group-version-kind", [])
        # Options of requests are of every group; they are no objects.
        if len(kinds) != 1:
            continue
        kind, version = kinds[0]["kind"].lower(), kinds[0]["version"]
        file = folder / f"{kind}-{kinds[0]['group'] or version}-{version}.json"
        file.write_text(json.dumps({"$ref": f"_definitions.json#/definitions/{name}"}))
    return folder


def _strict(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    # Version 2 of OpenAPI has no way to say "or", so that the server names the text alone.
    if definition.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    if name.endswith(".resource.Quantity"):
        return {"type": ["number", "string"]}
    return (
        {"additionalProperties": False, **definition} if "properties" in definition else definition
    )


def conformity(program: Path, schemas: Path, objects: Sequence[Object]) -> list[str]:
    """What kubeconform finds: one line an object that is not as its schema says, or that has none."""
    done = subprocess.run(
        [program, "-strict", "-output", "json", "-verbose", "-schema-location", schemas / _SCHEMA, "-"],
        input=json.dumps(_list(objects)),
        capture_output=True,
        text=True,
        env={},
    )  # fmt: skip
    judged = _answer("kubeconform", done)["resources"]
    if len(judged) != len(objects):
        raise SandboxError(f"kubeconform judged {len(judged)} of {len(objects)} objects.")
    return [f"{r['kind']} {r['name']}: {r['msg']}" for r in judged if r["status"] != "statusValid"]


def weaknesses(objects: Iterable[Object], folder: Path) -> set[tuple[str, str]]:
    """What checkov finds: check and `<kind> <name>`.

    Raises:
        SandboxError: when it cannot be had, or did not judge every Deployment.
    """
    objects = list(objects)
    file = folder / "objects.json"
    file.write_text(json.dumps(_list(objects)))
    command = [
        "-f",
        file,
        "--framework",
        "kubernetes",
        "--skip-download",
        "--compact",
        "-o",
        "json",
    ]
    done = subprocess.run(
        [checkov() / "bin" / "python", "-I", "-m", "checkov.main", *command],
        cwd=folder,
        capture_output=True,
        text=True,
        # Nothing of the caller's: a configuration file or an account would change the judgement.
        env={"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "LANG": "C.UTF-8"},
    )
    results = _answer("checkov", done)["results"]
    passed, failed, skipped = (
        {(c["check_id"], _named(c["resource"])) for c in results[f"{kind}_checks"]}
        for kind in ("passed", "failed", "skipped")
    )
    judged = {name for _, name in passed | failed}
    missing = {f"Deployment {d['metadata']['name']}" for d in objects if d["kind"] == "Deployment"}
    if results["parsing_errors"] or skipped or missing - judged:
        raise SandboxError(
            f"checkov did not judge everything: {results['parsing_errors']}, {skipped}, {missing - judged}"
        )
    return failed


def _list(objects: Sequence[Object]) -> Object:
    return {"apiVersion": "v1", "kind": "List", "items": list(objects)}


def _named(resource: str) -> str:
    """`<kind> <name>` of checkov's `<kind>.<namespace>.<name>`."""
    kind, _, name = resource.split(".", 2)
    return f"{kind} {name}"


def _answer(judge: str, done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    # Both end with 1 when they find something, and when they cannot work.
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise SandboxError(f"{judge} failed: {_said(done)}") from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join((done.stderr or done.stdout).split())[-600:]


def checkov() -> Path:
    """The virtual environment of checkov, made once.

    Raises:
        SandboxError: when it cannot be made, with what to do.
    """
    return environment("checkov", "checkov/main.py", REQUIREMENTS)

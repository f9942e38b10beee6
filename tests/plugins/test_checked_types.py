"""Every resource type that the components use is checked by a stand-in: an input that it lacks cannot hide there."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kubernetes.client
import pulumi
import pytest

from sandbox import providers
from sandbox.providers.kubernetes import naming
from sandbox.providers.kubernetes.normalize import is_built_in
from sandbox.providers.runtime.provider import Urn
from sandbox.providers.runtime.schemas import Schemas
from tests.components.inventory_support import documents
from tests.components.recording_support import run
from tests.conftest import ROOT

FOLDER = Path(providers.__file__).parent
CHECKED = {s.token for file in FOLDER.glob("*/schema.json") for s in Schemas(file)}


#: The API server judges them by the operator's own definitions (tests/sandbox/test_external_secrets_engine.py).
OPERATORS = (
    "kubernetes:external-secrets.io/v1:SecretStore",
    "kubernetes:external-secrets.io/v1:ExternalSecret",
)
#: A chart needs the official plugin: `kestra:store.install` is refused in the sandbox otherwise.
OFFICIAL_ONLY = ("kubernetes:helm.sh/v3:Release",)


def unchecked(tokens: Iterable[str]) -> set[str]:
    """The types that no stand-in checks; components of this project and providers have no provider."""
    return {
        token
        for token in tokens
        if not token.startswith(("kestra:", "pulumi:providers:"))
        and token not in (*CHECKED, *OPERATORS, *OFFICIAL_ONLY)
        and not (token.startswith("kubernetes:") and _is_known_to_kubernetes(token))
    }


def _is_known_to_kubernetes(token: str) -> bool:
    """Whether the API server itself judges the kind: one of its own, of which the client has a model.

    A patch of an object (`ServiceAccountPatch`) is judged as the object.
    """
    kind = naming.kind_from_urn(Urn.of(token, "n"))
    model = f"{kind.version[0].upper()}{kind.version[1:]}{kind.kind.removesuffix('Patch')}"
    return is_built_in({"apiVersion": kind.api_version}) and hasattr(kubernetes.client, model)


def test_every_type_of_every_inventory_is_checked() -> None:
    used = {
        type_ for document in documents().values() for type_, _ in run(document).resources.values()
    }
    assert {token.split(":")[0] for token in used} > {"aws", "gcp", "vault", "kubernetes"}
    assert unchecked(used) == set()


def _written() -> Iterator[str]:
    """The types that the components' source names, whether or not an inventory reaches them."""
    for file in sorted((ROOT / "components").rglob("*.py")):
        text = file.read_text()
        if "import pulumi_" not in text and "from pulumi_" not in text:
            continue
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        module = importlib.import_module(name.removesuffix(".__init__"))
        for node in ast.walk(ast.parse(text)):
            found = _resolved(module, node.func) if isinstance(node, ast.Call) else None
            if isinstance(found, type) and issubclass(found, pulumi.CustomResource):
                yield found.pulumi_type  # type: ignore[attr-defined]


def _resolved(module: Any, node: ast.expr) -> Any:
    if isinstance(node, ast.Name):
        return getattr(module, node.id, None)
    if isinstance(node, ast.Attribute):
        return getattr(_resolved(module, node.value), node.attr, None)
    return None


def test_every_type_that_the_components_source_names_is_checked() -> None:
    used = set(_written())
    assert {"vault:index/token:Token", "aws:kms/key:Key", "kubernetes:core/v1:Secret"} <= used
    assert unchecked(used) == set()


@pytest.mark.parametrize(
    "token",
    [
        "aws:sqs/queue:Queue",
        "azure-native:sql:Server",
        "random:index/randomPet:RandomPet",
        "kubernetes:example.com/v1:Database",
        "kubernetes:apps/v1:Database",
    ],
)
def test_a_type_without_a_check_is_found(token: str) -> None:
    assert unchecked([token, "kestra:stores:VaultStore", "aws:kms/key:Key"]) == {token}

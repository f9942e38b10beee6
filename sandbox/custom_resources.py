"""Definitions (CRDs) of the kinds that are not Kubernetes' own, as their projects publish them.

They lie in Go modules, which Go fetches and checks; a copy of the few that are needed is kept in the cache.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from components.settings import Settings
from sandbox.errors import SandboxError
from sandbox.progress import Progress
from sandbox.services import ControlPlane
from sandbox.services.objects import apply
from sandbox.tools import EXTERNAL_SECRETS_SOURCE, cache_folder, sources
from sandbox.tools.building import build_folder
from sandbox.tools.sources import Source

_DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@dataclass(frozen=True)
class Definitions:
    """Some of a project's definitions."""

    source: Source
    folder: str
    files: tuple[str, ...]

    @property
    def entry(self) -> Path:
        """The cache's folder of them."""
        name = f"{self.source.module.rpartition('/')[2]}-{self.source.version}"
        return cache_folder() / "crds" / name


GATEWAY_API = Definitions(
    Source(
        "sigs.k8s.io/gateway-api",
        "v1.6.3",
        "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    ),
    "config/crd/standard",
    ("gateway.networking.k8s.io_httproutes.yaml", "gateway.networking.k8s.io_gateways.yaml"),
)
PROMETHEUS_OPERATOR = Definitions(
    Source(
        "github.com/prometheus-operator/prometheus-operator",
        "v0.85.0",
        "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    ),
    "example/prometheus-operator-crd",
    ("monitoring.coreos.com_servicemonitors.yaml", "monitoring.coreos.com_podmonitors.yaml"),
)
CERT_MANAGER = Definitions(
    Source(
        "github.com/cert-manager/cert-manager",
        "v1.21.2",
        "h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=",
    ),
    "deploy/crds",
    (
        "cert-manager.io_certificates.yaml",
        "cert-manager.io_clusterissuers.yaml",
        "cert-manager.io_issuers.yaml",
    ),
)
EXTERNAL_SECRETS = Definitions(
    EXTERNAL_SECRETS_SOURCE,
    "config/crds/bases",
    (
        "external-secrets.io_externalsecrets.yaml",
        "external-secrets.io_secretstores.yaml",
        # The operator keeps one for every object with `dataFrom`.
        "generators.external-secrets.io_generatorstates.yaml",
    ),
)


def definitions_of(settings: Settings) -> list[Definitions]:
    """The definitions that a stack's objects need."""
    deployment = settings.deployment
    return [
        *([GATEWAY_API] if deployment.http_route else []),
        *([PROMETHEUS_OPERATOR] if deployment.monitoring else []),
        *([CERT_MANAGER] if settings.grpc_tls else []),
    ]


def fetch(definitions: Definitions, progress: Progress) -> list[dict[str, Any]]:
    """The definitions as documents, fetched when they are not in the cache.

    Raises:
        SandboxError: when Go is missing, or cannot fetch the module or finds another one.
    """
    entry = definitions.entry
    if not all((entry / name).is_file() for name in definitions.files):
        title = f"Fetching the definitions of {definitions.source.module} {definitions.source.version} (once)"
        with progress.step(title):
            _fetch(definitions)
    return [yaml.safe_load((entry / name).read_text()) for name in definitions.files]


def _fetch(definitions: Definitions) -> None:
    entry = definitions.entry
    entry.parent.mkdir(parents=True, exist_ok=True)
    with build_folder(entry.parent, ".crds-") as folder:
        origin = sources.fetch(definitions.source, folder) / definitions.folder
        complete = folder / "complete"
        complete.mkdir()
        for file in definitions.files:
            (complete / file).write_text((origin / file).read_text())
        shutil.rmtree(entry, ignore_errors=True)
        complete.replace(entry)


def install(plane: ControlPlane, documents: Iterable[dict[str, Any]]) -> None:
    """Has an API server serve the kinds, and waits until it does.

    Raises:
        SandboxError: when it refuses a definition, or does not serve its kind in time.
    """
    with plane.session() as session:
        names: list[str] = []
        for document in documents:
            name = document["metadata"]["name"]
            apply(plane, f"{_DEFINITIONS}/{name}", document)
            names.append(name)
        deadline = time.monotonic() + 60
        for name in names:
            while not _established(session.get(f"{plane.url}{_DEFINITIONS}/{name}", timeout=60)):
                if time.monotonic() > deadline:
                    raise SandboxError(f"The API server does not serve {name}.")
                time.sleep(0.1)


def _established(answer: Any) -> bool:
    conditions = answer.json().get("status", {}).get("conditions") or []
    return any(c["type"] == "Established" and c["status"] == "True" for c in conditions)

"""Inventories of whole stacks; `python -m docsgen --tests` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from sandbox.inspection.recorder import SIGNATURE
from tests.components import azure_fixtures
from tests.components.recording_support import run
from tests.conftest import ROOT, stack_document

FOLDER = ROOT / "tests" / "inventories"
#: The engine's protocol marks a secret value with this key.
SECRET_MARK = SIGNATURE
COMMAND = "python -m docsgen --tests"


def documents() -> dict[str, dict[str, Any]]:
    """Name to settings of the stacks that have an inventory."""
    vault = stack_document("local-vault")
    next_version = vault | {
        "version": "2.0",
        "security": {"instance-owner": {"username": "admin@kestra.io"}},
        "configurations": {"delete-files-on-start": True},
        "deployment": {
            "namespace": "kestra",
            "mode": "distributed",
            "image": {"digest": "sha256:" + "a" * 64},
            "ingress": {
                "host": "kestra.example.com",
                "tls-secret": "kestra-tls",
                "class-name": "nginx",
            },
            "network-policy": {
                "ingress-namespace": "ingress",
                "monitoring-namespace": "monitoring",
            },
            "components": {"webserver": {"replicas": 2}, "controller": {"replicas": 2}},
        },
        "tags": {"environment": "production", "owner": "platform"},
    }
    google = stack_document("example-google-secret-manager")
    return aws_documents() | {
        "azure-key-vault-production": stack_document("example-azure-key-vault"),
        "azure-key-vault-staging": azure_fixtures.staging(),
        "kafka": stack_document("example-kafka"),
        "oidc": stack_document("example-oidc"),
        "local": stack_document("local"),
        "local-vault": vault,
        "enterprise-2.0": next_version,
        "enterprise-2.0-app-role": next_version
        | {
            "secret": {
                "type": "vault",
                "read-only": True,
                "vault": {"address": "https://v:8200", "app-role": {}},
            }
        },
        "vault-production": stack_document("production"),
        "vault-staging": stack_document("staging"),
        "google-secret-manager-production": google,
        "google-secret-manager-staging": google
        | {
            "store": {"gcp": {}},
            "tags": {"environment": "staging", "owner": "platform"},
        },
    }


def aws_documents() -> dict[str, dict[str, Any]]:
    """The examples of AWS, and smaller ones of staging: the other identity, and a managed store."""
    secrets: dict[str, Any] = stack_document("example-aws-secret-manager")
    parameters: dict[str, Any] = stack_document("example-aws-ssm-parameter-store")
    staging = {
        "tags": secrets["tags"] | {"environment": "staging"},
        "deployment": {
            "namespace": "kestra",
            "mode": "distributed",
            "image": secrets["deployment"]["image"],
        },
        "store": {"aws": {}},
    }
    in_staging = secrets["secret"]["aws-secret-manager"] | {
        "filter-on-tags": {"tags": {"environment": "staging"}}
    }
    return {
        "aws-secret-manager-production": secrets,
        "aws-secret-manager-staging": secrets
        | staging
        | {
            "secret": secrets["secret"] | {"aws-secret-manager": in_staging},
            "identity": parameters["identity"],
        },
        "aws-ssm-parameter-store-production": parameters,
        "aws-ssm-parameter-store-staging": {
            k: v for k, v in parameters.items() if k != "declared-secrets"
        }
        | staging
        | {
            "deployment": staging["deployment"] | {"image": parameters["deployment"]["image"]},
            "secret": {
                "type": "aws-ssm-parameter-store",
                "aws-ssm-parameter-store": {"region": "eu-west-1"},
            },
            "identity": secrets["identity"],
        },
    }


def inventory(document: dict[str, Any]) -> dict[str, Any]:
    """Counts by type, inputs by name (secrets as `[secret]`), and outputs."""
    recorded = run(document)
    counts: dict[str, int] = {}
    values: dict[str, Any] = {}
    for name, (type_, inputs) in sorted(recorded.resources.items()):
        counts[type_] = counts.get(type_, 0) + 1
        if not type_.startswith("kestra:"):
            values[name] = {"type": type_, "inputs": _shown(inputs)}
            if name in recorded.protected:
                values[name]["protect"] = True
            if name in recorded.retained:
                values[name]["retainOnDelete"] = True
    return {
        "counts": dict(sorted(counts.items())),
        "values": values,
        "outputs": {
            name: _hidden(value) if name in recorded.secret_outputs else _shown(value)
            for name, value in sorted(recorded.outputs.items())
        },
    }


def _hidden(value: Any) -> Any:
    return dict.fromkeys(sorted(value), "[secret]") if isinstance(value, dict) else "[secret]"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return _hidden(value["value"])
        return {k: _shown(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    return value


def text(document: dict[str, Any]) -> str:
    """The inventory as YAML."""
    return yaml.safe_dump(inventory(document), sort_keys=False, width=110)


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {FOLDER / f"{name}.yaml": text(settings) for name, settings in documents().items()}

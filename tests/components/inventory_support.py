"""Inventories of whole stacks; `python -m docsgen --tests` writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sandbox.inspection.recorder import SIGNATURE
from tests.components import azure_fixtures
from tests.components.recording_support import Recorder, run
from tests.conftest import ROOT, stack_document

FOLDER = ROOT / "tests" / "inventories"
#: The inventories with every input: one a cloud, and Vault.
FULL = frozenset(
    [
        "aws-secret-manager-production",
        "azure-key-vault-production",
        "google-secret-manager-production",
        "vault-production",
    ]
)
WIDTH = 150
#: The columns that a key may take before what fits into a line.
_KEY = 24
#: Of the examples of open source with a secret manager.
_OPEN_SOURCE = ("vault", "aws", "gcp", "azure")
_POD = ("spec.template.spec.serviceAccountName", "spec.template.spec.automountServiceAccountToken")
#: Type to the inputs that decide who may do what.
_CHOSEN = {
    "aws:iam/policy:Policy": ("policy",),
    "aws:iam/role:Role": ("assumeRolePolicy",),
    "aws:iam/rolePolicy:RolePolicy": ("policy",),
    "aws:kms/key:Key": ("policy", "enableKeyRotation"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("policy",),
    "azure-native:authorization:RoleAssignment": ("roleDefinitionId", "scope"),
    "azure-native:authorization:RoleDefinition": ("permissions",),
    "azure-native:keyvault:Vault": (
        "properties.enablePurgeProtection",
        "properties.enableRbacAuthorization",
        "properties.networkAcls.defaultAction",
        "properties.publicNetworkAccess",
    ),
    "azure-native:managedidentity:FederatedIdentityCredential": ("issuer", "subject"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": ("permissions",),
    "gcp:projects/iAMMember:IAMMember": ("role", "member", "condition"),
    "gcp:secretmanager/secretIamMember:SecretIamMember": ("role", "member"),
    "gcp:serviceaccount/iAMMember:IAMMember": ("role", "member"),
    "kubernetes:apps/v1:Deployment": _POD,
    "kubernetes:core/v1:LimitRange": ("spec.limits",),
    "kubernetes:core/v1:Namespace": ("metadata.labels",),
    "kubernetes:core/v1:ResourceQuota": ("spec.hard",),
    "kubernetes:core/v1:ServiceAccount": ("automountServiceAccountToken", "metadata.annotations"),
    "kubernetes:core/v1:ServiceAccountPatch": ("metadata.name", "automountServiceAccountToken"),
    "kubernetes:external-secrets.io/v1:ExternalSecret": (
        "spec.refreshPolicy",
        "spec.data",
        "spec.target.deletionPolicy",
    ),
    "kubernetes:external-secrets.io/v1:SecretStore": ("spec.provider",),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": ("spec.policyTypes",),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": ("roleRef", "subjects"),
    "kubernetes:rbac.authorization.k8s.io/v1:Role": ("rules",),
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding": ("roleRef", "subjects"),
    "vault:appRole/authBackendRole:AuthBackendRole": ("tokenPolicies",),
    "vault:index/policy:Policy": ("policy",),
    "vault:kubernetes/authBackendRole:AuthBackendRole": (
        "boundServiceAccountNames",
        "boundServiceAccountNamespaces",
        "tokenPolicies",
    ),
}
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
        **{f"oss-{cloud}": stack_document(f"example-oss-{cloud}") for cloud in _OPEN_SOURCE},
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


def inventory(recorded: Recorder, *, full: bool) -> dict[str, Any]:
    """What a stack registers.

    Every inventory has the number of resources of each type, the outputs, and for each resource what an upgrade or a
    leak would change: its identity (the end of its URN: types from the outermost component to its own, and name),
    whether it is protected and retained, which inputs are secrets, and the inputs that decide who may do what (`_CHOSEN`). A
    full one has all inputs. A secret is shown as `[secret]`.
    """
    counts: dict[str, int] = {}
    resources: dict[str, Any] = {}
    inputs_of: dict[str, Any] = {}
    for urn, (request, inputs) in sorted(recorded.registered.items(), key=_by_name):
        counts[request.type] = counts.get(request.type, 0) + 1
        line: dict[str, Any] = {}
        line |= {"protect": True} if request.protect else {}
        line |= {"retainOnDelete": True} if request.retainOnDelete else {}
        if secrets := sorted(_secret_paths(inputs)):
            line["secrets"] = secrets
        line |= _chosen(request.type, inputs)
        identity = urn.partition("::kestra::")[2].removeprefix("pulumi:pulumi:Stack$")
        resources[identity] = line
        if not request.type.startswith("kestra:"):
            inputs_of[f"{request.type}::{request.name}"] = _shown(inputs)
    return {
        "counts": dict(sorted(counts.items())),
        "resources": resources,
        "outputs": {
            name: _hidden(value) if name in recorded.secret_outputs else _shown(value)
            for name, value in sorted(recorded.outputs.items())
        },
        **({"inputs": inputs_of} if full else {}),
    }


def _by_name(item: tuple[str, tuple[Any, Any]]) -> tuple[str, str]:
    return item[1][0].name, item[0]


def _chosen(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs of a type that `_CHOSEN` names, without those that are absent."""
    values: dict[str, Any] = {}
    for path in _CHOSEN.get(type_, ()):
        value: Any = _shown(inputs)
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            values[path] = value
    return values


def _secret_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where secrets are; keys of a map that is one as a whole are named too."""
    if isinstance(value, list):
        for position, item in enumerate(value):
            yield from _secret_paths(item, f"{path}.{position}")
    elif isinstance(value, dict) and SECRET_MARK in value:
        inner = value["value"]
        yield from (f"{path}.{key}" for key in inner) if isinstance(inner, dict) else (path,)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _secret_paths(item, f"{path}.{key}" if path else key)


def _hidden(value: Any) -> Any:
    return dict.fromkeys(sorted(value), "[secret]") if isinstance(value, dict) else "[secret]"


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        if SECRET_MARK in value:
            return _hidden(value["value"])
        return {k: _shown(v) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [_shown(item) for item in value]
    # The protocol has no whole numbers.
    return int(value) if isinstance(value, float) and value.is_integer() else value


def text(name: str, document: dict[str, Any]) -> str:
    """The inventory as YAML; what fits into a line stands in one."""
    return yaml.dump(
        inventory(run(document), full=name in FULL), Dumper=_Lines, sort_keys=False, width=10_000
    )


class _Lines(yaml.SafeDumper):
    """Writes a map or a list in one line when it fits."""

    def serialize(self, node: yaml.Node) -> None:
        _fold(node, 0)
        super().serialize(node)


def _fold(node: yaml.Node, depth: int) -> int:
    """Chooses the style of a node and what is in it; about how many columns it takes in one line."""
    if isinstance(node, yaml.MappingNode):
        size = sum(_fold(k, depth) + _fold(v, depth + 1) + 4 for k, v in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size = sum(_fold(item, depth + 1) + 2 for item in node.value)
    else:
        return WIDTH if "\n" in node.value else len(node.value) + 2
    if depth:
        node.flow_style = size + 2 * depth + _KEY < WIDTH
    return size


def files() -> dict[Path, str]:
    """For `docsgen`."""
    return {FOLDER / f"{name}.yaml": text(name, settings) for name, settings in documents().items()}

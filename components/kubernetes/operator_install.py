"""External Secrets Operator by its chart, for the stacks that ask for it (`kestra:store.install`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi_kubernetes import core, helm

from .pod_security import restricted_labels

#: Release of chart and operator that the sandbox runs and the tests judge.
OPERATOR_VERSION = "0.16.2"
OPERATOR_NAMESPACE = "external-secrets"
_CHART, _REPOSITORY = "external-secrets", "https://charts.external-secrets.io"
_IMAGE = "oci.external-secrets.io/external-secrets/external-secrets"


def operator_values(namespace: pulumi.Input[str]) -> dict[str, Any]:
    """Values of the chart: one namespace, its rights included, and nothing that this stack does not use.

    Args:
        namespace: whose SecretStores and ExternalSecrets it serves.
    """
    image = {"repository": _IMAGE, "tag": f"v{OPERATOR_VERSION}"}
    return {
        "installCRDs": True,
        "scopedNamespace": namespace,
        "scopedRBAC": True,
        "processClusterExternalSecret": False,
        "processClusterPushSecret": False,
        "processClusterStore": False,
        "processPushSecret": False,
        "image": image,
        "webhook": {"image": image},
        "certController": {"image": image},
    }


def install_operator(
    name: str,
    namespace: pulumi.Input[str],
    labels: Mapping[str, str],
    opts: pulumi.ResourceOptions,
) -> list[pulumi.Resource]:
    """Registers the operator in a namespace of its own, with Pod Security `restricted`.

    Args:
        name: beginning of the logical names.
        namespace: whose SecretStores and ExternalSecrets it serves.
        labels: of its namespace.
        opts: of the resources.
    """
    home = core.v1.Namespace(
        f"{name}-operator-namespace",
        metadata={"name": OPERATOR_NAMESPACE, "labels": {**labels, **restricted_labels()}},
        opts=opts,
    )
    release = helm.v3.Release(
        f"{name}-operator",
        name="external-secrets",
        chart=_CHART,
        version=OPERATOR_VERSION,
        repository_opts=helm.v3.RepositoryOptsArgs(repo=_REPOSITORY),
        namespace=home.metadata.name,
        atomic=True,
        values=operator_values(namespace),
        opts=opts,
    )
    return [home, release]

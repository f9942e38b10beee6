"""Service accounts of a stack: no token is mounted that nobody needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_kubernetes import core, rbac


def service_account(
    logical: str,
    metadata: Mapping[str, Any],
    annotations: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
) -> core.v1.ServiceAccount:
    """An account whose token is mounted into no pod that does not ask for it.

    Args:
        logical: name of the resource.
        metadata: with name, namespace and labels.
        annotations: how it is known to a cloud.
        opts: of the resource.
    """
    # The API server drops an empty map, which would be a difference for ever.
    described: Any = {**metadata, **({"annotations": annotations} if annotations else {})}
    return core.v1.ServiceAccount(
        logical,
        metadata=described,
        automount_service_account_token=False,
        opts=opts,
    )


def token_review(
    logical: str,
    name: str,
    labels: Mapping[str, str],
    accounts: Sequence[pulumi.Input[str]],
    namespace: pulumi.Input[str],
    opts: pulumi.ResourceOptions,
) -> rbac.v1.ClusterRoleBinding:
    """Lets Vault review a token with the token itself, so that it keeps no reviewer's token.

    Args:
        logical: name of the resource.
        name: of the object.
        labels: of the object.
        accounts: names of the service accounts.
        namespace: of the accounts.
        opts: of the resource.
    """
    # In the Kubernetes API's own spelling, which the SDK's typed dictionaries do not know.
    role: Any = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "system:auth-delegator",
    }
    return rbac.v1.ClusterRoleBinding(
        logical,
        metadata={"name": name, "labels": dict(labels)},
        role_ref=role,
        subjects=[
            {"kind": "ServiceAccount", "name": one, "namespace": namespace} for one in accounts
        ],
        opts=opts,
    )

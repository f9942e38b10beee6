"""What AKS workload identity needs of pods and service account; pure, so that a given identity needs no SDK.

Source: Azure Workload Identity, labels and annotations. Its webhook mounts a token of its own audience into
labelled pods, so that the account's usual token stays out of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pulumi

#: Audience of the tokens that Entra ID exchanges.
AUDIENCE = "api://AzureADTokenExchange"
CLIENT_ID = "azure.workload.identity/client-id"
TENANT_ID = "azure.workload.identity/tenant-id"
POD_LABELS: Mapping[str, str] = {"azure.workload.identity/use": "true"}


def account_annotations(client_id: pulumi.Input[str]) -> dict[str, pulumi.Input[str]]:
    """Annotations of the service account."""
    return {CLIENT_ID: client_id}

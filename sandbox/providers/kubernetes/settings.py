"""The provider's own configuration: what its settings and the environment say."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.providers.kubernetes.client import TIMEOUT


@dataclass(frozen=True)
class ProviderSettings:
    """Configuration of one provider instance; defaults are the official plugin's."""

    kubeconfig: str = ""
    """Path or contents; empty: KUBECONFIG or ``~/.kube/config``."""
    context: str = ""
    cluster: str = ""
    namespace: str = ""
    """Default namespace; empty: the one of the kubeconfig's context, else ``default``."""
    server_side_apply: bool = True
    secrets_mutable: bool = False
    config_maps_mutable: bool = False
    patch_force: bool = False
    upsert: bool = False
    """Whether creating an object that exists takes it over instead of failing."""
    delete_unreachable: bool = False
    skip_update_unreachable: bool = False
    timeout: int = TIMEOUT
    """Seconds of one request to the API server."""


_FLAGS = {
    "server_side_apply": ("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY"),
    "secrets_mutable": ("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
    "config_maps_mutable": ("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
    "patch_force": ("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
    "upsert": ("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
    "delete_unreachable": ("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
    "skip_update_unreachable": ("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
}


def read(config: Mapping[str, Any]) -> ProviderSettings:
    """The settings: the provider's first, then environment variables, then defaults."""
    chosen: dict[str, Any] = {
        name: config[name]
        for name in ("kubeconfig", "context", "cluster", "namespace")
        if name in config
    }
    for name, (key, variable) in _FLAGS.items():
        value = config.get(key, os.environ.get(variable))
        if value is not None:
            chosen[name] = str(value).lower() == "true"
    client = config.get("kubeClientSettings") or {}
    client = json.loads(client) if isinstance(client, str) else client
    timeout = client.get("timeout") or os.environ.get("PULUMI_K8S_CLIENT_TIMEOUT") or TIMEOUT
    return ProviderSettings(**chosen, timeout=int(timeout))

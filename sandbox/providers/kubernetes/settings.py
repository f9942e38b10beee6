"""The provider's own configuration: what ``kubernetes:config:…`` and the environment say."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.providers.kubernetes.client import TIMEOUT

_PREFIX = "kubernetes:config:"


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


def read(variables: Mapping[str, str]) -> ProviderSettings:
    """The settings: configuration variables first, then environment variables, then defaults."""

    def text(key: str) -> str:
        return variables.get(_PREFIX + key, "")

    def flag(key: str, environment: str, default: bool = False) -> bool:
        given = variables.get(_PREFIX + key, os.environ.get(environment))
        return default if given is None else given.lower() == "true"

    client = json.loads(text("kubeClientSettings") or "{}")
    return ProviderSettings(
        kubeconfig=text("kubeconfig"),
        context=text("context"),
        cluster=text("cluster"),
        namespace=text("namespace"),
        server_side_apply=flag(
            "enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", True
        ),
        secrets_mutable=flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        config_maps_mutable=flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        patch_force=flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsert=flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        delete_unreachable=flag("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skip_update_unreachable=flag("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
        timeout=int(
            client.get("timeout") or os.environ.get("PULUMI_K8S_CLIENT_TIMEOUT") or TIMEOUT
        ),
    )

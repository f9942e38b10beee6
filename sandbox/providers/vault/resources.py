"""The resource types that the stand-in knows."""

from __future__ import annotations

from sandbox.providers.vault.kv import Endpoint, SecretV2
from sandbox.providers.vault.logins import (
    AppRole,
    AppRoleSecretId,
    KubernetesConfig,
    KubernetesRole,
    Token,
)
from sandbox.providers.vault.mounts import Audit, AuthBackend, Mount, Policy
from sandbox.providers.vault.resource import VaultResource

RESOURCES: dict[str, VaultResource] = {
    "vault:index/mount:Mount": Mount(),
    "vault:index/authBackend:AuthBackend": AuthBackend(),
    "vault:index/policy:Policy": Policy(),
    "vault:index/audit:Audit": Audit(),
    "vault:index/token:Token": Token(),
    "vault:kv/secretV2:SecretV2": SecretV2(),
    "vault:appRole/authBackendRole:AuthBackendRole": AppRole(),
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": AppRoleSecretId(),
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": KubernetesConfig(),
    "vault:kubernetes/authBackendRole:AuthBackendRole": KubernetesRole(),
    "vault:generic/endpoint:Endpoint": Endpoint(),
}

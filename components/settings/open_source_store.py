"""`kestra:store` of open-source Kestra as the settings of a secret manager, so that every backend serves both editions.

What the rest of the program sees is `Settings.secret`, as in the Enterprise Edition. Kestra itself is told of none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .managers import (
    AwsSecretManager,
    AwsSsmParameterStore,
    AzureKeyVault,
    FilterOnPrefix,
    GoogleSecretManager,
    Vault,
    VaultKubernetes,
)
from .model import Settings
from .secret import StoreManager

DEFAULT_PREFIX = "kestra-"
#: Type to its block in `kestra:store`.
BLOCKS: Mapping[str, str] = {
    "aws-secret-manager": "aws",
    "aws-ssm-parameter-store": "aws",
    "azure-key-vault": "azure",
    "google-secret-manager": "gcp",
    "vault": "vault",
}
#: Key of a manager's block in `kestra:secret` to the key of its block in `kestra:store`, where they differ.
_KEYS: Mapping[tuple[str | int, ...], str] = {
    ("root-engine",): "mount",
    ("secret-path-prefix",): "path",
    ("kubernetes", "path"): "auth-path",
    ("kubernetes", "role"): "role",
    ("filter-on-prefix",): "prefix",
    ("filter-on-prefix", "prefix"): "prefix",
}


def with_store_manager(settings: Settings) -> Settings:
    """The settings with the manager of `kestra:store.type` as `secret`.

    Settings of the Enterprise Edition, and those that name no type or have a `kestra:secret`, stay as they are.
    """
    chosen = settings.store.type
    if settings.is_enterprise or settings.secret is not None or chosen is None:
        return settings
    block = getattr(settings.store, BLOCKS[chosen])
    values: dict[str, Any] = {"type": chosen, "read_only": True}
    if block is not None:
        values[chosen.replace("-", "_")] = _manager_block(settings, chosen)
    # Not validated again: its parts are, and errors name the place where they are written.
    return settings.model_copy(update={"secret": StoreManager.model_construct(**values)})


def _manager_block(settings: Settings, chosen: str) -> Any:
    store = settings.store
    if chosen == "vault":
        block = store.vault
        assert block is not None
        role = block.role or f"{settings.identity.service_account.name}-secrets"
        return Vault.model_construct(
            address=block.address,
            root_engine=block.mount,
            secret_path_prefix=block.path,
            namespace=block.namespace,
            kubernetes=VaultKubernetes.model_construct(path=block.auth_path, role=role),
        )
    if chosen == "azure-key-vault":
        assert store.azure is not None
        return AzureKeyVault.model_construct(
            vault_name=store.azure.vault_name, filter_on_prefix=_names(store.azure.prefix)
        )
    if chosen == "google-secret-manager":
        assert store.gcp is not None
        return GoogleSecretManager.model_construct(
            project=store.gcp.project, filter_on_prefix=_names(store.gcp.prefix)
        )
    assert store.aws is not None
    region, prefix = store.aws.region, store.aws.prefix
    if chosen == "aws-secret-manager":
        return AwsSecretManager.model_construct(region=region, prefix=prefix)
    return AwsSsmParameterStore.model_construct(region=region, filter_on_prefix=_names(prefix))


def _names(prefix: str | None) -> FilterOnPrefix:
    return FilterOnPrefix(prefix=prefix or DEFAULT_PREFIX)


def store_place(settings: Settings, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """The place in `kestra:store` of what a backend knows as a place in `kestra:secret`.

    Args:
        settings: with the manager of `kestra:store`; with any other one the place stays.
        loc: a place in Kestra's spelling.
    """
    return in_store(loc) if settings.uses_external_secrets else loc


def in_store(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """A place in `kestra:secret` as that in `kestra:store`; any other one as it is."""
    if not loc or loc[0] != "secret":
        return loc
    _, *rest = loc
    if not rest or rest[0] not in BLOCKS:
        return ("store", *rest)
    inner = tuple(rest[1:])
    block = BLOCKS[str(rest[0])]
    return ("store", block, _KEYS[inner]) if inner in _KEYS else ("store", block, *inner)


def store_text(settings: Settings, text: str) -> str:
    """A text of a backend with the keys of `kestra:store` in place of those of `kestra:secret`."""
    if not settings.uses_external_secrets:
        return text

    def key(match: re.Match[str]) -> str:
        return ".".join(map(str, store_place(settings, tuple(match[1].split(".")))))

    return re.sub(r"\b(?<=kestra:)(secret(?:\.[a-z0-9-]+)*)", key, text)

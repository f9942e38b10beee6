"""The settings with the blocks of backends that bring the models of their own settings."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import create_model

from ..settings.base import SOURCE_PROJECT, key
from ..settings.identity import Identity
from ..settings.managers import MANAGER
from ..settings.model import Settings
from ..settings.secret import SecretManager
from ..settings.store import Store
from .interface import Backend
from .registry import BACKENDS, all_backends


def settings_model() -> type[Settings]:
    """The model that a stack file is checked with: that of the settings, with every backend's own blocks in it."""
    return _with_blocks(
        tuple(
            one
            for one in all_backends()
            if one.block_model or one.identity_model or one.store_model
        )
    )


@cache
def _with_blocks(backends: tuple[Backend, ...]) -> type[Settings]:
    if not backends:
        return Settings
    blocks: dict[str, Any] = {
        b.type.replace("-", "_"): (
            b.block_model | None,
            key(None, "Block of its type.", since=b.since, source=MANAGER, alias=b.type),
        )
        for b in backends
        if b.block_model
    }
    identities: dict[str, Any] = {
        b.owner.replace("-", "_"): (
            b.identity_model,
            key(b.identity_model, f"Identity in {b.title}.", source=SOURCE_PROJECT, alias=b.owner),
        )
        for b in backends
        if b.identity_model
    }
    stores: dict[str, Any] = {
        b.cloud.replace("-", "_"): (
            b.store_model | None,
            key(None, f"For {b.type}.", source=SOURCE_PROJECT, alias=b.cloud),
        )
        for b in backends
        if b.store_model
    }
    type_: Any = Literal[tuple(BACKENDS)]  # type: ignore[valid-type]
    manager: Any = create_model(
        "SecretManager",
        __base__=SecretManager,
        type=(type_, SecretManager.model_fields["type"]),
        **blocks,
    )
    stores["also"] = (manager | None, Store.model_fields["also"])
    store = create_model("Store", __base__=Store, **stores)
    identity = create_model("Identity", __base__=Identity, **identities)
    fields = Settings.model_fields
    sections: dict[str, Any] = {
        "secret": (manager | None, fields["secret"]),
        "store": (store, key(store, fields["store"].description or "", source=SOURCE_PROJECT)),
        "identity": (
            identity,
            key(identity, fields["identity"].description or "", source=SOURCE_PROJECT),
        ),
    }
    return create_model("Settings", __base__=Settings, **sections)

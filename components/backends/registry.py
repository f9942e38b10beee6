"""Every secret manager, and which one a stack has. A backend is loaded when it is asked for; none loads an SDK."""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from ..settings.model import Settings
from .interface import Backend, Identity, Store, StoreArgs

if TYPE_CHECKING:
    import pulumi

#: `kestra:secret.type` to the backend's place in this package.
BACKENDS: dict[str, str] = {
    "aws-secret-manager": ".aws.backend:SECRETS_MANAGER",
    "aws-ssm-parameter-store": ".aws.backend:PARAMETER_STORE",
    "azure-key-vault": ".azure.backend:KEY_VAULT",
    "google-secret-manager": ".gcp.backend:SECRET_MANAGER",
    "vault": ".vault.backend:VAULT",
    "cyberark": ".external.backend:CYBERARK",
    "doppler": ".external.backend:DOPPLER",
    "1password": ".external.backend:ONE_PASSWORD",
    "beyondtrust": ".external.backend:BEYONDTRUST",
    "delinea": ".external.backend:DELINEA",
    "bitwarden": ".external.backend:BITWARDEN",
    "jdbc": ".embedded.backend:JDBC",
    "elasticsearch": ".embedded.backend:ELASTICSEARCH",
}
_OPEN_SOURCE = ".embedded.backend:OPEN_SOURCE"


@cache
def _load(place: str) -> Backend:
    return resolve_name(f"{__package__}{place}" if place.startswith(".") else place)


def backend(type_: str) -> Backend:
    """The backend of a `kestra:secret.type`.

    Raises:
        KeyError: for a type that there is not.
    """
    return _load(BACKENDS[type_])


def backend_of(settings: Settings) -> Backend:
    """The backend that Kestra reads its secrets from."""
    return backend(settings.secret.type) if settings.secret else _load(_OPEN_SOURCE)


def all_backends() -> list[Backend]:
    """Every secret manager."""
    return [_load(place) for place in BACKENDS.values()]


def backends_of(settings: Settings) -> list[Backend]:
    """The secret managers of a stack: the first one, and the second one while it moves."""
    return [backend(manager.type) for manager in settings.managers]


def configured_backends(settings: Settings) -> list[Backend]:
    """The secret manager that is chosen, and those whose block is there without being chosen."""
    manager = settings.secret
    if manager is None:
        return []
    return [
        backend(type_)
        for type_ in BACKENDS
        if type_ == manager.type or manager.block(type_) is not None
    ]


def clouds(settings: Settings) -> list[str]:
    """The clouds of a stack's secret managers, sorted."""
    return sorted({one.cloud for one in backends_of(settings)} - {""})


def data_keys() -> dict[str, Backend]:
    """Settings path of each key that Kestra encrypts its own secrets with, to the manager that keeps them."""
    return {one.data_key: one for one in all_backends() if one.data_key}


def is_provisioned(path: str) -> bool:
    """Whether a store or an identity provides what stands at a settings path, and no generator."""
    first, type_, *_ = (*path.split("."), "")
    return first == "secret" and type_ in BACKENDS and backend(type_).provides(path)


def create_store(name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> Store:
    """Registers the store of the stack's settings; imports only the SDK that it needs."""
    return backend_of(args.settings).create_store(name, args, opts)


def create_identity(
    name: str, settings: Settings, store: Store, opts: pulumi.ResourceOptions | None = None
) -> Identity:
    """Registers the identity of the stack's settings; imports only the SDK that it needs."""
    return backend_of(settings).create_identity(name, settings, store, opts)

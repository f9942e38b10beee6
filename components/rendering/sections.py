"""The sections of the document, each from its settings, for one version and edition."""

from __future__ import annotations

from ..settings.platform import LocalStorage
from .leaves import GeneratedValueRef, Node
from .nodes import block, with_password
from .secret_backends import secret

_KAFKA_LIVENESS: dict[str, Node] = {"timeout": "1m", "initial-delay": "1m"}
CONTROLLER_SERVICE = "kestra-controller"
"""The Kubernetes Service where workers of a distributed 2.0 find their controllers."""
CONTROLLER_PORT = 50051
"""The port of that Service; Kestra's own default."""
_STORAGE_FOLDER: str = LocalStorage.model_fields["base_path"].default
_ADMINISTRATOR = {"1.3": "super-admin", "2.0": "instance-owner"}


def server(settings: dict[str, Node]) -> dict[str, Node]:
    """``kestra.server``: as set; Kafka queues get the longer liveness that Kestra recommends.

    ``basic-auth.enabled`` has no effect since Kestra 0.24 and is left out.
    """
    out = block(settings, "server") or {}
    credentials = block(out, "basic-auth")
    if credentials is not None:
        credentials.pop("enabled", None)
        out["basic-auth"] = with_password(credentials, "server.basic-auth.password")
    queue = block(settings, "queue") or {}
    if queue.get("type") == "kafka":
        liveness = block(out, "liveness") or {}
        out["liveness"] = liveness | {k: v for k, v in _KAFKA_LIVENESS.items() if k not in liveness}
    return out


def security(
    settings: dict[str, Node], version: str, permissions: dict[str, Node] | None
) -> dict[str, Node]:
    """``kestra.security`` with the names of ``version``.

    ``permissions`` are those of the default role, already in that version's vocabulary.
    """
    security_block = block(settings, "security") or {}
    out: dict[str, Node] = {}
    for key, value in security_block.items():
        if key in _ADMINISTRATOR.values() and isinstance(value, dict):
            out[_ADMINISTRATOR[version]] = with_password(value, "security.super-admin.password")
        elif key == "default-role" and isinstance(value, dict) and permissions is not None:
            role: dict[str, Node] = {**value, "permissions": permissions}
            out[key] = role
        else:
            out[key] = value
    return out


def kestra(
    settings: dict[str, Node],
    *,
    version: str,
    edition: str,
    permissions: dict[str, Node] | None,
    url: str | None,
    environment: str,
    distributed: bool,
    provided: tuple[str, ...] = (),
    controller_port: int = CONTROLLER_PORT,
) -> dict[str, Node]:
    """The ``kestra`` root.

    Beyond the settings it holds: the encryption key; ``variables.env-vars-prefix: ENV_``, so that
    flows read only variables meant for them; ``anonymous-usage-report`` off, because the network
    policy lets nothing out that was not asked for; ``tutorial-flows`` off outside development; on
    a distributed 2.0 the address of the controllers, which workers else look for on localhost.
    """
    out: dict[str, Node] = {}
    if url is not None:
        out["url"] = url
    encryption = block(settings, "encryption") or {}
    # A word for this project's checks, unknown to Kestra.
    encryption.pop("existing", None)
    out["encryption"] = {"secret-key": GeneratedValueRef("encryption.secret-key")} | encryption
    out |= {key: settings[key] for key in ("queue", "repository") if key in settings}
    storage = block(settings, "storage")
    if storage is not None:
        if storage.get("type") == "local":
            # Kestra's local storage has no folder of its own.
            storage["local"] = {"base-path": _STORAGE_FOLDER} | (block(storage, "local") or {})
        out["storage"] = storage
    if edition == "enterprise" and block(settings, "secret"):
        out["secret"] = secret(block(settings, "secret") or {}, provided)
    parts = {"server": server(settings)}
    if edition == "enterprise":
        parts["security"] = security(settings, version, permissions)
    parts["configurations"] = block(settings, "configurations") or {}
    out |= {key: value for key, value in parts.items() if value}
    if distributed and version == "2.0":
        address: Node = {"host": CONTROLLER_SERVICE, "port": controller_port}
        out["worker"] = {
            "controllers": {"type": "STATIC", "static": {"endpoints": [address]}},
        }
    out["variables"] = {"env-vars-prefix": "ENV_"}
    out["anonymous-usage-report"] = {"enabled": False}
    if environment != "development":
        out["tutorial-flows"] = {"enabled": False}
    return out

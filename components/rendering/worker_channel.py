"""The channel between workers and controllers of 2.0, as Kestra's file has it."""

from __future__ import annotations

from ..settings import Settings
from ..settings.placeholders import is_placeholder
from ..settings.worker_channel import SIGNING_KEY, STORE_PASSWORD, token_key
from .leaves import GeneratedValueRef, Node
from .nodes import block
from .sections import CONTROLLER_SERVICE

STORES_FOLDER = "/etc/kestra-grpc"
"""Where the pods of workers, controllers and web servers have their own key store and trust store."""
TOKENS_FOLDER = "/etc/kestra-worker-tokens"
"""Where the pods of web servers have the workers' registration tokens, a file each group."""


def with_channel(kestra: dict[str, Node], settings: Settings) -> dict[str, Node]:
    """The ``kestra`` root with what the settings ask for the channel."""
    out = _with_worker_groups(kestra, settings)
    if settings.grpc_tls is None:
        return out
    return {**out, "grpc": {**(block(out, "grpc") or {}), "tls": _tls()}}


def _tls() -> dict[str, Node]:
    """``kestra.grpc.tls``: a worker needs a certificate, and checks that of the controllers."""
    password = GeneratedValueRef(STORE_PASSWORD)

    def store(file: str) -> dict[str, Node]:
        return {"path": f"{STORES_FOLDER}/{file}", "type": "PKCS12", "password": password}

    return {
        "enabled": True,
        "client-auth": "REQUIRE",
        # A name of the controllers' certificate. Without it workers look for `controllers`, since the addresses of the
        # controllers are a list.
        "authority-override": CONTROLLER_SERVICE,
        "key-store": store("keystore.p12"),
        "trust-store": store("truststore.p12"),
    }


def generated_keys(settings: Settings) -> list[str]:
    """What the stack makes for the channel and Kestra's file does not name."""
    groups = settings.registration_groups
    return [SIGNING_KEY, *(token_key(g) for g, t in groups.items() if t is None)] if groups else []


def seeded_groups(settings: Settings) -> list[str]:
    """Worker groups whose tokens the stack knows: it makes them, or the settings have their values."""
    return [
        group
        for group, token in settings.registration_groups.items()
        if token is None or not is_placeholder(token.get_secret_value())
    ]


def _with_worker_groups(kestra: dict[str, Node], settings: Settings) -> dict[str, Node]:
    """The ``kestra`` root with the groups' tokens in ``kestra.ee.setup``, which web servers apply when they start.

    A group that the settings declare there keeps what they say of it, its queues above all.
    """
    seeded = seeded_groups(settings)
    if not seeded:
        return kestra
    ee = block(kestra, "ee") or {}
    setup = block(ee, "setup") or {}
    written = setup.get("worker-groups")
    declared = [g for g in written if isinstance(g, dict)] if isinstance(written, list) else []
    groups = [_with_token(group, seeded) for group in declared]
    known = {str(group.get("id")) for group in declared}
    groups += [_with_token({"id": g, "name": g}, seeded) for g in seeded if g not in known]
    own: dict[str, Node] = {"enabled": True, **setup, "worker-groups": list[Node](groups)}
    return {**kestra, "ee": {**ee, "setup": own}}


def _with_token(group: dict[str, Node], seeded: list[str]) -> dict[str, Node]:
    name = group.get("id")
    if name not in seeded or "registration-tokens" in group:
        return group
    token: Node = {"name": "stack", "token-file": f"{TOKENS_FOLDER}/{name}"}
    return {**group, "registration-tokens": [token]}

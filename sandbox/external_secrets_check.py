"""Shows that secrets come to the pods by the External Secrets Operator, and nothing else does."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.external_secrets import Cluster, Delivery
from sandbox.store_owner import Remote, Servers, StoreOwner, VaultOwner, owner_of

PROBE = "kestra-sandbox-probe"
_PATIENCE = 30.0
"""Seconds that the operator has beyond its interval."""
_LONGEST = 60.0
"""Seconds of an interval that is waited for; of a longer one the operator is asked to read at once."""


@dataclass(frozen=True)
class Delivered:
    """What the operator brought, and what was seen of it."""

    environment: Mapping[str, str]
    """Variables of the pods. Secret."""
    values: Mapping[str, str]
    """Name to value, as the secret manager has it. Secret."""
    unread: frozenset[str]
    """Names whose secret manager has no server here: their values are made up."""
    checks: list[dict[str, Any]] = field(default_factory=list)


def read_delivered(cluster: Cluster, servers: Servers, own: str) -> Delivered:
    """The secrets that the operator brought, against what the secret manager has.

    Args:
        cluster: the stack's namespace.
        servers: the sandbox's secret managers.
        own: name of the Secret that the stack makes.
    """
    environment: dict[str, str] = {}
    values: dict[str, str] = {}
    unread: set[str] = set()
    checks: list[dict[str, Any]] = []
    in_pods = cluster.environment_secrets()
    for delivery in cluster.deliveries():
        texts = cluster.texts(delivery.secret)
        owner = owner_of(cluster.provider(delivery.store), servers)
        environment |= texts
        if owner is None:
            unread |= set(delivery.remotes)
        for name, remote in delivery.remotes.items() if owner else ():
            value = owner.read(remote) if owner else None
            ok = False
            if value is not None:
                key, text = delivery.variable(name, value)
                values[name], ok = value, texts.get(key) == text
            what = f"SECRET_{name.upper()} of the operator's Secret is the value at {remote.key}, in base64"
            checks.append(_check(what, ok))
        owners = cluster.secret(delivery.secret).get("metadata", {}).get("ownerReferences") or []
        is_operators = any(o["kind"] == "ExternalSecret" for o in owners)
        checks.append(_check(f"the operator wrote {delivery.secret}", is_operators))
        has_it = delivery.secret in in_pods
        checks.append(_check(f"the pods have the variables of {delivery.secret}", has_it))
    if checks:
        clear = not any(key.startswith("SECRET_") for key in cluster.texts(own))
        checks.append(_check("the Secret that Pulumi made holds none of them", clear))
    return Delivered(environment, values, frozenset(unread), checks)


def check_limits(cluster: Cluster, servers: Servers, declared: Collection[str]) -> dict[str, Any]:
    """A name that the stack's identity may not read, and a value that its owner changes.

    Args:
        cluster: the stack's namespace.
        servers: the sandbox's secret managers.
        declared: names of what the stack itself writes; they are left alone.
    """
    owned = [
        (delivery, owner)
        for delivery in cluster.deliveries()
        if (owner := owner_of(cluster.provider(delivery.store), servers)) is not None
    ]
    # The sandbox's AWS judges actions, not names, and its Google Cloud nothing.
    vaults = [(delivery, owner) for delivery, owner in owned if isinstance(owner, VaultOwner)]
    checks = [_refusal(cluster, delivery, owner) for delivery, owner in vaults[:1]]
    for delivery, owner in owned:
        others = [n for n, r in delivery.remotes.items() if r.version is None and n not in declared]
        if delivery.is_followed and others:
            checks.append(_rotation(cluster, delivery, owner, others[0]))
    return {"id": "external-secrets", "checks": checks}


def _refusal(cluster: Cluster, delivery: Delivery, owner: StoreOwner) -> dict[str, Any]:
    other = Remote(f"{PROBE}/{secrets.token_hex(4)}", "value")
    owner.write(other, secrets.token_hex(12))
    remote = {"key": other.key, "property": other.field}
    spec = {
        "refreshInterval": "1h",
        "secretStoreRef": {"kind": "SecretStore", "name": delivery.store},
        "data": [{"secretKey": "other", "remoteRef": remote}],
    }
    try:
        cluster.create(
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "ExternalSecret",
                "metadata": {"name": PROBE, "namespace": cluster.namespace},
                "spec": spec,
            }
        )
        refused = _seconds_until(
            lambda: any("403" in text for text in cluster.warnings("ExternalSecret", PROBE)),
            _PATIENCE,
        )
        ok = refused is not None and not cluster.texts(PROBE)
    finally:
        cluster.remove(PROBE)
        owner.remove(other)
    return _check(f"{other.key.partition('/')[0]}/… of the same engine is refused (403)", ok)


def _rotation(cluster: Cluster, delivery: Delivery, owner: StoreOwner, name: str) -> dict[str, Any]:
    remote = delivery.remotes[name]
    before, value = owner.read(remote), f"rotated-{secrets.token_hex(12)}"
    key, text = delivery.variable(name, value)
    owner.write(remote, value)
    patience, how = delivery.interval + _PATIENCE, f"refresh-interval {delivery.interval:g} s"
    if delivery.interval > _LONGEST:
        cluster.read_now(delivery.name)
        patience, how = (
            _PATIENCE,
            f"asked to read at once; refresh-interval {delivery.interval:g} s",
        )
    seconds = _seconds_until(lambda: cluster.texts(delivery.secret).get(key) == text, patience)
    if before is not None:
        # Pods have it until they are rolled.
        owner.write(remote, before)
        cluster.read_now(delivery.name)
    after = "never" if seconds is None else f"after {seconds:.1f} s"
    what = f"a new value of {name} reached {delivery.secret} {after} ({how})"
    return _check(what, seconds is not None)


def _seconds_until(holds: Callable[[], bool], patience: float) -> float | None:
    """How long it took; None where it did not happen in time."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > patience:
            return None
        time.sleep(0.1)
    return time.monotonic() - began


def _check(what: str, ok: bool) -> dict[str, Any]:
    return {"what": what, "ok": ok}

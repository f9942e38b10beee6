"""An update that was killed: what was being created is taken into the state where it exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Find = Callable[[Mapping[str, Any]], str | None]
#: What no server tells again, so that a second one is made; both end by themselves.
UNFINDABLE = {
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": "a secret id",
    "vault:index/token:Token": "a token",
}


@dataclass(frozen=True)
class Adopted:
    """The state of a killed update without its pending operations."""

    deployment: dict[str, Any]
    adopted: tuple[str, ...]
    """Names of what counts as created."""
    again: tuple[str, ...]
    """Names of what is created again."""
    left: tuple[str, ...]
    """What may be left on a server, in words."""


def adopt_pending(deployment: Mapping[str, Any], find: Find) -> Adopted:
    """The state without pending operations: what was being created counts as created where it can be named.

    A refresh has to follow, which reads it, or drops it again when it is not there.

    Args:
        deployment: as `pulumi stack export` gives it.
        find: a resource that was being created to its id; None for what can be created again.
    """
    resources = [dict(resource) for resource in deployment.get("resources") or ()]
    adopted, again, left = [], [], []
    for operation in deployment.get("pending_operations") or ():
        if operation.get("type") != "creating":
            continue
        resource = operation["resource"]
        name = resource["urn"].rpartition("::")[2]
        id_ = find(resource)
        if id_ and _insert(
            resources, resource | {"id": id_, "outputs": resource.get("inputs") or {}}
        ):
            adopted.append(name)
        else:
            again.append(name)
            if kind := UNFINDABLE.get(resource["type"]):
                left.append(f"{kind} of {name}")
    kept = {key: value for key, value in deployment.items() if key != "pending_operations"}
    return Adopted(kept | {"resources": resources}, tuple(adopted), tuple(again), tuple(left))


def _insert(resources: list[dict[str, Any]], created: dict[str, Any]) -> bool:
    """Puts it into the state; in the place of the one that it replaces, which is then to be deleted."""
    urns = [resource["urn"] for resource in resources]
    if created["urn"] not in urns:
        resources.append(created)
        return True
    at = urns.index(created["urn"])
    old = resources[at]
    if old.get("delete") or not set(created.get("dependencies") or ()) <= set(urns[:at]):
        # Something that comes later in the state is needed by it, or another one was replaced before.
        return False
    if old.pop("pendingReplacement", False):
        resources[at] = created  # the old one is gone already
    else:
        old["delete"] = True
        resources.insert(at, created)
    return True


def by_name(ids: Mapping[str, str]) -> Find:
    """Finds what somebody has looked up.

    Args:
        ids: name or URN of a resource to its id.
    """

    def find(resource: Mapping[str, Any]) -> str | None:
        urn = resource["urn"]
        return ids.get(urn) or ids.get(urn.rpartition("::")[2])

    return find

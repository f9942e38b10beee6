"""What whoever runs `pulumi up` must be allowed in Vault, by resource type.

Sources: the API calls of terraform-provider-vault's create, read, update and delete steps; Vault's API documentation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..interface import DeployerNeed
from .paths import policy_rule

_ALL = ("create", "delete", "read", "update")
_MOUNT = ("create", "delete", "read", "sudo", "update")

#: Paths in Vault with their capabilities; a word in braces is an input of the resource.
CAPABILITIES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vault:appRole/authBackendRole:AuthBackendRole": {
        "auth/{backend}/role/{roleName}": _ALL,
        "auth/{backend}/role/{roleName}/role-id": ("read",),
    },
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {
        "auth/{backend}/role/{roleName}/secret-id": ("create", "update"),
        "auth/{backend}/role/{roleName}/secret-id-accessor/destroy": ("create", "update"),
        "auth/{backend}/role/{roleName}/secret-id-accessor/lookup": ("create", "update"),
    },
    "vault:generic/endpoint:Endpoint": {"{path}": _ALL},
    "vault:index/audit:Audit": {
        "sys/audit": ("read", "sudo"),
        "sys/audit/{path}": _MOUNT,
    },
    "vault:index/authBackend:AuthBackend": {
        "sys/auth": ("read",),
        "sys/auth/{path}": _MOUNT,
        "sys/mounts/auth/{path}": ("read",),
        "sys/mounts/auth/{path}/tune": ("read", "update"),
    },
    "vault:index/mount:Mount": {
        "sys/mounts": ("read",),
        "sys/mounts/{path}": _ALL,
        "sys/mounts/{path}/tune": ("read", "update"),
    },
    "vault:index/policy:Policy": {"sys/policies/acl/{name}": _ALL},
    "vault:index/token:Token": {
        "auth/token/create-orphan": ("create", "sudo", "update"),
        "auth/token/lookup-accessor": ("create", "update"),
        "auth/token/renew-accessor": ("create", "update"),
        "auth/token/revoke-accessor": ("create", "update"),
    },
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": {"auth/{backend}/config": _ALL},
    "vault:kubernetes/authBackendRole:AuthBackendRole": {"auth/{backend}/role/{roleName}": _ALL},
    "vault:kv/secretV2:SecretV2": {
        "{mount}/data/{name}": _ALL,
        "{mount}/metadata/{name}": _ALL,
    },
}
#: What the provider itself asks for once it has a Vault resource: a token of its own for each run.
OF_PROVIDER: Mapping[str, tuple[str, ...]] = {
    "auth/token/create": ("create", "update"),
    "auth/token/lookup-self": ("read",),
}


def needs(type_: str, inputs: Mapping[str, Any]) -> Sequence[DeployerNeed] | None:
    """What a resource needs; None for a type that is not Vault's.

    Args:
        type_: its type.
        inputs: its inputs; in place of one that is not known yet, a path has a `+` (Vault's wildcard for one segment).
    """
    if type_ not in CAPABILITIES:
        return None
    return [
        DeployerNeed(capability, _path(path, inputs))
        for path, capabilities in (*CAPABILITIES[type_].items(), *OF_PROVIDER.items())
        for capability in capabilities
    ]


def team_policy(engine: str, folders: Iterable[str], *, mounts: bool) -> str:
    """The policy of whoever deploys a stack of secrets alone: what is below some folders of an engine, and no more.

    Args:
        engine: mount path of the KV engine.
        folders: of the team, below it.
        mounts: whether the stack mounts the engine itself.
    """
    kinds = [("vault:index/mount:Mount", {"path": engine})] if mounts else []
    kinds += [
        ("vault:kv/secretV2:SecretV2", {"mount": engine, "name": f"{folder}/*"})
        for folder in folders
    ]
    capabilities: dict[str, list[str]] = {}
    for kind, inputs in kinds:
        for need in needs(kind, inputs) or ():
            capabilities.setdefault(need.where, [])
            if need.action not in capabilities[need.where]:
                capabilities[need.where].append(need.action)
    return "".join(policy_rule(path, verbs) for path, verbs in capabilities.items())


def rows() -> Iterator[tuple[str, str]]:
    """Resource type and what it needs, for the documentation."""
    for type_, paths in CAPABILITIES.items():
        yield type_, _text(paths)
    yield "the provider itself", _text(OF_PROVIDER)


def _text(paths: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"`{path}`: {', '.join(names)}" for path, names in paths.items())


def _path(template: str, inputs: Mapping[str, Any]) -> str:
    known = {key: value.strip("/") for key, value in inputs.items() if isinstance(value, str)}
    return template.format_map(_OrAny(known))


class _OrAny(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "+"

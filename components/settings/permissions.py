"""Kestra's resources and actions in role permissions, and the way from the 1.x to the 2.0 vocabulary.

Source: Kestra documentation, enterprise/auth/rbac (1.x) and migration-guide/v2.0.0/rbac-action-model,
Kestra Enterprise API 2.0 (enums Resource and Action).
"""

from __future__ import annotations

from collections.abc import Mapping

ACTIONS_1 = ("CREATE", "READ", "UPDATE", "DELETE")

RESOURCES_1 = frozenset(
    [
        "FLOW",
        "EXECUTION",
        "TEMPLATE",
        "NAMESPACE",
        "KVSTORE",
        "DASHBOARD",
        "SECRET",
        "CREDENTIAL",
        "GROUP",
        "ROLE",
        "BINDING",
        "AUDITLOG",
        "BLUEPRINT",
        "IMPERSONATE",
        "SETTING",
        "APP",
        "AI_COPILOT",
        "APPEXECUTION",
        "TEST",
        "ASSET",
        "USER",
        "SERVICE_ACCOUNT",
        "TENANT_ACCESS",
        "INVITATION",
        "GROUP_MEMBERSHIP",
    ]
)

RESOURCES_2 = frozenset(
    [
        "FLOW",
        "EXECUTION",
        "TRIGGER",
        "NAMESPACE",
        "KVSTORE",
        "REUSABLE_INPUTS",
        "DASHBOARD",
        "SECRET",
        "CREDENTIAL",
        "BLUEPRINT",
        "APP",
        "AUDITLOG",
        "SYSTEM_SETTINGS",
        "TENANT_SETTINGS",
        "TESTSUITE",
        "ASSET",
        "USER",
        "GROUP",
        "ROLE",
        "BINDING",
        "SERVICE_ACCOUNT",
        "INVITATION",
        "COPILOT",
    ]
)

ACTIONS_2 = frozenset(
    [
        "VIEW",
        "LIST",
        "CREATE",
        "UPDATE",
        "DELETE",
        "EXECUTE",
        "RESTART",
        "KILL",
        "REPLAY",
        "PAUSE",
        "RESUME",
        "UNQUEUE",
        "FORCE_RUN",
        "FOLLOW",
        "CHANGE_LABELS",
        "ACCESS_LOGS",
        "ACCESS_OUTPUTS",
        "ACCESS_FILES",
        "EXPORT",
        "IMPORT",
        "DISABLE",
        "ENABLE",
        "VALIDATE",
        "UNLOCK",
        "LOCK",
        "BACKFILL",
        "MANAGE_FILES",
        "MANAGE_MEMBERS",
        "MANAGE_GROUP_MEMBERSHIP",
        "USE",
        "IMPERSONATE",
    ]
)

#: Resources of 1.x that 2.0 has no counterpart for.
DROPPED = frozenset({"TEMPLATE", "IMPERSONATE"})

_RENAMED = {
    "APPEXECUTION": ("APP",),
    "TENANT_ACCESS": ("USER",),
    "GROUP_MEMBERSHIP": ("GROUP",),
    "SETTING": ("SYSTEM_SETTINGS", "TENANT_SETTINGS"),
    "AI_COPILOT": ("COPILOT",),
    "TEST": ("TESTSUITE",),
}

_PLAIN = {"READ": "VIEW LIST", "CREATE": "CREATE", "UPDATE": "UPDATE", "DELETE": "DELETE"}

_EXPANDED: Mapping[str, Mapping[str, str]] = {
    "FLOW": {
        "READ": "VIEW LIST EXPORT",
        "CREATE": "CREATE IMPORT",
        "UPDATE": "UPDATE EXECUTE DISABLE ENABLE VALIDATE",
        "DELETE": "DELETE",
    },
    "EXECUTION": {
        "READ": "VIEW LIST ACCESS_LOGS ACCESS_OUTPUTS ACCESS_FILES EXPORT FOLLOW",
        "CREATE": "",
        "UPDATE": "UPDATE RESTART KILL REPLAY PAUSE RESUME CHANGE_LABELS UNQUEUE FORCE_RUN",
        "DELETE": "DELETE",
    },
    "NAMESPACE": _PLAIN | {"UPDATE": "UPDATE MANAGE_FILES"},
    "APP": _PLAIN | {"UPDATE": "UPDATE EXECUTE ACCESS_FILES ACCESS_LOGS"},
    "USER": _PLAIN | {"UPDATE": "UPDATE MANAGE_GROUP_MEMBERSHIP"},
    "GROUP": _PLAIN | {"UPDATE": "UPDATE MANAGE_MEMBERS"},
    "AUDITLOG": {"READ": "VIEW LIST EXPORT", "CREATE": "", "UPDATE": "", "DELETE": ""},
    "SYSTEM_SETTINGS": {"READ": "VIEW", "CREATE": "", "UPDATE": "UPDATE", "DELETE": ""},
    "TENANT_SETTINGS": {"READ": "VIEW", "CREATE": "", "UPDATE": "UPDATE", "DELETE": ""},
    "COPILOT": {"READ": "USE", "CREATE": "", "UPDATE": "", "DELETE": ""},
}


def is_first_vocabulary(permissions: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether permissions are written in 1.x words; words that both versions know decide nothing."""
    return any("READ" in actions for actions in permissions.values()) or any(
        resource in RESOURCES_1 - RESOURCES_2 for resource in permissions
    )


def lost(resource: str, action: str) -> bool:
    """Whether a 1.x permission has no counterpart in 2.0, so that a translated role lacks it."""
    return resource in RESOURCES_1 and action in ACTIONS_1 and not translate({resource: (action,)})


def translate(permissions: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """1.x permissions in 2.0 words, as Kestra's own migration of stored roles does it.

    `EXECUTION: [CREATE]` (start a flow) becomes `FLOW: [EXECUTE]`. Resources without a counterpart
    (`TEMPLATE`, `IMPERSONATE`) are refused by the checks before this is called.
    """
    translated: dict[str, list[str]] = {}

    def grant(resource: str, actions: str) -> None:
        known = translated.setdefault(resource, [])
        known.extend(action for action in actions.split() if action not in known)

    for resource, actions in permissions.items():
        for target in _RENAMED.get(resource, (resource,)):
            for action in actions:
                grant(target, _EXPANDED.get(target, _PLAIN).get(action, action))
            if target == "EXECUTION" and "CREATE" in actions:
                grant("FLOW", "EXECUTE")
    return {resource: actions for resource, actions in translated.items() if actions}

"""Who may read what: Kestra's identity in its store, the cluster, and those who run the stack."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.backends.aws import permissions as aws_permissions
from components.backends.azure import permissions as azure_permissions
from components.backends.gcp import permissions as gcp_permissions
from components.backends.vault import permissions as hashicorp
from components.settings import Settings
from components.settings.visibility import prefix, recovery_name, recovery_vault_name, required_tags
from components.validation.rules import vault_method
from policy.core.model import Resource
from policy.core.values import UNKNOWN, Sealed
from sandbox.report.paths import provisions, recovery_place, store_title

_BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@dataclass(frozen=True)
class Access:
    """A row: somebody, something, and why."""

    who: str
    what: str
    on: str
    why: str
    verdict: str = "may"
    """`may` or `may not`."""


@dataclass(frozen=True)
class Accesses:
    """The tables of the section."""

    principal: str
    mode: str
    store: tuple[Access, ...]
    policy: str
    """Vault's policy as text; empty elsewhere."""
    cluster: tuple[Access, ...]
    people: tuple[Access, ...]


def accesses(settings: Settings, resources: Sequence[Resource]) -> Accesses:
    """Who may read what in a stack."""
    vault = settings.secret.vault if settings.secret and settings.secret.type == "vault" else None
    read_only = bool(settings.secret and settings.secret.is_read_only)
    return Accesses(
        _principal(settings),
        "read-only" if read_only else "managed",
        tuple(_store(settings)),
        hashicorp.policy_text(
            vault.root_engine, read_only=read_only, scope=hashicorp.scope(settings)
        )
        if vault
        else "",
        tuple(_cluster(settings, resources)),
        tuple(_people(settings)),
    )


def _principal(settings: Settings) -> str:
    manager = settings.secret
    account = f"{settings.deployment.namespace}/{settings.identity.service_account.name}"
    if manager is None:
        return ""
    if manager.type == "vault" and manager.vault is not None:
        return f"log-in by {vault_method(manager.vault)}, as service account {account}"
    static = any(
        (
            manager.aws is not None and manager.aws.access_key_id is not None,
            manager.azure_key_vault is not None
            and manager.azure_key_vault.client_secret is not None,
            manager.google_secret_manager is not None
            and manager.google_secret_manager.service_account is not None,
        )
    )
    if static:
        return "a static credential from the stack settings"
    if manager.cloud is not None:
        return f"the workload identity of service account {account}"
    return "Kestra itself" if manager.type in ("jdbc", "elasticsearch") else "a given credential"


def _store(settings: Settings) -> Iterator[Access]:
    manager = settings.secret
    if manager is None:
        return
    mode = "read-only" if manager.is_read_only else "managed"
    cloud = manager.cloud
    if cloud == "aws":
        for allowed_mode, actions, scope, why in aws_permissions.rows(manager.type):
            if allowed_mode == mode:
                yield Access("Kestra", actions, _aws_scope(settings, scope), why)
    elif cloud == "azure":
        role = azure_permissions.role(read_only=manager.is_read_only)
        vault = manager.azure_key_vault and manager.azure_key_vault.vault_name
        for allowed_mode, action, scope, why in azure_permissions.rows():
            if allowed_mode == mode:
                yield Access(
                    f"Kestra, by {role.name}", action, f"{scope} {vault or ''}".strip(), why
                )
    elif cloud == "gcp":
        for allowed_mode, what, scope, why in gcp_permissions.rows():
            if allowed_mode == mode:
                yield Access("Kestra", what, _gcp_scope(settings, scope), why)
    elif manager.type == "vault" and manager.vault is not None:
        yield from _vault(settings, manager.vault.root_engine, manager.is_read_only)
    elif manager.type in ("jdbc", "elasticsearch"):
        yield Access(
            "Kestra",
            "read, write",
            "its own database",
            "secrets are encrypted with a key of their own",
        )
    else:
        yield Access(
            "Kestra", "what the given credential may", store_title(settings),
            "this project configures the manager and grants nothing in it",
        )  # fmt: skip
    place = recovery_place(settings)
    if place:
        yield Access("Kestra", "anything", place, _why_not(settings), "may not")
    if settings.secondary is not None:
        yield Access(
            "Kestra", "anything", f"{store_title(settings.secondary)}, where the stack moves from or to",
            "its identity is bound to the first store only", "may not",
        )  # fmt: skip


def _vault(settings: Settings, engine: str, read_only: bool) -> Iterator[Access]:
    scope = hashicorp.scope(settings)
    for permission, paths in hashicorp.grants(engine, scope, read_only=read_only):
        verbs = ", ".join(permission.capabilities)
        yield Access("Kestra", verbs, ", ".join(paths), permission.reason)
    if scope != hashicorp.WHOLE_ENGINE:
        yield Access(
            "Kestra", "anything", f"any other path of the engine {engine}",
            "its policy names no other", "may not",
        )  # fmt: skip


def _aws_scope(settings: Settings, scope: str) -> str:
    names = aws_permissions.names(settings)
    tags = required_tags(settings) if settings.secret and settings.secret.is_read_only else {}
    tagged = f" with tags {', '.join(f'{k}={v}' for k, v in tags.items())}" if tags else ""
    match scope:
        case "everything":
            return "names and tags of the whole account and region"
        case "its names":
            return f"{', '.join(names) or 'no name'}{tagged}"
        case "its tag":
            return f"what has the tag prefix={prefix(settings)}"
        case "new with its tag":
            return f"new ones with the tag prefix={prefix(settings)}"
        case _:
            return "the stack's key, through the service of the secrets only"


def _gcp_scope(settings: Settings, scope: str) -> str:
    if scope == "each declared secret" and settings.declared_secrets:
        return f"{scope}: {', '.join(settings.declared_secrets)}"
    return scope


def _why_not(settings: Settings) -> str:
    kind = settings.secret.type if settings.secret else ""
    if kind.startswith("aws"):
        return (
            f"explicit Deny in its role's policy on {recovery_name(settings)} and on decrypting it"
        )
    if kind == "azure-key-vault":
        return f"no role on the vault {recovery_vault_name(settings)}"
    if kind == "vault":
        return "its policy has no path of that engine"
    return "no grant on that secret"


def _cluster(settings: Settings, resources: Sequence[Resource]) -> Iterator[Access]:
    account = f"service account {settings.identity.service_account.name}"
    namespace = settings.deployment.namespace
    yield Access(
        "Kestra's pods", "values, as environment variables", f"the stack's Secret in {namespace}",
        "the kubelet hands them over; no RBAC is needed and none is given",
    )  # fmt: skip
    bound = [r for r in resources if r.type.rsplit(":", 1)[-1] in _BINDINGS]
    for binding in bound:
        role = binding.props.get("roleRef")
        name = role.get("name") if isinstance(role, dict) else None
        yield Access(
            account, _known(name), "the cluster" if "Cluster" in binding.type else namespace,
            "Vault reviews the account's token with the token itself; it shows no Secret"
            if name == "system:auth-delegator" else f"bound by {binding.name}",
        )  # fmt: skip
    mounted = any(_mounts_token(r) for r in resources if r.type.endswith(":Deployment"))
    yield Access(
        account, "any other object of the API", namespace,
        "no Role is bound to it; its token is "
        + ("mounted for the log-in to the secret store only" if mounted else "not mounted into the pods"),
        "may not",
    )  # fmt: skip
    yield Access(
        "whoever has get or list on Secrets", "values", f"namespace {namespace}",
        "the cluster's own RBAC decides, and so does whoever may create pods there; this stack binds nobody",
    )  # fmt: skip
    yield Access(
        "whoever has get on ConfigMaps", "application.yaml", f"namespace {namespace}",
        "it holds no secret: ${…} stands in place of each",
    )  # fmt: skip


def _mounts_token(deployment: Resource) -> bool:
    spec = deployment.props.get("spec")
    pod = spec.get("template", {}).get("spec", {}) if isinstance(spec, dict) else {}
    volumes = pod.get("volumes") or []
    projected = any("serviceAccountToken" in s for v in volumes if isinstance(v, dict)
                    for s in ((v.get("projected") or {}).get("sources") or []))  # fmt: skip
    return projected or pod.get("automountServiceAccountToken") is True


def _known(value: object) -> str:
    if value is None or value is UNKNOWN or isinstance(value, Sealed):
        return "known after the update"
    return str(value)


def _people(settings: Settings) -> Iterator[Access]:
    yield Access(
        "whoever runs Pulumi for this stack", "every secret of the stack",
        "Pulumi's state, opened by its secrets provider",
        "a passphrase, or a key in KMS, Key Vault, Cloud KMS or Vault: give the key to the pipeline only",
    )  # fmt: skip
    aws_store = settings.store.aws
    if provisions(settings) and aws_store is not None and aws_store.kms.administrators:
        yield Access(
            ", ".join(aws_store.kms.administrators), "manage the key", "the stack's KMS key",
            "the key policy gives administrators no decryption",
        )  # fmt: skip
    isolation = settings.secret.isolation if settings.secret else None
    if isolation is not None and isolation.enabled and isolation.denied_services:
        yield Access(
            f"Kestra's services {', '.join(isolation.denied_services)}", "resolve secrets",
            store_title(settings), "kestra:secret.isolation", "may not",
        )  # fmt: skip
    elif settings.secret is not None:
        yield Access(
            "every service of Kestra", "resolve secrets", store_title(settings),
            "kestra:secret.isolation is off",
        )  # fmt: skip
    who = "authors of flows in a namespace" if settings.is_enterprise else "authors of any flow"
    what = (
        "secrets of that namespace and its parents"
        if settings.is_enterprise
        else "SECRET_… variables"
    )
    yield Access(
        who, f"{what}, through secret()", "Kestra",
        "Kestra masks them in its logs; a flow can still send them elsewhere",
    )  # fmt: skip

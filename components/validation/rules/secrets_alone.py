"""`kestra:deployment.enabled: false`: a stack of one team's secrets, in which nothing else has an effect."""

from __future__ import annotations

from collections.abc import Iterator

from ...backends.registry import BACKENDS, backend_of
from ...settings.declared import DeclaredSecret
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.secret import SecretManager
from ...settings.secrets_alone import team_of
from ...settings.teams import Team
from ...settings.walk import walk_values
from ..catalogue_versions import setting_place

_SETTINGS = frozenset(
    {
        "version", "edition", "secret", "declared_secrets", "deployment", "identity", "store", "tags",
    }
)  # fmt: skip
_DEPLOYMENT = frozenset({"enabled", "namespace", "protect", "accept"})
_SECRET = frozenset({"type", "read_only"})
#: Keys of `kestra:store` that only Kestra, or whoever made the store, has a use for.
_STORE = {(): ("refresh_interval", "install"), ("vault",): ("auth_path", "role", "ca_certificate")}
_OF_A_VAULT = ("private_endpoint", "workspace_id")
_BLOCKS = {
    name
    for name, field in SecretManager.model_fields.items()
    if (field.alias or name.replace("_", "-")) in BACKENDS
}
_RULE = (
    "a stack of secrets alone (kestra:deployment.enabled: false) writes the declared secrets of a team, and makes no "
    "Kestra"
)
_FIX = "remove it; it belongs into the stack of the Kestra that reads these secrets"


def check(s: Settings) -> Iterator[Finding]:
    """What has no effect, where the secrets go, and whose they are."""
    yield from _without_effect(s)
    if not backend_of(s).writes_secrets:
        place = ("secret", "type") if s.secret is not None else ("deployment", "enabled")
        yield Finding(
            place,
            "leaves the secrets without a secret manager"
            if s.secret is None
            else f"is {s.secret.type}, which this stack cannot write to",
            _RULE,
            "name the secret manager of Kestra's stack: kestra:secret with type and read-only: true in the Enterprise "
            "Edition, kestra:store.type in open source; or remove kestra:deployment.enabled",
            kind="missing" if s.secret is None else "value",
        )
        return
    for name, secret in s.declared_secrets.items():
        if secret.existing is not None:
            yield Finding(
                ("declared-secrets", name, "existing"),
                "has no effect: no Kestra of this stack reads it",
                _RULE,
                "declare it in the stack of the Kestra that reads it",
            )
    yield from _whose(s)


def _without_effect(s: Settings) -> Iterator[Finding]:
    for place in _places(s):
        yield Finding(place, "has no effect: this stack has no Kestra", _RULE, _FIX)


def _places(s: Settings) -> Iterator[tuple[str, ...]]:
    fields = type(s).model_fields
    for name in fields:
        value = getattr(s, name)
        if name not in _SETTINGS and name in s.model_fields_set and value:
            yield ((fields[name].alias or name).replace("_", "-"),)
    yield from dict.fromkeys(
        (str(setting_place(path)[0]),) for path, _ in walk_values(s.catalogue_keys) if path
    )
    yield from _below(("deployment",), s.deployment, _DEPLOYMENT)
    named = team_of(s)
    if "namespace" in s.deployment.model_fields_set and s.deployment.namespace != (
        named[0] if named else ""
    ):
        yield ("deployment", "namespace")
    yield from _below(("identity",), s.identity, frozenset({"vault"}))
    yield from _below(("identity", "vault"), s.identity.vault, frozenset({"mount_engine"}))
    if s.secret is not None and not s.uses_external_secrets:
        block = s.secret.backend
        # A block of another manager is reported as one.
        kept = _SECRET | {s.secret.type.replace("-", "_")} | _BLOCKS
        yield from _below(("secret",), s.secret, kept)
        place_keys = backend_of(s).place_keys
        if block is not None and place_keys:
            yield from _below(("secret", s.secret.type), block, place_keys)
    for place, keys in _STORE.items():
        node = getattr(s.store, place[0]) if place else s.store
        if node is None or s.store.type is None:
            continue
        for key in keys:
            if key in node.model_fields_set:
                yield ("store", *place, key.replace("_", "-"))
    if (azure := s.store.azure) is not None:
        keys = ("recovery_vault_name", *(() if azure.create_vault else _OF_A_VAULT))
        for key in keys:
            if getattr(azure, key) is not None:
                yield ("store", "azure", key.replace("_", "-"))


def _below(place: tuple[str, ...], node: object, kept: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """The keys of a block that are written and have no effect."""
    fields = type(node).model_fields  # type: ignore[attr-defined]
    for name in fields:
        if name in node.model_fields_set and name not in kept:  # type: ignore[attr-defined]
            yield (*place, (fields[name].alias or name).replace("_", "-"))


def _whose(s: Settings) -> Iterator[Finding]:
    """One team, and secrets that are within what is the team's."""
    named = team_of(s)
    if named is None:
        count = len(s.store.teams)
        yield Finding(
            ("store", "teams"),
            f"names {count} teams" if count else "names no team",
            "a stack of secrets alone is of one team, whose namespaces or names bound what it declares",
            "keep the team whose secrets these are; each other one has a stack of its own"
            if count
            else "add the team, for example {billing: {namespaces: [company.billing]}}",
            kind="value" if count else "missing",
        )
        return
    name, team = named
    for secret, declared in s.declared_secrets.items():
        if problem := _outside(s, team, secret, declared):
            yield Finding(
                ("declared-secrets", secret, *problem[0]),
                f"is not of team {name}: {problem[1]}",
                "the stack of a team declares what is the team's, so that a grant to Kestra and the permissions of the "
                "team's deployer can be bounded by it",
                problem[2],
            )


def _outside(
    s: Settings, team: Team, name: str, declared: DeclaredSecret
) -> tuple[tuple[str, ...], str, str] | None:
    """Where, why and what to do where a secret is not the team's; None where it is."""
    prefix, namespaces = team.name_prefix, ", ".join(team.namespaces)
    if prefix is not None and not name.startswith(prefix):
        return (), f"its name does not begin with {prefix}", "rename it, or change name-prefix"
    is_own = team.has_namespace(declared.tenant, declared.namespace)
    if s.uses_external_secrets and backend_of(s).has_namespaces:
        # Kestra's stack composes the name of the one namespace.
        is_own = (declared.tenant, declared.namespace) == (
            team.tenant,
            next(iter(team.namespaces), ""),
        )
    if team.namespaces and not is_own and (s.is_enterprise or backend_of(s).has_namespaces):
        return (
            ("namespace",),
            f"{declared.namespace or 'no namespace'} of tenant {declared.tenant} is not in {namespaces} of tenant "
            f"{team.tenant}",
            "change it, or add the namespace to the team"
            if s.is_enterprise
            else "remove namespace and tenant: in open source each secret of a team is in the team's one namespace",
        )
    if team.secrets and name not in team.secrets:
        return (
            (),
            "its block in kestra:store.teams lists secrets, and not this one",
            "add it there",
        )
    return None

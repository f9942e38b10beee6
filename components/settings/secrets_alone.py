"""A stack of secrets alone (`kestra:deployment.enabled: false`): what follows from its team."""

from __future__ import annotations

from .model import Settings
from .teams import Team


def team_of(settings: Settings) -> tuple[str, Team] | None:
    """The team of a stack of secrets alone, by its name; None where the settings do not name exactly one."""
    teams = settings.store.teams.items()
    return next(iter(teams)) if settings.is_secrets_alone and len(teams) == 1 else None


def with_team_defaults(settings: Settings) -> Settings:
    """The settings in which a stack of secrets alone leaves an engine and a vault to their owner, calls its own parts
    by its team, and in open source has its secrets in the team's namespace."""
    if not settings.is_secrets_alone:
        return settings
    update: dict[str, object] = {}
    vault, azure = settings.identity.vault, settings.store.azure
    if "mount_engine" not in vault.model_fields_set:
        vault = vault.model_copy(update={"mount_engine": False})
        update["identity"] = settings.identity.model_copy(update={"vault": vault})
    if azure is not None and "create_vault" not in azure.model_fields_set:
        azure = azure.model_copy(update={"create_vault": False})
        update["store"] = settings.store.model_copy(update={"azure": azure})
    if (named := team_of(settings)) is not None:
        name, team = named
        if "namespace" not in settings.deployment.model_fields_set:
            update["deployment"] = settings.deployment.model_copy(update={"namespace": name})
        if not settings.is_enterprise and team.namespaces:
            place = {"namespace": team.namespaces[0], "tenant": team.tenant}
            update["declared_secrets"] = {
                secret: one if one.namespace else one.model_copy(update=place)
                for secret, one in settings.declared_secrets.items()
            }
    return settings.model_copy(update=update)

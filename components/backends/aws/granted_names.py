"""Which names in AWS are Kestra's, and which are a team's: patterns for policies; pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...settings.model import Settings
from ...settings.secrets_alone import team_of
from ...settings.teams import Team
from ..registry import backend_of
from ..secret_naming import filter_prefix, filtered_name, prefix
from ..teams import granted_teams
from .names import PARAMETERS, SECRETS, namespace_name


def names(settings: Settings) -> tuple[str, ...]:
    """Patterns of the names in AWS that are Kestra's.

    - Read-only: what begins with `filter-on-prefix`; names that this stack made (`store.aws`) begin with the
      prefix and a `/` in Secrets Manager, and are listed one by one in Parameter Store without the filter.
    - Shared with teams (`store.teams`): what is in the namespaces of the declared secrets and of the teams in Secrets
      Manager; in Parameter Store the declared secrets one by one, and what begins as the teams' do.
    - Read by External Secrets: each name, declared here or made by others; an ARN stands for itself.
    - Managed: `<prefix>-<hash>` in Parameter Store; not documented for Secrets Manager.
    """
    assert settings.secret is not None
    chosen, backend = filter_prefix(settings), backend_of(settings)
    if settings.uses_external_secrets:
        stored = settings.stored_secrets.items()
        return tuple(sorted({backend.secret_name(settings, name, one) for name, one in stored}))
    if not settings.secret.is_read_only:
        return (f"{prefix(settings)}-*",) if settings.secret.type == PARAMETERS else ()
    if settings.is_shared_with_teams:
        return tuple(dict.fromkeys(_shared_names(settings)))
    if settings.secret.type == SECRETS:
        if chosen is not None and settings.store.aws is None:
            return (f"{chosen}*",)
        return (f"{prefix(settings).rstrip('/')}/*",)
    if chosen is not None:
        return (f"{chosen}*",)
    return tuple(
        backend.secret_name(settings, name, declared)
        for name, declared in sorted(settings.declared_secrets.items())
    )


def _shared_names(settings: Settings) -> Iterator[str]:
    assert settings.secret is not None
    own, teams = settings.declared_secrets, granted_teams(settings).values()
    if settings.secret.type == SECRETS:
        for one in own.values():
            yield f"{namespace_name(settings, one.tenant, one.namespace)}/*"
        for team in teams:
            yield from _names_of(settings, team)
        return
    for name in sorted(own):
        yield filtered_name(settings, name)
    for team in teams:
        yield from _names_of(settings, team)


def team_names(settings: Settings) -> tuple[str, ...]:
    """Patterns of the names of the secrets of a team, of the settings of its stack."""
    named = team_of(settings)
    return tuple(_names_of(settings, named[1])) if named else ()


def _names_of(settings: Settings, team: Team) -> Iterator[str]:
    if settings.secret is not None and settings.secret.type == SECRETS:
        for namespace in team.namespaces:
            whole = namespace_name(settings, team.tenant, namespace)
            yield from (f"{whole}/*", f"{whole}.*")
    elif team.name_prefix:
        yield f"{filtered_name(settings, team.name_prefix)}*"

"""The secrets of teams in the store of one Kestra: how each manager tells one team's from another's."""

from __future__ import annotations

from collections.abc import Iterator

from ..settings.declared import DeclaredSecret, ExistingSecret
from ..settings.model import Settings
from ..settings.teams import Team
from .registry import backend_of


def granted_teams(settings: Settings) -> dict[str, Team]:
    """The teams whose secrets this stack's Kestra reads, by name."""
    return settings.store.teams if settings.is_shared_with_teams else {}


def team_secrets(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Team, name and name in the secret manager of each secret that flows of open-source Kestra read of teams."""
    if not settings.uses_external_secrets or settings.secret is None or not settings.secret.backend:
        return
    backend = backend_of(settings)
    for name, team in granted_teams(settings).items():
        place = DeclaredSecret(tenant=team.tenant)
        if team.namespaces:
            place = place.model_copy(update={"namespace": team.namespaces[0]})
        for secret in team.secrets:
            yield name, secret, backend.secret_name(settings, secret, place)


def with_team_secrets(settings: Settings) -> Settings:
    """The settings in which the secrets of teams are declared as ones that others made (open source)."""
    others = {
        secret: DeclaredSecret(existing=ExistingSecret(name=full))
        for _, secret, full in team_secrets(settings)
    }
    if not others:
        return settings
    # What is declared here too is reported.
    return settings.model_copy(update={"declared_secrets": others | settings.declared_secrets})

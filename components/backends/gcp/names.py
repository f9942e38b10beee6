"""Names and labels in Google Cloud; pure."""

from __future__ import annotations

from ...settings.declared import DeclaredSecret
from ...settings.model import Settings
from ..secret_naming import filtered_name, place_tags
from ..teams import granted_teams

TYPE = "google-secret-manager"
#: Annotation of a service account that may act as a Google service account.
ACCOUNT = "iam.gke.io/gcp-service-account"


def account_id(settings: Settings) -> str:
    """Id of Kestra's Google service account: the given one, or `<namespace>-<service account>`."""
    default = f"{settings.deployment.namespace}-{settings.store_account}"
    return settings.identity.gcp.account_id or default


def secret_labels(settings: Settings, declared: DeclaredSecret) -> dict[str, str]:
    """All labels of a declared secret.

    There is no `key`: labels hold no upper case, and the name itself is the key. They hold no dots either; Kestra's
    namespaces are lower case.
    """
    labels = place_tags(settings, declared)
    place = {"namespace": declared.namespace.replace(".", "_")} if declared.namespace else {}
    return labels | place


def team_prefixes(settings: Settings) -> dict[str, str] | None:
    """Team to how the names of its secrets begin; None where the store is shared with no stacks of teams."""
    if not settings.is_shared_with_teams:
        return None
    return {
        name: filtered_name(settings, team.name_prefix)
        for name, team in granted_teams(settings).items()
        if team.name_prefix
    }

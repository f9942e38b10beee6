"""Documents of a Kestra's stack and of the stacks of teams in its store, of each secret manager and edition."""

from __future__ import annotations

import copy
from typing import Any

from tests.settings.malformed_fixtures import enterprise, oss, ssm
from tests.settings.store_documents_support import IRSA

Document = dict[str, Any]
KEY = "arn:aws:kms:eu-west-1:111122223333:key/of-the-platform"
GOOGLE_KEY = "projects/acme/locations/global/keyRings/kestra/cryptoKeys/secrets"
VAULT = {"address": "https://vault.example.com:8200"}
#: Of the Enterprise Edition: the block of the manager, `kestra:store` and `kestra:identity` of Kestra's stack.
MANAGERS: dict[str, tuple[Document, Document, Document]] = {
    "vault": ({**VAULT, "root-engine": "kestra"}, {}, {}),
    "aws-secret-manager": (
        {"region": "eu-west-1", "prefix": "kestra"},
        {"aws": {"kms": {"arn": KEY}}},
        IRSA,
    ),
    "aws-ssm-parameter-store": (
        {"region": "eu-west-1", "filter-on-prefix": {"prefix": "kestra-"}},
        {"aws": {"kms": {"arn": KEY}}},
        IRSA,
    ),
    "azure-key-vault": (
        {"vault-name": "acme-kestra"},
        {"azure": {"resource-group": "acme"}},
        {"azure": {"oidc-issuer-url": "https://issuer.example.com"}},
    ),
    "google-secret-manager": (
        {"project": "acme-data", "filter-on-prefix": {"prefix": "kestra-"}},
        {"gcp": {"kms": {"name": GOOGLE_KEY}}},
        {"gcp": {"workload-pool": "acme-data.svc.id.goog"}},
    ),
}
#: The same in open source: the block of `kestra:store`.
STORES: dict[str, Document] = {
    "vault": {"vault": {**VAULT, "mount": "kestra"}},
    "aws-secret-manager": {"aws": {"region": "eu-west-1", "prefix": "kestra", "kms": {"arn": KEY}}},
    "aws-ssm-parameter-store": {"aws": {"region": "eu-west-1", "kms": {"arn": KEY}}},
    "azure-key-vault": {"azure": {"vault-name": "acme-kestra", "resource-group": "acme"}},
    "google-secret-manager": {"gcp": {"project": "acme-data", "kms": {"name": GOOGLE_KEY}}},
}
WITH_NAMESPACES = ("vault", "aws-secret-manager")
PLANTED = "Pl4nted-Team-Zq81"


def team(manager: str, name: str) -> Document:
    """The block of a team, which is the same in its own stack and in Kestra's."""
    if manager in WITH_NAMESPACES:
        return {"namespaces": [f"company.{name}"]}
    return {"name-prefix": f"{name.upper()}_"}


def secrets(manager: str, name: str, *, is_enterprise: bool = True) -> Document:
    """What a team declares: one of its names in each of two ways."""
    place = {"namespace": f"company.{name}"} if is_enterprise else {}
    return {
        f"{name.upper()}_TOKEN": {**place, "value": f"{PLANTED}-{name}"},
        f"{name.upper()}_PASSWORD": {**place, "generate": {}},
    }


def team_stack(
    manager: str, name: str = "billing", *, is_enterprise: bool = True, **changed: Any
) -> Document:
    """A stack of secrets alone."""
    teams = {"teams": {name: team(manager, name)}}
    document: Document = {
        "edition": "enterprise" if is_enterprise else "oss",
        "version": "2.0" if manager == "aws-ssm-parameter-store" else "1.3",
        "deployment": {"enabled": False},
        "declared-secrets": secrets(manager, name, is_enterprise=is_enterprise),
    }
    if is_enterprise:
        block, store, _ = copy.deepcopy(MANAGERS[manager])
        document["secret"] = {"type": manager, "read-only": True, manager: block}
        document["store"] = store | teams
    else:
        document["store"] = {"type": manager, **copy.deepcopy(STORES[manager]), **teams}
    return document | {key.replace("_", "-"): value for key, value in changed.items()}


def kestra_stack(
    manager: str, *granted: str, is_enterprise: bool = True, **changed: Any
) -> Document:
    """A stack of Kestra that reads a secret of its own, and those of some teams."""
    own = {
        "OWN_TOKEN": {
            "generate": {},
            **({"namespace": "company.platform"} if is_enterprise else {}),
        }
    }
    teams = {name: team(manager, name) for name in granted}
    if is_enterprise:
        block, store, identity = copy.deepcopy(MANAGERS[manager])
        base = ssm if manager == "aws-ssm-parameter-store" else None
        document = base(block, read_only=True) if base else enterprise()
        document |= {
            "secret": {"type": manager, "read-only": True, manager: block},
            "store": store | {"teams": teams},
            "identity": identity,
            "declared-secrets": own,
        }
    else:
        _, _, identity = copy.deepcopy(MANAGERS[manager])
        for name, one in teams.items():
            one["secrets"] = [f"{name.upper()}_TOKEN", f"{name.upper()}_PASSWORD"]
        store = {"type": manager, **copy.deepcopy(STORES[manager]), "teams": teams}
        document = oss(store=store, declared_secrets=own, identity=identity)
    return document | {key.replace("_", "-"): value for key, value in changed.items()}

"""`kestra:store.teams`: what Kestra is granted of the secrets of teams, in terms that the secret manager has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...backends.registry import backend_of
from ...backends.teams import granted_teams, team_secrets
from ...settings.edge import NAME
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.teams import Team

_AT = ("store", "teams")


def check(s: Settings) -> Iterator[Finding]:
    """Of both kinds of stacks: names, and what the manager needs; of Kestra's stack what it can be granted."""
    for name, team in s.store.teams.items():
        at = (*_AT, name)
        if not re.fullmatch(NAME, name) or len(name) > 63:
            yield Finding(
                at,
                "is no name of a team",
                "63 lower-case letters, digits and hyphens at most; the team's stack names its own parts by it",
                "rename it",
            )
        if backend_of(s).writes_secrets:
            yield from _area(s, at, team)
    if not s.is_shared_with_teams:
        return
    yield from _overlaps(s)
    yield from _shared(s)
    yield from _names(s)


def _area(s: Settings, at: tuple[str, ...], team: Team) -> Iterator[Finding]:
    """What tells the team's secrets from others' in this manager."""
    manager = backend_of(s)
    if manager.has_namespaces:
        if not team.namespaces:
            yield Finding(
                (*at, "namespaces"),
                "is missing",
                f"in {manager.title} the names of secrets have Kestra's namespace, by which a team's are known",
                "add it, for example [company.billing]",
                kind="missing",
            )
        elif s.uses_external_secrets and len(team.namespaces) > 1:
            yield Finding(
                (*at, "namespaces"),
                f"has {len(team.namespaces)} namespaces",
                "open-source Kestra has no secrets of namespaces; here one namespace says where in the store the "
                "team's are",
                "keep one",
            )
    elif team.name_prefix is None:
        yield Finding(
            (*at, "name-prefix"),
            "is missing",
            f"in {manager.title} a name has no namespace, so that a team's secrets are known by how their names begin",
            "add it, for example BILLING_",
            kind="missing",
        )
    key, block = team.kms_key_arn, s.store.aws
    if key is not None and manager.cloud != "aws":
        yield Finding(
            (*at, "kms-key-arn"),
            f"has no use in {manager.title}",
            "it names a key of AWS",
            "remove it",
        )
    elif key is not None:
        region = getattr(s.secret and s.secret.backend, "region", None)
        if region and key.split(":")[3] != region:
            yield Finding(
                (*at, "kms-key-arn"),
                f"is a key in {key.split(':')[3]}",
                f"secrets in {region} are encrypted with a key of that region",
                "name the key of the team's stack",
            )
        if s.is_secrets_alone and block is not None and block.kms.arn not in (None, key):
            yield Finding(
                (*at, "kms-key-arn"),
                "is another key than kestra:store.aws.kms.arn",
                "the secrets of this stack are encrypted with that one",
                "remove it, or write the same key",
            )


def _overlaps(s: Settings) -> Iterator[Finding]:
    """Teams one of which may write, by its grant, what is another one's."""
    teams = list(s.store.teams.items())
    for i, (name, team) in enumerate(teams):
        for other, block in teams[:i] + teams[i + 1 :]:
            if backend_of(s).has_namespaces:
                key, inner = "namespaces", team.namespaces
                within = any(block.has_namespace(team.tenant, one) for one in inner)
            else:
                key, begin = "name-prefix", block.name_prefix
                within = begin is not None and _begins(s, team.name_prefix or "", begin)
            if within:
                yield Finding(
                    (*_AT, name, key),
                    f"lies within what is of team {other}",
                    "a namespace holds with those below it, and a prefix with every name that begins so: whoever deploys "
                    f"the secrets of {other} may read and write these too",
                    "give the two teams namespaces or prefixes of which none is a part of the other",
                    warning=True,
                )


def _begins(s: Settings, name: str, prefix: str) -> bool:
    """Whether a name in the secret manager begins so; Key Vault's names have no case."""
    if backend_of(s).cloud == "azure":
        return name.lower().startswith(prefix.lower())
    return name.startswith(prefix)


def _shared(s: Settings) -> Iterator[Finding]:
    """A manager in which others can write what Kestra reads, and a part of it can be granted."""
    manager = s.secret
    if manager is None or not backend_of(s).writes_secrets:
        yield Finding(
            _AT,
            "has no secret manager that teams could write to",
            "stacks of teams write into the secret manager that this stack's Kestra reads",
            "remove it; or name one that this project writes to: kestra:secret with read-only: true in the Enterprise "
            "Edition, kestra:store.type in open source",
            kind="missing",
        )
        return
    if not manager.is_read_only:
        yield Finding(
            _AT,
            "needs read-only mode",
            "in managed mode Kestra is the index of its secrets and does not see those that others wrote",
            "set kestra:secret.read-only to true, or remove it",
            kind="relation",
        )
    if s.is_enterprise and manager.type == "azure-key-vault":
        yield Finding(
            _AT,
            "bounds nothing: Kestra reads every secret of the vault",
            "Kestra lists the secrets, and Key Vault lets only those list whose role holds for the whole vault",
            "give a team that this Kestra must not read a vault of its own",
            warning=True,
        )
    for name, team in granted_teams(s).items():
        if s.uses_external_secrets and not team.secrets:
            yield Finding(
                (*_AT, name, "secrets"),
                "is missing",
                "External Secrets brings secrets to Kestra by their names",
                "list the names that the team's stack declares; without any remove the team",
                kind="missing",
            )
        prefix = team.name_prefix or ""
        if s.uses_external_secrets and (
            others := [one for one in team.secrets if not one.startswith(prefix)]
        ):
            yield Finding(
                (*_AT, name, "secrets"),
                f"has {', '.join(others)}, which does not begin with {prefix}",
                "the team's stack declares only names that begin so, and a grant holds for nothing else",
                "remove it, or correct name-prefix in both stacks",
            )
        if s.is_enterprise and team.secrets:
            yield Finding(
                (*_AT, name, "secrets"),
                "has no effect in the Enterprise Edition",
                "Kestra itself finds the secrets of the namespaces or names that it is granted",
                "remove it",
            )


def _names(s: Settings) -> Iterator[Finding]:
    """Secrets of this stack that are where a team's are, and names that two want."""
    for name, declared in s.declared_secrets.items():
        if declared.existing is not None:
            continue
        for team, block in granted_teams(s).items():
            prefix = block.name_prefix
            inside = (
                block.has_namespace(declared.tenant, declared.namespace)
                if backend_of(s).has_namespaces
                else prefix is not None and _begins(s, name, prefix)
            )
            if inside:
                yield Finding(
                    ("declared-secrets", name),
                    f"is where the secrets of team {team} are",
                    "two stacks that write the same secret undo each other's values",
                    "declare it in the team's stack, or give it another namespace or name",
                )
    taken = {n.upper(): "this stack" for n, one in s.declared_secrets.items() if not one.existing}
    expected = {secret: full for _, secret, full in team_secrets(s)}
    taken |= {
        n.upper(): "this stack"
        for n, one in s.declared_secrets.items()
        if one.existing and one.existing.name != expected.get(n)
    }
    for team, secret, _ in team_secrets(s):
        other = taken.get(secret.upper())
        if other is not None:
            yield Finding(
                (*_AT, team, "secrets"),
                f"has {secret}, which {other} has too",
                "open-source Kestra reads SECRET_<NAME>, one for each name, whatever its case",
                "rename one of them, for example with the team's name at its beginning",
            )
        taken.setdefault(secret.upper(), f"team {team}")

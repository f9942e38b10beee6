"""What Kestra may do in AWS Secrets Manager and in SSM Parameter Store, as a table and as its policy.

Sources: Kestra documentation, enterprise/governance/secrets-manager (the actions of each mode); AWS Service
Authorization Reference (what an action can be restricted by); AWS KMS Developer Guide (encryption contexts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from components.settings.model import Settings
from components.settings.visibility import prefix, recovery_name, required_tags, store_name

Mode = Literal["read-only", "managed"]
Scope = Literal["everything", "its names", "its tag", "new with its tag", "the key"]
Document = dict[str, Any]

SECRETS, PARAMETERS = "aws-secret-manager", "aws-ssm-parameter-store"
#: Secret manager to its service in AWS, the kind of its resources, and what KMS calls their ARN.
SERVICES: Mapping[str, tuple[str, str, str]] = {
    SECRETS: ("secretsmanager", "secret:", "SecretARN"),
    PARAMETERS: ("ssm", "parameter/", "PARAMETER_ARN"),
}


@dataclass(frozen=True)
class Place:
    """Where in AWS a stack is."""

    account: str
    region: str
    partition: str = "aws"
    dns_suffix: str = "amazonaws.com"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        """The ARN of a role of this account."""
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def endpoint(self, service: str) -> str:
        """A service as `kms:ViaService` names it."""
        return f"{service}.{self.region}.{self.dns_suffix}"


@dataclass(frozen=True)
class Permission:
    """Some actions, on what, and why Kestra needs them."""

    sid: str
    modes: tuple[Mode, ...]
    actions: tuple[str, ...]
    scope: Scope
    reason: str


BOTH: tuple[Mode, ...] = ("read-only", "managed")
PERMISSIONS: Mapping[str, tuple[Permission, ...]] = {
    SECRETS: (
        Permission(
            "FindSecrets",
            BOTH,
            ("secretsmanager:ListSecrets",),
            "everything",
            "Kestra finds secrets by their tags; AWS restricts this action to no resource. It shows names and "
            "tags of every secret of the account and region, and no value.",
        ),
        Permission(
            "ReadSecrets",
            ("read-only",),
            ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            "its names",
            "Flows read secrets; this stack or others write them.",
        ),
        Permission(
            "KeepSecrets",
            ("managed",),
            (
                "secretsmanager:DeleteSecret",
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UpdateSecret",
            ),
            "its tag",
            "Kestra writes the secrets that its users enter. The names that it makes are not documented, the tag "
            "`prefix` is; a secret without it cannot be given it.",
        ),
        Permission(
            "CreateSecrets",
            ("managed",),
            ("secretsmanager:CreateSecret",),
            "new with its tag",
            "A new secret must carry the tag `prefix` from the beginning.",
        ),
        Permission(
            "DecryptSecrets",
            ("read-only",),
            ("kms:Decrypt",),
            "the key",
            "Values are encrypted with the stack's key.",
        ),
        Permission(
            "EncryptSecrets",
            ("managed",),
            ("kms:Decrypt", "kms:GenerateDataKey"),
            "the key",
            "Values are encrypted with the stack's key, with a data key for each.",
        ),
    ),
    PARAMETERS: (
        Permission(
            "FindParameters",
            BOTH,
            ("ssm:DescribeParameters",),
            "everything",
            "AWS restricts this action to no resource. It shows names of every parameter of the account and "
            "region, and no value.",
        ),
        Permission(
            "ReadParameters",
            ("read-only",),
            ("ssm:GetParameter", "ssm:ListTagsForResource"),
            "its names",
            "Flows read parameters; this stack or others write them.",
        ),
        Permission(
            "KeepParameters",
            ("managed",),
            (
                "ssm:AddTagsToResource",
                "ssm:DeleteParameter",
                "ssm:GetParameter",
                "ssm:ListTagsForResource",
                "ssm:PutParameter",
                "ssm:RemoveTagsFromResource",
            ),
            "its names",
            "Kestra writes the secrets that its users enter, named `<prefix>-<hash>`.",
        ),
        Permission(
            "DecryptParameters",
            ("read-only",),
            ("kms:Decrypt",),
            "the key",
            "Values are encrypted with the stack's key.",
        ),
        Permission(
            "EncryptParameters",
            ("managed",),
            ("kms:Decrypt", "kms:Encrypt"),
            "the key",
            "Values are encrypted with the stack's key itself.",
        ),
    ),
}


@dataclass(frozen=True)
class Access:
    """Whose access, and to what."""

    manager: str
    mode: Mode
    place: Place
    names: tuple[str, ...]
    """Patterns of the names that are Kestra's; empty where its tag decides."""
    prefix: str
    recovery: str
    """Name of the encryption key's copy, which Kestra never reads."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that a secret must have for Kestra to see it."""
    key_arn: str | None = None
    """The key of the secrets; None for the one that AWS manages, which needs no permission."""


def access(settings: Settings, place: Place, key_arn: str | None) -> Access:
    """The access that Kestra needs with these settings."""
    assert settings.secret is not None
    block = settings.secret.aws_ssm_parameter_store
    return Access(
        manager=settings.secret.type,
        mode="read-only" if settings.secret.is_read_only else "managed",
        place=place,
        names=names(settings),
        prefix=prefix(settings),
        recovery=recovery_name(settings),
        tags=required_tags(settings),
        key_arn=key_arn or (block.kms_key_id if block else None),
    )


def names(settings: Settings) -> tuple[str, ...]:
    """Patterns of the names in AWS that are Kestra's.

    - Read-only: what begins with `filter-on-prefix`; names that this stack made (`store.aws`) begin with the
      prefix and a `/` in Secrets Manager, and are listed one by one in Parameter Store without the filter.
    - Managed: `<prefix>-<hash>` in Parameter Store; not documented for Secrets Manager.
    """
    assert settings.secret is not None
    assert settings.secret.cloud == "aws"
    block = settings.secret.aws
    chosen = block.filter_on_prefix.prefix if block and block.filter_on_prefix else None
    if not settings.secret.is_read_only:
        return (f"{prefix(settings)}-*",) if settings.secret.type == PARAMETERS else ()
    if settings.secret.type == SECRETS:
        if chosen is not None and settings.store.aws is None:
            return (f"{chosen}*",)
        return (f"{prefix(settings).rstrip('/')}/*",)
    if chosen is not None:
        return (f"{chosen}*",)
    return tuple(
        store_name(settings, name, declared)
        for name, declared in sorted(settings.declared_secrets.items())
    )


def policy(given: Access) -> Document:
    """The policy of Kestra's role."""
    statements = [
        _statement(p, given)
        for p in PERMISSIONS[given.manager]
        if given.mode in p.modes and (p.scope != "the key" or given.key_arn)
    ]
    return document(*statements, *_recovery(given))


def document(*statements: Document) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def rows(manager: str) -> Iterator[tuple[str, str, str, str]]:
    """Mode, actions, scope and reason of each permission, for the documentation."""
    for mode in BOTH:
        for p in PERMISSIONS[manager]:
            if mode in p.modes:
                yield mode, ", ".join(p.actions), p.scope, p.reason


def _arns(given: Access, *found: str) -> list[str]:
    service, kind, _ = SERVICES[given.manager]
    return [given.place.arn(service, f"{kind}{name}") for name in found]


def _recovery_arn(given: Access) -> str:
    # Secrets Manager ends its ARNs with six characters of its own.
    suffix = "-??????" if given.manager == SECRETS else ""
    return _arns(given, given.recovery + suffix)[0]


def _statement(permission: Permission, given: Access) -> Document:
    tag, request = "aws:ResourceTag/prefix", "aws:RequestTag/prefix"
    resource: Any
    condition: Document = {}
    match permission.scope:
        case "everything":
            resource = "*"
        case "its names":
            resource = _arns(given, *given.names)
            if given.tags and given.mode == "read-only":
                condition = {
                    "StringEquals": {
                        f"aws:ResourceTag/{name}": value for name, value in given.tags.items()
                    }
                }
        case "its tag":
            resource = _arns(given, "*")
            condition = {
                "StringEquals": {tag: given.prefix},
                "StringEqualsIfExists": {request: given.prefix},
            }
        case "new with its tag":
            resource = _arns(given, "*")
            condition = {"StringEquals": {request: given.prefix}}
        case "the key":
            resource = given.key_arn
            condition = key_use(given.place, SERVICES[given.manager][0])
            if given.names:
                context = f"kms:EncryptionContext:{SERVICES[given.manager][2]}"
                condition |= {"StringLike": {context: _arns(given, *given.names)}}
    made: Document = {
        "Sid": permission.sid,
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": resource,
    }
    return made | ({"Condition": condition} if condition else {})


def key_use(place: Place, service: str) -> Document:
    """The condition of using the key: by this account, through the service of the secrets, and not directly."""
    return {
        "StringEquals": {
            "kms:CallerAccount": place.account,
            "kms:ViaService": place.endpoint(service),
        }
    }


def _recovery(given: Access) -> Iterator[Document]:
    service, _, context = SERVICES[given.manager]
    yield {
        "Sid": "NeverTheRecoveryCopy",
        "Effect": "Deny",
        "Action": f"{service}:*",
        "Resource": _recovery_arn(given),
    }
    if given.key_arn:
        yield {
            "Sid": "NeverDecryptTheRecoveryCopy",
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": given.key_arn,
            "Condition": {"StringLike": {f"kms:EncryptionContext:{context}": _recovery_arn(given)}},
        }

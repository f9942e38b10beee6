"""What Kestra may do in AWS Secrets Manager and in SSM Parameter Store, as a table and as its policy.

Sources: Kestra documentation, enterprise/governance/secrets-manager (the actions of each mode); AWS Service
Authorization Reference (what an action can be restricted by); AWS KMS Developer Guide (encryption contexts).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ...settings.model import AccessMode, Settings
from ..interface import PermissionRow
from ..registry import backend_of
from ..secret_naming import prefix, required_tags
from ..teams import granted_teams
from .granted_names import names as names
from .granted_names import team_names as team_names
from .names import PARAMETERS as PARAMETERS
from .names import SECRETS as SECRETS

Mode = AccessMode
Document = dict[str, Any]


class Scope(StrEnum):
    """On what a permission is; the values are the documentation's."""

    EVERYTHING = "everything"
    NAME_PATTERN = "its names"
    EACH_NAME = "each secret by its name"
    TAG = "its tag"
    CREATE_WITH_TAG = "new with its tag"
    KEY = "the key"


#: Secret manager to its service in AWS, the kind of its resources, and what KMS calls their ARN.
SERVICES: Mapping[str, tuple[str, str, str]] = {
    SECRETS: ("secretsmanager", "secret:", "SecretARN"),
    PARAMETERS: ("ssm", "parameter/", "PARAMETER_ARN"),
}


@dataclass(frozen=True)
class AwsLocation:
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
OPERATOR: tuple[Mode, ...] = ("external-secrets",)
PERMISSIONS: Mapping[str, tuple[Permission, ...]] = {
    SECRETS: (
        Permission(
            "FindSecrets",
            BOTH,
            ("secretsmanager:ListSecrets",),
            Scope.EVERYTHING,
            "Kestra finds secrets by their tags; AWS restricts this action to no resource. It shows names and "
            "tags of every secret of the account and region, and no value.",
        ),
        Permission(
            "ReadSecrets",
            ("read-only",),
            ("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"),
            Scope.NAME_PATTERN,
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
            Scope.TAG,
            "Kestra writes the secrets that its users enter. The names that it makes are not documented, the tag "
            "`prefix` is; a secret without it cannot be given it.",
        ),
        Permission(
            "CreateSecrets",
            ("managed",),
            ("secretsmanager:CreateSecret",),
            Scope.CREATE_WITH_TAG,
            "A new secret must carry the tag `prefix` from the beginning.",
        ),
        Permission(
            "DecryptSecrets",
            ("read-only",),
            ("kms:Decrypt",),
            Scope.KEY,
            "Values are encrypted with the stack's key.",
        ),
        Permission(
            "EncryptSecrets",
            ("managed",),
            ("kms:Decrypt", "kms:GenerateDataKey"),
            Scope.KEY,
            "Values are encrypted with the stack's key, with a data key for each.",
        ),
        Permission(
            "DeliverSecrets",
            OPERATOR,
            ("secretsmanager:GetSecretValue",),
            Scope.EACH_NAME,
            "The operator reads the values.",
        ),
        Permission(
            "DecryptDeliveredSecrets",
            OPERATOR,
            ("kms:Decrypt",),
            Scope.KEY,
            "Values are encrypted with the stack's key.",
        ),
    ),
    PARAMETERS: (
        Permission(
            "FindParameters",
            BOTH,
            ("ssm:DescribeParameters",),
            Scope.EVERYTHING,
            "AWS restricts this action to no resource. It shows names of every parameter of the account and "
            "region, and no value.",
        ),
        Permission(
            "ReadParameters",
            ("read-only",),
            ("ssm:GetParameter", "ssm:ListTagsForResource"),
            Scope.NAME_PATTERN,
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
            Scope.NAME_PATTERN,
            "Kestra writes the secrets that its users enter, named `<prefix>-<hash>`.",
        ),
        Permission(
            "DecryptParameters",
            ("read-only",),
            ("kms:Decrypt",),
            Scope.KEY,
            "Values are encrypted with the stack's key.",
        ),
        Permission(
            "EncryptParameters",
            ("managed",),
            ("kms:Decrypt", "kms:Encrypt"),
            Scope.KEY,
            "Values are encrypted with the stack's key itself.",
        ),
        Permission(
            "DeliverParameters",
            OPERATOR,
            ("ssm:GetParameter",),
            Scope.EACH_NAME,
            "The operator reads the values.",
        ),
        Permission(
            "DecryptDeliveredParameters",
            OPERATOR,
            ("kms:Decrypt",),
            Scope.KEY,
            "Values are encrypted with the stack's key.",
        ),
    ),
}


@dataclass(frozen=True)
class Access:
    """Whose access, and to what."""

    manager: str
    mode: Mode
    location: AwsLocation
    names: tuple[str, ...]
    """Patterns of the names that are Kestra's; empty where its tag decides."""
    prefix: str
    recovery: str
    """Name of the encryption key's copy, which Kestra never reads."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that a secret must have for Kestra to see it."""
    key_arn: str | None = None
    """The key of the secrets; None for the one that AWS manages, which needs no permission."""
    team_keys: tuple[str, ...] = ()
    """Keys that stacks of teams have of their own."""

    @property
    def keys(self) -> list[str]:
        """The keys that Kestra uses, each once."""
        return list(dict.fromkeys(key for key in (self.key_arn, *self.team_keys) if key))


def access(settings: Settings, location: AwsLocation, key_arn: str | None) -> Access:
    """The access that Kestra needs with these settings."""
    assert settings.secret is not None
    block = settings.secret.aws_ssm_parameter_store
    return Access(
        manager=settings.secret.type,
        mode=settings.access_mode,
        location=location,
        names=names(settings),
        prefix=prefix(settings),
        recovery=backend_of(settings).recovery_location(settings),
        tags=required_tags(settings),
        key_arn=key_arn or (block.kms_key_id if block else None),
        team_keys=tuple(
            team.kms_key_arn for team in granted_teams(settings).values() if team.kms_key_arn
        ),
    )


def policy(access: Access) -> Document:
    """The policy of Kestra's role."""
    statements = [
        _statement(p, access)
        for p in PERMISSIONS[access.manager]
        if access.mode in p.modes
        and (p.scope != Scope.KEY or access.keys)
        # An empty list of resources is no policy to AWS: with nothing to read there is no statement.
        and (access.mode == "managed" or p.scope == Scope.EVERYTHING or access.names)
    ]
    return document(*statements, *_recovery(access))


def document(*statements: Document) -> Document:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def rows(manager: str) -> Iterator[PermissionRow]:
    """Each permission of each mode, for the documentation."""
    for mode in (*BOTH, *OPERATOR):
        for p in PERMISSIONS[manager]:
            if mode in p.modes:
                yield PermissionRow(mode, ", ".join(p.actions), p.scope, p.reason)


def _arns(access: Access, *names: str) -> list[str]:
    service, kind, _ = SERVICES[access.manager]
    return [
        name
        if name.startswith("arn:")
        else access.location.arn(service, f"{kind}{name.lstrip('/')}")
        for name in names
    ]


def _exactly(access: Access, name: str) -> str:
    """A whole name as a pattern: Secrets Manager ends its ARNs with six characters of its own."""
    if access.manager == SECRETS and not name.startswith("arn:"):
        return f"{name}-??????"
    return name


def _recovery_arn(access: Access) -> str:
    return _arns(access, _exactly(access, access.recovery))[0]


def _own_arns(access: Access) -> list[str]:
    """What is Kestra's, as ARNs."""
    if access.mode == "external-secrets":
        return _arns(access, *(_exactly(access, name) for name in access.names))
    return _arns(access, *access.names)


def _statement(permission: Permission, access: Access) -> Document:
    tag, request = "aws:ResourceTag/prefix", "aws:RequestTag/prefix"
    resource: Any
    condition: Document = {}
    match permission.scope:
        case Scope.EVERYTHING:
            resource = "*"
        case Scope.NAME_PATTERN:
            resource = _arns(access, *access.names)
            if access.tags and access.mode == "read-only":
                condition = {
                    "StringEquals": {
                        f"aws:ResourceTag/{name}": value for name, value in access.tags.items()
                    }
                }
        case Scope.EACH_NAME:
            resource = _own_arns(access)
        case Scope.TAG:
            resource = _arns(access, "*")
            condition = {
                "StringEquals": {tag: access.prefix},
                "StringEqualsIfExists": {request: access.prefix},
            }
        case Scope.CREATE_WITH_TAG:
            resource = _arns(access, "*")
            condition = {"StringEquals": {request: access.prefix}}
        case Scope.KEY:
            resource = access.keys[0] if len(access.keys) == 1 else access.keys
            condition = key_use(access.location, SERVICES[access.manager][0])
            if access.names:
                context = f"kms:EncryptionContext:{SERVICES[access.manager][2]}"
                condition |= {"StringLike": {context: _own_arns(access)}}
    statement: Document = {
        "Sid": permission.sid,
        "Effect": "Allow",
        "Action": list(permission.actions),
        "Resource": resource,
    }
    return statement | ({"Condition": condition} if condition else {})


def key_use(location: AwsLocation, service: str) -> Document:
    """The condition of using the key: by this account, through the service of the secrets, and not directly."""
    return {
        "StringEquals": {
            "kms:CallerAccount": location.account,
            "kms:ViaService": location.endpoint(service),
        }
    }


def _recovery(access: Access) -> Iterator[Document]:
    service, _, context = SERVICES[access.manager]
    yield {
        "Sid": "NeverTheRecoveryCopy",
        "Effect": "Deny",
        "Action": f"{service}:*",
        "Resource": _recovery_arn(access),
    }
    if access.key_arn:
        yield {
            "Sid": "NeverDecryptTheRecoveryCopy",
            "Effect": "Deny",
            "Action": "kms:*",
            "Resource": access.key_arn,
            "Condition": {
                "StringLike": {f"kms:EncryptionContext:{context}": _recovery_arn(access)}
            },
        }

"""AWS Secrets Manager and SSM Parameter Store, as this project knows them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ...settings.declared import DeclaredSecret
from ...settings.model import Settings
from ..cloud import CloudBackend
from ..existing_store import ExistingStore
from ..interface import (
    Identity,
    NameRule,
    PermissionRow,
    SdkPackage,
    Store,
    StoreArgs,
    to_identity,
)
from ..secret_naming import prefix, required_tags
from . import deployer_permissions, name_conflicts, names, permissions, rules
from .principals import ROLE_ARN, aws_block, has_role, known_account
from .tag_limits import AWS_TAGS

if TYPE_CHECKING:
    import pulumi

    from ..external_values import ExternalValues, Option

#: Source: Amazon EKS user guide, EKS Pod Identity.
POD_IDENTITY_AGENT = (("169.254.170.23/32", 80), ("fd00:ec2::23/128", 80))
SDK = SdkPackage("pulumi-aws", "pulumi_aws", "requirements/aws.txt")


class AwsBackend(CloudBackend):
    """What both managers of AWS have in common."""

    cloud = "aws"
    provider = "aws"
    provider_title = "AWS"
    sdk_package = SDK
    conflict_hints = name_conflicts.HINTS
    setting_rules = (rules.credentials, rules.provisioned)
    deployer_actions = deployer_permissions.ACTIONS
    tag_limits = AWS_TAGS
    hosts = ("*.amazonaws.com",)
    place_keys = CloudBackend.place_keys | {"region", "endpoint_override"}
    account_annotation = ROLE_ARN
    takes_external = True
    values_package = SdkPackage("boto3", "boto3", "requirements/aws.txt")

    def location_facts(self, settings: Settings) -> dict[str, Any]:
        block, store = aws_block(settings), settings.store.aws
        facts = super().location_facts(settings)
        facts[f"secret.{self.type}.region"] = block.region if block else None
        return facts | ({"store.aws.kms.arn": store.kms.arn} if store else {})

    def node_services(self, settings: Settings) -> Sequence[tuple[str, int]]:
        return POD_IDENTITY_AGENT if settings.identity.aws.pod_identity else ()

    def is_account_identity(self, settings: Settings) -> bool:
        identity = settings.identity.aws
        by_token = identity.irsa is not None or identity.role_arn is not None
        return by_token and identity.pod_identity is None

    def permission_rows(self) -> Iterator[PermissionRow]:
        return permissions.rows(self.type)

    def access_scope(self, settings: Settings, scope: str) -> str:
        patterns = ", ".join(permissions.names(settings)) or "no name"
        tags = required_tags(settings) if settings.is_read_only else {}
        tagged = f" with tags {', '.join(f'{k}={v}' for k, v in tags.items())}" if tags else ""
        own = f"the tag prefix={prefix(settings)}"
        return {
            permissions.Scope.EVERYTHING: "names and tags of the whole account and region",
            permissions.Scope.NAME_PATTERN: f"{patterns}{tagged}",
            permissions.Scope.EACH_NAME: patterns,
            permissions.Scope.TAG: f"what has {own}",
            permissions.Scope.CREATE_WITH_TAG: f"new ones with {own}",
            permissions.Scope.KEY: "the stack's key, through the service of the secrets only",
        }[permissions.Scope(scope)]

    def recovery_protection(self, settings: Settings) -> str:
        copy = self.recovery_location(settings)
        return f"explicit Deny in its role's policy on {copy} and on decrypting it"

    def server(self, settings: Settings) -> str:
        block, account = aws_block(settings), known_account(settings)
        region = block.region if block else None
        return f"account {account}, region {region}" if account and region else ""

    def may_read(self, settings: Settings, name: str) -> bool:
        if settings.access_mode == "managed":
            # Of Secrets Manager the tag decides, which is the prefix.
            begin = prefix(settings).rstrip("/")
            return name.startswith((f"{begin}/", f"{begin}-"))
        return any(fnmatchcase(name, pattern) for pattern in permissions.names(settings))

    def team_deployer_policy(self, settings: Settings) -> str:
        return json.dumps(deployer_permissions.team_policy(settings), indent=2) + "\n"

    def key_administrators(self, settings: Settings) -> Sequence[str]:
        return settings.store.aws.kms.administrators if settings.store.aws else ()

    def store_description(self, settings: Settings) -> str:
        block = aws_block(settings)
        return (block and block.region) or "region of the environment"

    def has_static_credential(self, settings: Settings) -> bool:
        block = aws_block(settings)
        return block is not None and block.access_key_id is not None

    def create_identity(
        self,
        name: str,
        settings: Settings,
        store: Store,
        opts: pulumi.ResourceOptions | None = None,
    ) -> Identity:
        if not has_role(settings):
            return Identity()
        from .identity import AwsIdentity
        from .secrets_manager import AwsStore

        assert isinstance(store, (AwsStore, ExistingStore))
        component = AwsIdentity(name, settings, store.key_arn, opts)
        return to_identity(component, component)

    def secret_store(self, settings: Settings, identity: Identity) -> dict[str, Any]:
        block = aws_block(settings)
        account = {"serviceAccountRef": {"name": settings.store_account}}
        service = "SecretsManager" if self.type == permissions.SECRETS else "ParameterStore"
        region = block.region if block else None
        return {"aws": {"service": service, "region": region, "auth": {"jwt": account}}}


class SecretsManager(AwsBackend):
    """AWS Secrets Manager."""

    type = permissions.SECRETS
    title = "AWS Secrets Manager"
    has_namespaces = True
    declared_keys = ("rotation",)
    name_rule = NameRule(
        r"[A-Za-z0-9/_+=.@-]{1,512}", "512 letters, digits and / _ + = . @ - at most"
    )

    def secret_name(self, settings: Settings, name: str, declared: DeclaredSecret) -> str:
        if declared.existing is not None and declared.existing.name is not None:
            return declared.existing.name
        return names.secret_name(settings, name, declared)

    def remote_version(self, version: str) -> str:
        return f"uuid/{version}"

    def external_values(self, settings: Settings, option: Option) -> ExternalValues:
        from .external_values import SecretsManagerValues

        return SecretsManagerValues(settings, option)

    def recovery_location(self, settings: Settings) -> str:
        return names.recovery_name(settings)

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from .secrets_manager import AwsStore

        return AwsStore(name, args, opts)


class ParameterStore(AwsBackend):
    """AWS Systems Manager Parameter Store."""

    type = permissions.PARAMETERS
    title = "AWS Parameter Store"
    since = "2.0"
    name_rule = NameRule(
        r"(?!(?i:aws|ssm))[A-Za-z0-9_.-]{1,1011}",
        "1,011 letters, digits and . - _ at most, not beginning with aws or ssm",
    )

    def provisioned_keys(self, settings: Settings) -> tuple[str, ...]:
        return ("kms-key-id",) if settings.store.aws and not settings.is_read_only else ()

    def external_values(self, settings: Settings, option: Option) -> ExternalValues:
        from .external_values import ParameterValues

        return ParameterValues(settings, option)

    def create_store(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> Store:
        from .parameter_store import AwsParameterStore

        return AwsParameterStore(name, args, opts)


SECRETS_MANAGER = SecretsManager()
PARAMETER_STORE = ParameterStore()

"""AWS Secrets Manager as the secret store: key, declared secrets, recovery copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from ... import tags
from ...settings import Settings
from ...settings.declared import DeclaredSecret
from ...settings.store import AwsStore as AwsSettings
from ..external_values import keeps_key, record_version
from ..interface import StoreArgs
from ..secret_naming import secret_tags
from .location import lookup_location
from .names import RECOVERY_TEXT, recovery_name, secret_name
from .permissions import SECRETS, SERVICES, AwsLocation
from .policy_documents import key_policy, secret_policy
from .principals import aws_block, principals
from .tag_limits import AWS_TAGS

#: The stage of the version that is read.
CURRENT = "AWSCURRENT"
#: Name of the recovery copy among the ids.
RECOVERED = "encryption.secret-key"


class AwsStore(pulumi.ComponentResource):
    """Kestra's secrets in AWS Secrets Manager.

    - Without `store.aws` nothing is provisioned: Kestra uses what exists.
    - A customer-managed KMS key with rotation, unless one is given. Administrators cannot decrypt with it, and
      nobody can use it but through the service of the secrets.
    - Declared secrets as plain text (Kestra's read-only mode needs that), with the tags that make them visible,
      a policy against other accounts and connections without TLS, replicas and rotation where asked for.
    - An external secret has its place, with all of that but a value: others write it.
    - A copy of the encryption key to recover from, which no policy lets Kestra read; it stays, with the key that
      it needs, when the stack goes.
    - A changed value is a new version; `version_ids` change with it. A value that others wrote is put out of force
      again, unless a rotation is asked for.

    Example:
        >>> AwsStore("store", StoreArgs(settings, {"TOKEN": token}))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]
    key_arn: pulumi.Output[str] | None
    """The key of the secrets; None where the stack knows of none."""
    component_type = "kestra:stores:AwsStore"
    manager = SECRETS
    noun = "secrets"

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(self.component_type, name, None, opts)
        own, block = aws_block(args.settings), args.settings.store.aws
        self._name, self._settings, self._args = name, args.settings, args
        self._region = own.region if own else None
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags.translate(tags.convention(args.settings.tags), AWS_TAGS)
        self.environment = {}
        self._ids: dict[str, pulumi.Output[str]] = {}
        self._versions: dict[str, pulumi.Output[str]] = {}
        self.secret_ids, self.version_ids = self._ids, self._versions
        self.key_arn = None
        if block is not None:
            self._location = lookup_location(self._region, self)
            self.key_arn = self._key(block, retain=keeps_key(args))
            for secret, declared in args.settings.written_secrets.items():
                self._declare(block, secret, declared, args.secrets.get(secret))
            if keeps_key(args):
                self._recover(block, args.encryption_key)
            self.environment = self._provided(self.key_arn)
        self.register_outputs(
            {
                "environment": self.environment,
                "key_arn": self.key_arn,
            }
        )

    def _provided(self, key_arn: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
        """What the rendering needs of the store."""
        return {}

    def _key(self, block: AwsSettings, *, retain: bool) -> pulumi.Output[str]:
        if block.kms.arn is not None:
            return pulumi.Output.from_input(block.kms.arn)
        service, administrators = SERVICES[self.manager][0], block.kms.administrators
        key = aws.kms.Key(
            f"{self._name}-key",
            description=f"Secrets of Kestra in {self._settings.deployment.namespace}",
            enable_key_rotation=True,
            rotation_period_in_days=block.kms.rotation_period_days,
            deletion_window_in_days=block.kms.deletion_window_days or _window(self._settings, 7),
            policy=self._location.apply(
                lambda where: json.dumps(key_policy(where, service, administrators))
            ),
            region=self._region,
            tags=self._tags,
            # Without its key the recovery copy, which stays, could not be read.
            opts=pulumi.ResourceOptions(
                parent=self, protect=self._settings.protect, retain_on_delete=retain
            ),
        )
        aws.kms.Alias(
            f"{self._name}-key-alias",
            name=f"alias/{self._settings.deployment.namespace}-{self.noun}",
            target_key_id=key.key_id,
            region=self._region,
            opts=self._child,
        )
        return key.arn

    @property
    def _kept(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(
            parent=self, protect=self._settings.protect, retain_on_delete=True
        )

    def _declare(
        self,
        block: AwsSettings,
        secret: str,
        declared: DeclaredSecret,
        value: pulumi.Input[str] | None,
    ) -> None:
        """A declared secret; without a value its place only, as others write it."""
        label = f"{self._name}-declared-{secret}"
        full = secret_name(self._settings, secret, declared)
        labels = tags.translate(secret_tags(self._settings, secret, declared), AWS_TAGS)
        days = block.recovery_window_days
        described, written = self._secret(
            secret,
            label,
            value,
            self._child,
            (),
            # What a rotation puts in force is not the stack's to take back.
            None if declared.rotation else [CURRENT],
            name=full,
            description=declared.description,
            recovery_window_in_days=_window(self._settings, 0) if days is None else days,
            replicas=[
                aws.secretsmanager.SecretReplicaArgs(
                    region=replica.region, kms_key_id=replica.kms_key_arn
                )
                for replica in block.replicas
            ],
            tags=labels,
        )
        if declared.rotation is not None and written is not None:
            aws.secretsmanager.SecretRotation(
                f"{label}-rotation",
                secret_id=described.arn,
                rotation_lambda_arn=declared.rotation.lambda_arn,
                rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                    schedule_expression=declared.rotation.schedule
                ),
                # What is declared holds until its time has come.
                rotate_immediately=False,
                region=self._region,
                # AWS rotates what has a value.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[written]),
            )

    def _recover(self, block: AwsSettings, value: pulumi.Input[str] | None) -> None:
        self._secret(
            RECOVERED,
            f"{self._name}-encryption-key",
            value,
            self._kept,
            principals(self._settings),
            [CURRENT],
            name=recovery_name(self._settings),
            description=RECOVERY_TEXT,
            # Never at once, in any environment.
            recovery_window_in_days=block.recovery_window_days or 30,
            tags=self._tags,
        )

    def _secret(
        self,
        secret: str,
        label: str,
        value: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions,
        never: tuple[str, ...],
        stages: list[str] | None,
        **inputs: Any,
    ) -> tuple[aws.secretsmanager.Secret, aws.secretsmanager.SecretVersion | None]:
        """A secret with its policy and its value; with stages, a value that others wrote does not stay."""
        resource = aws.secretsmanager.Secret(
            label, kms_key_id=self.key_arn, region=self._region, opts=opts, **inputs
        )
        # Not protected: a new value takes the place of the last one, which AWS keeps as the previous version.
        inside = pulumi.ResourceOptions(parent=self, retain_on_delete=opts.retain_on_delete)
        policy = aws.secretsmanager.SecretPolicy(
            f"{label}-policy",
            secret_arn=resource.arn,
            block_public_policy=True,
            policy=self._location.apply(lambda where: json.dumps(_policy(where, never))),
            region=self._region,
            opts=inside,
        )
        if value is None:
            self._record_external(secret, resource.arn)
            return resource, None
        written = aws.secretsmanager.SecretVersion(
            f"{label}-value",
            secret_id=resource.id,
            secret_string=pulumi.Output.secret(value),
            version_stages=stages,
            region=self._region,
            # The policy stands before there is a value to protect.
            opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[policy])),
        )
        self._record_version(secret, resource.arn, written.version_id)
        return resource, written

    def _record_external(self, name: str, arn: pulumi.Output[str]) -> None:
        self._ids[name] = pulumi.Output.unsecret(arn)
        record_version(self._args, name, self._versions)

    def _record_version(
        self, name: str, arn: pulumi.Output[str], version: pulumi.Output[str]
    ) -> None:
        # An address and a version are no secrets, though they come of one.
        self._ids[name] = pulumi.Output.unsecret(arn)
        self._versions[name] = pulumi.Output.unsecret(version)


def _window(settings: Settings, development: int) -> int:
    """Days in which what was deleted can be had back."""
    return development if settings.tags.environment == "development" else 30


def _policy(location: AwsLocation, never: tuple[str, ...]) -> dict[str, Any]:
    # A role's own name stands for its ARN, which only the account completes.
    names = (p if p.startswith("arn:") else location.role(p) for p in never)
    return secret_policy(location, tuple(names))

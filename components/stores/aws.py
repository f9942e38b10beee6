"""AWS Secrets Manager or SSM Parameter Store as the secret store: key, declared secrets, recovery copy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from components import tags
from components.permissions.aws import PARAMETERS, SERVICES, Place
from components.permissions.aws_documents import key_policy, secret_policy
from components.permissions.aws_principals import principals
from components.settings import Settings
from components.settings.declared import DeclaredSecret
from components.settings.store import AwsStore as AwsSettings
from components.settings.visibility import recovery_name, secret_tags, store_name
from components.stores import StoreArgs
from components.stores.aws_place import find_place

KMS_KEY_ID = "secret.aws-ssm-parameter-store.kms-key-id"


class AwsStore(pulumi.ComponentResource):
    """Kestra's secrets in AWS.

    - Without `store.aws` nothing is provisioned: Kestra uses what exists.
    - A customer-managed KMS key with rotation, unless one is given. Administrators cannot decrypt with it, and
      nobody can use it but through the service of the secrets.
    - Declared secrets as plain text (Kestra's read-only mode needs that), with the tags that make them visible,
      a policy against other accounts and connections without TLS, replicas and rotation where asked for.
    - SSM: `SecureString` parameters; they have no policies of their own, no replicas and no rotation.
    - A copy of the encryption key to recover from, which no policy lets Kestra read; it stays, with the key that
      it needs, when the stack goes.
    - A changed value is a new version; `version_ids` change with it.

    Example:
        >>> AwsStore("store", StoreArgs(settings, fragment, {"TOKEN": token}))  # doctest: +SKIP
    """

    configuration: Mapping[str, Any]
    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]
    key_arn: pulumi.Output[str] | None
    """The key of the secrets; None where the stack knows of none."""

    def __init__(
        self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kestra:stores:AwsStore", name, None, opts)
        manager, wanted = args.settings.secret, args.settings.store.aws
        assert manager is not None
        self._name, self._settings = name, args.settings
        self._region = manager.aws.region if manager.aws else None
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags.translate(tags.convention(args.settings.tags), "aws")
        self.configuration = args.configuration
        self.environment, self.secret_ids, self.version_ids = {}, {}, {}
        self.key_arn = None
        if wanted is not None:
            self._place = find_place(self._region, self)
            self.key_arn = self._key(wanted, retain=args.encryption_key is not None)
            for secret, declared in args.settings.declared_secrets.items():
                self._declare(wanted, secret, declared, args.secrets[secret])
            if args.encryption_key is not None:
                self._recover(wanted, args.encryption_key)
            if manager.type == PARAMETERS and not manager.is_read_only:
                self.environment = {KMS_KEY_ID: self.key_arn}
        self.register_outputs(
            {
                "configuration": dict(self.configuration),
                "environment": self.environment,
                "secret_ids": self.secret_ids,
                "version_ids": self.version_ids,
                "key_arn": self.key_arn,
            }
        )

    @property
    def _manager(self) -> str:
        assert self._settings.secret is not None
        return self._settings.secret.type

    def _key(self, wanted: AwsSettings, *, retain: bool) -> pulumi.Output[str]:
        if wanted.kms.arn is not None:
            return pulumi.Output.from_input(wanted.kms.arn)
        service, administrators = SERVICES[self._manager][0], wanted.kms.administrators
        key = aws.kms.Key(
            f"{self._name}-key",
            description=f"Secrets of Kestra in {self._settings.deployment.namespace}",
            enable_key_rotation=True,
            rotation_period_in_days=wanted.kms.rotation_period_days,
            deletion_window_in_days=wanted.kms.deletion_window_days or _window(self._settings, 7),
            policy=self._place.apply(lambda p: json.dumps(key_policy(p, service, administrators))),
            region=self._region,
            tags=self._tags,
            # Without its key the recovery copy, which stays, could not be read.
            opts=pulumi.ResourceOptions(
                parent=self, protect=self._settings.protect, retain_on_delete=retain
            ),
        )
        aws.kms.Alias(
            f"{self._name}-key-alias",
            name=f"alias/{self._settings.deployment.namespace}-secrets",
            target_key_id=key.key_id,
            region=self._region,
            opts=self._child,
        )
        return key.arn

    def _declare(
        self,
        wanted: AwsSettings,
        secret: str,
        declared: DeclaredSecret,
        value: pulumi.Input[str],
    ) -> None:
        label = f"{self._name}-declared-{secret}"
        full = store_name(self._settings, secret, declared)
        labels = tags.translate(secret_tags(self._settings, secret, declared), "aws")
        if self._manager == PARAMETERS:
            self._parameter(secret, label, full, labels, value, declared.description, self._child)
            return
        days = wanted.recovery_window_days
        held = self._secret(
            secret,
            label,
            value,
            self._child,
            (),
            name=full,
            description=declared.description,
            recovery_window_in_days=_window(self._settings, 0) if days is None else days,
            replicas=[
                aws.secretsmanager.SecretReplicaArgs(
                    region=replica.region, kms_key_id=replica.kms_key_arn
                )
                for replica in wanted.replicas
            ],
            tags=labels,
        )
        if declared.rotation is not None:
            aws.secretsmanager.SecretRotation(
                f"{label}-rotation",
                secret_id=held.arn,
                rotation_lambda_arn=declared.rotation.lambda_arn,
                rotation_rules=aws.secretsmanager.SecretRotationRotationRulesArgs(
                    schedule_expression=declared.rotation.schedule
                ),
                # What is declared holds until its time has come.
                rotate_immediately=False,
                region=self._region,
                opts=self._child,
            )

    def _recover(self, wanted: AwsSettings, value: pulumi.Input[str]) -> None:
        secret, label = "encryption.secret-key", f"{self._name}-encryption-key"
        full, text = recovery_name(self._settings), "Encryption key of Kestra, to recover from"
        kept = pulumi.ResourceOptions(
            parent=self, protect=self._settings.protect, retain_on_delete=True
        )
        if self._manager == PARAMETERS:
            self._parameter(secret, label, full, self._tags, value, text, kept)
            return
        self._secret(
            secret,
            label,
            value,
            kept,
            principals(self._settings),
            name=full,
            description=text,
            # Never at once, in any environment.
            recovery_window_in_days=wanted.recovery_window_days or 30,
            tags=self._tags,
        )

    def _secret(
        self,
        secret: str,
        label: str,
        value: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
        never: tuple[str, ...],
        **inputs: Any,
    ) -> aws.secretsmanager.Secret:
        """A secret with its policy and its value."""
        held = aws.secretsmanager.Secret(
            label, kms_key_id=self.key_arn, region=self._region, opts=opts, **inputs
        )
        policy = aws.secretsmanager.SecretPolicy(
            f"{label}-policy",
            secret_arn=held.arn,
            block_public_policy=True,
            policy=self._place.apply(lambda place: json.dumps(_policy(place, never))),
            region=self._region,
            opts=opts,
        )
        written = aws.secretsmanager.SecretVersion(
            f"{label}-value",
            secret_id=held.id,
            secret_string=pulumi.Output.secret(value),
            region=self._region,
            # The policy stands before there is a value to protect.
            opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[policy])),
        )
        self._note(secret, held.arn, written.version_id)
        return held

    def _parameter(
        self,
        secret: str,
        label: str,
        name: str,
        labels: Mapping[str, str],
        value: pulumi.Input[str],
        description: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        written = aws.ssm.Parameter(
            label,
            name=name,
            type=aws.ssm.ParameterType.SECURE_STRING,
            tier="Standard",
            key_id=self.key_arn,
            value=pulumi.Output.secret(value),
            description=description,
            region=self._region,
            tags=dict(labels),
            opts=opts,
        )
        self._note(secret, written.arn, written.version.apply(str))

    def _note(self, name: str, arn: pulumi.Output[str], version: pulumi.Output[str]) -> None:
        # An address and a version are no secrets, though they come of one.
        self.secret_ids = {**self.secret_ids, name: pulumi.Output.unsecret(arn)}
        self.version_ids = {**self.version_ids, name: pulumi.Output.unsecret(version)}


def _window(settings: Settings, development: int) -> int:
    """Days in which what was deleted can be had back."""
    return development if settings.tags.environment == "development" else 30


def _policy(place: Place, never: tuple[str, ...]) -> dict[str, Any]:
    # A role's own name stands for its ARN, which only the account completes.
    return secret_policy(place, tuple(p if p.startswith("arn:") else place.role(p) for p in never))

"""AWS Systems Manager Parameter Store as the secret store: key, declared secrets, recovery copy."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ... import tags
from ...settings.declared import DeclaredSecret
from ...settings.store import AwsStore as AwsSettings
from ..secret_naming import filtered_name, recovery_name, secret_tags
from .names import RECOVERY_TEXT
from .permissions import PARAMETERS
from .secrets_manager import RECOVERED, AwsStore
from .tag_limits import AWS_TAGS

KMS_KEY_ID = "secret.aws-ssm-parameter-store.kms-key-id"


class AwsParameterStore(AwsStore):
    """Kestra's secrets in AWS Systems Manager Parameter Store.

    - As in Secrets Manager, but `SecureString` parameters (of tier Standard, 4 KB at most), which have no policies
      of their own, no replicas, no rotation and no recovery window.
    - Nothing of an external secret, which Parameter Store cannot have without a value.
    - In managed mode Kestra is told the stack's key.

    Example:
        >>> AwsParameterStore("store", StoreArgs(settings, {"TOKEN": token}))  # doctest: +SKIP
    """

    environment: Mapping[str, pulumi.Output[str]]
    secret_ids: Mapping[str, pulumi.Output[str]]
    version_ids: Mapping[str, pulumi.Output[str]]
    key_arn: pulumi.Output[str] | None
    component_type = "kestra:stores:AwsParameterStore"
    manager = PARAMETERS
    noun = "parameters"

    def _provided(self, key_arn: pulumi.Output[str]) -> dict[str, pulumi.Output[str]]:
        secret = self._settings.secret
        return {} if secret is None or secret.is_read_only else {KMS_KEY_ID: key_arn}

    def _declare(
        self,
        block: AwsSettings,
        secret: str,
        declared: DeclaredSecret,
        value: pulumi.Input[str] | None,
    ) -> None:
        self._parameter(
            secret,
            f"{self._name}-declared-{secret}",
            filtered_name(self._settings, secret),
            tags.translate(secret_tags(self._settings, secret, declared), AWS_TAGS),
            value,
            declared.description,
            self._child,
        )

    def _recover(self, block: AwsSettings, value: pulumi.Input[str] | None) -> None:
        self._parameter(
            RECOVERED,
            f"{self._name}-encryption-key",
            recovery_name(self._settings),
            self._tags,
            value,
            RECOVERY_TEXT,
            self._kept,
        )

    def _parameter(
        self,
        secret: str,
        label: str,
        name: str,
        labels: Mapping[str, str],
        value: pulumi.Input[str] | None,
        description: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        if value is None:
            # There is no parameter without a value: whoever writes the first one makes it.
            arn = self._location.apply(lambda where: where.arn("ssm", f"parameter/{name}"))
            self._record_external(secret, arn)
            return
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
        self._record_version(secret, written.arn, written.version.apply(str))

"""How Kestra is known to AWS: a role for its service account, by OIDC token or by EKS Pod Identity."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ... import tags
from ...settings import Settings
from .location import lookup_location
from .permissions import AwsLocation, access, policy
from .policy_documents import assume_policy
from .principals import aws_block, makes_role, role_name
from .roles import account_annotations, create_role
from .tag_limits import AWS_TAGS


class AwsIdentity(pulumi.ComponentResource):
    """Kestra's role in AWS.

    - By OIDC token (IRSA): trusted is one service account of one namespace, with a token for STS.
    - By EKS Pod Identity: trusted is one service account of one cluster, and an association names the role.
    - The policy is that of the mode and nothing else; with `sts-role-arn` it only lets Kestra take that role,
      whose policy is its owner's.
    - A role that exists already is only named to the service account.
    - The pods' own tokens stay unmounted: EKS mounts the one that it needs itself.

    Example:
        >>> AwsIdentity("identity", settings, store.key_arn)  # doctest: +SKIP
    """

    service_account_annotations: Mapping[str, pulumi.Input[str]]
    pod_labels: Mapping[str, str]
    principal: pulumi.Output[str]
    """ARN of the role."""
    needs_token: bool
    environment: Mapping[str, pulumi.Output[str]]

    def __init__(
        self,
        name: str,
        settings: Settings,
        key_arn: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("kestra:identity:AwsIdentity", name, None, opts)
        self._name, self._settings = name, settings
        self._child = pulumi.ResourceOptions(parent=self)
        self._tags = tags.translate(tags.convention(settings.tags), AWS_TAGS)
        self.pod_labels, self.environment, self.needs_token = {}, {}, False
        if makes_role(settings):
            self.principal = self._role(key_arn)
        else:
            self.principal = pulumi.Output.from_input(settings.identity.aws.role_arn or "")
        self.service_account_annotations = account_annotations(
            f"{name}-association",
            settings,
            settings.store_account,
            self.principal,
            self._tags,
            self,
        )
        self.register_outputs(
            {
                "service_account_annotations": self.service_account_annotations,
                "pod_labels": self.pod_labels,
                "principal": self.principal,
                "needs_token": self.needs_token,
                "environment": self.environment,
            }
        )

    def _role(self, key_arn: pulumi.Input[str] | None) -> pulumi.Output[str]:
        settings = self._settings
        assert settings.secret is not None
        role = create_role(
            f"{self._name}-role",
            role_name(settings),
            settings,
            settings.store_account,
            self._tags,
            self,
        )
        block = aws_block(settings)
        location = lookup_location(block.region if block else None, self)
        granted = aws.iam.RolePolicy(
            f"{self._name}-policy",
            name="kestra-secrets",
            role=role.name,
            policy=pulumi.Output.all(location, key_arn).apply(
                lambda known: json.dumps(_policy(settings, *known))
            ),
            opts=self._child,
        )
        # Whoever uses the role finds its policy in place.
        return pulumi.Output.all(role.arn, granted.id).apply(lambda known: known[0])


def _policy(settings: Settings, location: AwsLocation, key_arn: str | None) -> dict[str, object]:
    block = aws_block(settings)
    if block is not None and block.sts_role_arn is not None:
        tagged = settings.identity.aws.pod_identity is not None
        return assume_policy(block.sts_role_arn, block.sts_role_external_id, tagged=tagged)
    return policy(access(settings, location, key_arn))

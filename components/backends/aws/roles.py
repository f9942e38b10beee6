"""A role that the pods of one service account take, by OIDC token or by EKS Pod Identity."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ...settings import Settings
from .location import lookup_location
from .permissions import AwsLocation
from .policy_documents import irsa_trust, pod_identity_trust
from .principals import ROLE_ARN

ASSOCIATION = "kestra.pulumi/pod-identity-association"


def create_role(
    label: str,
    name: str,
    settings: Settings,
    account: str,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.iam.Role:
    """Registers the role, which one service account takes.

    Args:
        label: logical name of the resource.
        name: of the role.
        settings: the stack's settings.
        account: the Kubernetes service account.
        tags: of the role.
        parent: of the resource.
    """
    return aws.iam.Role(
        label,
        name=name,
        description=f"Kestra in {settings.deployment.namespace}",
        # The cluster is where the provider works, which need not be where the secrets are.
        assume_role_policy=lookup_location(None, parent).apply(
            lambda location: json.dumps(_trust(settings, location, account))
        ),
        permissions_boundary=settings.identity.aws.permissions_boundary,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )


def account_annotations(
    label: str,
    settings: Settings,
    account: str,
    role_arn: pulumi.Output[str],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> dict[str, pulumi.Input[str]]:
    """Annotations by which a service account has a role; registers the association of EKS Pod Identity.

    Args:
        label: logical name of the association.
        settings: the stack's settings.
        account: the Kubernetes service account.
        role_arn: ARN of the role.
        tags: of the association.
        parent: of the association.
    """
    pods = settings.identity.aws.pod_identity
    if pods is None:
        return {ROLE_ARN: role_arn}
    association = aws.eks.PodIdentityAssociation(
        label,
        cluster_name=pods.cluster_name,
        namespace=settings.deployment.namespace,
        service_account=account,
        role_arn=role_arn,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    # Pods that start before the association get no credentials; so their account waits for it.
    return {ASSOCIATION: association.association_id}


def _trust(settings: Settings, location: AwsLocation, account: str) -> dict[str, object]:
    identity, namespace = settings.identity.aws, settings.deployment.namespace
    if identity.irsa is not None:
        return irsa_trust(identity.irsa.oidc_provider_arn, namespace, account)
    assert identity.pod_identity is not None
    return pod_identity_trust(location, identity.pod_identity.cluster_name, namespace, account)

"""The resource types that the stand-in knows."""

from __future__ import annotations

from sandbox.plugins.aws.eks import Cluster, PodIdentityAssociation
from sandbox.plugins.aws.iam import OpenIdConnectProvider, Policy
from sandbox.plugins.aws.kms import Alias, Key
from sandbox.plugins.aws.resource import Resource
from sandbox.plugins.aws.roles import Role, RolePolicy, RolePolicyAttachment
from sandbox.plugins.aws.rotation import SecretRotation
from sandbox.plugins.aws.secretsmanager import Secret, SecretPolicy
from sandbox.plugins.aws.ssm import Parameter
from sandbox.plugins.aws.versions import SecretVersion

RESOURCES: dict[str, Resource] = {
    "aws:kms/key:Key": Key(),
    "aws:kms/alias:Alias": Alias(),
    "aws:secretsmanager/secret:Secret": Secret(),
    "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion(),
    "aws:secretsmanager/secretPolicy:SecretPolicy": SecretPolicy(),
    "aws:secretsmanager/secretRotation:SecretRotation": SecretRotation(),
    "aws:ssm/parameter:Parameter": Parameter(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/policy:Policy": Policy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment(),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": OpenIdConnectProvider(),
    "aws:eks/cluster:Cluster": Cluster(),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": PodIdentityAssociation(),
}

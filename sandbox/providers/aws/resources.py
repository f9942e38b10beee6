"""The resource types that the stand-in knows."""

from __future__ import annotations

from sandbox.providers.aws.eks import Cluster, PodIdentityAssociation
from sandbox.providers.aws.iam import OpenIdConnectProvider, Policy
from sandbox.providers.aws.kms import Alias, Key
from sandbox.providers.aws.resource import AwsResource
from sandbox.providers.aws.roles import Role, RolePolicy, RolePolicyAttachment
from sandbox.providers.aws.rotation import SecretRotation
from sandbox.providers.aws.s3 import (
    Bucket,
    BucketPolicy,
    Encryption,
    LifecycleConfiguration,
    OwnershipControls,
    PublicAccessBlock,
    Versioning,
)
from sandbox.providers.aws.secretsmanager import SecretPolicy, SecretsManagerSecret
from sandbox.providers.aws.ssm import Parameter
from sandbox.providers.aws.versions import SecretVersion

RESOURCES: dict[str, AwsResource] = {
    "aws:kms/key:Key": Key(),
    "aws:kms/alias:Alias": Alias(),
    "aws:secretsmanager/secret:Secret": SecretsManagerSecret(),
    "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion(),
    "aws:secretsmanager/secretPolicy:SecretPolicy": SecretPolicy(),
    "aws:secretsmanager/secretRotation:SecretRotation": SecretRotation(),
    "aws:ssm/parameter:Parameter": Parameter(),
    "aws:s3/bucket:Bucket": Bucket(),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": LifecycleConfiguration(),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": OwnershipControls(),
    "aws:s3/bucketPolicy:BucketPolicy": BucketPolicy(),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": PublicAccessBlock(),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Encryption(),
    "aws:s3/bucketVersioning:BucketVersioning": Versioning(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/policy:Policy": Policy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment(),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": OpenIdConnectProvider(),
    "aws:eks/cluster:Cluster": Cluster(),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": PodIdentityAssociation(),
}

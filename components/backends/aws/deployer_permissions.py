"""What whoever runs `pulumi up` must be allowed in AWS, by resource type.

Sources: the API calls of terraform-provider-aws's create, read, update and delete steps; AWS Service Authorization
Reference.
"""

from __future__ import annotations

from collections.abc import Mapping

_SECRETS = "secretsmanager:"

ACTIONS: Mapping[str, tuple[str, ...]] = {
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "eks:CreatePodIdentityAssociation",
        "eks:DeletePodIdentityAssociation",
        "eks:DescribePodIdentityAssociation",
        "eks:TagResource",
        "eks:UntagResource",
        "eks:UpdatePodIdentityAssociation",
        "iam:GetRole",
        "iam:PassRole",
    ),
    "aws:iam/role:Role": (
        "iam:CreateRole",
        "iam:DeleteRole",
        "iam:GetRole",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        "iam:DeleteRolePolicy",
        "iam:GetRolePolicy",
        "iam:PutRolePolicy",
    ),
    "aws:kms/alias:Alias": (
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:ListAliases",
        "kms:UpdateAlias",
    ),
    "aws:kms/key:Key": (
        "kms:CreateKey",
        "kms:DescribeKey",
        "kms:EnableKeyRotation",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateKeyDescription",
    ),
    "aws:s3/bucket:Bucket": (
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:GetAccelerateConfiguration",
        "s3:GetBucketAcl",
        "s3:GetBucketCORS",
        "s3:GetBucketLocation",
        "s3:GetBucketLogging",
        "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketPolicy",
        "s3:GetBucketRequestPayment",
        "s3:GetBucketTagging",
        "s3:GetBucketVersioning",
        "s3:GetBucketWebsite",
        "s3:GetEncryptionConfiguration",
        "s3:GetLifecycleConfiguration",
        "s3:GetReplicationConfiguration",
        "s3:ListBucket",
        "s3:PutBucketTagging",
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": (
        "s3:GetLifecycleConfiguration",
        "s3:PutLifecycleConfiguration",
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": (
        "s3:GetBucketOwnershipControls",
        "s3:PutBucketOwnershipControls",
    ),
    "aws:s3/bucketPolicy:BucketPolicy": (
        "s3:DeleteBucketPolicy",
        "s3:GetBucketPolicy",
        "s3:PutBucketPolicy",
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": (
        "s3:GetBucketPublicAccessBlock",
        "s3:PutBucketPublicAccessBlock",
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:GetEncryptionConfiguration",
        "s3:PutEncryptionConfiguration",
    ),
    "aws:s3/bucketVersioning:BucketVersioning": (
        "s3:GetBucketVersioning",
        "s3:PutBucketVersioning",
    ),
    "aws:secretsmanager/secret:Secret": (
        f"{_SECRETS}CreateSecret",
        f"{_SECRETS}DeleteSecret",
        f"{_SECRETS}DescribeSecret",
        f"{_SECRETS}GetResourcePolicy",
        f"{_SECRETS}RemoveRegionsFromReplication",
        f"{_SECRETS}ReplicateSecretToRegions",
        f"{_SECRETS}TagResource",
        f"{_SECRETS}UntagResource",
        f"{_SECRETS}UpdateSecret",
    ),
    "aws:secretsmanager/secretPolicy:SecretPolicy": (
        f"{_SECRETS}DeleteResourcePolicy",
        f"{_SECRETS}GetResourcePolicy",
        f"{_SECRETS}PutResourcePolicy",
    ),
    "aws:secretsmanager/secretRotation:SecretRotation": (
        f"{_SECRETS}CancelRotateSecret",
        f"{_SECRETS}DescribeSecret",
        f"{_SECRETS}RotateSecret",
        "lambda:InvokeFunction",
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": (
        f"{_SECRETS}GetSecretValue",
        f"{_SECRETS}PutSecretValue",
        f"{_SECRETS}UpdateSecretVersionStage",
        "kms:Decrypt",
        "kms:GenerateDataKey",
    ),
    "aws:ssm/parameter:Parameter": (
        "kms:Decrypt",
        "kms:Encrypt",
        "ssm:AddTagsToResource",
        "ssm:DeleteParameter",
        "ssm:DescribeParameters",
        "ssm:GetParameter",
        "ssm:ListTagsForResource",
        "ssm:PutParameter",
        "ssm:RemoveTagsFromResource",
    ),
}

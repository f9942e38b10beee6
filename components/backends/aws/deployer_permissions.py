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

"""What whoever runs `pulumi up` must be allowed in AWS, by resource type.

Sources: the API calls of terraform-provider-aws's create, read, update and delete steps; AWS Service Authorization
Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...settings.model import Settings
from .permissions import PARAMETERS, SERVICES, AwsLocation, document, key_use, team_names
from .principals import aws_block

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
_OF_SECRETS = tuple(f"aws:secretsmanager/{kind}" for kind in (
    "secret:Secret", "secretPolicy:SecretPolicy", "secretVersion:SecretVersion",
))  # fmt: skip
_ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
_PARAMETER = "aws:ssm/parameter:Parameter"


def team_policy(settings: Settings) -> dict[str, Any]:
    """The policy of whoever deploys a stack of secrets alone: the team's names, and the key through the service.

    A key that the stack makes itself is not in it: what that needs is in `ACTIONS`, on that key alone.
    """
    assert settings.secret is not None
    manager, block, store = settings.secret.type, aws_block(settings), settings.store.aws
    service, kind, context = SERVICES[manager]
    arn = (store and store.kms.arn) or "arn:aws:kms:*:*:key/*"
    _, partition, _, _, account, _ = arn.split(":", 5)
    location = AwsLocation(account, (block and block.region) or "*", partition)
    resources = [location.arn(service, f"{kind}{name}") for name in team_names(settings)]
    types = (_PARAMETER,) if manager == PARAMETERS else _OF_SECRETS
    if any(one.rotation for one in settings.declared_secrets.values()):
        types = (*types, _ROTATION)
    actions = {action for type_ in types for action in ACTIONS[type_]}
    # AWS restricts this one to no resource; it shows names, and no value.
    listed = sorted(actions & {"ssm:DescribeParameters"})
    statements = [
        {"Sid": "TeamSecrets", "Effect": "Allow",
         "Action": sorted(a for a in actions if a.startswith(f"{service}:") and a not in listed),
         "Resource": resources},
    ]  # fmt: skip
    if listed:
        statements.append(
            {"Sid": "FindParameters", "Effect": "Allow", "Action": listed, "Resource": "*"}
        )
    if store is not None and store.kms.arn is not None:
        condition = {
            **key_use(location, service),
            "StringLike": {f"kms:EncryptionContext:{context}": resources},
        }
        statements.append(
            {"Sid": "TheKeyThroughTheService", "Effect": "Allow",
             "Action": sorted(a for a in actions if a.startswith("kms:")),
             "Resource": store.kms.arn, "Condition": condition}
        )  # fmt: skip
    functions = [
        one.rotation.lambda_arn for one in settings.declared_secrets.values() if one.rotation
    ]
    if functions:
        statements.append(
            {"Sid": "RotatingFunctions", "Effect": "Allow", "Action": "lambda:InvokeFunction",
             "Resource": sorted(set(functions))}
        )  # fmt: skip
    return document(*statements)

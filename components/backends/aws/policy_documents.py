"""The other policy documents of a stack in AWS: of the key, of each secret, and who may take Kestra's role."""

from __future__ import annotations

from .permissions import AwsLocation, Document, document, key_use

#: What administrators do with a key. Without kms:CreateGrant, with which they could let themselves decrypt.
ADMINISTRATION = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:DisableKeyRotation",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListKeyRotations",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:RotateKeyOnDemand",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)
#: What users do with it; their own policies say which of these.
USE = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")


def key_policy(
    location: AwsLocation, service: str, administrators: tuple[str, ...] = ()
) -> Document:
    """The policy of the key.

    Administrators manage it and cannot decrypt with it; without any, the account's own IAM decides who they are.
    Users are principals of the account whose IAM policy allows it, through the service of the secrets only.
    """
    root = f"arn:{location.partition}:iam::{location.account}:root"
    managers = list(administrators) or [root]
    return document(
        {
            "Sid": "Administrators",
            "Effect": "Allow",
            "Principal": {"AWS": managers[0] if len(managers) == 1 else sorted(managers)},
            "Action": list(ADMINISTRATION),
            "Resource": "*",
        },
        {
            "Sid": "UsersThroughTheService",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": list(USE),
            "Resource": "*",
            "Condition": key_use(location, service),
        },
    )


def secret_policy(location: AwsLocation, never: tuple[str, ...] = ()) -> Document:
    """The policy of a secret: no other account, no connection without TLS, and never the principals of `never`."""
    refused: Document = {"Effect": "Deny", "Principal": "*", "Resource": "*"}
    statements: list[Document] = [
        {
            "Sid": "NoOtherAccount",
            **refused,
            "Action": "secretsmanager:*",
            "Condition": {
                "StringNotEquals": {"aws:PrincipalAccount": location.account},
                # Services of AWS (rotation, replication) belong to no account.
                "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
            },
        },
        {
            "Sid": "NoConnectionWithoutTls",
            **refused,
            "Action": "secretsmanager:*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    if never:
        statements.append(
            {
                "Sid": "NeverKestra",
                **refused,
                "Action": "secretsmanager:*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": sorted(never)}},
            }
        )
    return document(*statements)


def irsa_trust(provider_arn: str, namespace: str, account: str) -> Document:
    """Who may take the role by OIDC token: one service account, with a token meant for STS.

    Source: Amazon EKS user guide, IAM roles for service accounts.
    """
    issuer = provider_arn.split(":oidc-provider/", 1)[1]
    return document(
        {
            "Sid": "OneServiceAccount",
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": "sts.amazonaws.com",
                    f"{issuer}:sub": f"system:serviceaccount:{namespace}:{account}",
                }
            },
        }
    )


def pod_identity_trust(
    location: AwsLocation, cluster: str, namespace: str, account: str
) -> Document:
    """Who may take the role by EKS Pod Identity: one service account of one cluster.

    Source: Amazon EKS user guide, EKS Pod Identity role and session tags.
    """
    return document(
        {
            "Sid": "OneServiceAccount",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:SourceAccount": location.account,
                    "aws:RequestTag/eks-cluster-arn": location.arn("eks", f"cluster/{cluster}"),
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": account,
                }
            },
        }
    )


def assume_policy(
    role_arn: str, external_id: str | None = None, *, tagged: bool = False
) -> Document:
    """The policy of a role that does nothing but take another one.

    tagged: the session carries tags that go on to the next one (EKS Pod Identity), which STS must be allowed to
        hand on. Source: IAM user guide, Pass session tags in AWS STS.
    """
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}}
    statements: list[Document] = [
        {
            "Sid": "AssumeOneRole",
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Resource": role_arn,
            **(condition if external_id else {}),
        }
    ]
    if tagged:
        statements.append(
            {
                "Sid": "HandOnSessionTags",
                "Effect": "Allow",
                "Action": "sts:TagSession",
                "Resource": role_arn,
            }
        )
    return document(*statements)

"""Cases of the controls of secret stores, keys, identities and Vault."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R, secret
from tests.policy.cases_support import Case, case

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:role/"
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/ABC"
TOKEN = "Planted9Secret8Value7"


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions: Any, resources: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def trusted(principals: Any, **conditions: Any) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principals}
    return document(statement | ({"Condition": conditions} if conditions else {}))


AWS_SECRET = R(
    "aws:secretsmanager/secret:Secret",
    {
        "kmsKeyId": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1",
        "recoveryWindowInDays": 30,
        "tags": {},
        "arn": "arn:secret",
    },
    "secret",
)
ROTATION = R(
    "aws:secretsmanager/secretRotation:SecretRotation",
    {"secretId": "arn:secret", "rotationRules": {"automaticallyAfterDays": 30}},
    "rotation",
)
SECRET_POLICY = R(
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    {"blockPublicPolicy": True, "policy": trusted({"AWS": f"{ARN}kestra"})},
)
KEY_VAULT = R(
    "azure-native:keyvault/v20230701:Vault",
    {
        "id": "/vaults/it",
        "properties": {
            "enablePurgeProtection": True,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": True,
            "publicNetworkAccess": "Disabled",
            "networkAcls": {"defaultAction": "Deny"},
            "sku": {"name": "premium"},
        },
    },
    "vault",
)
ENDPOINT = R(
    "azure-native:network:PrivateEndpoint",
    {"privateLinkServiceConnections": [{"privateLinkServiceId": "/vaults/it"}]},
    "endpoint",
)
DIAGNOSTICS = R(
    "azure-native:monitor:DiagnosticSetting",
    {"resourceUri": "/vaults/it", "logs": [{"category": "AuditEvent", "enabled": True}]},
    "diagnostics",
)
KEY_VAULT_SECRET = R(
    "azure-native:keyvault:Secret", {"properties": {"attributes": {"expires": 1900000000}}}
)
GCP_KEY_NAME = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
GCP_REPLICA = {"location": "l", "customerManagedEncryption": {"kmsKeyName": GCP_KEY_NAME}}
GCP_SECRET = R(
    "gcp:secretmanager/secret:Secret",
    {
        "replication": {"userManaged": {"replicas": [GCP_REPLICA]}},
        "rotation": {"rotationPeriod": "2592000s"},
        "versionDestroyTtl": "604800s",
    },
)
KV_SECRET = R("vault:kv/secretV2:SecretV2", {"dataJson": secret(json.dumps({"v": TOKEN}))})
MAP = R("kubernetes:core/v1:ConfigMap", {"data": {"a.yaml": "password: ${NAME}"}}, "map")
PARAMETER = R("aws:ssm/parameter:Parameter", {"type": "SecureString", "value": secret(TOKEN)})

SECRET_STORES: dict[str, Case] = {
    "ks-secret-stores-01": case(
        AWS_SECRET,
        {"kmsKeyId": "alias/aws/secretsmanager"},
        "kmsKeyId",
        worse=[[AWS_SECRET.but("kmsKeyId", ABSENT)]],
    ),
    "ks-secret-stores-02": case(AWS_SECRET, {"recoveryWindowInDays": 0}, "recoveryWindowInDays"),
    "ks-secret-stores-03": case(
        AWS_SECRET,
        {},
        "tags",
        around=[ROTATION],
        good=[
            [AWS_SECRET.but("tags", {"rotation": "external"})],
            [R(AWS_SECRET.type, {}, "store-encryption-key")],
            [
                AWS_SECRET,
                R(ROTATION.type, {"secretId": UNKNOWN}, "rotation", uses={"secretId": ["secret"]}),
            ],
        ],
        worse=[[AWS_SECRET], [AWS_SECRET, ROTATION.but("secretId", "arn:other")]],
    ),
    "ks-secret-stores-04": case(
        ROTATION,
        {
            "rotationRules.automaticallyAfterDays": 365,
            "rotationRules": {"scheduleExpression": "rate(100 days)"},
        },
        "rotationRules",
        good=[[ROTATION.but("rotationRules", {"scheduleExpression": "rate(10 days)"})]],
    ),
    "ks-secret-stores-05": case(
        SECRET_POLICY,
        [
            ("blockPublicPolicy", False),
            ("policy", trusted("*")),
            ("policy", trusted({"AWS": ["*"]})),
        ],
        ["policy", "blockPublicPolicy"],
        good=[
            [SECRET_POLICY.but("policy", trusted("*", StringEquals={"aws:PrincipalOrgID": "o-1"}))]
        ],
        worse=[[R("gcp:secretmanager/secretIamMember:SecretIamMember", {"member": "allUsers"})]],
    ),
    "ks-secret-stores-06": case(
        KEY_VAULT,
        {
            "properties.enablePurgeProtection": ABSENT,
            "properties.enableSoftDelete": False,
            "properties.softDeleteRetentionInDays": 7,
        },
        ["properties", "properties.enablePurgeProtection"],
    ),
    "ks-secret-stores-07": case(
        KEY_VAULT,
        {
            "properties.enableRbacAuthorization": False,
            "properties.accessPolicies": [{"objectId": "x"}],
        },
        "properties.enableRbacAuthorization",
    ),
    "ks-secret-stores-08": case(
        KEY_VAULT,
        {"properties.publicNetworkAccess": "Enabled", "properties.networkAcls": ABSENT},
        "properties.publicNetworkAccess",
    ),
    "ks-secret-stores-09": case(
        ENDPOINT,
        {"privateLinkServiceConnections": []},
        "privateLinkServiceConnections",
        around=[KEY_VAULT],
        good=[[KEY_VAULT.but("tags", {"private-endpoint": "none"})]],
        worse=[
            [KEY_VAULT],
            [
                KEY_VAULT.but("tags", {"private-endpoint": "none"}).but(
                    "properties.publicNetworkAccess", "Enabled"
                )
            ],
        ],
    ),
    "ks-secret-stores-10": case(
        KEY_VAULT_SECRET, {"properties.attributes.expires": ABSENT}, "properties.attributes.expires"
    ),
    "ks-secret-stores-11": case(
        DIAGNOSTICS,
        {"logs": [{"category": "AzurePolicyEvaluationDetails"}], "resourceUri": "/vaults/other"},
        ["logs", "resourceUri"],
        around=[KEY_VAULT],
        worse=[[KEY_VAULT]],
    ),
    "ks-secret-stores-12": case(
        GCP_SECRET,
        {"replication": {"auto": {}}, "replication.userManaged.replicas.0": {"location": "l"}},
        "replication",
    ),
    "ks-secret-stores-13": case(
        GCP_SECRET,
        {"rotation": ABSENT, "versionDestroyTtl": ABSENT},
        ["rotation", "versionDestroyTtl"],
        good=[
            [GCP_SECRET.but("rotation", ABSENT).but("ttl", "86400s")],
            [GCP_SECRET.but("rotation", ABSENT).but("labels", {"rotation": "none"})],
            [R(GCP_SECRET.type, {"versionDestroyTtl": "604800s"}, "store-encryption-key")],
        ],
    ),
    "ks-secret-stores-14": case(
        KV_SECRET,
        {"dataJson": json.dumps({"v": TOKEN})},
        "dataJson",
        good=[[PARAMETER], [PARAMETER.but("type", "String").but("value", "plain")]],
        worse=[
            [R("kubernetes:core/v1:Secret", {"stringData": {"a": TOKEN}})],
            [R("gcp:secretmanager/secretVersion:SecretVersion", {"secretData": TOKEN})],
            [R("aws:secretsmanager/secretVersion:SecretVersion", {"secretString": TOKEN})],
            [R("azure-native:keyvault:Secret", {"properties": {"value": TOKEN}})],
            [PARAMETER.but("value", TOKEN)],
        ],
    ),
    "ks-secret-stores-15": case(
        MAP,
        {"data": {"a.yaml": f"password: {TOKEN}"}},
        "data/a.yaml",
        around=[PARAMETER],
        worse=[[R("pulumi:pulumi:Stack", {"password": TOKEN}, "stack"), PARAMETER]],
    ),
    "ks-secret-stores-16": Case(
        [
            [R("vault:index/mount:Mount", {"type": "kv"}, protect=True)],
            [R("random:index/randomPassword:RandomPassword", {}, "database")],
        ],
        [
            [R("vault:index/mount:Mount", {"type": "kv"})],
            [R("random:index/randomPassword:RandomPassword", {}, "kestra-encryption-key")],
            [R("aws:kms/key:Key")],
        ],
        [[R("vault:index/mount:Mount", {"type": UNKNOWN})]],
    ),
}

ROOT_ADMIN = allow("kms:*", Principal={"AWS": f"arn:aws:iam::{ACCOUNT}:root"})
USER = allow(["kms:Decrypt"], Principal={"AWS": f"{ARN}kestra"})
AWS_KEY = R(
    "aws:kms/key:Key",
    {"enableKeyRotation": True, "deletionWindowInDays": 30, "policy": document(ROOT_ADMIN, USER)},
    "key",
)
GCP_KEY = R(
    "gcp:kms/cryptoKey:CryptoKey", {"rotationPeriod": "7776000s", "purpose": "ENCRYPT_DECRYPT"}
)
ROTATES = {"lifetimeActions": [{"action": {"type": "Rotate"}}]}
AZURE_KEY = R("azure-native:keyvault:Key", {"properties": {"rotationPolicy": ROTATES}})


def gcp_grant(role: str, name: str) -> R:
    props = {"cryptoKeyId": "k", "role": role, "member": "user:a@example.com"}
    return R("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", props, name)


KEYS: dict[str, Case] = {
    "ks-keys-01": case(
        AWS_KEY,
        {"enableKeyRotation": False},
        "enableKeyRotation",
        good=[[R("aws:kms/key:Key", {"keyUsage": "SIGN_VERIFY"})]],
        worse=[[R("aws:kms/key:Key")]],
    ),
    "ks-keys-02": case(
        AWS_KEY,
        {"deletionWindowInDays": 7, "bypassPolicyLockoutSafetyCheck": True},
        "deletionWindowInDays",
    ),
    "ks-keys-03": case(
        AWS_KEY,
        [
            ("policy", document(allow("kms:Decrypt", Principal="*"))),
            ("policy", document(allow("kms:*", Principal={"AWS": f"{ARN}kestra"}))),
        ],
        "policy",
        good=[[AWS_KEY.but("policy", document(allow("kms:*", Principal={"AWS": f"{ARN}admin"})))]],
        options={"keyAdministrators": [f"{ARN}admin"]},
    ),
    "ks-keys-04": case(
        GCP_KEY,
        {
            "rotationPeriod": "31536000s",
            "purpose": "ASYMMETRIC_SIGN",
            "versionTemplate": {"algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION"},
        },
        ["rotationPeriod", "purpose"],
        worse=[
            [GCP_KEY.but("rotationPeriod", ABSENT)],
            [R("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember", {"member": "allUsers"})],
            [R("gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding", {"members": ["allUsers"]})],
        ],
    ),
    "ks-keys-05": case(
        AZURE_KEY,
        {"properties.rotationPolicy": ABSENT},
        "properties.rotationPolicy",
        good=[[KEY_VAULT]],
        worse=[[KEY_VAULT.but("properties.sku.name", "standard")]],
        options={"requireHsm": True},
    ),
    "ks-keys-06": case(
        AWS_KEY,
        {
            "policy": document(
                allow(["kms:Decrypt", "kms:ScheduleKeyDeletion"], Principal={"AWS": f"{ARN}kestra"})
            )
        },
        "policy",
        good=[[gcp_grant("roles/cloudkms.admin", "one")]],
        worse=[
            [
                gcp_grant("roles/cloudkms.admin", "one"),
                gcp_grant("roles/cloudkms.cryptoKeyEncrypterDecrypter", "two"),
            ]
        ],
    ),
}

GET = allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-west-1:1:secret:kestra/*")
POLICY = R("aws:iam/policy:Policy", {"policy": document(GET, allow("secretsmanager:ListSecrets"))})


def web_identity(**conditions: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"},
        "Condition": conditions,
    }


EXACT = {
    f"{ISSUER}:sub": "system:serviceaccount:kestra:kestra",
    f"{ISSUER}:aud": "sts.amazonaws.com",
}
ROLE = R(
    "aws:iam/role:Role",
    {"name": "kestra", "assumeRolePolicy": document(web_identity(StringEquals=EXACT))},
    "role",
)
LAMBDA = {
    "Effect": "Allow",
    "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"},
}
GRANT = R(
    "gcp:projects/iAMMember:IAMMember",
    {"role": "roles/logging.logWriter", "member": "serviceAccount:a"},
)
FEDERATED = R(
    "azure-native:managedidentity:FederatedIdentityCredential",
    {"subject": "system:serviceaccount:kestra:kestra", "issuer": "https://oidc.example.com/"},
)
SECRETS_USER = (
    "/providers/Microsoft.Authorization/roleDefinitions/4633458b-17de-408a-b874-0445c86b69e6"
)
OWNER = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ASSIGNMENT = R(
    "azure-native:authorization:RoleAssignment",
    {
        "roleDefinitionId": SECRETS_USER,
        "scope": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
    },
)
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

IDENTITY: dict[str, Case] = {
    "ks-identity-01": case(
        POLICY,
        {"policy": document(allow("*"))},
        "policy",
        worse=[
            [R("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {"policyArn": ADMINISTRATOR})],
            [ROLE.but("inlinePolicies", [{"policy": document(allow(["*"], ["*"]))}])],
        ],
    ),
    "ks-identity-02": case(
        POLICY,
        [
            ("policy", document(allow("secretsmanager:*", "arn:one"))),
            ("policy", document(allow("secretsmanager:GetSecretValue"))),
            ("policy", document(allow("kms:Decrypt"))),
        ],
        "policy",
        worse=[
            [ASSIGNMENT.but("roleDefinitionId", OWNER)],
            [GRANT.but("role", "roles/secretmanager.admin")],
        ],
    ),
    "ks-identity-03": case(
        ROLE,
        [
            ("assumeRolePolicy", document(web_identity())),
            ("assumeRolePolicy", document(web_identity(StringEquals={f"{ISSUER}:aud": "sts"}))),
            (
                "assumeRolePolicy",
                document(
                    web_identity(StringEquals=EXACT, StringLike={f"{ISSUER}:sub": "system:*"})
                ),
            ),
            ("assumeRolePolicy", trusted("*")),
        ],
        "assumeRolePolicy",
    ),
    "ks-identity-04": case(GRANT, {"role": "roles/editor"}, "role"),
    "ks-identity-05": case(GRANT, {"role": "roles/iam.serviceAccountTokenCreator"}, "role"),
    "ks-identity-06": case(
        FEDERATED,
        {"subject": "system:serviceaccount:kestra:*", "issuer": "http://oidc.example.com/"},
        ["subject", "issuer"],
    ),
    "ks-identity-07": case(
        ASSIGNMENT,
        [("scope", "/subscriptions/s"), ("scope", "/subscriptions/s/resourceGroups/g")],
        "scope",
        worse=[[GRANT.but("role", "roles/secretmanager.secretAccessor")]],
    ),
    "ks-identity-08": case(
        ROLE,
        [
            ("assumeRolePolicy", document(web_identity(StringEquals=EXACT), LAMBDA)),
            ("name", "deployer"),
        ],
        "assumeRolePolicy",
        worse=[[ROLE, R("aws:lambda/function:Function", {}, "rotator", uses={"role": ["role"]})]],
        options={"deployers": ["deployer"]},
    ),
    "ks-identity-09": case(
        R("aws:iam/accessKey:AccessKey", {"status": "Inactive"}),
        {"status": "Active"},
        "status",
        worse=[[R("gcp:serviceaccount/key:Key")]],
    ),
}

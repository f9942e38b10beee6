"""What whoever runs `pulumi up` must be allowed, by resource type: to make, read, change and delete what a stack has.

Plain data, from which `python -m sandbox doctor` asks and docs/deployer-permissions.md is written. It holds no
permission of Kestra itself: those are in the rooms beside this one, and are fewer.

Sources: the API calls of the providers' create, read, update and delete steps (terraform-provider-aws,
terraform-provider-google, terraform-provider-vault, pulumi-azure-native's operations), and the service
authorization references of AWS, Azure, Google Cloud, Vault and Kubernetes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_SECRETS = "secretsmanager:"

AWS: Mapping[str, tuple[str, ...]] = {
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

_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"
_ENDPOINTS = "Microsoft.Network/privateEndpoints"


def _azure(resource: str, *more: str, delete: bool = True) -> tuple[str, ...]:
    verbs = ("read", "write", *(("delete",) if delete else ()))
    return (*(f"{resource}/{verb}" for verb in verbs), *more)


AZURE: Mapping[str, tuple[str, ...]] = {
    "azure-native:authorization:RoleAssignment": _azure("Microsoft.Authorization/roleAssignments"),
    # The control plane of Key Vault has no deletion of a secret.
    "azure-native:keyvault:Secret": _azure("Microsoft.KeyVault/vaults/secrets", delete=False),
    "azure-native:keyvault:Vault": _azure("Microsoft.KeyVault/vaults"),
    "azure-native:managedidentity:FederatedIdentityCredential": _azure(
        f"{_IDENTITIES}/federatedIdentityCredentials"
    ),
    "azure-native:managedidentity:UserAssignedIdentity": _azure(_IDENTITIES),
    "azure-native:monitor:DiagnosticSetting": _azure(
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    ),
    "azure-native:network:PrivateDnsZoneGroup": _azure(
        f"{_ENDPOINTS}/privateDnsZoneGroups", "Microsoft.Network/privateDnsZones/join/action"
    ),
    "azure-native:network:PrivateEndpoint": _azure(
        _ENDPOINTS,
        "Microsoft.KeyVault/vaults/privateEndpointConnectionsApproval/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
    ),
}


def _policy(resource: str) -> tuple[str, ...]:
    return (f"{resource}.getIamPolicy", f"{resource}.setIamPolicy")


GCP: Mapping[str, tuple[str, ...]] = {
    "gcp:kms/cryptoKey:CryptoKey": (
        "cloudkms.cryptoKeyVersions.destroy",
        "cloudkms.cryptoKeyVersions.list",
        "cloudkms.cryptoKeys.create",
        "cloudkms.cryptoKeys.get",
        "cloudkms.cryptoKeys.update",
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": _policy("cloudkms.cryptoKeys"),
    "gcp:kms/keyRing:KeyRing": ("cloudkms.keyRings.create", "cloudkms.keyRings.get"),
    "gcp:projects/iAMCustomRole:IAMCustomRole": (
        "iam.roles.create",
        "iam.roles.delete",
        "iam.roles.get",
        "iam.roles.undelete",
        "iam.roles.update",
    ),
    "gcp:projects/iAMMember:IAMMember": _policy("resourcemanager.projects"),
    "gcp:projects/service:Service": (
        "serviceusage.services.enable",
        "serviceusage.services.get",
        "serviceusage.services.list",
    ),
    "gcp:projects/serviceIdentity:ServiceIdentity": ("serviceusage.services.enable",),
    "gcp:secretmanager/secret:Secret": (
        "secretmanager.secrets.create",
        "secretmanager.secrets.delete",
        "secretmanager.secrets.get",
        "secretmanager.secrets.update",
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": _policy("secretmanager.secrets"),
    "gcp:secretmanager/secretVersion:SecretVersion": (
        "secretmanager.versions.access",
        "secretmanager.versions.add",
        "secretmanager.versions.destroy",
        "secretmanager.versions.enable",
        "secretmanager.versions.get",
    ),
    "gcp:serviceaccount/account:Account": (
        "iam.serviceAccounts.create",
        "iam.serviceAccounts.delete",
        "iam.serviceAccounts.get",
        "iam.serviceAccounts.update",
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": _policy("iam.serviceAccounts"),
}

_ALL = ("create", "delete", "read", "update")
_MOUNT = ("create", "delete", "read", "sudo", "update")

#: Paths in Vault with their capabilities; a word in braces is an input of the resource.
VAULT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "vault:appRole/authBackendRole:AuthBackendRole": {
        "auth/{backend}/role/{roleName}": _ALL,
        "auth/{backend}/role/{roleName}/role-id": ("read",),
    },
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": {
        "auth/{backend}/role/{roleName}/secret-id": ("create", "update"),
        "auth/{backend}/role/{roleName}/secret-id-accessor/destroy": ("create", "update"),
        "auth/{backend}/role/{roleName}/secret-id-accessor/lookup": ("create", "update"),
    },
    "vault:generic/endpoint:Endpoint": {"{path}": _ALL},
    "vault:index/audit:Audit": {
        "sys/audit": ("read", "sudo"),
        "sys/audit/{path}": _MOUNT,
    },
    "vault:index/authBackend:AuthBackend": {
        "sys/auth": ("read",),
        "sys/auth/{path}": _MOUNT,
        "sys/mounts/auth/{path}": ("read",),
        "sys/mounts/auth/{path}/tune": ("read", "update"),
    },
    "vault:index/mount:Mount": {
        "sys/mounts": ("read",),
        "sys/mounts/{path}": _ALL,
        "sys/mounts/{path}/tune": ("read", "update"),
    },
    "vault:index/policy:Policy": {"sys/policies/acl/{name}": _ALL},
    "vault:index/token:Token": {
        "auth/token/create-orphan": ("create", "sudo", "update"),
        "auth/token/lookup-accessor": ("create", "update"),
        "auth/token/renew-accessor": ("create", "update"),
        "auth/token/revoke-accessor": ("create", "update"),
    },
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": {"auth/{backend}/config": _ALL},
    "vault:kubernetes/authBackendRole:AuthBackendRole": {"auth/{backend}/role/{roleName}": _ALL},
    "vault:kv/secretV2:SecretV2": {
        "{mount}/data/{name}": _ALL,
        "{mount}/metadata/{name}": _ALL,
    },
}
#: What the provider itself asks for once it has a Vault resource: a token of its own for each run.
VAULT_PROVIDER: Mapping[str, tuple[str, ...]] = {
    "auth/token/create": ("create", "update"),
    "auth/token/lookup-self": ("read",),
}

VERBS = ("create", "delete", "get", "list", "patch", "watch")


@dataclass(frozen=True)
class Kind:
    """A kind of Kubernetes as RBAC names it."""

    group: str
    plural: str
    namespaced: bool = True


KUBERNETES: Mapping[str, Kind] = {
    "kubernetes:apps/v1:Deployment": Kind("apps", "deployments"),
    "kubernetes:autoscaling/v2:HorizontalPodAutoscaler": Kind(
        "autoscaling", "horizontalpodautoscalers"
    ),
    "kubernetes:core/v1:ConfigMap": Kind("", "configmaps"),
    "kubernetes:core/v1:Namespace": Kind("", "namespaces", namespaced=False),
    "kubernetes:core/v1:Secret": Kind("", "secrets"),
    "kubernetes:core/v1:Service": Kind("", "services"),
    "kubernetes:core/v1:ServiceAccount": Kind("", "serviceaccounts"),
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute": Kind(
        "gateway.networking.k8s.io", "httproutes"
    ),
    "kubernetes:monitoring.coreos.com/v1:PodMonitor": Kind("monitoring.coreos.com", "podmonitors"),
    "kubernetes:monitoring.coreos.com/v1:ServiceMonitor": Kind(
        "monitoring.coreos.com", "servicemonitors"
    ),
    "kubernetes:networking.k8s.io/v1:Ingress": Kind("networking.k8s.io", "ingresses"),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": Kind("networking.k8s.io", "networkpolicies"),
    "kubernetes:policy/v1:PodDisruptionBudget": Kind("policy", "poddisruptionbudgets"),
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": Kind(
        "rbac.authorization.k8s.io", "clusterrolebindings", namespaced=False
    ),
}
#: What the provider reads while it waits for a Deployment and for a Service.
AWAITED: Mapping[str, tuple[Kind, ...]] = {
    "kubernetes:apps/v1:Deployment": (
        Kind("apps", "replicasets"),
        Kind("", "pods"),
        Kind("", "persistentvolumeclaims"),
        Kind("", "events"),
    ),
}
READS = ("get", "list", "watch")
#: Kubernetes lets nobody hand out a role without this verb on it, or without all that it allows.
BINDS: Mapping[str, Kind] = {
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding": Kind(
        "rbac.authorization.k8s.io", "clusterroles", namespaced=False
    )
}

#: Types that need nobody's permission: they exist in the state only.
FREE = ("kestra:", "pulumi:", "random:")


@dataclass(frozen=True, order=True)
class Need:
    """One permission, and the resource type that needs it."""

    cloud: str
    """aws, azure, gcp, kubernetes or vault."""
    what: str
    """An action; of Vault a capability; of Kubernetes a verb."""
    where: str = ""
    """Of Vault a path; of Kubernetes `<plural>.<group>`, with `/<namespace>`."""


class NoRow(LookupError):
    """A resource type of which this table says nothing."""


def needed(resources: Iterable[tuple[str, Mapping[str, Any]]], namespace: str) -> list[Need]:
    """What a stack's resources need, each permission once, sorted.

    Args:
        resources: type and inputs of each; of an input that is not known yet, the path has a `+` (Vault's
            wildcard for one segment).
        namespace: the stack's Kubernetes namespace.

    Raises:
        NoRow: for a type that the table does not know.
    """
    return sorted({need for type_, props in resources for need in _of(type_, props, namespace)})


def _of(type_: str, props: Mapping[str, Any], namespace: str) -> Iterator[Need]:
    if type_.startswith(FREE):
        return
    for cloud, table in (("aws", AWS), ("azure", AZURE), ("gcp", GCP)):
        for action in table.get(type_, ()):
            yield Need(cloud, action)
    if type_ in VAULT:
        for path, capabilities in (*VAULT[type_].items(), *VAULT_PROVIDER.items()):
            for capability in capabilities:
                yield Need("vault", capability, _path(path, props))
    if type_ in KUBERNETES:
        for verb in VERBS:
            yield Need("kubernetes", verb, _place(KUBERNETES[type_], namespace))
        for kind in AWAITED.get(type_, ()):
            for verb in READS:
                yield Need("kubernetes", verb, _place(kind, namespace))
        if type_ in BINDS:
            yield Need("kubernetes", "bind", _place(BINDS[type_], namespace))
    if not any(type_ in table for table in (AWS, AZURE, GCP, VAULT, KUBERNETES)):
        raise NoRow(type_)


def _path(template: str, props: Mapping[str, Any]) -> str:
    known = {key: value.strip("/") for key, value in props.items() if isinstance(value, str)}
    return template.format_map(_OrAny(known))


class _OrAny(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "+"


def _place(kind: Kind, namespace: str) -> str:
    name = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    return f"{name}/{namespace}" if kind.namespaced else name


def rows(cloud: str) -> Iterator[tuple[str, str]]:
    """Resource type and what it needs, for the documentation.

    Raises:
        KeyError: for a cloud that has no table.
    """
    if cloud == "vault":
        for type_, paths in VAULT.items():
            rights = "; ".join(
                f"`{path}`: {', '.join(capabilities)}" for path, capabilities in paths.items()
            )
            yield type_, rights
        provider = "; ".join(
            f"`{p}`: {', '.join(capabilities)}" for p, capabilities in VAULT_PROVIDER.items()
        )
        yield "the provider itself", provider
    elif cloud == "kubernetes":
        for type_, kind in KUBERNETES.items():
            reads = "".join(f"; `{k.plural}`: {', '.join(READS)}" for k in AWAITED.get(type_, ()))
            if type_ in BINDS:
                reads += f"; `{_place(BINDS[type_], '')}`: bind"
            yield type_, f"`{_place(kind, '').rstrip('/')}`: {', '.join(VERBS)}{reads}"
    else:
        for type_, actions in {"aws": AWS, "azure": AZURE, "gcp": GCP}[cloud].items():
            yield type_, ", ".join(f"`{action}`" for action in actions)

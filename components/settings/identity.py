"""`identity`: who Kestra is to its secret store, and for how long."""

from __future__ import annotations

from .base import (
    SOURCE_PROJECT,
    Model,
    Name,
    ProjectBool,
    ProjectDuration,
    StrictInt,
    key,
)
from .deployment import NAME
from .store import GCP_PROJECT, RESOURCE_GROUP

EKS = "AWS documentation, Amazon EKS user guide and IAM API reference"
AKS = "Azure documentation, AKS workload identity"
GKE = "Google Cloud documentation, Workload Identity Federation for GKE"


class ServiceAccount(Model):
    """The Kubernetes service account of Kestra's pods."""

    name: str = key("kestra", "Name.", pattern=NAME, source=SOURCE_PROJECT)
    annotations: dict[str, str] = key({}, "Annotations.", source=SOURCE_PROJECT)


class VaultIdentity(Model):
    """What the stack provisions in Vault for Kestra to log in with."""

    reach_cluster: ProjectBool = key(
        True,
        "Whether Vault reaches the cluster's API server. Decides how Kestra logs in where kestra:secret.vault "
        "names no auth method: with its service account, or with an AppRole.",
        source=SOURCE_PROJECT,
    )
    kubernetes_host: str = key(
        "https://kubernetes.default.svc",
        "Address at which Vault reaches the API server.",
        pattern=r"^https://[^\s/]+",
        source=SOURCE_PROJECT,
    )
    kubernetes_ca_certificate: str | None = key(
        None,
        "PEM of the API server's authority (absent: Vault's own pod's).",
        source=SOURCE_PROJECT,
    )
    audience: Name | None = key(
        None,
        "Audience that the service account's token must have: one of the API server's own "
        "(--api-audiences), which Kestra's pods get.",
        source=SOURCE_PROJECT,
    )
    audit_file: str | None = key(
        None,
        "File of an audit device on Vault's own machine, or stdout; absent: none is made.",
        pattern=r"^(/[^\s]*[^/\s]|stdout)$",
        source="Vault documentation, audit devices",
    )
    mount_auth: ProjectBool = key(
        True,
        "Whether the auth method is mounted; false where the path is mounted already.",
        source=SOURCE_PROJECT,
    )
    mount_engine: ProjectBool = key(
        True,
        "Whether the KV engine is mounted; false where root-engine exists already, and by default in a stack of "
        "secrets alone. Kestra's role then reaches only what is Kestra's in it (docs/backends/vault.md).",
        source=SOURCE_PROJECT,
    )
    paths: tuple[str, ...] = key(
        (),
        "Folders below root-engine that Kestra's role may use with everything in them, in place of those that "
        "follow from the settings (absent: docs/backends/vault.md).",
        source=SOURCE_PROJECT,
    )
    token_ttl: ProjectDuration = key(
        "1h", "Life of a token.", unit="duration", source=SOURCE_PROJECT
    )
    token_max_ttl: ProjectDuration = key(
        "24h", "Life of a renewed token at most.", unit="duration", source=SOURCE_PROJECT
    )
    secret_id_ttl: ProjectDuration = key(
        "720h", "Life of an AppRole secret id.", unit="duration", source=SOURCE_PROJECT
    )
    secret_id_num_uses: StrictInt = key(
        1000,
        "Log-ins with one AppRole secret id.",
        unit="log-ins",
        ge=1,
        le=1_000_000,
        source=SOURCE_PROJECT,
    )


class AwsIrsa(Model):
    """IAM Roles for Service Accounts."""

    oidc_provider_arn: str = key(
        text="ARN of the cluster's OIDC provider in IAM.",
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:oidc-provider/.+$",
        source=EKS,
    )


class AwsPodIdentity(Model):
    """EKS Pod Identity."""

    cluster_name: str = key(
        text="Name of the EKS cluster, which runs the Pod Identity agent.",
        pattern=r"^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$",
        source=EKS,
    )


class AwsIdentity(Model):
    """The IAM role of Kestra's pods; at most one of irsa, pod-identity and role-arn."""

    irsa: AwsIrsa | None = key(None, "The role is taken by OIDC token.", source=SOURCE_PROJECT)
    pod_identity: AwsPodIdentity | None = key(
        None, "The role is given by the cluster's Pod Identity agent.", source=SOURCE_PROJECT
    )
    role_arn: str | None = key(
        None,
        "A role that exists already, taken by OIDC token; its policy is yours.",
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$",
        source=SOURCE_PROJECT,
    )
    role_name: str | None = key(
        None,
        "Name of the role that is made (absent: `<namespace>-<service account>`).",
        pattern=r"^[A-Za-z0-9+=,.@_-]{1,64}$",
        source=EKS,
    )
    permissions_boundary: str | None = key(
        None,
        "ARN of the policy that bounds the role.",
        pattern=r"^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/.+$",
        source=EKS,
    )


class AzureIdentity(Model):
    """The user-assigned managed identity of Kestra's pods."""

    oidc_issuer_url: str | None = key(
        None,
        "Issuer of the AKS cluster; with it the identity and its federated credential are made.",
        pattern=r"^https://[^\s]+$",
        source=AKS,
    )
    resource_group: str | None = key(
        None,
        "Resource group of the identity (absent: the store's).",
        pattern=RESOURCE_GROUP,
        source=SOURCE_PROJECT,
    )
    name: str | None = key(
        None,
        "Name of the identity (absent: `<namespace>-<service account>`).",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{2,127}$",
        source=AKS,
    )


GCP_ACCOUNT_ID = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"


class GkeCluster(Model):
    """The GKE cluster that External Secrets runs in."""

    name: str = key(text="Name.", pattern=r"^[a-z]([a-z0-9-]*[a-z0-9])?$", source=GKE)
    location: str = key(
        text="Region or zone, for example europe-west3.",
        pattern=r"^[a-z]+-[a-z]+\d+(-[a-z])?$",
        source=GKE,
    )
    project: str | None = key(
        None,
        "Project of the cluster (absent: that of the secrets).",
        pattern=GCP_PROJECT,
        source=GKE,
    )


class GcpIdentity(Model):
    """The Google service account of Kestra's pods."""

    workload_pool: str | None = key(
        None,
        "Workload identity pool of the GKE cluster, `<project>.svc.id.goog`; with it the service account and "
        "its binding are made.",
        pattern=r"^[a-z][a-z0-9-]{4,28}[a-z0-9]\.svc\.id\.goog$",
        source=GKE,
    )
    account_id: str | None = key(
        None,
        "Id of the service account (absent: `<namespace>-<service account>`).",
        pattern=GCP_ACCOUNT_ID,
        source=GKE,
    )
    cluster: GkeCluster | None = key(
        None,
        "Open source, with kestra:store.type: the cluster (absent: External Secrets asks GKE's metadata server).",
        source=SOURCE_PROJECT,
    )


class Identity(Model):
    """Who Kestra is."""

    service_account: ServiceAccount = key(ServiceAccount, "Service account.", source=SOURCE_PROJECT)
    vault: VaultIdentity = key(VaultIdentity, "Log-in to Vault.", source=SOURCE_PROJECT)
    aws: AwsIdentity = key(AwsIdentity, "Role in AWS.", source=SOURCE_PROJECT)
    azure: AzureIdentity = key(AzureIdentity, "Managed identity in Azure.", source=SOURCE_PROJECT)
    gcp: GcpIdentity = key(GcpIdentity, "Service account in Google Cloud.", source=SOURCE_PROJECT)

"""`identity`: who Kestra is to its secret store, and for how long."""

from __future__ import annotations

from components.settings.base import OURS, Duration, Flag, Model, Whole, key
from components.settings.deployment import NAME


class ServiceAccount(Model):
    """The Kubernetes service account of Kestra's pods."""

    name: str = key("kestra", "Name.", pattern=NAME, source=OURS)
    annotations: dict[str, str] = key({}, "Annotations.", source=OURS)


class VaultIdentity(Model):
    """What the stack provisions in Vault for Kestra to log in with."""

    kubernetes_host: str = key(
        "https://kubernetes.default.svc",
        "Address at which Vault reaches the API server.",
        pattern=r"^https://[^\s/]+",
        source=OURS,
    )
    kubernetes_ca_certificate: str | None = key(
        None, "PEM of the API server's authority (absent: Vault's own pod's).", source=OURS
    )
    audience: str | None = key(
        None, "Audience that the service account's token must have.", min_length=1, source=OURS
    )
    mount_auth: Flag = key(
        True,
        "Whether the auth method is mounted; false where the path is mounted already.",
        source=OURS,
    )
    mount_engine: Flag = key(
        True,
        "Whether the KV engine is mounted; false where root-engine exists already.",
        source=OURS,
    )
    token_ttl: Duration = key("1h", "Life of a token.", unit="duration", source=OURS)
    token_max_ttl: Duration = key(
        "24h", "Life of a renewed token at most.", unit="duration", source=OURS
    )
    secret_id_ttl: Duration = key(
        "720h", "Life of an AppRole secret id.", unit="duration", source=OURS
    )
    secret_id_num_uses: Whole = key(
        1000, "Log-ins with one AppRole secret id.", unit="log-ins", ge=1, le=1_000_000, source=OURS
    )


class Identity(Model):
    """Who Kestra is."""

    service_account: ServiceAccount = key(ServiceAccount(), "Service account.", source=OURS)
    vault: VaultIdentity = key(VaultIdentity(), "Log-in to Vault.", source=OURS)

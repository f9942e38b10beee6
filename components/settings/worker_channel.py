"""How workers and controllers of Kestra 2.0 talk: certificates of the gRPC channel, and tokens of the workers."""

from __future__ import annotations

from .base import Model, ProjectBool, ProjectDuration, key
from .durations import seconds
from .pods import SUBDOMAIN

DOCUMENTED = "Kestra documentation, enterprise-and-advanced, gRPC TLS/mTLS"
CERT_MANAGER = "cert-manager documentation, Certificate resource"


class GrpcTls(Model):
    """Mutual TLS between workers and controllers, with certificates of cert-manager. Enterprise, mode distributed."""

    enabled: ProjectBool = key(
        True, "Whether a worker needs a certificate (kestra.grpc.tls).", source=DOCUMENTED
    )
    issuer: str | None = key(
        None,
        "Issuer of cert-manager, in Kestra's namespace, that signs the certificates; Vault's PKI through one of type "
        "vault. It has to give its CA along. Absent with cluster-issuer: an authority that the stack makes.",
        pattern=SUBDOMAIN,
        source=CERT_MANAGER,
    )
    cluster_issuer: str | None = key(
        None,
        "ClusterIssuer of cert-manager that signs them.",
        pattern=SUBDOMAIN,
        source=CERT_MANAGER,
    )
    duration: ProjectDuration = key(
        "90d", "How long a certificate is valid.", unit="duration", source=CERT_MANAGER
    )
    renew_before: ProjectDuration = key(
        "30d",
        "How long before its end it is renewed. The pods have to be rolled within this time; Reloader does it at "
        "once, where it is installed (docs/worker-channel.md).",
        unit="duration",
        source=CERT_MANAGER,
    )

    @property
    def has_own_authority(self) -> bool:
        """Whether the stack makes the authority that signs the certificates."""
        return self.issuer is None and self.cluster_issuer is None

    @property
    def lifetime(self) -> tuple[str, str]:
        """`duration` and `renew-before`, as Go reads them."""
        return f"{seconds(self.duration)}s", f"{seconds(self.renew_before)}s"


class WorkerAuthentication(Model):
    """Registration tokens of workers, which the stack makes and tells Kestra. Enterprise, mode distributed."""

    enabled: ProjectBool = key(
        True,
        "Whether controllers refuse workers without a token (kestra.ee.worker.auth), and each worker group and the "
        "default one get a token.",
        source="Kestra documentation, worker groups",
    )


#: Values that the stack makes for the channel, as its output `generated` names them.
STORE_PASSWORD = "grpc.tls.key-store.password"  # noqa: S105 - a key, not a value
SIGNING_KEY = "ee.worker.auth.jwt-signing-key"
DEFAULT_GROUP = "default"
_TOKEN = "worker-groups.{}.registration-token"  # noqa: S105 - a key, not a value


def token_key(group: str) -> str:
    """Under what name the stack keeps the token of a worker group."""
    return _TOKEN.format(group)


def is_token_key(key_name: str) -> bool:
    """Whether a value that the stack makes is the token of a worker group."""
    before, after = _TOKEN.split("{}")
    return key_name.startswith(before) and key_name.endswith(after)

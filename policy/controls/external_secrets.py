"""External Secrets: as whom it reads, for whom, and what becomes of the Secrets that it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..core.model import Context, Finding, Problem, Resource, control
from ..core.values import UNKNOWN, Undecided, as_list, get_path, leaves, raw

_GROUP = "kubernetes:external-secrets.io"
_VERSIONS = ("v1", "v1beta1")
_STORE = tuple(f"{_GROUP}/{version}:SecretStore" for version in _VERSIONS)
_CLUSTER_STORE = tuple(f"{_GROUP}/{version}:ClusterSecretStore" for version in _VERSIONS)
_SECRET = tuple(f"{_GROUP}/{version}:ExternalSecret" for version in _VERSIONS)
_CLUSTER_SECRET = tuple(f"{_GROUP}/{version}:ClusterExternalSecret" for version in _VERSIONS)
#: Provider to what logs in by the token of a service account.
_LOG_INS = {
    "aws": "auth.jwt.serviceAccountRef",
    "azurekv": "serviceAccountRef",
    "gcpsm": "auth.workloadIdentity.serviceAccountRef",
    "vault": "auth.kubernetes.serviceAccountRef",
}
#: Another log-in of Vault by the token of a service account.
_VAULT_JWT = "auth.jwt.kubernetesServiceAccountToken.serviceAccountRef"
#: `secretRef`, `tokenSecretRef`, `accessKeyIDSecretRef`, `authSecretRef`, whose credential is in a Secret.
_CREDENTIAL = re.compile(r"secretref(\.|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")


@control(
    "ks-external-secrets-01",
    "External Secrets logs in by workload identity",
    "critical",
    risk="A credential in a Secret opens the store for whoever reads that Secret, and nobody rotates it.",
    steps=(
        "Name a service account in the provider's serviceAccountRef, with an identity of its own in the store.",
        "Remove the Secret with the credential, and revoke the credential.",
    ),
    setting="kestra:store.type and kestra:identity",
    types=(*_STORE, *_CLUSTER_STORE),
)
def workload_identity(store: Resource, _: Context) -> Iterator[Finding]:
    provider = store.get_path("spec.provider")
    for path, value in leaves(provider, "spec.provider"):
        if _CREDENTIAL.search(path):
            yield Problem("logs in with a credential of a Secret", "serviceAccountRef", path)
            return
        if value is UNKNOWN and path.count(".") < 3:
            yield Undecided(path)
            return
    for name, log_in in _LOG_INS.items():
        block = raw(provider, name)
        if block is None:
            continue
        at = f"spec.provider.{name}"
        if name == "azurekv" and get_path(block, "authType") != "WorkloadIdentity":
            yield Problem(
                "logs in as the operator or a principal", "WorkloadIdentity", f"{at}.authType"
            )
        others = (_VAULT_JWT,) if name == "vault" else ()
        if all(get_path(block, path) is None for path in (log_in, *others)):
            yield Problem("names no service account of its own", log_in, f"{at}.{log_in}")


@control(
    "ks-external-secrets-02",
    "A secret store is for one namespace",
    "high",
    risk="A store of the whole cluster lets whoever makes an ExternalSecret anywhere read Kestra's secrets.",
    steps=(
        "Use a SecretStore in Kestra's namespace.",
        "Where several namespaces share one, name them in conditions.",
    ),
    setting="kestra:store.type, which makes a SecretStore",
    types=(*_CLUSTER_STORE, *_CLUSTER_SECRET),
)
def one_namespace(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type in _CLUSTER_SECRET:
        chosen = ("namespaces", "namespaceSelectors", "namespaceSelector")
        if not any(resource.get_path(f"spec.{key}") for key in chosen):
            at = "spec.namespaces"
            yield Problem("writes into every namespace", "the names of namespaces", at)
        return
    conditions = as_list(resource.get_path("spec.conditions"))
    if not conditions:
        yield Problem("is for every namespace", "spec.conditions", "spec.conditions")
    for position, condition in enumerate(conditions):
        at = f"spec.conditions.{position}"
        chosen = [get_path(condition, key) for key in ("namespaces", "namespaceSelector")]
        patterns = as_list(get_path(condition, "namespaceRegexes"))
        if not any(chosen) and not patterns:
            yield Problem("is for every namespace", "namespaces", at)
        if any(str(pattern) in (".*", "^.*$", ".+") for pattern in patterns):
            yield Problem("is for every namespace", "namespaces", f"{at}.namespaceRegexes")


@control(
    "ks-external-secrets-03",
    "A Secret stays whatever happens in the store",
    "high",
    risk="With Delete a secret that is gone from the store for a moment takes Kestra's variables along, and the "
    "operator even calls that Ready.",
    steps=("Set target.deletionPolicy to Retain.", "Set target.creationPolicy to Owner."),
    setting="kestra:declared-secrets",
    types=_SECRET,
)
def secret_stays(secret: Resource, _: Context) -> Iterator[Finding]:
    deletion = secret.get_path("spec.target.deletionPolicy")
    if deletion not in (None, "Retain"):
        at = "spec.target.deletionPolicy"
        yield Problem(f"has deletionPolicy {deletion}", "Retain", at)
    creation = secret.get_path("spec.target.creationPolicy")
    if creation not in (None, "Owner"):
        at = "spec.target.creationPolicy"
        yield Problem(
            f"has creationPolicy {creation}", "Owner, so that it goes with this object", at
        )


@control(
    "ks-external-secrets-04",
    "A rotated value arrives",
    "medium",
    risk="A Secret that is never read anew keeps a value that was rotated because it leaked.",
    steps=(
        "Leave refreshPolicy out and set refreshInterval to 24h or less.",
        "Or name the version of every secret, and make another object for another version.",
    ),
    setting="kestra:store.refresh-interval",
    types=_SECRET,
)
def rotation_arrives(secret: Resource, _: Context) -> Iterator[Finding]:
    policy = secret.get_path("spec.refreshPolicy")
    if policy in ("CreatedOnce", "OnChange"):
        for position, entry in enumerate(as_list(secret.get_path("spec.data"))):
            if raw(entry, "remoteRef", "version") is None:
                at = f"spec.data.{position}.remoteRef.version"
                yield Problem(f"is never read anew ({policy})", "a version, or Periodic", at)
        if as_list(secret.get_path("spec.dataFrom")):
            yield Problem(f"is never read anew ({policy})", "Periodic", "spec.refreshPolicy")
        return
    interval = secret.get_path("spec.refreshInterval")
    length = _seconds(interval)
    if length is not None and not 0 < length <= 86_400:
        actual = "is never read anew" if length == 0 else f"is read anew only every {interval}"
        yield Problem(actual, "24h or less", "spec.refreshInterval")


def _seconds(text: Any) -> float | None:
    """Seconds of a duration as Go writes it; None where there is none, which the operator reads as an hour."""
    if text is None:
        return None
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
    parts = re.findall(r"([0-9.]+)(ms|us|µs|ns|h|m|s)", str(text))
    return sum(float(number) * units[unit] for number, unit in parts)


@control(
    "ks-external-secrets-05",
    "External Secrets speaks to Vault over TLS",
    "high",
    risk="Without TLS every secret crosses the network in clear.",
    steps=("Use an address with https.", "Give a certificate of your own authority as caBundle."),
    setting="kestra:store.vault.address",
    types=(*_STORE, *_CLUSTER_STORE),
)
def store_over_tls(store: Resource, _: Context) -> Iterator[Finding]:
    address = str(store.get_path("spec.provider.vault.server") or "")
    if address.startswith("http://") and not _LOOPBACK.match(address):
        yield Problem("speaks to Vault without TLS", "https://…", "spec.provider.vault.server")


@control(
    "ks-external-secrets-06",
    "An ExternalSecret names its secrets",
    "medium",
    risk="Whatever is put below a path reaches every flow, and the identity must be allowed to read and list all of it.",
    steps=("Name each secret under data.", "Take dataFrom.find away."),
    setting="kestra:declared-secrets",
    types=_SECRET,
)
def named_secrets(secret: Resource, _: Context) -> Iterator[Finding]:
    for position, source in enumerate(as_list(secret.get_path("spec.dataFrom"))):
        if get_path(source, "find") is not None:
            at = f"spec.dataFrom.{position}.find"
            yield Problem("takes whatever it finds", "secrets by their names", at)

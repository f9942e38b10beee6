"""The channel between workers and controllers of 2.0: what version, edition and mode have it.

Sources: Kestra documentation, enterprise-and-advanced (gRPC TLS/mTLS, Enterprise only) and worker groups; kestra-io/kestra
pull request 15542, by which open-source workers and controllers always speak without TLS; kestra-io/kestractl,
`workers registration-tokens generate`, for the form of a token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import SecretStr

from ...registration_tokens import is_registration_token
from ...settings.base import OPAQUE, reveal
from ...settings.durations import seconds
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import find_placeholders
from ...settings.worker_channel import DEFAULT_GROUP, GrpcTls

_TLS, _AUTHENTICATION = ("deployment", "grpc-tls"), ("deployment", "worker-authentication")
#: Of cert-manager.
_SHORTEST, _LEAST_BEFORE = 3600, 300


def check(s: Settings) -> Iterator[Finding]:
    """Certificates and tokens of the channel. That a stack has none is said by the policy pack (ks-kestra-23)."""
    tls, chosen = s.grpc_tls, s.deployment.worker_authentication
    if tls is not None:
        yield from _possible(s, _TLS, "is no TLS of Kestra's that it could switch on")
        yield from _certificates(tls)
        if s.catalogue_value("kestra", "grpc", "tls") is not None:
            yield _twice(("grpc", "tls"), "kestra:deployment.grpc-tls")
    if s.version != "1.3":
        yield from _tokens(s)
    if chosen is not None and chosen.enabled:
        yield from _possible(s, _AUTHENTICATION, "has no worker to authenticate")
        yield from _setup(s)
        auth = s.catalogue_value("kestra", "ee", "worker", "auth")
        for name in ("enabled", "jwt-signing-key"):
            if isinstance(auth, Mapping) and name in auth:
                place = ("ee", "worker", "auth", name)
                yield _twice(place, "kestra:deployment.worker-authentication")


def _possible(s: Settings, at: tuple[str, ...], otherwise: str) -> Iterator[Finding]:
    if s.version == "1.3":
        yield Finding(
            at,
            "is not known to Kestra 1.3",
            "workers of 1.3 talk to the queue; controllers came with 2.0",
            "remove it, or set kestra:version to 2.0",
        )
    if not s.is_enterprise:
        yield Finding(
            at,
            "is of the Enterprise Edition",
            "workers and controllers of the open-source edition talk without TLS and without tokens, whatever is set",
            "remove it, and have the cluster's network encrypt what pods say to each other (docs/worker-channel.md)",
        )
    if s.deployment.mode != "distributed":
        yield Finding(
            at,
            otherwise,
            "in mode standalone worker and controller are one process",
            "remove it, or set kestra:deployment.mode to distributed",
        )


def _certificates(tls: GrpcTls) -> Iterator[Finding]:
    if tls.issuer and tls.cluster_issuer:
        yield Finding(
            (*_TLS, "issuer"),
            "is set beside cluster-issuer",
            "one issuer signs the certificates",
            "remove one of the two",
        )
    duration, before = seconds(tls.duration), seconds(tls.renew_before)
    if duration < _SHORTEST:
        yield Finding(
            (*_TLS, "duration"),
            "is shorter than an hour",
            "cert-manager issues none that is",
            "write 1h or more",
        )
    if before < _LEAST_BEFORE:
        yield Finding(
            (*_TLS, "renew-before"),
            "is shorter than 5 minutes",
            "cert-manager takes none that is",
            "write 5m or more",
        )
    if before >= duration:
        yield Finding(
            (*_TLS, "renew-before"),
            "is not shorter than duration",
            "a certificate is renewed while it is valid, and the pods are rolled before it ends",
            "write less than duration, a third of it for example",
        )


def _tokens(s: Settings) -> Iterator[Finding]:
    """The form of every token that the settings give; what only Kestra's pods resolve is not known here."""
    makes = s.deployment.worker_authentication
    by_stack = "remove it, and the stack makes one; or " if makes and makes.enabled else ""
    for place, text in _given_tokens(s):
        if (
            text
            and text != OPAQUE
            and not any(find_placeholders(text))
            and not is_registration_token(text)
        ):
            own = by_stack if place[-1] == "registration-token" and place[0] == "deployment" else ""
            yield Finding(
                place,
                "is no registration token",
                "Kestra takes kwreg_, 52 letters and digits, and a checksum, and does not start with another one",
                f"{own}make one with kestractl workers registration-tokens generate",
            )


def _given_tokens(s: Settings) -> Iterator[tuple[tuple[str | int, ...], str]]:
    for name, group in s.deployment.worker_groups.items():
        at = ("deployment", "worker-groups", name, "registration-token")
        yield at, reveal(group.registration_token) or ""
    path = ("worker", "auth", "registration-token")
    yield path, _text(s.catalogue_value("kestra", *path))
    setup = s.catalogue_value("kestra", "ee", "setup")
    groups = setup.get("worker-groups") if isinstance(setup, Mapping) else None
    for i, group in enumerate(groups or ()):
        tokens = group.get("registration-tokens") if isinstance(group, Mapping) else None
        for j, token in enumerate(tokens or ()):
            if isinstance(token, Mapping):
                at = ("ee", "setup", "worker-groups", i, "registration-tokens", j, "token")
                yield at, _text(token.get("token"))


def _text(value: Any) -> str:
    return reveal(value) or "" if isinstance(value, str | SecretStr) else ""


def _setup(s: Settings) -> Iterator[Finding]:
    """What `kestra.ee.setup` says that keeps the stack's tokens from Kestra."""
    setup = s.catalogue_value("kestra", "ee", "setup")
    if not isinstance(setup, Mapping):
        return
    if str(setup.get("enabled", True)).lower() == "false":
        yield Finding(
            ("ee", "setup", "enabled"),
            "keeps the workers' tokens from Kestra",
            "kestra:deployment.worker-authentication tells Kestra the tokens by kestra.ee.setup",
            "remove it",
        )
    for i, group in enumerate(setup.get("worker-groups") or ()):
        name = group.get("id") if isinstance(group, Mapping) else None
        if (
            group
            and "registration-tokens" in group
            and s.registration_groups.get(str(name), "") is None
        ):
            yield Finding(
                ("ee", "setup", "worker-groups", i, "registration-tokens"),
                f"are tokens of {name} beside the one that the stack makes for its workers",
                "a group that declares tokens gets no other",
                "remove them"
                if name == DEFAULT_GROUP
                else f"remove them, or set kestra:deployment.worker-groups.{name}.registration-token to one of them",
            )


def _twice(place: tuple[str, ...], by: str) -> Finding:
    return Finding(place, f"is set by {by} too", f"{by} renders it", "keep one of the two")

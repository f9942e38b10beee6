"""Kestra 2.0: what workers and controllers say to each other stays between them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..application import Application
from ..core.model import Context, Finding, Problem, Resource, control
from ..effective_configuration import each_application

ELSEWHERE = "pod-network-encryption"
_TLS = "kestra.grpc.tls"


@control(
    "ks-kestra-23",
    "Workers and controllers talk by mutual TLS",
    "high",
    risk="Inputs, outputs and logs of tasks cross the nodes' network in clear, and any pod that reaches the controllers "
    "may be given tasks as a worker.",
    steps=(
        "Enterprise: a certificate for controllers and one for workers, kestra.grpc.tls with client-auth REQUIRE.",
        "Open source has no TLS there: let the cluster's network encrypt what pods say to each other (WireGuard of "
        f"Cilium or Calico, a service mesh), and tell the pack with managedElsewhere: [{ELSEWHERE}].",
    ),
    setting="kestra:deployment.grpc-tls",
)
@each_application
def mutual_tls(application: Application, context: Context) -> Iterator[Finding]:
    server = application.server
    if server is None or ELSEWHERE in context.options.managed_elsewhere:
        return
    # Workers of 1.3 know no controllers.
    talks = server.component == "controller" or (
        server.component == "worker" and application.has_inside("kestra.worker.controllers")
    )
    if not talks:
        return
    key = f"{_TLS}.enabled"
    if server.is_enterprise is False:
        # Its classes know no other credentials than insecure ones, whatever is set.
        yield application.problem(
            "talks without TLS, being open source", "a network that encrypts", key
        )
        return
    if not application.is_true(key):
        application.refuse_unseen(key)
        yield application.problem("talks without TLS", "true", key)
        return
    if application.is_true(f"{_TLS}.insecure-trust-all-certificates"):
        trusting = f"{_TLS}.insecure-trust-all-certificates"
        yield application.problem("trusts every certificate", "false", trusting)
    asks = f"{_TLS}.client-auth"
    if server.component == "controller" and str(application.get(asks)).upper() != "REQUIRE":
        yield application.problem("takes workers without a certificate", "REQUIRE", asks)


CERTIFICATE = "kubernetes:cert-manager.io/v1:Certificate"
_GO_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
#: What cert-manager asks for where nothing is said.
_DEFAULT_DAYS = 90


@control(
    "ks-kestra-24",
    "Certificates of pods are short-lived, and their keys are made anew",
    "medium",
    risk="A key that was read from a pod opens its place until the certificate ends, and for ever when renewals keep it.",
    steps=(
        "Set duration to the configured days of a rotation (default 90) or less.",
        "Set privateKey.rotationPolicy to Always. An authority (isCA) may keep its key.",
    ),
    setting="kestra:deployment.grpc-tls.duration",
    types=(CERTIFICATE,),
)
def short_certificates(resource: Resource, context: Context) -> Iterator[Finding]:
    if resource.get_path("spec.isCA"):
        return
    most = context.options.maximum_rotation_days
    days = _days(resource.get_path("spec.duration"))
    if days is not None and days > most:
        yield Problem(f"is valid for {days:g} days", f"{most:g} or less", "spec.duration")
    if resource.get_path("spec.privateKey.rotationPolicy") == "Never":
        yield Problem("keeps its key", "Always", "spec.privateKey.rotationPolicy")


def _days(duration: object) -> float | None:
    """A duration as Go writes it, in days; None for what cert-manager refuses itself."""
    if not duration:
        return _DEFAULT_DAYS
    match = _GO_DURATION.fullmatch(str(duration))
    if match is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return (hours * 3600 + minutes * 60 + seconds) / 86400

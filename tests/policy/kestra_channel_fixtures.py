"""Cases of the controls of Kestra's channel between workers and controllers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R
from tests.policy.cases_support import Case, case
from tests.policy.kestra_fixtures import ENTERPRISE
from tests.policy.kestra_stack_support import IMAGE, config_map, deployment, env, text

_TLS = "kestra.grpc.tls"
_CONTROLLERS = ("kestra.worker", {"controllers": {"type": "STATIC"}})


def stack(
    component: str,
    *changes: tuple[str, Any],
    image: Any = ENTERPRISE,
    entries: Sequence[Any] = (),
) -> list[R]:
    """A server of one component, with mutual TLS but for the changes."""
    good = (_TLS, {"enabled": True, "client-auth": "REQUIRE"})
    server = deployment(entries, image=image, args=["server", component])
    return [config_map(text(_CONTROLLERS, good, *changes)), server]


def plain(component: str) -> list[R]:
    """The same with nothing of TLS."""
    server = deployment(image=ENTERPRISE, args=["server", component])
    return [config_map(text(_CONTROLLERS)), server]


CERTIFICATE = R(
    "kubernetes:cert-manager.io/v1:Certificate",
    {
        "metadata": {"name": "kestra-grpc-worker", "namespace": "kestra"},
        "spec": {
            "secretName": "kestra-grpc-worker",
            "issuerRef": {"name": "kestra-grpc"},
            "duration": "7776000s",
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        },
    },
    "worker",
)
AUTHORITY = CERTIFICATE.but("spec.duration", "87600h").but("spec.isCA", True)

CHANNEL = {
    "ks-kestra-24": case(
        CERTIFICATE,
        [
            ("spec.duration", "8760h"),
            ("spec.duration", "2160h0m1s"),
            ("spec.privateKey.rotationPolicy", "Never"),
        ],
        ["spec", "spec.duration", "spec.privateKey"],
        good=[
            [CERTIFICATE.but("spec.duration", ABSENT)],
            [CERTIFICATE.but("spec.duration", "2160h0m0s")],
            [AUTHORITY.but("spec.privateKey.rotationPolicy", "Never")],
        ],
    ),
    "ks-kestra-23": Case(
        [
            stack("controller"),
            stack("worker"),
            # The one that asks is the controller.
            stack("worker", (f"{_TLS}.client-auth", "NONE")),
            # A worker of 1.3, and all in one process.
            [config_map(text()), deployment(image=IMAGE, args=["server", "worker"])],
            [config_map(text()), deployment(image=IMAGE)],
            stack("executor", (f"{_TLS}.enabled", False)),
        ],
        [
            plain("controller"),
            plain("worker"),
            stack("controller", (f"{_TLS}.enabled", False)),
            stack("controller", (f"{_TLS}.client-auth", "OPTIONAL")),
            stack("controller", (_TLS, {"enabled": True})),
            stack("worker", (f"{_TLS}.insecure-trust-all-certificates", True)),
            stack("worker", entries=env(KESTRA_GRPC_TLS_ENABLED="false")),
            # Its settings change nothing there.
            stack("controller", image=IMAGE),
        ],
        [
            stack("controller", image=UNKNOWN),
            [config_map(UNKNOWN), deployment(image=ENTERPRISE, args=["server", "controller"])],
        ],
    ),
}

"""Certificates of workers and controllers in the caller's own cluster: whether they are good, and whether the pods have them.

Kestra reads its key stores when it starts: a pod that is older than its certificate still has the one before.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.settings import Settings
from sandbox.doctor.callers import SECONDS, cluster_client
from sandbox.doctor.machine import Check
from sandbox.errors import SandboxError

#: Label `app.kubernetes.io/component` begins with to the certificate that its pods have.
_CERTIFICATES = {
    "controller": "kestra-grpc-controller",
    "webserver": "kestra-grpc-controller",
    "worker": "kestra-grpc-worker",
}
_COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class CertificateState:
    """What cert-manager says of a certificate."""

    is_ready: bool
    message: str
    not_before: datetime.datetime | None
    not_after: datetime.datetime | None


@dataclass(frozen=True)
class PodStart:
    """Since when the oldest pod of a Deployment runs."""

    component: str
    at: datetime.datetime


def examine_certificates(
    settings: Settings,
    *,
    own: bool,
    now: datetime.datetime | None = None,
    kubeconfig: Path | None = None,
) -> Iterator[Check]:
    """One check a certificate of a stack that has them made (`kestra:deployment.grpc-tls`).

    Args:
        settings: the stack's settings.
        own: whether the caller's own cluster is asked; without it nothing is.
        now: the time of the checks; default: now.
        kubeconfig: the file (default: as kubectl finds it).
    """
    if settings.grpc_tls is None or not own:
        return
    namespace = settings.deployment.namespace
    try:
        states, starts = read_cluster(namespace, kubeconfig)
    except SandboxError as error:
        yield Check("certificates", f"could not be asked. {error}", None)
        return
    moment = now or datetime.datetime.now(datetime.UTC)
    for name in dict.fromkeys(_CERTIFICATES.values()):
        pods = [start for start in starts if _certificate_of(start.component) == name]
        yield judge(name, states.get(name), pods, moment, namespace)


def judge(
    name: str,
    state: CertificateState | None,
    pods: list[PodStart],
    now: datetime.datetime,
    namespace: str,
) -> Check:
    """What a certificate is worth to the pods that have it.

    Args:
        name: of the certificate.
        state: None where the cluster has none of the name.
        pods: those that mount it.
        now: the time.
        namespace: Kestra's.
    """
    if state is None:
        return Check(name, "not there; `up` makes it", None)
    describe = f"See why: `kubectl --namespace {namespace} describe certificate {name}`."
    if state.not_after is not None and state.not_after <= now:
        return Check(name, f"has ended on {_day(state.not_after)}", False, describe)
    if not state.is_ready:
        return Check(name, f"is not ready: {state.message}", False, describe)
    until = f"valid until {_day(state.not_after)}" if state.not_after else "ready"
    older = sorted(p.component for p in pods if state.not_before and p.at < state.not_before)
    if older and state.not_before:
        deployments = " ".join(f"kestra-{component}" for component in dict.fromkeys(older))
        return Check(
            name,
            f"{until}; renewed on {_day(state.not_before)}, and older pods of {', '.join(dict.fromkeys(older))} still "
            "have the one before",
            False,
            f"Roll them before that one ends: `kubectl --namespace {namespace} rollout restart deployment {deployments}`; "
            "Reloader does it by itself where it is installed.",
        )
    return Check(name, until, True)


def read_cluster(
    namespace: str, kubeconfig: Path | None = None
) -> tuple[Mapping[str, CertificateState], list[PodStart]]:
    """Certificates of a namespace by name, and its pods of Kestra.

    Raises:
        SandboxError: when there is no cluster, or it does not answer.
    """
    import kubernetes.client as api

    with cluster_client(kubeconfig) as client:
        listing: Any = api.CustomObjectsApi(client).list_namespaced_custom_object(
            "cert-manager.io", "v1", namespace, "certificates", _request_timeout=SECONDS
        )
        pods: Any = api.CoreV1Api(client).list_namespaced_pod(
            namespace, label_selector="app.kubernetes.io/name=kestra", _request_timeout=SECONDS
        )
    states = {
        item["metadata"]["name"]: _state(item.get("status") or {}) for item in listing["items"]
    }
    starts = [
        PodStart(pod.metadata.labels.get(_COMPONENT, ""), pod.status.start_time)
        for pod in pods.items
        if pod.status.start_time is not None
    ]
    return states, starts


def _certificate_of(component: str) -> str:
    """Of a Deployment's pods; worker groups are `worker-<group>`."""
    server = "worker" if component.startswith("worker") else component
    return _CERTIFICATES.get(server, "")


def _state(status: Mapping[str, Any]) -> CertificateState:
    conditions = status.get("conditions") or []
    ready = next((one for one in conditions if one.get("type") == "Ready"), {})
    return CertificateState(
        ready.get("status") == "True",
        str(ready.get("message") or "cert-manager has not said anything of it yet"),
        _time(status.get("notBefore")),
        _time(status.get("notAfter")),
    )


def _time(text: Any) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text) if isinstance(text, str) else None


def _day(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"

"""What Pod Security `restricted` refuses of pods, and what the program decides for its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .assembly import Assembly
from .kubernetes_objects import as_list, as_mapping, dig, number

if TYPE_CHECKING:
    from .workloads import Workload

PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
GRACE_SECONDS = 360
"""What the program gives a pod to end: Kestra's own 5 minutes and one more."""
USER = 1000

_RESTRICTED = "Pod Security restricted, which the namespace enforces, refuses it"
#: Parts of a pod that the program decides, or that a restricted pod cannot have.
_REFUSED_OF_PODS = {
    "hostNetwork": _RESTRICTED,
    "hostPID": _RESTRICTED,
    "hostIPC": _RESTRICTED,
    "schedulerName": "no setting chooses the scheduler",
    "activeDeadlineSeconds": "no setting ends pods after a time",
    "shareProcessNamespace": "containers of the pods do not share processes",
}
_REFUSED_OF_CONTAINERS = {
    "lifecycle": "the stack decides how its containers start and end",
    "workingDir": "the stack starts Kestra in the image's own folder",
    "stdin": "the container has no standard input",
}


def note_decided(workload: Workload, assembly: Assembly) -> None:
    """Notes what the program decides for its pods."""

    def note(kind: Any, part: str, why: str, fix: str = "") -> None:
        assembly.note(kind, workload.place(part), why, fix, workload.origin(part))

    for probe in PROBES:
        value = workload.container.get(probe)
        if value and not _is_of_chart(probe, value):
            note(
                "not carried",
                probe,
                f"the stack has probes of its own, which follow Kestra's ports and paths; this {probe} is not carried",
            )
    grace = workload.pod.get("terminationGracePeriodSeconds")
    if isinstance(grace, int) and grace != GRACE_SECONDS:
        less = "; it was shorter than the 5 minutes that Kestra itself waits for running tasks"
        note(
            "changed",
            "terminationGracePeriodSeconds",
            f"was {grace}; pods of the stack have server.termination-grace-period and a minute more"
            + (less if grace < 300 else ""),
            "kestra:server.termination-grace-period sets it",
        )
    _note_security(workload, assembly)
    if workload.strategy:
        note("changed", "strategy", "the stack decides how its pods are replaced")
    refused = ((workload.pod, _REFUSED_OF_PODS), (workload.container, _REFUSED_OF_CONTAINERS))
    for parts, reasons in refused:
        for part, why in reasons.items():
            if parts.get(part):
                note("not carried", part, why)
    for port in as_list(workload.container.get("ports")):
        if dig(port, "hostPort"):
            shown = number(dig(port, "hostPort")) or ""
            note("not carried", "ports", f"hostPort {shown}: {_RESTRICTED}")


#: Numbers of the chart's own probes; `helm get values --all` and rendered charts show them.
_NUMBERS = {
    "startupProbe": (1, 1, 1, 1, 120),
    "livenessProbe": (0, 5, 3, 1, 3),
    "readinessProbe": (0, 5, 3, 1, 3),
}
_FIELDS = (
    "initialDelaySeconds", "periodSeconds", "timeoutSeconds", "successThreshold", "failureThreshold",
)  # fmt: skip
_PATHS = ("/health", "/health/liveness", "/health/readiness")


def _is_of_chart(probe: str, value: Any) -> bool:
    """Whether a probe is the official chart's own, as it stands in a pod or in the values of 0.x."""
    block = as_mapping(value)
    request = as_mapping(block.get("httpGet")) or block
    numbers = tuple(block.get(name) for name in _FIELDS)
    return (
        numbers == _NUMBERS[probe]
        and request.get("path") in _PATHS
        and request.get("port") == "management"
        and not block.get("exec")
        and not block.get("httpGetExtra")
    )


def _note_security(workload: Workload, assembly: Assembly) -> None:
    """Notes security contexts. What agrees with the program's own is said too."""
    for part, context in (
        ("podSecurityContext", workload.pod.get("securityContext")),
        ("securityContext", workload.container.get("securityContext")),
    ):
        if not isinstance(context, Mapping) or not context:
            continue
        asks = list(forbidden(context))
        if asks:
            why = f"{' and '.join(asks)}: {_RESTRICTED}; pods of the stack run as user {USER} without privileges"
        elif all(context.get(k, USER) == USER for k in ("runAsUser", "runAsGroup", "fsGroup")):
            why = f"pods of the stack run as user and group {USER} and without privileges by themselves"
        else:
            why = f"pods of the stack run as user and group {USER}; files of another user have to be readable for it"
        assembly.note("changed", workload.place(part), why, origin=workload.origin(part))


def forbidden(context: Mapping[str, Any]) -> Iterator[str]:
    """What in a security context Pod Security restricted refuses: `privileged`, `runAsUser 0`."""
    for name in ("privileged", "allowPrivilegeEscalation"):
        if context.get(name) is True:
            yield name
    if context.get("runAsUser") == 0:
        yield "runAsUser 0 (root)"
    if context.get("runAsNonRoot") is False:
        yield "runAsNonRoot false"
    added = dig(context, "capabilities", "add")
    if isinstance(added, list) and [c for c in added if c != "NET_BIND_SERVICE"]:
        yield "capabilities"


_VOLUMES = ("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim")
_VOLUMES += ("projected", "secret", "name")


def volume_refusal(volume: Mapping[str, Any]) -> str:
    for kind, value in volume.items():
        if kind not in _VOLUMES:
            path = dig(value, "path")
            where = f" {path}" if isinstance(path, str) else ""
            return f"{kind}{where}: {_RESTRICTED}"
    return ""


def container_refusal(container: Mapping[str, Any]) -> str:
    image = str(container.get("image", ""))
    asks = list(forbidden(as_mapping(container.get("securityContext"))))
    if "dind" in image or "dind" in str(container.get("name")):
        return (
            "Docker in Docker (dind) needs a privileged container, which a restricted namespace refuses; tasks run "
            "with the Kubernetes or process task runner instead"
        )
    return f"{' and '.join(asks)}: {_RESTRICTED}" if asks else ""

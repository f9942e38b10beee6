"""What keeps a pod from being ready, in the words of its status and events, and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
_COMPONENT = "app.kubernetes.io/component"
#: Containers that the program makes; others come from the settings of a person.
_OWN_CONTAINERS = ("kestra", "configuration")
_IMAGE = (
    "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
    "RegistryUnavailable", "SignatureValidationFailed",
)  # fmt: skip
_CONFIGURATION = ("CreateContainerConfigError",)
_START = ("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun")
_STARTING = ("ContainerCreating", "PodInitializing")
_ABSENT = re.compile(r"(secret|configmap)s? \"([^\"]+)\" not found", re.IGNORECASE)
_NO_KEY = re.compile(r"couldn't find key (\S+) in (Secret|ConfigMap) (\S+)")
_ENDED_BY_SIGNAL = (137, 143)
"""Exit codes after SIGKILL and SIGTERM."""
_OWN_OBJECT = re.compile(r"kestra-(secret|configuration)-[0-9a-z]+$")


@dataclass(frozen=True)
class Problem:
    """One problem of one pod, or of a Deployment that has none."""

    reason: str
    """In Kubernetes' own word: `ImagePullBackOff`."""
    message: str
    """What the server or the kubelet says of it."""
    pod: str = ""
    container: str = ""
    advice: str = ""
    log: str = ""
    """Which log says more: `current`, `previous` (of the container before this one), or none."""

    @property
    def kind(self) -> tuple[str, str, str]:
        """The same for pods with the same problem."""
        return self.reason, self.container, self.message.replace(self.pod, "") if self.pod else ""

    @property
    def place(self) -> str:
        """Pod and container, for people."""
        container = f", container {self.container}" if self.container else ""
        return f"Pod {self.pod}{container}" if self.pod else ""


def is_ready(pod: Object) -> bool:
    """Whether a pod answers its readiness probe."""
    return _condition(pod, "Ready").get("status") == "True"


def problem_of(pod: Object, events: Sequence[Object]) -> Problem | None:
    """What keeps a pod from being ready; None while it only starts.

    Args:
        pod: as the API has it.
        events: of its namespace.
    """
    name, status = pod["metadata"]["name"], pod.get("status") or {}
    if status.get("phase") == "Failed" and status.get("reason"):
        return Problem(
            status["reason"], str(status.get("message", "")), name,
            advice="Kubernetes ended the pod. The message says which limit it met.",
        )  # fmt: skip
    scheduled = _condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        message = str(scheduled.get("message", ""))
        advice = _scheduling_advice(pod, message)
        return Problem(scheduled.get("reason") or "Unschedulable", message, name, advice=advice)
    warnings = warnings_about([pod["metadata"]["uid"]], events)
    for container in _containers(status):
        if problem := _container_problem(pod, container):
            # Kubelet ends a container that fails its probes: what the probes say is the cause. What the kernel ends
            # for memory fails its probes too, for it never comes far enough.
            by_kubelet = _ending(container).get("exitCode") in _ENDED_BY_SIGNAL
            if by_kubelet and problem.reason != "OOMKilled":
                return _probe_problem(pod, warnings) or problem
            return problem
    # With a container that has run, the pod has its volumes and its network: what failed before has passed.
    before_start = warnings if not any(map(_has_run, _containers(status))) else []
    for reason, message in ((e.get("reason", ""), str(e.get("message", ""))) for e in before_start):
        if reason in ("FailedMount", "FailedAttachVolume"):
            advice = absence_advice(message) or "Mend the volume that the message names."
            return Problem(reason, message, name, advice=advice)
        if reason == "FailedCreatePodSandBox":
            advice = "The node cannot give the pod a network: its network plugin says why."
            return Problem(reason, message, name, advice=advice)
    return _probe_problem(pod, warnings)


def problems_without_pods(
    deployment: Object, replica_set: Object | None, events: Sequence[Object]
) -> Iterator[Problem]:
    """Why a Deployment has no pods of its newest template: nobody may make them."""
    condition = _condition(deployment, "ReplicaFailure")
    owners = [one["metadata"]["uid"] for one in (replica_set, deployment) if one]
    refusals = [
        str(event.get("message", ""))
        for event in warnings_about(owners, events)
        if str(event.get("reason", "")).startswith("FailedCreate")
    ]
    message = condition.get("message") if condition.get("status") == "True" else None
    if text := message or next(reversed(refusals), None):
        yield Problem("FailedCreate", str(text), advice=_creation_advice(str(text)))


def warnings_about(uids: Sequence[str], events: Sequence[Object]) -> list[Object]:
    """The warning events about some objects, oldest first."""
    about = [
        event
        for event in events
        if event.get("type") == "Warning" and (event.get("involvedObject") or {}).get("uid") in uids
    ]
    return sorted(about, key=event_time)


def event_time(event: Object) -> str:
    """When an event happened last."""
    series = event.get("series") or {}
    times = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return str(next((time for time in times if time), ""))


def absence_advice(message: str) -> str:
    """What to do about a Secret or ConfigMap, or a key of one, that is not there; empty for other messages."""
    if absent := _ABSENT.search(message):
        kind = "Secret" if absent[1].lower() == "secret" else "ConfigMap"
        if _OWN_OBJECT.match(absent[2]):
            return f"The {kind} is the stack's own, and somebody deleted it. `pulumi up --refresh` makes it again."
        return (
            f"Make the {kind} {absent[2]} in this namespace, or correct the setting that names it"
            " (environment-from, extra-env, extra-env-from, extra-volumes)."
        )
    if no_key := _NO_KEY.search(message):
        return (
            f"The {no_key[2]} {no_key[3].rpartition('/')[2]} has no key {no_key[1]}: add it, or correct the setting that"
            " names it (extra-env)."
        )
    return ""


def setting_of(pod: Object) -> str:
    """The setting under which a pod's component stands: `kestra:deployment.components.worker`."""
    component = (pod["metadata"].get("labels") or {}).get(_COMPONENT, "standalone")
    group = component.removeprefix("worker-")
    where = f"components.{component}" if group == component else f"worker-groups.{group}"
    return f"kestra:deployment.{where}"


def _has_run(container: Object) -> bool:
    state = container.get("state") or {}
    return bool(state.get("running") or state.get("terminated") or container.get("lastState"))


def _container_problem(pod: Object, container: Object) -> Problem | None:
    name, of_pod = container["name"], pod["metadata"]["name"]
    state = container.get("state") or {}
    before = _ending(container)
    waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
    restarts = container.get("restartCount", 0)
    if "OOMKilled" in (ended.get("reason"), before.get("reason")) and not container.get("ready"):
        return Problem(
            "OOMKilled",
            f"The kernel ended it: it used more memory than its limit{_limit(pod, name)} ({restarts} restarts).",
            of_pod, name, _memory_advice(pod, name), "current" if ended else "previous",
        )  # fmt: skip
    reason, message = waiting.get("reason", ""), str(waiting.get("message", ""))
    if reason == "CrashLoopBackOff":
        code = before.get("exitCode")
        ending = f"It ends with exit code {code}" if code is not None else "It ends"
        return Problem(
            reason, f"{ending}, and was restarted {restarts} times.", of_pod, name,
            "The last lines of its log say why it ends.", "previous",
        )  # fmt: skip
    if reason and reason not in _STARTING:
        return Problem(reason, message, of_pod, name, _waiting_advice(reason, message, name))
    if "exitCode" in ended and not container.get("ready"):
        return Problem(
            ended.get("reason") or "Error", f"It ended with exit code {ended['exitCode']}.", of_pod, name,
            "The last lines of its log say why it ended.", "current",
        )  # fmt: skip
    if "exitCode" in before and not container.get("ready"):
        return Problem(
            before.get("reason") or "Error",
            f"It ended with exit code {before['exitCode']}, and was restarted {restarts} times; it starts again.",
            of_pod, name, "The last lines of its log say why it ended.", "previous",
        )  # fmt: skip
    return None


def _ending(container: Object) -> Object:
    """How the container ended before it was started again; empty where it was not."""
    return (container.get("lastState") or {}).get("terminated") or {}


def _waiting_advice(reason: str, message: str, container: str) -> str:
    if reason in _IMAGE:
        if container in _OWN_CONTAINERS:
            return (
                "Check kestra:deployment.image (repository, tag, digest), and for a registry that asks for a log-in"
                " kestra:deployment.image.pull-secrets."
            )
        return f"Check the image of container {container} in the settings (extra-containers, init-containers)."
    if reason in _CONFIGURATION:
        if "run as root" in message or "non-numeric user" in message:
            return "Take an image whose user is numeric and not root: the pods run as user 1000."
        return absence_advice(message) or "Mend what the message names."
    if reason in _START:
        return (
            "The image lacks what the container runs. kestra:deployment.image must be Kestra's own image, or one that is"
            " made from it."
            if container in _OWN_CONTAINERS
            else f"Check command and image of container {container} in the settings."
        )
    return ""


def _probe_problem(pod: Object, warnings: Sequence[Object]) -> Problem | None:
    failures = [event for event in warnings if event.get("reason") == "Unhealthy"]
    if not failures:
        return None
    # A process that starts again refuses connections, whatever it answered before.
    answered = [event for event in failures if "statuscode" in str(event.get("message"))]
    failure = (answered or failures)[-1]
    message, name = str(failure.get("message", "")), _container_of(failure)
    containers = _containers(pod.get("status") or {})
    container = next((c for c in containers if c["name"] == name), {})
    log = "current" if "running" in (container.get("state") or {}) else "previous"
    if name not in _OWN_CONTAINERS:
        advice = f"Check the probes of container {name} in the settings (extra-containers, init-containers)."
    elif re.search(r"statuscode: (401|403)", message):
        advice = (
            "Kestra refuses the probe's log-in: name and password of kestra:endpoints.all.basic-auth are not those of"
            " the running configuration."
        )
    elif re.search(r"statuscode: 503", message):
        advice = "Kestra runs and says that something it needs is down; its log names it."
    else:
        advice = (
            "Kestra does not answer yet. Its log says what it waits for: often the database or the secret manager. If a"
            " network policy keeps it from them: docs/network.md."
        )
    return Problem("ProbeFailed", message, pod["metadata"]["name"], name, advice, log)


def _container_of(event: Object) -> str:
    """The container that an event of a pod is about; Kestra's where it names none."""
    field = str((event.get("involvedObject") or {}).get("fieldPath", ""))
    named = re.fullmatch(r"spec\.(?:initContainers|containers)\{(.+)\}", field)
    return named[1] if named else "kestra"


def _scheduling_advice(pod: Object, message: str) -> str:
    setting = setting_of(pod)
    advice = [
        text
        for words, text in (
            ("Insufficient", f"Lower {setting}.resources.requests, or add a node."),
            ("node affinity/selector", f"Correct node-selector or affinity under {setting}."),
            ("untolerated taint", f"Add the taint to tolerations under {setting}."),
            ("PersistentVolumeClaim", "Bind the volume claim first: `kubectl get pvc` says what it waits for."),
            ("persistentvolumeclaim", "Make the volume claim that the message names."),
        )
        if words in message
    ]  # fmt: skip
    return " ".join(advice) or "No node takes the pod; the message says what each of them lacks."


def _creation_advice(message: str) -> str:
    if "violates PodSecurity" in message:
        return "The namespace allows `restricted` pods only; change what the message names in the settings."
    if "exceeded quota" in message:
        return "Raise the namespace's ResourceQuota, or lower the requests of the components."
    if "serviceaccount" in message:
        return "`pulumi up --refresh` makes the service account again."
    return "Mend what the message names; the controller tries again by itself."


def _memory_advice(pod: Object, container: str) -> str:
    if container not in _OWN_CONTAINERS:
        return f"Raise the memory limit of container {container} in the settings."
    setting = setting_of(pod)
    return (
        f"Raise {setting}.resources.limits.memory. If Java's heap fills it (heap-percentage above 50, or -Xmx in"
        f" java-options), lower {setting}.heap-percentage: tasks, threads and native code need the rest."
    )


def _limit(pod: Object, container: str) -> str:
    spec = pod.get("spec") or {}
    every = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    limits = next(
        (c.get("resources", {}).get("limits") for c in every if c["name"] == container), {}
    )
    return f" of {limits['memory']}" if limits and "memory" in limits else ""


def _containers(status: Mapping[str, Any]) -> list[Object]:
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _condition(live: Object, type_: str) -> Object:
    conditions = (live.get("status") or {}).get("conditions") or ()
    return next((c for c in conditions if c.get("type") == type_), {})

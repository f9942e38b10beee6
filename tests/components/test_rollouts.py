"""What is said of a rollout that does not end: pods, events, last log lines without secrets, and what to do."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from components.kubernetes.cluster_reader import UnreadClusterError, decoded_values
from components.kubernetes.pod_problems import problem_of
from components.kubernetes.pods import pod_seconds
from components.kubernetes.rollout import PROVIDER_SECONDS, rollout_timeouts
from components.kubernetes.rollout_report import MARK, progress
from components.kubernetes.rollout_state import Rollout
from components.redaction.secrets import Redaction
from components.safeguards.failed_rollout import explain
from components.validation import load
from tests.components.rollout_support import (
    LABELS,
    NAME,
    NEW,
    OLD,
    SPACE,
    Cluster,
    deployment,
    event,
    killed,
    pod,
    replica_set,
    started_again,
    waiting,
)
from tests.conftest import stack_document

LATE = "4 errors occurred: * failed to initialize: timed out waiting for the condition"
INPUTS: dict[str, Any] = {
    "kind": "Deployment",
    "metadata": {"name": NAME, "namespace": SPACE},
    "spec": {"selector": {"matchLabels": LABELS}},
}
SETS = [replica_set(OLD), replica_set(NEW)]
PLANTED = "pl4nted-Value/that=no+report"


def _rollout(*objects: dict[str, Any], **spec: Any) -> Rollout:
    rollout = Rollout.of(NAME, [deployment(**spec), *SETS, *objects])
    assert rollout is not None
    return rollout


def _explained(*objects: dict[str, Any], cluster: dict[str, Any] | None = None, **spec: Any) -> str:
    reader = Cluster([deployment(**spec), *SETS, *objects], **(cluster or {}))
    return explain(LATE, INPUTS, reader, Redaction())


SECRETS: dict[str, Any] = {
    "secrets": {"kestra-secret-new": [PLANTED], "kestra-secret-old": ["old-" + PLANTED]}
}
LATER = "2026-11-29T00:10:00Z"
PROBE = "Startup probe failed: HTTP probe failed with statuscode: 401"
#: What a pod has, its events, and what is said of it: reason, message, advice.
SEEN: dict[str, tuple[dict[str, Any], list[dict[str, Any]], tuple[str, ...]]] = {
    "image": (
        pod(container=waiting("ImagePullBackOff", 'Back-off pulling image "kestra/kestra:v9"')),
        [],
        ("container kestra: ImagePullBackOff: Back-off", "kestra:deployment.image.pull-secrets"),
    ),
    "image name": (
        pod(container=waiting("InvalidImageName", "couldn't parse image name")),
        [],
        ("InvalidImageName", "Check kestra:deployment.image"),
    ),
    "another container's image": (
        pod(container=waiting("ErrImagePull", "not found") | {"name": "cloud-sql-proxy"}),
        [],
        ("container cloud-sql-proxy: ErrImagePull", "extra-containers"),
    ),
    "secret": (
        pod(container=waiting("CreateContainerConfigError", 'secret "smtp" not found')),
        [],
        ("CreateContainerConfigError: secret", "Make the Secret smtp in this namespace"),
    ),
    "own secret": (
        pod(container=waiting("CreateContainerConfigError", 'secret "kestra-secret-1a2b3c4d" not found')),
        [],
        ("`pulumi up --refresh` makes it again",),
    ),
    "key of a secret": (
        pod(container=waiting("CreateContainerConfigError", "couldn't find key user in Secret kestra/smtp")),
        [],
        ("The Secret smtp has no key user",),
    ),
    "root": (
        pod(container=waiting("CreateContainerConfigError", "container has runAsNonRoot and image will run as root")),
        [],
        ("user is numeric and not root",),
    ),
    "command": (
        pod(container=waiting("RunContainerError", 'exec: "/app/kestra": no such file or directory')),
        [],
        ("RunContainerError", "must be Kestra's own image"),
    ),
    "crash": (
        pod(container=killed("Error", 1)),
        [],
        ("CrashLoopBackOff: It ends with exit code 1, and was restarted 3 times.", "before the restart"),
    ),
    "memory": (
        pod(container=killed("OOMKilled", 137)),
        [],
        ("OOMKilled: The kernel ended it", "limit of 2Gi (3 restarts)", "components.worker.resources.limits.memory"),
    ),
    "memory, running again": (
        pod(container=killed("OOMKilled", 137) | {"state": {"running": {}}}),
        [],
        ("OOMKilled", "components.worker.heap-percentage"),
    ),
    "end": (
        pod(container={"ready": False, "state": {"terminated": {"reason": "Error", "exitCode": 2}}}),
        [],
        ("Error: It ended with exit code 2.",),
    ),
    "log-in of a probe": (
        pod(container={"ready": False, "state": {"running": {}}}),
        [event(f"{NAME}-new-1", "Unhealthy", PROBE, 12)],
        ("ProbeFailed: Startup probe failed", "kestra:endpoints.all.basic-auth"),
    ),
    "probe without an answer": (
        pod(container={"ready": False, "state": {"running": {}}}),
        [event(f"{NAME}-new-1", "Unhealthy", "Startup probe failed: connection refused")],
        ("ProbeFailed", "docs/network.md"),
    ),
    "crash, running again": (
        pod(container=started_again(1)),
        [event(f"{NAME}-new-1", "Unhealthy", "Startup probe failed: connection refused")],
        ("Error: It ended with exit code 1, and was restarted 1 times", "before the restart"),
    ),
    "end by itself, running again": (
        pod(container=started_again(0)),
        [],
        ("Error: It ended with exit code 0, and was restarted 1 times", "before the restart"),
    ),
    "end by itself": (
        pod(container={"ready": False, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}),
        [],
        ("Completed: It ended with exit code 0.",),
    ),
    "ended by its probes": (
        pod(container=started_again(137)),
        [
            event(f"{NAME}-new-1", "Unhealthy", PROBE, 60),
            event(f"{NAME}-new-1", "Unhealthy", "Startup probe failed: connection refused", 3, LATER),
        ],
        (f"ProbeFailed: {PROBE}", "kestra:endpoints.all.basic-auth", "The end of its log:"),
    ),
    "ended by its probes again and again": (
        pod(container=killed("Error", 143)),
        [event(f"{NAME}-new-1", "Unhealthy", PROBE, 60)],
        (f"ProbeFailed: {PROBE}", "before the restart"),
    ),
    "probe of another container": (
        pod(container=started_again(143, "cloud-sql-proxy")),
        [event(f"{NAME}-new-1", "Unhealthy", PROBE, 60, container="cloud-sql-proxy")],
        ("container cloud-sql-proxy: ProbeFailed", "the probes of container cloud-sql-proxy in the settings"),
    ),
    "no room": (
        pod(conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient memory."}]),
        [],
        ("Unschedulable: 0/3 nodes", "Lower kestra:deployment.components.worker.resources.requests"),
    ),
    "volume": (
        pod(container=waiting("ContainerCreating")),
        [event(f"{NAME}-new-1", "FailedMount", 'MountVolume.SetUp failed for volume "x": configmap "ca" not found')],
        ("FailedMount: MountVolume.SetUp failed", "Make the ConfigMap ca in this namespace"),
    ),
    "network": (
        pod(container=waiting("ContainerCreating")),
        [event(f"{NAME}-new-1", "FailedCreatePodSandBox", "plugin type=calico failed")],
        ("FailedCreatePodSandBox", "network plugin"),
    ),
    "evicted": (
        pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory."),
        [],
        ("Evicted: The node was low on resource",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEEN)
def test_a_report_has_what_the_pod_says_and_what_to_do(name: str) -> None:
    one, events, parts = SEEN[name]
    text = _explained(one, *events, cluster={"log": "a line", **SECRETS})
    assert text.startswith(f"0 of 1 {MARK}.\n")
    for part in (f"Pod {NAME}-new-1", *parts, "To go on: ", "No pod serves.", "describe pods"):
        assert part in text


def test_a_pod_that_only_starts_has_no_problem() -> None:
    rollout = _rollout(pod(container=waiting("ContainerCreating")))
    assert rollout.problems == []
    assert rollout.progress() == "0 of 1 new pods ready"


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "`restricted` pods only"),
        ('pods "x" is forbidden: exceeded quota: compute', "ResourceQuota"),
        ('error looking up service account kestra/kestra: serviceaccount "kestra" not found', "service account again"),
        ("admission webhook denied the request", "tries again by itself"),
    ],
)  # fmt: skip
def test_pods_that_nobody_may_make_are_explained_by_the_controller(
    message: str, advice: str
) -> None:
    refused = event(NEW, "FailedCreate", f"Error creating: {message}", 9)
    text = _explained(refused)
    assert f"FailedCreate: Error creating: {message}" in text
    assert advice in text


def test_a_container_that_is_killed_for_memory_is_not_explained_by_its_probes() -> None:
    refused = event(f"{NAME}-new-1", "Unhealthy", "Startup probe failed: connection refused")
    for container in (
        killed("OOMKilled", 137),
        killed("OOMKilled", 137) | {"state": {"running": {}}},
    ):
        problem = problem_of(pod(container=container), [refused])
        assert problem is not None
        assert problem.reason == "OOMKilled"


@pytest.mark.parametrize("reason", ["FailedMount", "FailedCreatePodSandBox"])
def test_what_failed_before_a_container_ran_is_not_reported_any_more(reason: str) -> None:
    passed = event(f"{NAME}-new-1", reason, "failed to sync configmap cache: timed out")
    running = {"ready": False, "state": {"running": {"startedAt": "2026-11-29T00:00:00Z"}}}
    problem = problem_of(pod(container=waiting("ContainerCreating")), [passed])
    assert problem is not None
    assert problem.reason == reason
    assert problem_of(pod(container=running), [passed]) is None


def test_a_paused_deployment_says_so() -> None:
    rollout = _rollout(pod(OLD, ready=True), paused=True)
    assert not rollout.is_done
    assert "1 old ones serve" in rollout.progress()
    assert "kubectl rollout resume" in _explained(pod(OLD, ready=True), paused=True)


def test_the_old_pods_that_serve_and_what_they_need_are_named() -> None:
    bad = [pod(container=waiting("ErrImagePull", "no"), number=n) for n in (1, 2)]
    text = _explained(pod(OLD, ready=True), pod(OLD, ready=True, number=2), *bad, replicas=2)
    assert "0 of 2 new pods are ready." in text
    assert "Old pods that go on serving: 2." in text
    assert "What the old pods refer to (ConfigMap, Secret) stays" in text
    # One problem of two pods.
    assert text.count("ErrImagePull") == 1


def test_a_recreate_deployment_waits_for_the_old_pod_to_end() -> None:
    recreate: dict[str, Any] = {"strategy": "Recreate"}
    ending = pod(OLD, ready=True, deleted=True)
    # Its ReplicaSet is not made yet: the newest revision is the old one.
    rollout = Rollout.of(NAME, [deployment(**recreate), SETS[0], ending])
    assert rollout is not None
    assert not rollout.is_done
    assert rollout.progress() == f"waiting for the old pod {NAME}-old-1 to end"
    text = _explained(ending, **recreate)
    assert f"Not ended yet: {NAME}-old-1 (its tasks have up to 360 s)" in text


@pytest.mark.parametrize(
    ("objects", "spec", "words"),
    [
        ([pod(ready=True)], {}, ""),
        ([pod(ready=True)], {"observed": 1}, "not seen by the Deployment controller yet"),
        ([pod(ready=True), pod(OLD, ready=True)], {}, "1 of 1 new pods ready, 1 old ones serve"),
        # Terminating pods of a rolling update finish their tasks; nothing waits for them.
        ([pod(ready=True), pod(OLD, ready=True, deleted=True)], {}, ""),
        ([pod(ready=True), pod(OLD, deleted=True)], {"strategy": "Recreate"}, "1 of 1 new pods ready"),
        ([pod(ready=True), pod(number=2)], {"replicas": 2}, "1 of 2 new pods ready"),
        ([pod(ready=True, deleted=True)], {}, "0 of 1 new pods ready"),
        ([], {"replicas": 0}, ""),
    ],
)  # fmt: skip
def test_progress_says_how_many_pods_are_ready(
    objects: list[dict[str, Any]], spec: dict[str, Any], words: str
) -> None:
    rollout = _rollout(*objects, **spec)
    assert rollout.progress() == words
    assert rollout.is_done is not bool(words)


def test_progress_names_the_reason_and_quotes_no_server() -> None:
    rollout = _rollout(pod(container=waiting("ImagePullBackOff", PLANTED)))
    assert progress([("a", rollout), ("b", _rollout(pod(ready=True)))]) == (
        "a: 0 of 1 new pods ready (ImagePullBackOff)"
    )


@pytest.mark.parametrize(
    "form",
    [PLANTED, base64.b64encode(PLANTED.encode()).decode(), PLANTED.encode().hex(), f"{PLANTED[:9]}\n{PLANTED[9:]}"],
)  # fmt: skip
def test_no_secret_of_the_pods_reaches_the_report_in_any_form(form: str) -> None:
    says = event(f"{NAME}-new-1", "Failed", f"refused {form}")
    crash = killed("Error", 1)
    crash["state"]["waiting"]["message"] = f"with {form}"
    text = _explained(pod(container=crash), says, cluster={"log": f"at\nlogin {form}\n", **SECRETS})
    assert "CrashLoopBackOff" in text
    for part in (form, *form.splitlines(), PLANTED, PLANTED[:9]):
        assert part not in text


def test_a_value_of_many_lines_is_taken_out_although_only_its_end_would_be_shown() -> None:
    key = "\n".join(f"{n:02}{'abcdefgh' * 7}" for n in range(30))
    log = f"starts\n{key}\nends"
    text = _explained(
        pod(container=killed("Error", 1)),
        cluster={"log": log, "secrets": {"kestra-secret-new": [key]}},
    )
    assert "29abcdefgh" not in text
    assert "ends" in text


def test_no_log_is_shown_where_the_secrets_that_it_may_quote_cannot_be_read() -> None:
    class Denied(Cluster):
        def secret_values(self, namespace: str, names: Any) -> list[str]:
            raise UnreadClusterError("denied")

    reader = Denied([deployment(), *SETS, pod(container=killed("Error", 1))], log=PLANTED)
    text = explain(LATE, INPUTS, reader, Redaction())
    assert "CrashLoopBackOff" in text
    assert reader.asked == []
    assert PLANTED not in text


def test_the_log_is_that_of_the_container_that_ended() -> None:
    reader = Cluster([deployment(), *SETS, pod(container=killed("Error", 1))], log="x", **SECRETS)
    explain(LATE, INPUTS, reader, Redaction())
    assert reader.asked == [(f"{NAME}-new-1", "kestra", "previous")]


def test_events_come_once_with_their_number_and_the_last_ones_last() -> None:
    events = [
        event(f"{NAME}-new-1", "BackOff", "again", 4, "2026-11-29T00:03:30Z"),
        *(
            event(f"{NAME}-new-1", "Failed", f"no {n}", 1, f"2026-11-29T00:0{n}:00Z")
            for n in range(7)
        ),
        event("somebody-else", "Failed", "not ours"),
    ]
    text = _explained(pod(container=killed("Error", 1)), *events)
    lines = text[text.index("Events:") :].splitlines()[1:6]
    last = [f"  Failed: no {n}" for n in (4, 5, 6)]
    assert lines == ["  Failed: no 3", "  BackOff (4 times): again", *last]
    assert "not ours" not in text


@pytest.mark.parametrize("error", ["kubectl is not installed", "the API server answers 403"])
def test_a_cluster_that_cannot_be_read_leaves_the_commands(error: str) -> None:
    text = explain(LATE, INPUTS, Cluster([], error=UnreadClusterError(error)), Redaction())
    assert error in text
    assert (
        f"kubectl --namespace {SPACE} describe pods --selector app.kubernetes.io/component" in text
    )


def test_an_answer_in_another_form_leaves_the_commands_and_quotes_nothing() -> None:
    odd = {"kind": "Pod", "metadata": {"name": PLANTED, "ownerReferences": [{"uid": "new"}]}}
    text = _explained(odd)
    assert "the answer is not understood: KeyError" in text
    assert "describe pods" in text
    assert PLANTED not in text


def test_other_failures_are_no_rollouts() -> None:
    reader = Cluster([deployment(), *SETS])
    assert explain("denied", INPUTS, reader, Redaction()) == ""
    assert explain(LATE, INPUTS | {"kind": "Service"}, reader, Redaction()) == ""
    # A secret part is an output in a hook.
    hidden = INPUTS | {"metadata": object(), "spec": object()}
    assert "the Deployment is gone" in explain(LATE, hidden, reader, Redaction())


def test_pods_that_are_ready_by_now_ask_for_the_same_command_again() -> None:
    assert "Run the same command again" in _explained(pod(ready=True))


def test_a_value_that_is_no_text_is_looked_for_as_it_is_written() -> None:
    data = {"a": base64.b64encode(b"x" * 5).decode(), "b": base64.b64encode(b"\xff\xfe").decode()}
    assert decoded_values([{"data": data}, {}]) == ["xxxxx", data["b"]]


@pytest.mark.parametrize(
    ("grace", "strategy", "update", "delete"),
    [
        ("1m", "RollingUpdate", None, None),
        ("1m", "Recreate", None, None),
        ("5m", "Recreate", 720, None),
        ("30m", "Recreate", 2220, 1920),
        ("30m", "RollingUpdate", None, 1920),
    ],
)
def test_the_wait_covers_what_the_old_pod_and_the_new_one_may_take(
    grace: str, strategy: str, update: int | None, delete: int | None
) -> None:
    document: dict[str, Any] = stack_document("local")
    document["server"]["termination-grace-period"] = grace
    settings = load(document, source="test").settings
    timeouts = rollout_timeouts(strategy, settings)
    chosen = {"update": update, "delete": delete}
    for operation, seconds in chosen.items():
        value = getattr(timeouts, operation) if timeouts else None
        assert value == (f"{seconds}s" if seconds else None)
    if update:
        assert update > max(PROVIDER_SECONDS, pod_seconds(settings))

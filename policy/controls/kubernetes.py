"""Kubernetes: what pods may do, who they are, what they may talk to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.model import Context, Finding, Problem, Resource, Stack, cis_kubernetes, control
from ..core.values import as_list, check_each, get_path, number
from ..pods import WORKLOADS, Container, containers, labels, namespace, pod, pod_path, selects
from ..releases import Image
from .kestra_containers import runs_kestras_image

_DEPLOYMENT = "kestra:deployment"
_OURS = "its pods always are (components/kubernetes/pods.py)"
_NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
_AUTOSCALERS = tuple(
    f"kubernetes:autoscaling/{version}:HorizontalPodAutoscaler" for version in ("v1", "v2")
)


@control(
    "ks-kubernetes-01",
    "Containers have no privileges",
    "critical",
    risk="A privileged container is root on its node, and so on every pod of that node.",
    steps=(
        "Remove privileged, set allowPrivilegeEscalation: false and capabilities.drop: [ALL].",
        "Set seccompProfile.type: RuntimeDefault on the pod.",
    ),
    setting=_OURS,
    types=WORKLOADS,
    frameworks=(
        *cis_kubernetes("5.2.2", "5.2.6", "5.2.8", "5.2.9", "5.6.2", version="1.12"),
        *cis_kubernetes("5.2.2", "5.2.6", "5.2.8", "5.2.9", "5.7.2"),
    ),
)
def no_privileges(workload: Resource, _: Context) -> Iterator[Finding]:
    shared = get_path(pod(workload), "securityContext.seccompProfile.type")

    def judge(container: Container) -> Iterator[Finding]:
        at_context, who = f"{container.path}.securityContext", f"container {container.name}"
        if container.get_path("securityContext.privileged"):
            yield Problem(f"{who} is privileged", "privileged: false", f"{at_context}.privileged")
        if container.get_path("securityContext.allowPrivilegeEscalation") is not False:
            yield Problem(
                f"{who} may gain privileges",
                "allowPrivilegeEscalation: false",
                f"{at_context}.allowPrivilegeEscalation",
            )
        dropped = as_list(container.get_path("securityContext.capabilities.drop"))
        if "ALL" not in dropped:
            yield Problem(
                f"{who} keeps capabilities", "drop: [ALL]", f"{at_context}.capabilities.drop"
            )
        added = [
            c
            for c in as_list(container.get_path("securityContext.capabilities.add"))
            if c != "NET_BIND_SERVICE"
        ]
        if added:
            yield Problem(
                f"{who} adds {', '.join(added)}",
                "no added capability",
                f"{at_context}.capabilities.add",
            )
        profile = container.get_path("securityContext.seccompProfile.type") or shared
        if profile not in ("RuntimeDefault", "Localhost"):
            yield Problem(
                f"{who} has seccomp {profile or 'off'}",
                "RuntimeDefault",
                f"{at_context}.seccompProfile.type",
            )

    yield from check_each(containers(workload), judge)


@control(
    "ks-kubernetes-02",
    "Containers run as a plain user on a read-only file system",
    "high",
    risk="A process that is root or may write its own image turns one hole into a lasting one.",
    steps=(
        "Set runAsNonRoot: true and a numeric runAsUser.",
        "Set readOnlyRootFilesystem: true and mount an emptyDir on /tmp.",
    ),
    setting=_OURS,
    types=WORKLOADS,
    frameworks=(*cis_kubernetes("5.2.7", version="1.12"), *cis_kubernetes("5.2.7")),
)
def plain_user(workload: Resource, _: Context) -> Iterator[Finding]:
    shared = get_path(pod(workload), "securityContext") or {}

    def judge(container: Container) -> Iterator[Finding]:
        at_context, who = f"{container.path}.securityContext", f"container {container.name}"
        own = container.get_path("securityContext") or {}
        non_root = get_path(own, "runAsNonRoot")
        if (get_path(shared, "runAsNonRoot") if non_root is None else non_root) is not True:
            yield Problem(f"{who} may run as root", "runAsNonRoot: true", at_context)
        user = get_path(own, "runAsUser")
        if (get_path(shared, "runAsUser") if user is None else user) == 0:
            yield Problem(f"{who} runs as user 0", "a user above 0", f"{at_context}.runAsUser")
        if get_path(own, "readOnlyRootFilesystem") is not True:
            yield Problem(
                f"{who} may write its own file system",
                "readOnlyRootFilesystem: true, with an emptyDir on /tmp",
                f"{at_context}.readOnlyRootFilesystem",
            )

    yield from check_each(containers(workload), judge)


@control(
    "ks-kubernetes-03",
    "Pods share nothing with their node",
    "critical",
    risk="The node's processes, network or files in a pod are a way out of the pod.",
    steps=("Remove hostPID, hostIPC, hostNetwork, hostPath volumes and hostPort.",),
    setting=_OURS,
    types=WORKLOADS,
    frameworks=(
        *cis_kubernetes("5.2.3", "5.2.4", "5.2.5", "5.2.11", "5.2.12", version="1.12"),
        *cis_kubernetes("5.2.3", "5.2.4", "5.2.5", "5.2.12", "5.2.13"),
    ),
)
def no_host_access(workload: Resource, _: Context) -> Iterator[Finding]:
    spec, path = pod(workload), pod_path(workload)

    def shared(name: str) -> Iterator[Finding]:
        if get_path(spec, name):
            yield Problem(f"the pod has {name}", f"no {name}", f"{path}.{name}")

    def volume(entry: Any) -> Iterator[Finding]:
        if get_path(entry, "hostPath") is not None:
            expected = "a volume claim or an emptyDir"
            yield Problem("the pod mounts a hostPath", expected, f"{path}.volumes")

    def port(container: Container) -> Iterator[Finding]:
        if any(get_path(p, "hostPort") for p in as_list(container.get_path("ports"))):
            yield Problem(
                f"container {container.name} has a hostPort", "none", f"{container.path}.ports"
            )

    yield from check_each(("hostPID", "hostIPC", "hostNetwork"), shared)
    yield from check_each(as_list(get_path(spec, "volumes")), volume)
    yield from check_each(containers(workload), port)


@control(
    "ks-kubernetes-06",
    "Namespaces deny by default",
    "high",
    risk="In a namespace without a default, any pod may be anything and talk to anyone.",
    steps=(
        "Add a NetworkPolicy with podSelector {} and policyTypes [Ingress, Egress].",
        "Label the namespace pod-security.kubernetes.io/enforce: restricted.",
    ),
    setting="kestra:deployment.network-policy.enabled and kestra:deployment.create-namespace",
    frameworks=(
        *cis_kubernetes("5.2.1", "5.3.2", version="1.12"),
        *cis_kubernetes("5.3.2"),
    ),
)
def denied_by_default(stack: Stack, _: Context) -> Iterator[Finding]:
    def security(space: Resource) -> Iterator[Finding]:
        label = ("metadata", "labels", "pod-security.kubernetes.io/enforce")
        actual = space.get_path(label)
        if actual != "restricted":
            yield Problem(
                f"enforces pod security {actual or 'of no level'}",
                "restricted",
                "metadata.labels",
                space,
            )

    def network(workload: Resource) -> Iterator[Finding]:
        inside = namespace(workload)
        for policy in stack.of(_NETWORK_POLICY):
            everyone = not (policy.get_path("spec.podSelector") or {})
            both = {"Ingress", "Egress"} <= set(as_list(policy.get_path("spec.policyTypes")))
            allows = as_list(policy.get_path("spec.ingress")) or as_list(
                policy.get_path("spec.egress")
            )
            if everyone and both and not allows and namespace(policy) == inside:
                return
        yield Problem(
            f"nothing denies traffic by default in namespace {inside}",
            "a NetworkPolicy for all pods, both directions, without rules",
            "the stack's NetworkPolicies",
            workload,
        )

    yield from check_each(stack.of("kubernetes:core/v1:Namespace"), security)
    yield from check_each(stack.of(*WORKLOADS), network)


@control(
    "ks-kubernetes-07",
    "Images are pinned and come from known registries",
    "high",
    risk="A tag can be moved to other code, which then starts with all of Kestra's secrets.",
    steps=(
        "Name Kestra's image by digest (repository@sha256:…) and allow its repository in registries.",
        "Name the images of side and init containers by digest or by the tag of a version.",
    ),
    setting="kestra:deployment.image.digest and kestra:deployment.image.repository",
    types=WORKLOADS,
)
def pinned_images(workload: Resource, context: Context) -> Iterator[Finding]:
    def judge(container: Container) -> Iterator[Finding]:
        reference, path = str(container.get_path("image") or ""), f"{container.path}.image"
        image = Image.of(reference)
        is_kestra, is_pinned = runs_kestras_image(container), image.digest.startswith("sha256:")
        tag = image.tag or "latest"
        if not is_pinned and (is_kestra or tag == "latest"):
            expected = (
                "the image by digest, @sha256:…" if is_kestra else "a digest, or a version's tag"
            )
            yield Problem(f"container {container.name} uses the tag {tag}", expected, path)
        if is_kestra and not reference.startswith(tuple(context.options.registries)):
            yield Problem(
                f"container {container.name} uses {image.repository}",
                f"an image of {', '.join(context.options.registries)}",
                path,
            )

    yield from check_each(containers(workload), judge)


@control(
    "ks-kubernetes-08",
    "Containers say what they need and whether they work",
    "medium",
    risk="Without limits one pod starves a node; without probes broken pods get work.",
    steps=(
        "Set requests for cpu and memory and a limit for memory.",
        "Set a readiness and a liveness probe.",
    ),
    setting="kestra:deployment.components.<name>.resources",
    types=WORKLOADS,
)
def needs_and_health(workload: Resource, _: Context) -> Iterator[Finding]:
    ends = workload.type.startswith("kubernetes:batch/")

    def judge(container: Container) -> Iterator[Finding]:
        for kind, name in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
            if container.get_path(f"resources.{kind}.{name}") is None:
                yield Problem(
                    f"container {container.name} has no {kind}.{name}",
                    "a quantity",
                    f"{container.path}.resources.{kind}.{name}",
                )
        for probe in ("readinessProbe", "livenessProbe"):
            if not (container.is_init or ends) and container.get_path(probe) is None:
                yield Problem(
                    f"container {container.name} has no {probe}", "one", f"{container.path}.{probe}"
                )

    yield from check_each(containers(workload), judge)


@control(
    "ks-kubernetes-09",
    "Several replicas stay up together",
    "low",
    risk="Without a disruption budget the upgrade of nodes may end all replicas at once.",
    steps=("Add a PodDisruptionBudget whose selector matches the pods.",),
    setting="kestra:deployment.components.<name>.disruption-budget (more than one replica has one by itself)",
)
def disruption_budget(stack: Stack, _: Context) -> Iterator[Finding]:
    def judge(workload: Resource) -> Iterator[Finding]:
        replicas = _replicas(stack, workload)
        if replicas is None or replicas < 2:
            return
        for budget in stack.of(_BUDGET):
            same = namespace(budget) == namespace(workload)
            if same and selects(budget.get_path("spec.selector"), labels(workload)):
                return
        yield Problem(
            f"has {int(replicas)} replicas and no disruption budget",
            "a PodDisruptionBudget for its pods",
            "the stack's PodDisruptionBudgets",
            workload,
        )

    yield from check_each(
        stack.of("kubernetes:apps/v1:Deployment", "kubernetes:apps/v1:StatefulSet"), judge
    )


def _replicas(stack: Stack, workload: Resource) -> float | None:
    """How many replicas a workload has at least: its own number, or that of its autoscaler."""
    for scaler in stack.of(*_AUTOSCALERS):
        target = scaler.get_path("spec.scaleTargetRef")
        same = (get_path(target, "kind"), get_path(target, "name"), namespace(scaler)) == (
            workload.type.rpartition(":")[2],
            workload.get_path("metadata.name"),
            namespace(workload),
        )
        if same:
            return number(scaler.get_path("spec.minReplicas"))
    return number(workload.get_path("spec.replicas"))


@control(
    "ks-kubernetes-11",
    "Nothing runs in the default namespace",
    "low",
    risk="In the default namespace, policies and permissions meant for one application meet all others.",
    steps=("Create a namespace for Kestra and set it.",),
    setting="kestra:deployment.namespace",
    types=WORKLOADS,
    frameworks=(*cis_kubernetes("5.6.4", version="1.12"), *cis_kubernetes("5.7.4")),
)
def own_namespace(workload: Resource, _: Context) -> Iterator[Finding]:
    if namespace(workload) == "default":
        yield Problem("runs in namespace default", "a namespace of its own", "metadata.namespace")

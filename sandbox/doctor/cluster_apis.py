"""Whether the cluster serves the kinds of a stack that are not Kubernetes' own, and what installs them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from components.kubernetes.cluster_apis import SERVED_BY
from sandbox.doctor.callers import missing_apis
from sandbox.doctor.external_secrets import GROUP
from sandbox.doctor.machine import Check
from sandbox.errors import SandboxError
from sandbox.inspection.resources import StackResources
from sandbox.state import State
from sandbox.status import is_healthy, services

_AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"


def examine_apis(state: State, resources: StackResources, *, own: bool) -> Iterator[Check]:
    """One check a stack with such kinds; asks the sandbox's cluster, or the caller's own.

    Args:
        state: the sandbox's state.
        resources: the stack's resources.
        own: whether the caller's own cluster is asked.
    """
    kinds = foreign_kinds(resources)
    if not kinds:
        return
    names = ", ".join(kind for _, kind in kinds)
    kubeconfig: Path | None = None
    if not own:
        plane, *_ = services(state)
        if not is_healthy(plane):
            yield Check("cluster's APIs", f"{names}: not asked, the cluster does not run", None)
            return
        kubeconfig = plane.kubeconfig
    try:
        missing = missing_apis(kinds, kubeconfig)
    except SandboxError as error:
        yield Check("cluster's APIs", f"{names}: could not be asked. {error}", None)
        return
    remedies = dict.fromkeys(
        f"Install {what}, or remove {setting}."
        for group, (what, setting) in SERVED_BY.items()
        if any(f" of {group}/" in one for one in missing)
    )
    words = f"not served: {', '.join(missing)}" if missing else f"{names} are served"
    yield Check("cluster's APIs", words, not missing, " ".join(remedies))


def foreign_kinds(resources: StackResources) -> list[tuple[str, str]]:
    """API version and kind of what another installation serves, each once; of the External Secrets Operator
    `sandbox.doctor.external_secrets` says more."""
    kinds: dict[tuple[str, str], None] = {}
    for resource in resources.resources:
        version, _, kind = resource.type.removeprefix("kubernetes:").rpartition(":")
        if version.partition("/")[0] in SERVED_BY.keys() - {GROUP}:
            kinds[version, kind] = None
        elif resource.type == _AUTOSCALER:
            kinds["metrics.k8s.io/v1beta1", "PodMetrics"] = None
    return list(kinds)

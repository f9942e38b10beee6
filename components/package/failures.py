"""What the plugin says beside the engine's words, where resources of a component fail or pods do not start."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi

from ..kubernetes.cluster_reader import (
    ClusterReader,
    Object,
    UnreadClusterError,
    cluster_reader,
)
from ..redaction.secrets import Redaction
from ..safeguards.error_hooks import HOOK, error_hook
from ..safeguards.failed_rollout import RolloutWatch
from .component import Request
from .report import in_arguments


class OtherCluster:
    """The cluster of a provider that the program made, whose kubeconfig no plugin gets."""

    def objects(self, namespace: str) -> list[Object]:
        raise UnreadClusterError("the program has a Kubernetes provider of its own")

    def log(self, namespace: str, pod: str, container: str, *, previous: bool, lines: int) -> str:
        raise UnreadClusterError("the program has a Kubernetes provider of its own")

    def secret_values(self, namespace: str, names: Sequence[str]) -> list[str]:
        raise UnreadClusterError("the program has a Kubernetes provider of its own")


def explained(component: str, request: Request, *, has_own_cluster: bool) -> pulumi.ResourceOptions:
    """Options of a component whose resources say what can be done where they fail, as those of a stack do.

    For the plugin only: it lives as long as the engine, which a program does not.

    Args:
        component: its type and name.
        request: what it is made of.
        has_own_cluster: whether the program gives it a Kubernetes provider.
    """
    settings = request.settings
    if settings is None:
        return pulumi.ResourceOptions()
    is_other = has_own_cluster and settings.deployment.kubeconfig is None
    reader: ClusterReader = OtherCluster() if is_other else cluster_reader(settings)
    redaction = Redaction()
    says = in_arguments(request.style)
    transformations = [
        redaction.note,
        error_hook(f"{HOOK} of {component}", reader, redaction, says),
    ]
    if not pulumi.runtime.is_dry_run():
        transformations.append(RolloutWatch(reader).note)
    return pulumi.ResourceOptions(transformations=transformations)

"""What flows use by default for the pods of their tasks (`kestra.plugins.defaults`, which ended with 1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from ..settings import Settings
from ..settings.task_places import task_places
from ..settings.task_runner import TaskRunner
from .leaves import Node
from .nodes import block

#: The Enterprise task runner, and the task of the open plugin that makes a pod.
TASK_RUNNER = "io.kestra.plugin.ee.kubernetes.runner.Kubernetes"
POD_CREATE = "io.kestra.plugin.kubernetes.core.PodCreate"
#: Every plugin whose type begins so.
SCRIPTS = "io.kestra.plugin.scripts"
#: As Pod Security `restricted` asks of every container.
_CONTAINER: Mapping[str, Node] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def with_task_runner(document: dict[str, Node], settings: Settings) -> dict[str, Node]:
    """The document with defaults for task pods. Those that the settings have for the same plugin stay alone."""
    runner = settings.deployment.task_runner
    if runner is None or not runner.plugin_defaults or settings.version != "1.3":
        return document
    kestra = block(document, "kestra") or {}
    plugins = block(kestra, "plugins") or {}
    present = plugins.get("defaults")
    own = present if isinstance(present, list) else []
    named = [one.get("type") for one in own if isinstance(one, dict)]
    namespace = task_places(settings)[0].namespace
    defaults: list[Node] = [
        {"type": kind, "values": values}
        for kind, values in _values(settings, runner, namespace).items()
        if kind not in named
    ]
    if runner.scripts != "as-written":
        is_forced = {"forced": True} if runner.scripts == "forced" else {}
        # Kestra fills in the task runner's own defaults below it.
        values: dict[str, Node] = {"taskRunner": {"type": TASK_RUNNER}}
        defaults.append({"type": SCRIPTS, **is_forced, "values": values})
    plugins["defaults"] = [*defaults, *own]
    kestra["plugins"] = plugins
    return {**document, "kestra": kestra}


def _values(settings: Settings, runner: TaskRunner, namespace: str) -> dict[str, dict[str, Node]]:
    """Plugin to its defaults: of the task runner in the Enterprise Edition, of `PodCreate` in both."""
    pod: dict[str, Node] = {"automountServiceAccountToken": False}
    shared: dict[str, Node] = {"namespace": namespace}
    if runner.pod_security == "restricted":
        user = runner.run_as_user
        pod["securityContext"] = {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            # So that the files that Kestra brings in and takes out can be written.
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        shared["containerDefaultSpec"] = {"securityContext": dict(_CONTAINER)}
    account: dict[str, Node] = {"serviceAccountName": runner.service_account}
    values: dict[str, dict[str, Node]] = {POD_CREATE: {**shared, "spec": {**account, **pod}}}
    if settings.is_enterprise:
        values[TASK_RUNNER] = {**shared, **account, "podSpec": pod}
    return values

"""A small Pulumi stack on the test control plane, run by the real engine with the stand-in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kubernetes import client, config
from pulumi import automation

from sandbox.providers import write_launchers
from tests.plugins.workspace_support import workspace

Program = Callable[[], None]


class KubernetesStack:
    """Runs programs as one stack; ``api`` looks at the cluster behind the engine's back."""

    def __init__(self, directory: Path, namespace: str, kubeconfig: Path, pulumi: Path) -> None:
        self.namespace = namespace
        self.directory, self.kubeconfig = directory, kubeconfig
        launchers = write_launchers(directory / "launchers", ["kubernetes"])
        self._options = workspace(
            directory,
            pulumi,
            [launchers, pulumi.parent, os.environ["PATH"]],
            {"KUBECONFIG": str(kubeconfig)},
        )
        self._stack: automation.Stack | None = None
        config.load_kube_config(str(kubeconfig), persist_config=False)
        self.core: Any = client.CoreV1Api()
        self.apps: Any = client.AppsV1Api()

    def use(self, program: Program) -> automation.Stack:
        """The stack with this program."""
        if self._stack is None:
            self._stack = automation.create_or_select_stack(
                "dev", "kubernetes-tests", program, opts=self._options
            )
        self._stack.workspace.program = program
        return self._stack

    def up(self, program: Program) -> dict[str, int]:
        """The changes of an update, by operation."""
        return _changes(self.use(program).up())

    def refresh(self) -> dict[str, int]:
        """The changes that a refresh finds, by operation."""
        assert self._stack is not None
        return _changes(self._stack.refresh())

    def state_text(self) -> str:
        """All files of the state backend as one text."""
        files = [f for f in (self.directory / "state").rglob("*") if f.is_file()]
        return "\n".join(f.read_text(errors="ignore") for f in files)

    def close(self) -> None:
        """Destroys what the stack has made."""
        if self._stack is not None:
            self._stack.destroy()


def _changes(result: Any) -> dict[str, int]:
    return dict(result.summary.resource_changes or {})

"""Every stack file of this project in one sandbox: one control plane, one Vault, and the clouds' API servers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from rich.console import Console

from sandbox.check import declared_values
from sandbox.cli import Sandbox
from sandbox.cloud_check import check_clouds
from sandbox.services import ControlPlane
from sandbox.state import Last, State
from tests.conftest import ROOT

FILES = {f.name[7:-5]: f for f in sorted((ROOT / "stacks").glob("Pulumi.*.yaml"))}


class JudgedStacks:
    """Runs stack files as `python -m sandbox` does."""

    def __init__(self, folder: Path) -> None:
        self.state, self._stacks = State(folder / "state"), folder / "stacks"
        self.state.create()
        self._stacks.mkdir()
        for name, file in FILES.items():
            document = yaml.safe_load(file.read_text())
            # Examples are for clusters of their own, and here they share one.
            document["config"]["kestra:deployment"]["namespace"] = self.namespace(name)
            (self._stacks / file.name).write_text(yaml.safe_dump(document))

    @contextmanager
    def tagged(self, name: str, tag: str) -> Iterator[None]:
        """Another tag beside the digest of a stack's image, for a while."""
        file = self._stacks / FILES[name].name
        before = file.read_text()
        document = yaml.safe_load(before)
        document["config"]["kestra:deployment"]["image"]["tag"] = tag
        file.write_text(yaml.safe_dump(document))
        try:
            yield
        finally:
            file.write_text(before)

    @staticmethod
    def namespace(name: str) -> str:
        return f"judged-{name}"

    def _sandbox(self) -> tuple[Sandbox, io.StringIO]:
        output = io.StringIO()
        console = Console(file=output, width=200, highlight=False, soft_wrap=True)
        return Sandbox(self.state, console, stacks=self._stacks), output

    def preview(self, name: str) -> str:
        """What a person reads. Raises PolicyRefusal when the pack refuses."""
        sandbox, output = self._sandbox()
        sandbox.preview(name)
        return output.getvalue()

    def up(self, name: str) -> str:
        """What a person reads. Raises PolicyRefusal when the pack refuses."""
        sandbox, output = self._sandbox()
        sandbox.up(name)
        return output.getvalue()

    def checks(self, name: str) -> dict[str, bool]:
        """What Kestra can do in the cloud of a stack that is up."""
        sandbox, _ = self._sandbox()
        stack = sandbox.ready(name, sandbox.settings(name))
        outputs = {key: output.value for key, output in stack.outputs().items()}
        settings = stack.settings()
        declared = declared_values(settings, outputs["generated"])
        groups = check_clouds(stack.clouds, settings, declared, outputs["principal"])
        return {check["what"]: check["ok"] for group in groups for check in group["checks"]}

    def bring_up(self, name: str) -> None:
        """Brings a stack up, when its last operation was not that."""
        last = Last.read(self.state.stack(name))
        if last is None or (last.operation, last.result) != ("up", "succeeded"):
            self.up(name)

    @property
    def plane(self) -> ControlPlane:
        """The control plane on which the stacks are."""
        return ControlPlane(self.state.services / "kubernetes", {})

    def end(self) -> None:
        """Ends the servers."""
        self._sandbox()[0].down(purge=True)

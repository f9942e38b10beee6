"""The real Pulumi engine with the same program as `pulumi up`, in an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto

from components.settings import Settings, load
from sandbox import plugins
from sandbox.display import Events
from sandbox.errors import SandboxError
from sandbox.services import ControlPlane, Vault
from sandbox.state import ROOT, State

PROJECT = "kestra"
STAND_INS = {"random": "4.21.4", "vault": "7.14.0", "kubernetes": "4.34.2"}


class EngineFailure(SandboxError):
    """An update failed; the message has the engine's words, resource by resource."""


class Stack:
    """A stack of the sandbox: workspace, environment, and the operations of the engine."""

    def __init__(
        self,
        state: State,
        name: str,
        tools: Mapping[str, Path],
        plane: ControlPlane,
        vault: Vault | None,
        *,
        official_plugins: bool = False,
        stacks: Path = ROOT / "stacks",
    ) -> None:
        self._stacks = stacks
        self.name, self._state, self._tools = name, state, tools
        self.plane, self.vault = plane, vault
        self._download = official_plugins
        self.folder = state.stack(name)
        self.plugins = self._plugins()

    @property
    def _file(self) -> Path:
        return self.folder / "workspace" / "stacks" / f"Pulumi.{self.name}.yaml"

    def _plugins(self) -> dict[str, str]:
        """Plugin to what is used: `official` or `stand-in`."""
        used = {}
        for name, version in STAND_INS.items():
            installed = Path.home() / ".pulumi" / "plugins" / f"resource-{name}-v{version}"
            found = installed.is_dir() or shutil.which(f"pulumi-resource-{name}")
            used[name] = "official" if found or self._download else "stand-in"
        return used

    def _link_plugins(self) -> None:
        home = self._state.pulumi_home / "plugins"
        home.mkdir(parents=True, exist_ok=True)
        for name, version in STAND_INS.items():
            installed = Path.home() / ".pulumi" / "plugins" / f"resource-{name}-v{version}"
            link = home / installed.name
            if installed.is_dir() and not link.exists():
                link.symlink_to(installed)

    def write_workspace(self) -> None:
        """Copies project and stack file, and puts the sandbox's addresses in place of the file's.

        The tracked files are never changed: what the engine adds (the salt of the encryption) is kept in
        the copy.
        """
        folder = self.folder / "workspace"
        (folder / "stacks").mkdir(parents=True, exist_ok=True)
        project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(project, sort_keys=False))
        document = yaml.safe_load((self._stacks / self._file.name).read_text()) or {}
        with contextlib.suppress(OSError):
            before = yaml.safe_load(self._file.read_text()) or {}
            for key in ("encryptionsalt", "secretsprovider", "encryptedkey"):
                if key in before:
                    document[key] = before[key]
        self._overlay(document.setdefault("config", {}))
        self._file.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True))

    def _overlay(self, config: dict[str, Any]) -> None:
        secret = config.get("kestra:secret") or {}
        if self.vault is None or secret.get("type") != "vault":
            return
        secret["vault"] = {**(secret.get("vault") or {}), "address": self.vault.address}
        identity = dict(config.get("kestra:identity") or {})
        identity["vault"] = {
            **(identity.get("vault") or {}),
            "kubernetes-host": self.plane.url,
            "kubernetes-ca-certificate": self.plane.ca_file.read_text(),
        }
        config |= {"kestra:secret": secret, "kestra:identity": identity}

    def environment(self) -> dict[str, str]:
        """The engine's environment, from scratch: nothing of the caller's clouds, clusters and log-ins."""
        launchers = plugins.write_launchers(
            self._state.directory / "plugins",
            [name for name, kind in self.plugins.items() if kind == "stand-in"],
        )
        system = [str(Path(self._tools["pulumi"]).parent), str(launchers), *_system_path()]
        made = {
            "PATH": os.pathsep.join(system),
            "HOME": str(self._state.directory),
            "LANG": "C.UTF-8",
            "PULUMI_HOME": str(self._state.pulumi_home),
            "PULUMI_BACKEND_URL": f"file://{self._state.backend}",
            "PULUMI_CONFIG_PASSPHRASE": self._state.passphrase(),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "false" if self._download else "true",
            "PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK": "true",
            "KUBECONFIG": str(self.plane.kubeconfig),
        }
        if self.vault is not None:
            made |= {"VAULT_ADDR": self.vault.address, "VAULT_TOKEN": self.vault.root_token}
        return made

    @contextlib.contextmanager
    def _selected(self) -> Iterator[auto.Stack]:
        from components.program import deploy

        self._state.backend.mkdir(parents=True, exist_ok=True)
        self._link_plugins()
        self.write_workspace()
        caller = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment())
        try:
            yield auto.create_or_select_stack(
                self.name,
                project_name=PROJECT,
                program=deploy,
                opts=auto.LocalWorkspaceOptions(
                    work_dir=str(self.folder / "workspace"),
                    pulumi_command=auto.PulumiCommand(
                        root=self._pulumi_root(), skip_version_check=True
                    ),
                ),
            )
        except auto.CommandError as error:
            raise EngineFailure(_words(error)) from None
        finally:
            os.environ.clear()
            os.environ.update(caller)

    def _pulumi_root(self) -> str:
        # The Automation API looks for `<root>/bin/pulumi`.
        binary = self._state.directory / "engine" / "bin" / "pulumi"
        binary.parent.mkdir(parents=True, exist_ok=True)
        if not binary.is_symlink() or binary.resolve() != Path(self._tools["pulumi"]).resolve():
            binary.unlink(missing_ok=True)
            binary.symlink_to(Path(self._tools["pulumi"]).resolve())
        return str(binary.parents[1])

    def _recover(self, stack: auto.Stack) -> None:
        """Takes away a lock that an ended run of this sandbox left; nobody else works on this state."""
        locks = self._state.backend / ".pulumi" / "locks"
        if locks.is_dir() and any(locks.rglob("*.json")):
            stack.cancel()

    def up(self, events: Events) -> tuple[dict[str, int], Mapping[str, auto.OutputValue], float]:
        """Brings the stack up. Changes by operation, outputs, seconds.

        Raises:
            EngineFailure: with the engine's words.
        """
        begun = time.monotonic()
        with self._selected() as stack:
            self._recover(stack)
            if self._pending(stack):
                stack.refresh(on_output=_silent, show_secrets=False, clear_pending_creates=True)
            try:
                result = stack.up(
                    on_event=self._recorded(events),
                    on_output=_silent,
                    color="never",
                    show_secrets=False,
                )
            except auto.CommandError as error:
                raise EngineFailure("\n".join(events.errors) or _words(error)) from None
            return (
                _counts(result.summary.resource_changes),
                result.outputs,
                time.monotonic() - begun,
            )

    def preview(self, events: Events) -> tuple[dict[str, int], float]:
        """Shows what `up` would do."""
        begun = time.monotonic()
        with self._selected() as stack:
            self._recover(stack)
            try:
                result = stack.preview(
                    on_event=self._recorded(events),
                    on_output=_silent,
                    color="never",
                )
            except auto.CommandError as error:
                raise EngineFailure("\n".join(events.errors) or _words(error)) from None
            return _counts(result.change_summary), time.monotonic() - begun

    def refresh(self, events: Events) -> dict[str, int]:
        """Compares the state with the servers and records what differs."""
        with self._selected() as stack:
            try:
                result = stack.refresh(
                    on_event=self._recorded(events),
                    on_output=_silent,
                    color="never",
                    show_secrets=False,
                )
            except auto.CommandError as error:
                raise EngineFailure("\n".join(events.errors) or _words(error)) from None
            return _counts(result.summary.resource_changes)

    def destroy(self, events: Events) -> dict[str, int]:
        """Deletes the resources, save those that are protected."""
        with self._selected() as stack:
            try:
                result = stack.destroy(
                    on_event=self._recorded(events),
                    on_output=_silent,
                    color="never",
                    show_secrets=False,
                    exclude_protected=True,
                )
            except auto.CommandError as error:
                raise EngineFailure("\n".join(events.errors) or _words(error)) from None
            return _counts(result.summary.resource_changes)

    def outputs(self) -> Mapping[str, auto.OutputValue]:
        """The outputs of the last update; empty when there was none."""
        with self._selected() as stack:
            return stack.outputs()

    def settings(self) -> Settings:
        """The settings as the program gets them: the sandbox's addresses in place, secrets in clear."""
        with self._selected() as stack:
            document: dict[str, object] = {}
            for key, entry in stack.get_all_config().items():
                if key.startswith("kestra:"):
                    name = key.removeprefix("kestra:")
                    is_text = name in ("version", "edition")
                    document[name] = entry.value if is_text else yaml.safe_load(entry.value)
        return load(document, source=self._file.name).settings

    def _pending(self, stack: auto.Stack) -> bool:
        deployment = stack.export_stack().deployment or {}
        return bool(deployment.get("pending_operations"))

    def _recorded(self, events: Events) -> Any:
        file = self.folder / "events.jsonl"

        def act(event: Any) -> None:
            with file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(event, default=_plain) + "\n")
            events(event)

        return act


def _counts(changes: Mapping[Any, int] | None) -> dict[str, int]:
    return {str(getattr(k, "value", k)): v for k, v in (changes or {}).items()}


def _plain(value: Any) -> Any:
    return getattr(value, "__dict__", None) or str(value)


def _silent(_: str) -> None:
    pass


def _words(error: auto.CommandError) -> str:
    text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("error:")]
    return "\n".join(lines) or " ".join(text.split())[-600:]


def _system_path() -> list[str]:
    keep = [p for p in os.environ.get("PATH", os.defpath).split(os.pathsep) if p]
    # Language and resource plugins of the caller's installation stay out, but for official resources.
    return [p for p in keep if not (Path(p) / "pulumi-language-python").exists()]

"""The real Pulumi engine with the same program as `pulumi up`, in an environment of its own."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from components.backends.registry import clouds
from components.kubernetes.cluster_reader import READER
from components.redaction.secrets import Redaction
from components.safeguards.error_hooks import ANSWER
from components.safeguards.failed_rollout import REDACTION
from components.safeguards.interrupted_updates import adopt_pending
from components.settings import Settings
from components.stack_config import decode_config
from components.validation import load_stack
from components.validation.stack_outputs import StackOutputs
from sandbox import providers
from sandbox.clouds import Clouds
from sandbox.display import Events
from sandbox.encryption import secrets_of
from sandbox.engine import official_plugins
from sandbox.engine.cluster_reader import PlaneReader
from sandbox.engine.command import EngineCommand
from sandbox.engine.environment import command_root, engine_variables, system_path
from sandbox.engine.events import Recorder
from sandbox.engine.hook_server import share_process
from sandbox.engine.official_plugins import Official
from sandbox.engine.outcome import EngineFailure, Outcome, PolicyRefusal, engine_errors
from sandbox.engine.pending import Finder
from sandbox.engine.plugin_choice import PluginChoice, choose
from sandbox.engine.recovery import (
    end_orphaned_processes,
    is_locked,
    redact_init_errors,
    repair_backend,
)
from sandbox.engine.workspace import use_own_cluster, use_own_vault, write_workspace
from sandbox.hints import own_commands, with_advice
from sandbox.judgement import Pack, refusal
from sandbox.services import ControlPlane, Vault
from sandbox.services.process import private
from sandbox.state import NO_STATE, PROJECT, ROOT, Last, State
from sandbox.taken_names import suggest_fix

NONE = Clouds()


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
        clouds: Clouds = NONE,
        plugins: Iterable[PluginChoice] | None = None,
        stacks: Path = ROOT / "stacks",
        notify: Callable[[str], None] = lambda _: None,
        pack: Pack | None = None,
    ) -> None:
        self._stacks, self._notify, self._pack = stacks, notify, pack
        self.packs: dict[str, Any] = {"policy_packs": [str(pack.folder)]} if pack else {}
        """Options of the Automation API that have updates and previews judged by a policy pack."""
        if pack and pack.config:
            self.packs["policy_pack_configs"] = [str(pack.config)]
        self._accepted = self._has_replaced = False
        self.name, self._state, self._tools = name, state, tools
        self.plane, self.vault, self.clouds = plane, vault, clouds
        self.folder = state.stack(name)
        self.plugins = list(choose() if plugins is None else plugins)
        """Which plugin each provider has."""
        self._redaction = Redaction()

    @property
    def _file(self) -> Path:
        return self.folder / "workspace" / "stacks" / f"Pulumi.{self.name}.yaml"

    @property
    def _azure(self) -> Path:
        """What the stand-in keeps of Azure."""
        return self._state.directory / "azure" / "recorded.json"

    @property
    def _official(self) -> list[Official]:
        return [plugin.official for plugin in self.plugins if plugin.is_official]

    def write_workspace(self) -> None:
        """Copies project and stack file, with the sandbox's addresses in place of the file's.

        Raises:
            SandboxError: when the file holds values that only somebody else's key opens.
        """
        values = write_workspace(
            self._stacks / self._file.name, self._file, self._overlay, self._state.passphrase
        )
        self._redaction.add(values)

    def _overlay(self, config: dict[str, Any]) -> None:
        self.clouds.overlay(config)
        use_own_cluster(config)
        if self.vault is not None:
            use_own_vault(config, self.name, self.plane, self.vault)

    def environment(self) -> dict[str, str]:
        """The engine's environment, from scratch: nothing of the caller's clouds, clusters and log-ins."""
        folder = self._state.directory / "plugins"
        # A launcher of an earlier run would come before the official plugin.
        shutil.rmtree(folder, ignore_errors=True)
        launchers = providers.write_launchers(
            folder, [plugin.name for plugin in self.plugins if not plugin.is_official]
        )
        # Not all of PATH reaches the engine, and it would take another one that PATH has before those of its folder.
        providers.write_forwarders(
            folder,
            [p.executable for p in self._official if p.executable and (not p.folder or p.ignored)],
        )
        if self.packs:
            providers.write_analyzer(folder)
        path = [str(Path(self._tools["pulumi"]).parent), str(launchers), *system_path()]
        return engine_variables(self._state, path, self.plane, self.vault) | {
            "KESTRA_SANDBOX_AZURE_STATE": str(self._azure),
            **self.clouds.environment,
        }

    def _followed_program(self) -> None:
        self._redaction.follow()
        self._program()

    def _know_secrets(self) -> None:
        """Has the secrets that exist before an operation taken out of everything that the engine says."""
        with contextlib.suppress(*NO_STATE):
            before = self._state.latest(self.name)
            self._redaction.read_later(lambda: secrets_of(before, self._state.passphrase()))
        self._redaction.add(self._state.passphrase())
        if self.vault is not None:
            self._redaction.add(self.vault.root_token)

    @contextlib.contextmanager
    def _selected(self) -> Iterator[auto.Stack]:
        workspace = self.folder / "workspace"
        self._state.backend.mkdir(parents=True, exist_ok=True)
        official_plugins.provide(self._official, self._state.pulumi_home)
        self.write_workspace()
        if end_orphaned_processes(self._state):
            self._notify("Ended what a killed command had left running.")
        repair_backend(self._state)
        self._know_secrets()
        # Made of the caller's environment (where plugins are, proxies), so before that is put aside.
        caller, own = dict(os.environ), self.environment()
        os.environ.clear()
        os.environ.update(own)
        try:
            yield auto.create_or_select_stack(
                self.name,
                project_name=PROJECT,
                program=self._followed_program,
                opts=auto.LocalWorkspaceOptions(
                    work_dir=str(workspace),
                    pulumi_command=EngineCommand(
                        command_root(self._state, Path(self._tools["pulumi"])),
                        self._notify,
                        self._redaction.text,
                    ),
                ),
            )
        except auto.CommandError as error:
            raise EngineFailure(engine_errors(error)) from None
        finally:
            os.environ.clear()
            os.environ.update(caller)

    def _program(self) -> None:
        from components.program import deploy

        # The program runs in a context of its own, which ends with it.
        ANSWER.set(functools.partial(suggest_fix, self._state, self.name))
        READER.set(lambda: PlaneReader(self.plane))
        REDACTION.set(self._redaction)
        # Azure has no server on one machine that could be asked.
        deploy(self.folder / "workspace", lambda settings: "azure" not in clouds(settings))

    def _recover(self, stack: auto.Stack) -> None:
        """Goes on after an update that was killed; nobody else works on this state."""
        if is_locked(self._state, self.name):
            stack.cancel()
        run, name = stack.workspace.pulumi_command.run, ["--stack", self.name]
        folder = stack.workspace.work_dir
        state = self._exported(stack)
        deployment = state.get("deployment") or {}
        self._has_replaced = any(r.get("delete") for r in deployment.get("resources") or ())
        operations, file = deployment.get("pending_operations"), self.folder / "recovered.json"
        if not operations and not file.exists():
            return
        if operations:
            self._notify(
                f"The last update was killed during {len(operations)} operations; going on."
            )
            adopted = adopt_pending(deployment, Finder(deployment, self.clouds, self._azure))
            for left in adopted.left:
                self._notify(f"Left in Vault until it ends by itself, if it was made: {left}.")
            private(file, json.dumps(state | {"deployment": adopted.deployment}))
            run(["stack", "import", "--file", str(file), *name], folder, {})
        # The file stays until what it adopted was looked for, should this be killed too.
        run(["refresh", "--yes", "--skip-preview", *name], folder, {})
        file.unlink(missing_ok=True)

    def _exported(self, stack: auto.Stack) -> dict[str, Any]:
        """The state; not by Stack.export_stack(), which has the secrets in clear."""
        command = ["stack", "export", "--stack", self.name]
        run = stack.workspace.pulumi_command.run
        return json.loads(run(command, stack.workspace.work_dir, {}).stdout)

    def up(self, events: Events) -> Outcome:
        """Brings the stack up.

        Raises:
            EngineFailure: with the engine's words.
        """
        return self._operate("up", events, self.update)

    def update(self, stack: auto.Stack, options: dict[str, Any]) -> Any:
        """Updates; under a policy pack only what a preview accepts.

        Raises:
            auto.CommandError: when the engine, or the pack, refuses.
        """
        if self._pack and self._pack.refuses:
            # The engine judges whole stacks when everything is made; a preview refuses before that.
            seen: list[Any] = []
            quiet: dict[str, Any] = {**options, "on_event": seen.append}
            try:
                stack.preview(**quiet, **self.packs)
            except auto.CommandError:
                for event in seen:
                    if event.policy_event is not None or event.diagnostic_event is not None:
                        options["on_event"](event)
                raise
        self._accepted = True
        # One failing server holds nothing up that does not need it, and every failure is reported at once. But an engine
        # (3.259) that goes on after errors also deletes what an earlier, failed update has replaced: the Secret that
        # the old pods of a rollout refer to that fails again.
        goes_on = not self._has_replaced
        return stack.up(**options, **self.packs, show_secrets=False, continue_on_error=goes_on)

    def preview(self, events: Events) -> Outcome:
        """Shows what `up` would do."""
        return self._operate(
            "preview", events, lambda stack, options: stack.preview(**options, **self.packs)
        )

    def refresh(self, events: Events) -> Outcome:
        """Compares the state with the servers and records what differs."""
        return self._operate(
            "refresh", events, lambda stack, options: stack.refresh(**options, show_secrets=False)
        )

    def destroy(self, events: Events, *, unprotect: bool = False) -> Outcome:
        """Deletes the resources, save those that are protected.

        Args:
            events: told of what happens.
            unprotect: takes the protection off before, so that all are deleted.
        """

        def act(stack: auto.Stack, options: dict[str, Any]) -> Any:
            if unprotect:
                command = ["state", "unprotect", "--all", "--yes", "--stack", self.name]
                stack.workspace.pulumi_command.run(command, stack.workspace.work_dir, {})
            return stack.destroy(**options, show_secrets=False, exclude_protected=True)

        return self._operate("destroy", events, act)

    def take_over(self, type_: str, name: str, id_: str, parent: str | None) -> None:
        """Takes an object into the state that a server has already.

        Args:
            type_: the resource's type.
            name: its logical name.
            id_: its id at the provider.
            parent: `NAME=URN` of the component that it belongs to; None: the stack.

        Raises:
            EngineFailure: with the engine's words.
        """
        command = ["import", type_, name, id_, *(("--parent", parent) if parent else ())]
        options = ["--protect=false", "--generate-code=false", "--yes", "--stack", self.name]
        with self._selected() as stack:
            self._recover(stack)
            language = providers.write_language(self._state.directory / "plugins" / "import")
            path = {"PATH": f"{language}{os.pathsep}{os.environ['PATH']}"}
            run = stack.workspace.pulumi_command.run
            run([*command, *options], stack.workspace.work_dir, path)

    def _where(self) -> str:
        """Options of the command line for this state, where it is not the usual one."""
        places = [("state", self._state.directory, State.at().directory)]
        places.append(("stacks", self._stacks, ROOT / "stacks"))
        return "".join(f" --{n} {shlex.quote(str(at))}" for n, at, usual in places if at != usual)

    def protected(self) -> list[str]:
        """Names of the resources of the state that no update deletes."""
        with self._selected() as stack:
            resources = (self._exported(stack).get("deployment") or {}).get("resources") or ()
        kept = (r["urn"].rpartition("::")[2] for r in resources if r.get("protect") and r["custom"])
        return sorted(kept)

    def _operate(
        self, operation: str, events: Events, act: Callable[[auto.Stack, dict[str, Any]], Any]
    ) -> Outcome:
        """Runs an operation and keeps how it ended.

        Raises:
            EngineFailure: with the engine's words.
        """
        started, result = time.monotonic(), "failed"
        outcome = Outcome({}, {}, 0.0)
        share_process()
        try:
            with self._selected() as stack:
                self._recover(stack)
                options = {
                    "on_event": Recorder(self.folder / "events.jsonl", self._redaction, events),
                    "on_output": _silent,
                    "color": "never",
                }
                try:
                    done = act(stack, options)
                except auto.CommandError as error:
                    words = "\n".join(events.errors)
                    if refused := [v for v in dict.fromkeys(events.violations) if v.is_mandatory]:
                        in_update = operation == "up" and self._accepted
                        raise PolicyRefusal(
                            refusal(self.name, refused, words, in_update=in_update)
                        ) from None
                    said = with_advice(events.errors) or engine_errors(error)
                    raise EngineFailure(own_commands(said, self.name, self._where())) from None
                changes = (
                    done.change_summary if operation == "preview" else done.summary.resource_changes
                )
                outputs = done.outputs if operation == "up" else {}
                outcome = Outcome(_counts(changes), outputs, time.monotonic() - started)
                result = "succeeded"
        except KeyboardInterrupt:
            result = "interrupted"
            raise
        finally:
            with contextlib.suppress(*NO_STATE):
                redact_init_errors(self._state, self.name, self._redaction.text)
            if operation != "preview":
                outputs = {k: o.value for k, o in outcome.outputs.items() if not o.secret}
                seconds = time.monotonic() - started
                Last(operation, result, time.time(), seconds, outcome.changes, outputs).write(
                    self.folder
                )
        return outcome

    def outputs(self) -> Mapping[str, auto.OutputValue]:
        """The outputs of the last update; empty when there was none."""
        with self._selected() as stack:
            return stack.outputs()

    def settings(self) -> Settings:
        """The settings as the program gets them: the sandbox's addresses in place, secrets in clear."""
        with self._selected() as stack:
            config = {
                key.removeprefix("kestra:"): entry
                for key, entry in stack.get_all_config().items()
                if key.startswith("kestra:")
            }
            values = {key: entry.value for key, entry in config.items()}
            secret = [key for key, entry in config.items() if entry.secret]
            document = decode_config(values, secret, self._file)
            read = functools.partial(_outputs_of, stack.workspace)
            return load_stack(document, source=self._file.name, read=read).settings


def _outputs_of(workspace: auto.Workspace, stack: str) -> StackOutputs:
    """The outputs of another stack of the sandbox."""
    outputs = workspace.stack_outputs(stack)
    secret = {name for name, output in outputs.items() if output.secret}
    return StackOutputs({name: output.value for name, output in outputs.items()}, secret)


def _counts(changes: Mapping[Any, int] | None) -> dict[str, int]:
    return {str(getattr(k, "value", k)): v for k, v in (changes or {}).items()}


def _silent(_: str) -> None:
    pass

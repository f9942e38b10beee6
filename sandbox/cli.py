"""`python -m sandbox`: a whole Kestra stack on one machine."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import yaml
from rich.console import Console

from components.sdk_packages import missing_packages
from components.settings import Settings, SettingsError, report
from components.stack_inputs import InputError, StackInputs
from components.validation import load_file
from sandbox import custom_resources
from sandbox.arguments import parser
from sandbox.clouds import required_services, service_names, start_clouds
from sandbox.command_line import CommandConsole
from sandbox.display import Events, summary
from sandbox.engine.automation import PolicyRefusal, Stack
from sandbox.engine.official_plugins import NAMES
from sandbox.engine.plugin_choice import PluginChoice, choose, write_choices
from sandbox.engine.plugin_downloads import Downloads
from sandbox.engine.recovery import end_orphaned_processes
from sandbox.engine.workspace import refuse_encrypted
from sandbox.errors import SandboxError
from sandbox.external_secrets import playing_owners, start_operator
from sandbox.judgement import Pack, show
from sandbox.nodes import REAL, images, machine_needs
from sandbox.nodes.control_plane import RealControlPlane, control_plane, forget_kind, kind_of
from sandbox.nodes.others import playing_others
from sandbox.progress import Progress
from sandbox.services import Vault
from sandbox.state import MARK, ROOT, Last, State
from sandbox.status import servers, show_status
from sandbox.tools import CONTROL_PLANE, EXTERNAL_SECRETS, REAL_NODES, ensure


class Sandbox:
    """The commands, on one state folder."""

    def __init__(
        self,
        state: State,
        console: Console,
        *,
        offline: bool = False,
        download_again: bool = False,
        stacks: Path = ROOT / "stacks",
        policy: bool = True,
        policy_config: Path | None = None,
    ) -> None:
        self._stacks = stacks
        self._policy, self._policy_config = policy, policy_config
        self.state, self.console = state, console
        self.progress = Progress(console)
        self._offline, self._download_again = offline, download_again

    def _file(self, stack: str) -> Path:
        file = self._stacks / f"Pulumi.{stack}.yaml"
        if not file.exists():
            known = sorted(f.name[7:-5] for f in file.parent.glob("Pulumi.*.yaml"))
            raise SandboxError(f"There is no stack {stack}. Known are {', '.join(known)}.")
        return file

    def settings(self, stack: str) -> Settings:
        """The checked settings of a stack.

        Raises:
            SettingsError: with every problem.
            SandboxError: when Python lacks the SDK of its secret manager.
        """
        file = self._file(stack)
        loaded = load_file(os.path.relpath(file))
        if missing := missing_packages(loaded.settings):
            raise SandboxError(missing)
        refuse_encrypted(
            stack,
            yaml.safe_load(file.read_text()),
            self.state.stack(stack) / "workspace" / "stacks" / file.name,
        )
        for note in loaded.notes:
            self.console.print(note, markup=False)
        if loaded.warnings:
            self.console.print(report(loaded.warnings), style="yellow", markup=False)
        return loaded.settings

    def pack(self, stack: str, settings: Settings) -> Pack | None:
        """The policy pack that judges the stack, and a line that says so.

        Raises:
            SandboxError: when the pack's configuration is no JSON document.
        """
        if not self._policy:
            self.console.print(
                "Policy: off (--no-policy); nothing judges this stack.", style="yellow"
            )
            return None
        pack = Pack.of(stack, settings, self._policy_config)
        self.console.print(f"Policy: {pack}.", markup=False)
        return pack

    def ready(
        self, stack: str, settings: Settings, pack: Pack | None = None, nodes: str | None = None
    ) -> Stack:
        """Tools and servers, and the stack on them.

        Args:
            stack: its name.
            settings: the checked ones.
            pack: that judges the stack.
            nodes: `simulated` or `real`; None: as they are.

        Raises:
            SandboxError: when the machine cannot have what is asked for.
        """
        kubernetes = self.state.services / "kubernetes"
        is_real = (nodes or kind_of(kubernetes)) == REAL
        if is_real:
            machine_needs.require()
        services = required_services(self.state, stack, settings)
        others = [name for name in ("vault", EXTERNAL_SECRETS) if name in services]
        needed = [*CONTROL_PLANE, *(REAL_NODES if is_real else ()), *others]
        tools = ensure(["pulumi", *needed], self.progress)
        plane = control_plane(kubernetes, tools, nodes)
        if not plane.healthy:
            with self.progress.step("Starting the Kubernetes control plane"):
                plane.start(self.progress)
        for definitions in custom_resources.definitions_of(settings):
            custom_resources.install(plane, custom_resources.fetch(definitions, self.progress))
        vault = None
        if "vault" in services:
            vault = Vault(self.state.services / "vault", tools)
            if not vault.healthy:
                with self.progress.step("Starting Vault"):
                    vault.start()
        clouds = start_clouds(self.state, settings, self.progress, services)
        if EXTERNAL_SECRETS in services:
            start_operator(self.state, tools, plane, self.progress)
        self.state.stack(stack).mkdir(parents=True, exist_ok=True)
        return Stack(
            self.state,
            stack,
            tools,
            plane,
            vault,
            clouds=clouds,
            plugins=self.choose_plugins(stack, services, tools["pulumi"]),
            stacks=self._stacks,
            notify=self.progress.note,
            pack=pack,
        )

    def choose_plugins(
        self, stack: str, services: Collection[str], pulumi: Path
    ) -> list[PluginChoice]:
        """The stack's provider plugins; prints which, why, and what the machine has and cannot use.

        Args:
            stack: its name.
            services: that it needs (see `sandbox.clouds.required_services`).
            pulumi: the engine's command, which downloads plugins.
        """
        downloads = Downloads(pulumi, self.progress, again=self._download_again)
        needed = ["random", "kubernetes", *(n for n in NAMES if service_names().get(n) in services)]
        used = choose(needed, offline=self._offline, downloads=downloads)
        for plugin in used:
            self.console.print(f"  Provider plugin {plugin}", style="dim", markup=False)
            for ignored in plugin.official.ignored:
                self.console.print(f"  Not used: {ignored}.", style="yellow", markup=False)
        if downloads.retry_hint:
            self.console.print(f"  {downloads.retry_hint}", style="dim", markup=False)
        write_choices(self.state.stack(stack), used)
        # The engine also asks for those of resources that the state has and nobody needs any more.
        return used + choose([n for n in NAMES if n not in needed], offline=self._offline)

    def up(self, name: str, *, nodes: str | None = None, image: Path | None = None) -> None:
        """Brings a stack up.

        Args:
            name: of the stack.
            nodes: `simulated` or `real`; None: as they are.
            image: archive of Kestra's image for real nodes; None: the sandbox's own.
        """
        images.check(image, nodes or kind_of(self.state.services / "kubernetes"))
        settings = self.settings(name)
        pack = self.pack(name, settings)
        stack = self.ready(name, settings, pack, nodes)
        loaded = None
        if isinstance(stack.plane, RealControlPlane):
            loaded = images.load(stack.plane.node, settings, image, self.progress)
        if stack.clouds.began_empty and Last.read(self.state.stack(name)) is not None:
            with self.progress.step(
                "Noting what the API server of the cloud does not hold any more"
            ):
                stack.refresh(Events(self.progress))
        events = Events(self.progress)
        with (
            self._judged(events),
            self.progress.step(f"Bringing up stack {name}"),
            playing_owners(stack, settings, self.progress.note),
            playing_others(stack.plane, settings, image, self.progress.note),
        ):
            done = stack.up(events)
        images.replace_pods(stack.plane, settings, loaded, self.progress)
        summary(self.console, name, done, events, judged=pack is not None)

    def preview(self, name: str) -> None:
        """Shows what `up` would do."""
        settings = self.settings(name)
        pack = self.pack(name, settings)
        stack = self.ready(name, settings, pack)
        events = Events(self.progress, preview=True)
        with self._judged(events), self.progress.step(f"Previewing stack {name}"):
            done = stack.preview(events)
        summary(self.console, name, done, events, preview=True, judged=pack is not None)

    @contextlib.contextmanager
    def _judged(self, events: Events) -> Iterator[None]:
        """Shows what the pack found when it refuses; what it accepts is shown with the summary."""
        try:
            yield
        except PolicyRefusal:
            show(self.console, events.violations)
            raise

    def refresh(self, name: str) -> None:
        """Compares the state with the servers."""
        stack = self.ready(name, self.settings(name))
        events = Events(self.progress)
        with self.progress.step(f"Refreshing stack {name}"):
            done = stack.refresh(events)
        summary(self.console, name, done, events)

    def destroy(self, name: str, *, unprotect: bool = False) -> None:
        """Deletes a stack's resources, save those that are protected."""
        stack = self.ready(name, self.settings(name))
        events = Events(self.progress)
        with self.progress.step(f"Destroying stack {name}"):
            done = stack.destroy(events, unprotect=unprotect)
        summary(self.console, name, done, events)
        if kept := stack.protected():
            self.console.print(
                f"Protected, and still there: {', '.join(kept)}. They hold what cannot be had back; an `up` goes on "
                f"with them. To delete them too: python -m sandbox destroy {name} --unprotect; of a real stack: "
                "docs/guards.md.",
                markup=False,
            )

    def take_over(self, name: str, type_: str, resource: str, id_: str, parent: str | None) -> None:
        """Takes an object into a stack's state that a server has already."""
        stack = self.ready(name, self.settings(name))
        with self.progress.step(f"Taking {resource} into stack {name}"):
            stack.take_over(type_, resource, id_, parent)
        self.console.print(f"The next `up {name}` makes it as the settings say.", markup=False)

    def verify(self, name: str, json_file: Path | None, nodes: str | None = None) -> bool:
        """Compares what a real Kestra makes of what the API server holds. Whether everything is as intended.

        Args:
            name: of the stack.
            json_file: takes the report as data.
            nodes: `real`: the Kestra of the stack's pods; `simulated`: one that is started here; None: as the nodes are.
        """
        from sandbox.check import verify_stack

        if nodes == REAL and kind_of(self.state.services / "kubernetes") != REAL:
            raise SandboxError(
                f"The nodes are simulated: no pod runs. Run `python -m sandbox up {name} --nodes real` first."
            )
        stack = self.ready(name, self.settings(name))
        in_pods = isinstance(stack.plane, RealControlPlane) and nodes in (None, REAL)
        return verify_stack(stack, self.progress, self.console, json_file, in_pods=in_pods)

    def doctor(self, name: str, inputs: StackInputs, *, own: bool, everything: bool) -> bool:
        """Prints what machine, settings and permissions have and lack. Whether nothing is lacking."""
        from sandbox.doctor import doctor

        return doctor(
            self.state, name, self._file(name), self.console, inputs, own=own, everything=everything
        )

    def report(
        self, name: str, output: Path | None, policy_config: Path | None, inputs: StackInputs
    ) -> None:
        """Writes the security report of a stack; starts and changes nothing."""
        from sandbox.report import build, write

        target = output or self.state.directory / "reports" / f"{name}.html"
        with self.progress.step(f"Writing the security report of stack {name}"):
            content = build(self.state, name, self._file(name), policy_config, inputs)
            write(content, target)
        verdicts = content.judgements
        self.console.print(
            f"Report of stack {name}, judged as {verdicts.environment}: {len(verdicts.all)} controls,"
            f" {len(verdicts.of('violated'))} violated ({len(verdicts.refusing)} would refuse an update),"
            f" {len(verdicts.of('undecided'))} not decidable yet\n{target}",
            markup=False,
        )

    def status(self) -> None:
        """What runs, and the stacks that are here."""
        show_status(self.state, self.console)

    def down(self, *, purge: bool) -> None:
        """Ends what the sandbox started; with `purge` removes the state too."""
        with self.progress.step("Ending the servers"):
            end_orphaned_processes(self.state)
            for server in reversed(servers(self.state)):
                server.stop(seconds=15)
            forget_kind(self.state.services / "kubernetes")
        if purge:
            keep = (self.state.lock, self.state.directory / MARK)
            for entry in self.state.directory.iterdir():
                if entry not in keep:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            self.console.print(f"Removed {self.state.directory}", markup=False)
        else:
            self.console.print("The state stays; `up` goes on with it, `down --purge` removes it.")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Runs a command; 0 when it did what it should."""
    state = State.at(arguments.state)
    given: Path | None = getattr(arguments, "policy_config", None)
    sandbox = Sandbox(
        state,
        console,
        offline=arguments.offline,
        download_again=arguments.official_plugins,
        stacks=arguments.stacks.resolve(),
        policy=not getattr(arguments, "no_policy", False),
        policy_config=given.resolve() if given else None,
    )
    # Reads only: may be asked while another command works.
    if arguments.command == "status":
        sandbox.status()
        return 0
    if arguments.command == "doctor":
        inputs = StackInputs.of(arguments)
        well = sandbox.doctor(
            arguments.stack, inputs, own=arguments.ask_own, everything=arguments.all
        )
        return 0 if well else 1
    if arguments.command == "down" and not state.directory.exists():
        console.print(f"There is nothing at {state.directory}.", markup=False)
        return 0
    if arguments.command == "report":
        state.create()
        inputs = StackInputs.of(arguments)
        sandbox.report(arguments.stack, arguments.output, arguments.policy_config, inputs)
        return 0
    with state.locked():
        match arguments.command:
            case "up":
                sandbox.up(arguments.stack, nodes=arguments.nodes, image=arguments.image)
            case "preview":
                sandbox.preview(arguments.stack)
            case "refresh":
                sandbox.refresh(arguments.stack)
            case "destroy":
                sandbox.destroy(arguments.stack, unprotect=arguments.unprotect)
            case "import":
                taken = (arguments.type, arguments.name, arguments.id, arguments.parent)
                sandbox.take_over(arguments.stack, *taken)
            case "verify":
                sound = sandbox.verify(arguments.stack, arguments.json, arguments.nodes)
                return 0 if sound else 1
            case "down":
                sandbox.down(purge=arguments.purge)
    if arguments.command == "down" and arguments.purge:
        for file in (state.lock, state.directory / MARK):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            state.directory.rmdir()
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; errors are one sentence each, without a traceback."""
    console = CommandConsole()
    # An engine that ends takes its connections along, and gRPC would print tracebacks of that.
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    try:
        return run(parser().parse_args(arguments), console)
    except SettingsError as error:
        print(error.report(), file=sys.stderr)
    except (SandboxError, InputError) as error:
        print(f"Error: {error}", file=sys.stderr)
    except OSError as error:
        print(f"Error: {_sentence(error)}", file=sys.stderr)
    except KeyboardInterrupt:
        if not console.is_closed:
            print("Interrupted. Run the same command again to go on.", file=sys.stderr)
        return console.interrupted
    return 1


def _sentence(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}." if error.filename else f"{what}."

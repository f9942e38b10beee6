"""What runs, and how the last operation on each stack ended. Starts and changes nothing."""

from __future__ import annotations

import contextlib
import time

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.engine.plugin_choice import read_choices
from sandbox.nodes.control_plane import control_plane
from sandbox.services import AwsServer, ControlPlane, ExternalSecrets, GoogleCloud, Server, Vault
from sandbox.services.single import SingleServer
from sandbox.state import Last, State
from sandbox.tools import CONTROL_PLANE, EXTERNAL_SECRETS, REAL_NODES

_PORTS = {"kube-apiserver": "api", "kube-controller-manager": "controller-manager",
          "kube-scheduler": "scheduler"}  # fmt: skip


def servers(state: State) -> list[Server]:
    """The servers of a state, in the order in which they start."""
    return [server for service in services(state) for server in service.servers]


def healthy_servers(state: State) -> list[str]:
    """Names of the servers that run and answer."""
    return [
        server.name for owner in services(state) if is_healthy(owner) for server in owner.servers
    ]


def services(
    state: State,
) -> tuple[ControlPlane, Vault, AwsServer, GoogleCloud, ExternalSecrets]:
    """The servers that a state may have, started or not."""
    # Whoever only asks and ends needs no tools.
    names = (*CONTROL_PLANE, *REAL_NODES, "vault", EXTERNAL_SECRETS)
    tools = {name: state.directory / name for name in names}
    plane = control_plane(state.services / "kubernetes", tools)
    aws, google = AwsServer(state.services / "aws"), GoogleCloud(state.services / "gcp")
    return (
        plane,
        Vault(state.services / "vault", tools),
        aws,
        google,
        ExternalSecrets(state.services / EXTERNAL_SECRETS, tools, plane, aws, google),
    )


def show_status(state: State, console: Console) -> None:
    """Prints the servers and the stacks as tables."""
    owners = services(state)
    ports = _ports(*owners)
    table = _table(f"Servers of {state.directory}", "server", "process", "port", "health", "log")
    for owner in owners:
        healthy = is_healthy(owner)
        for server in owner.servers:
            if not server.log.exists():
                continue
            identity = server.identity
            runs = identity is not None and identity.alive
            health = ("healthy" if healthy else "not healthy") if runs else "stopped"
            table.add_row(
                server.name,
                str(identity.pid) if identity and runs else "-",
                str(ports.get(server.name, "-")) if runs else "-",
                Text(health, style="green" if health == "healthy" else "yellow"),
                str(server.log.relative_to(state.directory)),
            )
    console.print(table if table.row_count else f"No servers at {state.directory}.")
    stacks = _table("Stacks", "stack", "last operation", "when", "changes", "endpoint")
    for name in state.stacks():
        last = Last.read(state.stack(name))
        if last is None:
            stacks.add_row(name, "none", "-", "-", "-")
            continue
        changes = ", ".join(f"{n} {what}" for what, n in sorted(last.changes.items()))
        stacks.add_row(
            name,
            Text(
                f"{last.operation} {last.result} ({last.seconds:.1f} s)",
                style="green" if last.result == "succeeded" else "red",
            ),
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.at)),
            changes or "none",
            str(last.outputs.get("endpoint", "-")),
        )
    console.print(stacks if stacks.row_count else "No stacks.")
    for name in state.stacks():
        for plugin in read_choices(state.stack(name)):
            console.print(f"{name}: provider plugin {plugin}", markup=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", header_style="bold")
    return table


def _ports(
    plane: ControlPlane,
    vault: Vault,
    aws: AwsServer,
    google: GoogleCloud,
    external_secrets: ExternalSecrets,
) -> dict[str, int]:
    ports: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        named = plane.ports
        for server in plane.servers:
            key = _PORTS.get(server.name, server.name)
            if key in named:
                ports[server.name] = named[key]
    for service in (vault, aws, google, external_secrets):
        with contextlib.suppress(OSError, ValueError):
            ports[service.name] = service.port
    return ports


def is_healthy(service: ControlPlane | SingleServer) -> bool:
    """Whether a server runs and answers; one that was never started does not."""
    try:
        return service.healthy
    except (OSError, ValueError):
        return False

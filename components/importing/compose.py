"""Compose files: the services that run Kestra, what they read, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from .assembly import Assembly
from .commands import COMPONENTS, Command, parse_command, split_words
from .compose_files import (
    Project,
    Service,
    env_file_paths,
    load_project,
    pairs,
    scalar,
)
from .compose_mounts import add_files, mounts_of, note_mounts
from .compose_parts import (
    add_resources,
    note_devices,
    note_others,
    note_ports,
    note_rest,
)
from .env_files import read_lines
from .images import is_kestra
from .installation import Variable
from .readers import ImportRefused, Part

#: What compose takes of a folder, and what stands beside it.
_DEFAULTS = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_OVERRIDES = (
    "compose.override.yaml", "compose.override.yml",
    "docker-compose.override.yaml", "docker-compose.override.yml",
)  # fmt: skip
_DISTRIBUTED = ("webserver", "executor", "scheduler", "worker")
_OF_A_SERVICE = frozenset(
    ("image", "build", "environment", "command", "volumes", "ports", "extends", "env_file", "entrypoint", "deploy")
)  # fmt: skip


class ComposeReader:
    """Reads compose files as one project: the first is the base, the others override it."""

    def recognizes(self, part: Part) -> bool:
        """Whether it has services that are containers."""
        if not isinstance(part.document, Mapping):
            # Tags of compose's own (`!reset`) are no YAML elsewhere.
            return "services:" in part.text and "of compose's" in part.problem
        services = part.document.get("services")
        if "apiVersion" in part.document or not isinstance(services, Mapping):
            return bool(part.document.get("include")) and "compose" in part.name
        return any(
            isinstance(s, Mapping) and _OF_A_SERVICE & set(map(str, s)) for s in services.values()
        )

    def kind(self, part: Part) -> str:
        """What it is."""
        return "a compose file"

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Reads the services that run Kestra's server, and names the others."""
        parts = _chosen(parts, assembly)
        files = list({part.file: part for part in parts}.values())
        project = load_project(files, assembly, assembly.parts_of_variables())
        servers: dict[str, tuple[Service, Command]] = {}
        for name, service in project.services.items():
            command = server_command(service)
            if command is not None:
                servers[name] = (service, command)
        if not servers:
            names = ", ".join(p.file for p in files)
            raise ImportRefused(
                f"{names} has no service that runs Kestra (an image of Kestra's, or a command `server …`)."
            )
        read_services(project, servers, assembly)


def _chosen(parts: Sequence[Part], assembly: Assembly) -> list[Part]:
    """Of a folder that was given, what compose itself would read; of several folders, the first with Kestra in it."""
    given = [p for p in parts if not p.is_of_directory]
    folders: dict[str, list[Part]] = {}
    for part in parts:
        if part.is_of_directory:
            folders.setdefault(str(PurePosixPath(part.file).parent), []).append(part)
    projects = []
    for members in folders.values():
        base = next((p for name in _DEFAULTS for p in members if p.name == name), None)
        if base is None:
            projects += [[p] for p in members]
        else:
            chosen = [base, *(p for p in members if p.name in _OVERRIDES)]
            projects.append(chosen)
            projects += [[p] for p in members if p not in chosen]
    chosen = next((p for p in projects if any("kestra" in part.text.lower() for part in p)), None)
    if given:
        chosen = []
    for project in projects:
        if project is not chosen:
            for part in project:
                assembly.use(part)
                if any(part.name in other.text for other in chosen or ()):
                    # `extends` or `include` names it: it is read there.
                    continue
                assembly.note(
                    "not carried",
                    part.file,
                    "another compose file of the directory; compose reads compose.yaml and its override alone",
                    "import it on its own, or name all files of the project in their order",
                    part.origin(),
                )
    return [*(chosen or []), *given]


def server_command(service: Service) -> Command | None:
    """The command of a service that runs Kestra's server; None for any other."""
    spec = service.spec
    words = [*_words(spec.get("entrypoint")), *_words(spec.get("command"))]
    command = parse_command(words, pairs(spec.get("environment")))
    image = scalar(spec.get("image")) or ""
    if command.component:
        return command
    has_configuration = "KESTRA_CONFIGURATION" in pairs(spec.get("environment"))
    if has_configuration or (is_kestra(image) and not words):
        return command
    return None


def _words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [scalar(v) or "" for v in value]
    return split_words(value) if isinstance(value, str) else []


def read_services(
    project: Project, servers: Mapping[str, tuple[Service, Command]], assembly: Assembly
) -> None:
    """Adds the services that run Kestra's server, and names the others of the project."""
    main = min(servers, key=lambda n: _order(servers[n][1]))
    service, command = servers[main]
    carried = _components(servers, main, assembly)
    first = next(iter(carried))
    mode = "standalone" if first == "standalone" else "distributed"
    assembly.add_setting("deployment.mode", mode, service.origin("command"))
    environments = {
        component: _environment(project, carried[component][0], assembly) for component in carried
    }
    _mark_interpolated(project, environments, assembly)
    mounts = mounts_of(service, project)
    add_files(service, mounts, command, environments[first], assembly)
    _add_variables(environments, assembly)
    image = scalar(service.spec.get("image"))
    if image:
        assembly.add_image(image, service.origin("image"))
    if service.spec.get("build") is not None:
        assembly.note(
            "changed",
            service.where("build"),
            "the image is built on that machine; a cluster pulls it from a registry",
            "push the image, and name it under kestra:deployment.image",
            service.origin("build"),
        )
    _note_absent(carried, mode, assembly)
    for component, (other, own) in carried.items():
        assembly.apply_command(own, other.origin("command"), component)
        add_resources(other, component, assembly)
        note_mounts(other, mounts_of(other, project), assembly)
        note_ports(other, assembly)
        note_rest(other, assembly)
    _note_variables(project, environments[first], assembly)
    others = {n: s for n, s in project.services.items() if n not in servers}
    note_others(others, project.top, assembly)
    assembly.is_environment_known = True


def _order(command: Command) -> tuple[bool, int]:
    name = command.component or "standalone"
    return bool(command.worker_group), COMPONENTS.index(name)


def _components(
    servers: Mapping[str, tuple[Service, Command]], main: str, assembly: Assembly
) -> dict[str, tuple[Service, Command]]:
    """The service of each component; those that find no place are named."""
    carried: dict[str, tuple[Service, Command]] = {}
    ordered = sorted(servers, key=lambda n: (n != main, _order(servers[n][1])))
    for name in ordered:
        service, command = servers[name]
        component = command.component or "standalone"
        taken = component in carried or (carried and "standalone" in carried)
        if not taken and not command.worker_group:
            carried[component] = (service, command)
            continue
        if name == main:
            carried[component] = (service, command)
        _note_second(service, command, servers[main][0], assembly)
    return carried


def _note_absent(carried: Mapping[str, Any], mode: str, assembly: Assembly) -> None:
    absent = [name for name in _DISTRIBUTED if name not in carried]
    if mode == "distributed" and absent:
        assembly.note(
            "changed",
            "deployment.mode",
            f"no service runs {', '.join(absent)}; the stack runs all components of the mode distributed",
            "set their replicas under kestra:deployment.components",
        )


def _note_second(service: Service, command: Command, main: Service, assembly: Assembly) -> None:
    component = command.component or "standalone"
    origin = service.origin()
    if command.worker_group:
        group = command.worker_group
        assembly.note(
            "not carried",
            f"services.{service.name}",
            f"{service.name}: a worker of the worker-group {group}; its pods are not written",
            f"set kestra:deployment.mode to distributed, and kestra:deployment.worker-groups.{group} (Kestra 1.3 "
            "Enterprise; 2.0 has registration tokens instead)",
            origin,
        )
    else:
        assembly.note(
            "not carried",
            f"services.{service.name}",
            f"{service.name}: a second service of Kestra's ({component}) besides {main.name}; one of each kind is "
            "carried",
            "set kestra:deployment.mode to distributed, or the replicas of kestra:deployment.components",
            origin,
        )
    if pairs(service.spec.get("environment")) != pairs(main.spec.get("environment")):
        assembly.note(
            "changed",
            f"services.{service.name}.environment",
            f"differs from that of {main.name}, whose configuration is carried for all",
            "set what only one component has under kestra:deployment.components.<component>.extra-env",
            origin,
        )
    note_devices(service, assembly)


def _environment(project: Project, service: Service, assembly: Assembly) -> dict[str, Variable]:
    """The variables of a service's process: its files first, then its own."""
    variables: dict[str, Variable] = {}
    for path, is_required in env_file_paths(service.spec.get("env_file")):
        file = assembly.companion(path, service.part)
        if file is None:
            optional = "" if is_required else " (it is optional there)"
            assembly.miss_configuration(path)
            assembly.note(
                "not carried",
                service.where(f"env_file {path}"),
                f"no input is that file{optional}: its variables are missing here",
                f"give {path} to the import too",
                service.origin("env_file"),
            )
            continue
        for line in read_lines(file, assembly):
            value = line.value
            if value is None:
                value = project.interpolation.variables.get(line.name)
            elif not line.is_literal:
                value = project.interpolation.text(value)
            if value is not None:
                known = None if project.interpolation.is_open(value) else value
                variables[line.name] = Variable(file.origin(line.name), known)
    for name, value in pairs(service.spec.get("environment")).items():
        origin = service.origin(f"environment.{name}")
        if value is None and (value := project.interpolation.variables.get(name)) is None:
            _note_bare(service, name, variables, assembly)
            continue
        known = name == "KESTRA_CONFIGURATION" or not project.interpolation.is_open(value)
        variables[name] = Variable(origin, value if known else None)
    return variables


def _mark_interpolated(
    project: Project, environments: Mapping[str, Mapping[str, Variable]], assembly: Assembly
) -> None:
    """Marks variables of an env file that compose has put where they are needed: the process has them by the way."""
    for variables in environments.values():
        for name, variable in variables.items():
            is_of_file = not variable.origin.place.startswith("services.")
            if is_of_file and name in project.interpolation.used:
                assembly.installation.interpolated.add(name)


def _note_bare(
    service: Service, name: str, variables: Mapping[str, Variable], assembly: Assembly
) -> None:
    if name in variables:
        return
    if name == "KESTRA_CONFIGURATION":
        assembly.miss_configuration(service.where(f"environment.{name}"))
    assembly.note(
        "not carried",
        name,
        "a name without a value: compose takes it from the environment in which it runs, which no input holds",
        f"set kestra:deployment.environment.{name} if Kestra needs it",
        service.origin(f"environment.{name}"),
    )


def _add_variables(environments: Mapping[str, Mapping[str, Variable]], assembly: Assembly) -> None:
    """Variables that all components have, once; of those that differ the first component's, and a note."""
    first = next(iter(environments))
    for component, variables in environments.items():
        for name, variable in variables.items():
            if component == first:
                assembly.add_variable(name, variable)
                continue
            main = environments[first].get(name)
            if main is None and name not in assembly.installation.environment:
                own = Variable(variable.origin, variable.value, None, component)
                assembly.add_variable(name, own)
            elif main is not None and main.value != variable.value:
                assembly.note(
                    "changed",
                    name,
                    f"{component} had another value than {first}, whose value is carried for all",
                    f"set kestra:deployment.components.{component}.extra-env",
                    variable.origin,
                )


def _note_variables(
    project: Project, environment: Mapping[str, Variable], assembly: Assembly
) -> None:
    interpolation = project.interpolation
    # What the process itself has is not missing: Kestra replaces it, or the text of a file has it.
    missing = [name for name in interpolation.missing if name not in environment]
    assembly.unprovided |= set(missing)
    if missing:
        names = ", ".join(f"${{{name}}}" for name in missing)
        assembly.note(
            "changed",
            names,
            "no input gives these variables: neither an env file nor the compose file. Compose, Coolify, Terraform or "
            "the like puts their values in; what they stand in is left out, or to be set",
            "give the file that has them (.env) to the import too, or set the values",
        )
    if interpolation.signs:
        assembly.note(
            "changed",
            "$ in the compose file",
            f"{interpolation.signs} times a $ stands before letters that name no variable; compose puts nothing in "
            "their place, and the text is carried as it is written",
            "write $$ for a dollar sign in compose files, and check the values that have one",
        )
    if interpolation.defaults:
        names = ", ".join(interpolation.defaults)
        assembly.note(
            "changed",
            names,
            "no input gives these variables, so the defaults of the compose file are taken",
            "give the file that has them (.env) to the import too if Kestra ran with other values",
        )

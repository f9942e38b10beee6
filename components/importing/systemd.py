"""Units of systemd that start Kestra, with their drop-ins and files of variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..settings.deployment import DEFAULT_TAGS
from .assembly import Assembly, Rank
from .commands import Command, parse_command, split_words
from .documents import Unreadable, load_documents
from .durations import seconds_of, shorter_than_kestra
from .env_files import read_lines
from .images import version_of
from .installation import Origin, Variable
from .readers import ImportRefused, Part

_SECTION = re.compile(r"\[([A-Za-z]+)\]")
_PREFIX = re.compile(r"[-@:+!|]*")
_REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)")
_LIMITS = ("MemoryMax", "MemoryLimit", "CPUQuota")
_NOT_CARRIED = {
    "ExecStartPre": "runs before Kestra; kestra:deployment.init-containers can do what it does",
    "ExecStartPost": "runs after Kestra has started; a pod has nothing like it here",
    "LoadCredential": "a credential of systemd's; give it as a secret setting, or mount a Secret with it",
    "SetCredential": "a credential of systemd's; give it as a secret setting, or mount a Secret with it",
    "LoadCredentialEncrypted": "a credential of systemd's; give it as a secret setting, or mount a Secret with it",
    "SetCredentialEncrypted": "a credential of systemd's; give it as a secret setting, or mount a Secret with it",
    "PassEnvironment": "variables of the machine's own environment, which no input holds",
    "BindPaths": "folders of that machine",
    "BindReadOnlyPaths": "folders of that machine",
}


@dataclass
class _Unit:
    """The section [Service] of a unit, its drop-ins included."""

    part: Part
    values: dict[str, list[tuple[str, Origin]]] = field(default_factory=dict, repr=False)

    def last(self, name: str) -> tuple[str, Origin] | None:
        rows = self.values.get(name)
        return rows[-1] if rows else None


class SystemdReader:
    """Reads units and what they name."""

    def recognizes(self, part: Part) -> bool:
        """Whether it has a section [Service] that starts Kestra, or is a drop-in."""
        if part.document is not None or not re.search(r"(?m)^\[Service\]\s*$", part.text):
            return False
        return bool(re.search(r"(?im)^ExecStart\s*=.*kestra", part.text)) or part.name.endswith(
            ".conf"
        )

    def kind(self, part: Part) -> str:
        """What it is."""
        return "a drop-in of systemd" if part.name.endswith(".conf") else "a unit of systemd"

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Reads the first unit that starts Kestra's server, and all drop-ins."""
        units = [p for p in parts if not p.name.endswith(".conf")]
        if not units:
            raise ImportRefused("A drop-in of systemd alone says nothing; give its unit too.")
        unit = _Unit(units[0])
        for other in units[1:]:
            assembly.note(
                "not carried",
                other.file,
                f"a second unit that starts Kestra; only {units[0].file} is read",
                "import it on its own",
                other.origin(),
            )
        for part in (units[0], *(p for p in parts if p not in units)):
            _add_section(unit, part)
        _read_unit(unit, assembly)


def _add_section(unit: _Unit, part: Part) -> None:
    section = ""
    text = re.sub(r"\\\n\s*", " ", part.text)
    for row in text.split("\n"):
        row = row.strip()
        if match := _SECTION.fullmatch(row):
            section = match[1]
        elif section == "Service" and "=" in row and not row.startswith(("#", ";")):
            name, _, value = row.partition("=")
            name, value = name.strip(), value.strip()
            if value:
                unit.values.setdefault(name, []).append((value, part.origin(f"Service.{name}")))
            else:
                # An empty value takes away what was said before.
                unit.values.pop(name, None)


def _read_unit(unit: _Unit, assembly: Assembly) -> None:
    variables = _variables(unit, assembly)
    start = unit.last("ExecStart")
    command = Command()
    if start is not None:
        command = parse_command([_expanded(_PREFIX.sub("", start[0], count=1), variables)])
        assembly.apply_command(command, start[1])
        _release(command, start[1], assembly)
    elif unit.values:
        assembly.note(
            "not carried", "ExecStart", "the unit starts nothing", origin=unit.part.origin()
        )
    assembly.add_setting("deployment.mode", "standalone", start[1] if start else None)
    _files(unit, command, variables, assembly)
    for name, variable in variables.items():
        assembly.add_variable(name, variable)
    assembly.is_environment_known = True
    _rest(unit, assembly)


def _variables(unit: _Unit, assembly: Assembly) -> dict[str, Variable]:
    variables: dict[str, Variable] = {}
    for value, origin in unit.values.get("Environment", ()):
        for word in split_words(value):
            name, sign, text = word.partition("=")
            if sign:
                variables[name] = Variable(Origin(origin.file, f"{origin.place} {name}"), text)
    for value, origin in unit.values.get("EnvironmentFile", ()):
        path = value.removeprefix("-")
        file = assembly.companion(path, unit.part)
        if file is None:
            assembly.miss_configuration(path)
            assembly.note(
                "not carried",
                f"EnvironmentFile {path}",
                "its variables are missing here: no input is that file",
                f"give {path} to the import too",
                origin,
            )
            continue
        for line in read_lines(file, assembly, "systemd"):
            if line.value is not None:
                variables[line.name] = Variable(file.origin(line.name), line.value)
    return variables


def _expanded(text: str, variables: Mapping[str, Variable]) -> str:
    def value(match: re.Match[str]) -> str:
        variable = variables.get(match[1] or match[2])
        return match[0] if variable is None or variable.value is None else variable.value

    return _REFERENCE.sub(value, text)


def _release(command: Command, origin: Origin, assembly: Assembly) -> None:
    if not command.release:
        return
    version = version_of(f"v{command.release}")
    if version is None:
        return
    assembly.add_setting("version", version, origin)
    assembly.note(
        "changed",
        f"Kestra {command.release}",
        f"the unit ran the release {command.release}; the stack runs {DEFAULT_TAGS[version]}",
        f"set kestra:deployment.image.tag to v{command.release} to run the same one; check names its known holes"
        if (version == "2.0" or command.release.startswith("1.3"))
        else "upgrade the running installation to 1.3 first, by Kestra's migration guides",
        origin,
    )


def _files(
    unit: _Unit, command: Command, variables: dict[str, Variable], assembly: Assembly
) -> None:
    named = variables.pop("MICRONAUT_CONFIG_FILES", None)
    text = variables.get("KESTRA_CONFIGURATION")
    paths = (
        [] if text is not None and text.value else (named.value or "").split(",") if named else []
    )
    for path in (*(p.strip() for p in paths if p.strip()), *command.system_files):
        add_file(path, unit.part, assembly, Rank.FILE)
    for path in command.config_files:
        add_file(path, unit.part, assembly, Rank.OPTION)


def add_file(path: str, part: Part, assembly: Assembly, rank: Rank) -> bool:
    """Adds a configuration file that an input names; a missing one is noted, and the result is False."""
    file = assembly.companion(path, part)
    if file is None:
        assembly.miss_configuration(path)
        assembly.note(
            "not carried",
            path,
            "a configuration file that Kestra reads, and that is not among the inputs: its keys are missing here",
            f"give {path} to the import too",
            part.origin(),
        )
        return False
    try:
        documents = load_documents(file.text).documents
    except Unreadable:
        documents = ()
    if not any(isinstance(d, Mapping) for d in documents):
        assembly.add_configuration_text(file.text, file.origin(), rank)
        return False
    for document in documents:
        if isinstance(document, Mapping):
            assembly.add_configuration(document, file.origin(), rank)
    return True


def _rest(unit: _Unit, assembly: Assembly) -> None:
    for name, why in _NOT_CARRIED.items():
        if row := unit.last(name):
            assembly.note("not carried", f"Service.{name}", why, origin=row[1])
    user = unit.last("User")
    if user is None or user[0] in ("root", "0"):
        assembly.note(
            "changed",
            "Service.User",
            "Kestra ran as root; the pods run without root",
            origin=user[1] if user else unit.part.origin("Service"),
        )
    if row := unit.last("TimeoutStopSec"):
        seconds = seconds_of(row[0])
        if seconds is not None and shorter_than_kestra(seconds):
            assembly.note(
                "changed",
                "Service.TimeoutStopSec",
                f"{row[0]} is shorter than Kestra's own 5 minutes; pods get kestra:server.termination-grace-period "
                "and a minute",
                origin=row[1],
            )
    for name in _LIMITS:
        if row := unit.last(name):
            _limit(name, row, assembly)


def _limit(name: str, row: tuple[str, Origin], assembly: Assembly) -> None:
    value, origin = row
    limits = "deployment.components.standalone.resources.limits"
    if name == "CPUQuota" and (match := re.fullmatch(r"(\d{1,5})%", value)):
        assembly.add_setting(f"{limits}.cpu", f"{int(match[1]) * 10}m", origin)
    elif match := re.fullmatch(r"(\d+(\.\d+)?)([KMGT])", value):
        assembly.add_setting(f"{limits}.memory", f"{match[1]}{match[3]}i", origin)
    else:
        assembly.note(
            "not carried",
            f"Service.{name}",
            "set kestra:deployment.components.standalone.resources instead",
            origin=origin,
        )

"""Units of Podman (`kestra.container`) that run Kestra's image: read as a service of a compose file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from .assembly import Assembly
from .commands import split_words
from .compose import read_services, server_command
from .compose_files import Project, Service
from .compose_variables import Interpolation
from .readers import ImportRefused, Part

_SECTION = re.compile(r"\[([A-Za-z]+)\]")
#: Keys of [Container] with one value, and with several, to the part of a service.
_ONE = {"Image": "image", "User": "user", "Exec": "command", "Entrypoint": "entrypoint"}
_MANY = {
    "Volume": "volumes",
    "PublishPort": "ports",
    "EnvironmentFile": "env_file",
    "Tmpfs": "tmpfs",
}
_WORDS = {"Environment": "environment", "Label": "labels"}
_FLAGS = {
    "AddCapability": "cap_add",
    "AddDevice": "devices",
    "HealthCmd": "healthcheck",
    "DNS": "dns",
}


class ContainerUnitReader:
    """Reads the first unit that runs Kestra."""

    def recognizes(self, part: Part) -> bool:
        """Whether it has a section [Container] with an image of Kestra's."""
        return part.document is None and bool(
            re.search(r"(?m)^\[Container\]\s*$", part.text)
            and re.search(r"(?m)^Image\s*=.*kestra", part.text)
        )

    def kind(self, part: Part) -> str:
        """What it is."""
        return "a container unit of Podman"

    def read(self, parts: Sequence[Part], assembly: Assembly) -> None:
        """Reads the unit's container."""
        part = parts[0]
        spec, secrets = _container(part)
        service = Service(part.name.removesuffix(".container"), part, spec, "Container")
        command = server_command(service)
        if command is None:
            raise ImportRefused(f"{part.file} does not start Kestra's server.")
        project = Project({service.name: service}, {}, Interpolation({}))
        for name in secrets:
            assembly.note(
                "not carried",
                f"Container.Secret {name}",
                "a secret of Podman's, whose value no input has",
                "set it as a secret setting",
                service.origin("Secret"),
            )
        for other in parts[1:]:
            assembly.note(
                "not carried",
                other.file,
                f"a second container of Kestra's; only {part.file} is read",
                "import it on its own",
                other.origin(),
            )
        read_services(project, {service.name: (service, command)}, assembly)


def _container(part: Part) -> tuple[dict[str, Any], list[str]]:
    spec: dict[str, Any] = {}
    secrets: list[str] = []
    section = ""
    for line in re.sub(r"\\\n\s*", " ", part.text).split("\n"):
        row = line.strip()
        if match := _SECTION.fullmatch(row):
            section = match[1]
        elif section == "Container" and "=" in row and not row.startswith(("#", ";")):
            name, _, value = (text.strip() for text in row.partition("="))
            if name in _ONE:
                spec[_ONE[name]] = value
            elif name in _MANY:
                spec.setdefault(_MANY[name], []).append(value)
            elif name in _WORDS:
                spec.setdefault(_WORDS[name], []).extend(split_words(value))
            elif name in _FLAGS:
                spec[_FLAGS[name]] = [value]
            elif name == "Secret":
                secrets.append(value.split(",")[0])
                options = value.split(",")[1:]
                if "type=env" in options:
                    target = next((o[7:] for o in options if o.startswith("target=")), secrets[-1])
                    spec.setdefault("environment", []).append(target)
    return spec, secrets

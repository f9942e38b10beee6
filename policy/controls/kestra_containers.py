"""Which containers are Kestra, and what they are started as."""

from __future__ import annotations

import re
from typing import Any

from ..core.model import Resource
from ..core.values import UNKNOWN, Undecided, as_list, raw
from ..pods import Container, containers
from ..releases import Image

_LAUNCHER = re.compile(r"(^|[\s;&|('\"])(/app/kestra(?![\w./-])|kestra\s+server\b)")
_SERVER = re.compile(r"\bserver(\s+(?P<component>[a-z]+))?")
_REPOSITORIES = ("kestra", "kestra-ee")
_COMPONENTS = (
    "standalone",
    "local",
    "webserver",
    "executor",
    "indexer",
    "scheduler",
    "worker",
    "controller",
)
#: Kestra's log-in is asked for by these alone.
WEB_COMPONENTS = ("webserver", "standalone", "local")


def command_text(container: Container) -> str:
    """Command and arguments as one text. Raises Undecided when unknown."""
    words = [*as_list(container.get_path("command")), *as_list(container.get_path("args"))]
    if any(word is UNKNOWN for word in words):
        raise Undecided(f"{container.path}.args")
    return " ".join(str(word) for word in words)


def runs_kestras_image(container: Container) -> bool:
    """Whether a container's image is Kestra's: by its repository, its command, or its name.

    A mirror or an own image counts by the last part of its repository, and by the variables of a server of Kestra's.
    An init container is not known by its name. Raises Undecided when the image is unknown and nothing else tells.
    """
    if container.kind == "containers" and container.name == "kestra":
        return True
    image = raw(container.props, "image")
    last = "" if image is UNKNOWN else Image.of(str(image or "")).last
    if last in _REPOSITORIES:
        return True
    text = command_text(container)
    if _LAUNCHER.search(text) or ("kestra" in last and component_of(text)):
        return True
    if container.kind == "containers" and _has_kestras_variables(container, text):
        return True
    container.get_path("image")
    return False


def _has_kestras_variables(container: Container, text: str) -> bool:
    """Whether a container has KESTRA_CONFIGURATION, or starts a component and has other settings of Kestra's."""
    env = raw(container.props, "env")
    names = [raw(entry, "name") for entry in env] if isinstance(env, (list, tuple)) else []
    known = [name for name in names if isinstance(name, str)]
    if "KESTRA_CONFIGURATION" in known:
        return True
    return component_of(text) in _COMPONENTS and any(name.startswith("KESTRA_") for name in known)


def serves(container: Container) -> bool:
    """Whether a container is one of Kestra's servers, not an init container or a single command."""
    if container.kind != "containers" or not runs_kestras_image(container):
        return False
    text = command_text(container)
    return not text or _SERVER.search(text) is not None


def component_of(text: str) -> str:
    """The component that a command starts: `webserver`; empty when it does not say."""
    match = _SERVER.search(text)
    return (match and match["component"]) or ""


def is_enterprise(image: Any) -> bool | None:
    """Whether an image is the Enterprise Edition; None when its repository does not say."""
    last = Image.of(str(image or "")).last
    return last == "kestra-ee" if last in _REPOSITORIES else None


def servers(workload: Resource) -> list[Container]:
    """Kestra's servers in the pods of a workload. Raises Undecided when a container is unknown."""
    return [container for container in containers(workload) if serves(container)]


_CONFIG = re.compile(r"(?:^|\s)(?:--config|-c)(?:\s+|=)(?P<path>\S+)")


def config_option(text: str) -> str:
    """The file that a server's command names with `--config`, the last of several; empty when none."""
    server = _SERVER.search(text)
    options = list(_CONFIG.finditer(text, server.end() if server else 0))
    return options[-1]["path"].strip("\"'") if options else ""

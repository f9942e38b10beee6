"""Kestra's configuration, wherever a stack carries it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from policy.model import Resource
from policy.pods import WORKLOADS, containers
from policy.values import UNKNOWN, Undecided, at, many, reveal

CONFIG_MAP, SECRET = "kubernetes:core/v1:ConfigMap", "kubernetes:core/v1:Secret"
_HELM = ("kubernetes:helm.sh/v3:Release", "kubernetes:helm.sh/v4:Chart")
CARRIERS = (CONFIG_MAP, SECRET, *_HELM, *WORKLOADS)
_REFERENCE = re.compile(r"\$\{[^:}]+\}")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.IGNORECASE)
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Application:
    """A document with Kestra's settings."""

    resource: Resource
    path: str
    """Where it is in the resource."""
    document: Mapping[str, Any]

    def get(self, path: str) -> Any:
        """A setting, in kebab or camel case; None when missing."""
        return look_up(self.document, path)

    def has(self, path: str) -> bool:
        """Whether a setting is there, be it empty."""
        return look_up(self.document, path) is not None


def look_up(value: Any, path: str) -> Any:
    """What lies at a path of Kestra's settings; `secret-key` and `secretKey` are the same."""
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        wanted = _folded(step)
        value = next((v for k, v in value.items() if _folded(str(k)) == wanted), None)
    return value


def _folded(key: str) -> str:
    return key.replace("-", "").lower()


def applications(resource: Resource) -> Iterator[Application]:
    """The documents with a top-level key `kestra` that a resource carries.

    Raises:
        Undecided: when a text that may be one is unknown.
    """
    unknown = ""
    for path, text in _texts(resource):
        if text is UNKNOWN:
            unknown = path
            continue
        document = _parsed(reveal(text))
        if isinstance(document, Mapping) and isinstance(document.get("kestra"), Mapping):
            yield Application(resource, path, document)
    if unknown:
        raise Undecided(unknown)


def _parsed(text: Any) -> Any:
    if isinstance(text, Mapping):
        return text
    if not isinstance(text, str) or "kestra" not in text:
        return None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def _texts(resource: Resource) -> Iterator[tuple[str, Any]]:
    if resource.type in (CONFIG_MAP, SECRET):
        for name in ("data", "stringData"):
            found = resource.props.get(name)
            if found is UNKNOWN:
                yield name, UNKNOWN
            elif isinstance(found, Mapping):
                is_encoded = resource.type == SECRET and name == "data"
                for key, text in found.items():
                    yield f"{name}.{key}", _decoded(text) if is_encoded else text
    elif resource.type in _HELM:
        yield "values.configurations.application", resource.at("values.configurations.application")
    else:
        for container in containers(resource):
            for position, entry in enumerate(many(container.at("env"))):
                if at(entry, "name") == "KESTRA_CONFIGURATION":
                    yield f"{container.path}.env.{position}.value", entry.get("value")


def _decoded(text: Any) -> Any:
    if text is UNKNOWN:
        return text
    try:
        return base64.b64decode(str(reveal(text)), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def is_reference(value: Any) -> bool:
    """Whether a setting comes from the environment, without a default in clear."""
    return isinstance(value, str) and _REFERENCE.fullmatch(value) is not None


def seconds(value: Any) -> float | None:
    """A duration as Kestra binds it (`45s`, `PT1M`, `P30D`); None for what it does not understand.

    Kestra then silently takes its default (docs/kestra-behaviour.md). A copy of the rules of
    components/settings/durations.py, so that the pack works without this project's program.
    """
    text = str(value)
    if found := re.fullmatch(r"(\d+)(ms|s|m|h|d)", text):
        return int(found[1]) * _SECONDS[found[2]]
    found = _ISO.fullmatch(text)
    if not found or not any(found.groups()):
        return None
    days, hours, minutes, rest = (int(part or 0) for part in found.groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest

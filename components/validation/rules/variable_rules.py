"""Variables of the pods that would undo the rendered configuration, or what the pods assume.

What a variable sets is asked of `policy.environment_variables`, so every spelling counts. Effects are from the
sources of Kestra and Micronaut; docs/kestra-behaviour.md says which were measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pydantic import SecretStr

from ...policy_tables import Binding, bind, canonical
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.walk import walk_values
from ..schema import OURS
from . import flow_variables
from .flow_variables import CONFIGURATION_ROOTS, PREFIX, Refusal
from .setting_names import (
    catalogue_names,
    is_modelled,
    setting_keys,
    setting_names,
    setting_of,
)

_REMOVE = "remove it"
#: Variables whose JSON is configuration; Micronaut reads the first of them that is set.
_JSON = ("SPRING_APPLICATION_JSON", "MICRONAUT_APPLICATION_JSON")
_RESTART = "the pods fail their probes and restart for ever"
#: Keys that choose which configuration is read at all: what such a variable would do.
_SOURCES = {
    "micronaut.environments": "adds configuration files of other environments to the rendered one",
    "micronaut.env.deduction": "changes which environments, and so which files, are active",
    "micronaut.env.cloud-deduction": "changes which environments, and so which files, are active",
    "micronaut.cloud.platform": "changes which environments, and so which files, are active",
}
#: Keys, and blocks that end with a dot, that pods, Services and network policies assume; effect and fix.
_ASSUMED = {
    "micronaut.server.context-path": (
        "puts every address under a path where the probes do not ask: /health answers 404",
        "set kestra:micronaut.server.context-path instead, which the probes follow",
    ),
    "micronaut.server.port": (
        "moves Kestra from the port that its Service, network policy and probes take it to have",
        "set kestra:micronaut.server.port instead, which they follow",
    ),
    "micronaut.server.host": (
        f"binds another address than the pod's own: {_RESTART}",
        _REMOVE,
    ),
    "micronaut.server.ssl.": (
        f"serves TLS where the Service, the ingress and the probes speak plain HTTP: {_RESTART}",
        "set kestra:micronaut.server.ssl instead, which they follow; kestra:deployment.ingress ends TLS without it",
    ),
    "micronaut.ssl.": (
        f"serves TLS where the Service, the ingress and the probes speak plain HTTP: {_RESTART}",
        "set kestra:micronaut.server.ssl instead, which they follow; kestra:deployment.ingress ends TLS without it",
    ),
    "micronaut.server.dual-protocol": (
        "opens a port that the Service and the network policy do not know",
        _REMOVE,
    ),
    "micronaut.server.netty.listeners.": (
        f"replaces the ports that the Services and probes ask: {_RESTART}",
        _REMOVE,
    ),
    "endpoints.all.port": (
        f"moves the management endpoints from the port that the probes ask: {_RESTART}",
        "set kestra:endpoints.all.port instead, which the probes follow",
    ),
    "endpoints.all.path": (
        f"moves the management endpoints to where the probes do not ask: {_RESTART}",
        _REMOVE,
    ),
    "endpoints.all.enabled": (
        f"can switch off the endpoint that the probes ask: {_RESTART}",
        _REMOVE,
    ),
    "endpoints.all.basic-auth.": (
        f"asks the probes for a log-in that they do not carry: {_RESTART}",
        "set kestra:endpoints.all.basic-auth instead, which the probes carry",
    ),
    "endpoints.health.enabled": (
        f"can switch off the endpoint that the probes ask: {_RESTART}",
        "set kestra:endpoints.health.enabled instead",
    ),
    "endpoints.health.sensitive": (
        f"can ask the probes for a log-in: {_RESTART}",
        "set kestra:endpoints.health.sensitive instead",
    ),
    "endpoints.all.sensitive": (
        f"can ask the probes for a log-in: {_RESTART}",
        "set kestra:endpoints.all.sensitive instead",
    ),
    "kestra.server.termination-grace-period": (
        "lets Kestra end later than its pods, which are killed a minute after the period of the settings",
        "set kestra:server.termination-grace-period instead, which the pods follow",
    ),
    "kestra.configurations.delete-files-on-start": (
        "deletes files of a read-only mount, unless the pods load a copy",
        "set kestra:configurations.delete-files-on-start instead, which the pods follow",
    ),
}


def _nearly(binding: Binding) -> str | None:
    """The setting whose key the variable would set with other separators, as `BASICAUTH` for basic-auth."""
    letters = re.sub(r"[.\-_]", "", binding.key)
    return _squeezed().get(letters) if setting_of(binding.path) is None else None


@cache
def _squeezed() -> dict[str, str]:
    keys: dict[str, str] = {}
    for key in (
        *setting_keys(),
        *catalogue_names(),
        *(k for k in _ASSUMED if not k.endswith(".")),
        PREFIX,
    ):
        for name in ("h2", "postgres", "mysql") if "*" in key else ("",):
            one = key.replace("*", name)
            keys.setdefault(canonical(one).replace(".", ""), one)
    return keys


def environment(s: Settings) -> Iterator[Finding]:
    """Every variable of `deployment.environment` that may not be there; one finding each."""
    if not s.deployment.environment:
        return
    rendered = Rendered(s)
    for name, written in s.deployment.environment.items():
        # The value of an encrypted one is not judged: `check` cannot read it, and the program says the same.
        value = written if isinstance(written, str) else None
        if refusal := problem(s, rendered, name, value):
            what, why, fix = refusal
            yield Finding(("deployment", "environment", name), what, why, fix)


def is_refused(s: Settings, name: str) -> bool:
    """Whether a variable of this name may not be there, whatever its value."""
    return problem(s, Rendered(s), name, None) is not None


def problem(s: Settings, rendered: Rendered, name: str, value: str | None) -> Refusal:
    """What is wrong with a variable; the value of one that is encrypted or comes from elsewhere is None."""
    binding = bind(name)
    refusal: Refusal = None
    for rule in (_launcher, _source, flow_variables.prefix, _log_in):
        refusal = refusal or rule(s, binding, value)
    if not re.sub(r"[.\-]", "", binding.key).startswith(tuple(CONFIGURATION_ROOTS)):
        # The rest is about Kestra's keys, and a stack may have thousands of variables.
        return refusal
    if not refusal and not rendered.feeds(binding):
        refusal = _assumed(binding)
    refusal = refusal or _null_item(binding) or _free_form(binding)
    if not refusal and not binding.sets(PREFIX):
        refusal = rendered.overridden(binding, value) or _no_effect(binding)
    return refusal or _open_urls(binding, value)


def _launcher(s: Settings, b: Binding, value: str | None) -> Refusal:
    name = b.variable
    if name == "KESTRA_CONFIGURATION":
        return (
            "replaces the rendered configuration",
            "Kestra's start script writes it to a file and reads no other",
            "remove it and use the settings; other keys of Kestra's can each be set by a variable",
        )
    if re.fullmatch(r"KESTRA_CONFIGURATION(_.*)?", name):
        return (
            "belongs to KESTRA_CONFIGURATION, which replaces the rendered configuration",
            "Kestra's start script writes its configuration where this says",
            "remove it and use the settings",
        )
    if name in _JSON:
        return (
            "sets every key of its JSON above the rendered configuration",
            f"Micronaut reads {' or '.join(_JSON)} as configuration",
            "remove it and use the settings; other keys of Kestra's can each be set by a variable",
        )
    return None


def _source(s: Settings, b: Binding, value: str | None) -> Refusal:
    for key, effect in _SOURCES.items():
        if b.sets(key):
            return (
                effect,
                f"{key} decides what Micronaut reads",
                "remove it and use the settings",
            )
    if b.sets_below("micronaut.config"):
        # `micronaut.config.files` and `micronaut.config-client`.
        return (
            "makes Kestra read another configuration than the rendered one",
            "MICRONAUT_CONFIG_FILES names the rendered file, and is a name that this project sets",
            "remove it and use the settings; MICRONAUT_CONFIG_FILES and its like are its own",
        )
    return None


def _log_in(s: Settings, b: Binding, value: str | None) -> Refusal:
    if not b.sets("micronaut.security.enabled"):
        return None
    if s.edition == "oss":
        return (
            "drops the log-in of open-source Kestra where it is true, and does nothing otherwise",
            "Kestra's own log-in filter is there unless micronaut.security.enabled is true, and the open-source "
            "edition has no other",
            "remove it; kestra:server.basic-auth is the log-in",
        )
    if value == "true":
        return None
    return (
        "switches off the log-in of the Enterprise Edition unless it is true",
        "that is Micronaut Security, which micronaut.security.enabled: true starts",
        "remove it",
    )


def _open_urls(b: Binding, value: str | None) -> Refusal:
    # Micronaut makes a list of a text with commas; each entry is the beginning of paths.
    if value is None or not b.sets("kestra.server.basic-auth.open-urls"):
        return None
    if all(entry.strip().strip("/") for entry in value.split(",")):
        return None
    return (
        "opens every path without a log-in",
        "what kestra.server.basic-auth.open-urls names is open with all that begins with it",
        "name more than the root, for example /api/v1/main/executions/webhook/, in "
        "kestra:server.basic-auth.open-urls",
    )


def _assumed(b: Binding) -> Refusal:
    for key, text in _ASSUMED.items():
        if b.sets_below(key[:-1]) if key.endswith(".") else b.sets(key):
            effect, fix = text
            return (effect, f"{b.variable} sets {key.rstrip('.')}", fix)
    return None


def _null_item(b: Binding) -> Refusal:
    if not b.is_null_item or b.key.split(".")[0] not in CONFIGURATION_ROOTS:
        return None
    two = re.sub(r"_([0-9]{1,2})_(?=[A-Za-z])", r"_\1__", b.variable)
    fix = f"write {two}" if bind(two).is_null_item is False else "write one variable for each item"
    return (
        f"puts a null into the list {b.key} and its value nowhere",
        "Micronaut takes the _ behind an index for a part of it",
        f"{fix}, or use the setting where there is one",
    )


def _free_form(b: Binding) -> Refusal:
    names = b.map_names("kestra.storage")
    if len(names) < 3:
        return None
    key = f"kestra.storage.{'.'.join(names)}"
    words = [name for name in names if name]
    setting = setting_of(f"kestra.storage.{'.'.join(words)}")
    other = f"STORAGE_{'_'.join(words[1:])}".upper()
    return (
        f"sets {key}, not a key of several words",
        "Kestra reads kestra.storage as a map, in which every _ is a level too; the storage then does not start "
        "over a field that it does not know",
        f"set kestra:{setting} instead; its value may be ${{{other}}}, a variable of another name"
        if setting
        else "remove it; kestra:storage has no such key",
    )


def _no_effect(b: Binding) -> Refusal:
    key = _nearly(b)
    if key is None:
        return None
    setting = setting_of(canonical(key))
    fix = f"set kestra:{setting} instead" if setting else f"remove it; {key} may not be set here"
    return (f"sets {b.path}, which is not {key}", "Kestra reads no other spelling of the key", fix)


def _is_same(value: str | None, node: object) -> bool:
    return value is not None and value.lower() == str(node).lower()


class Rendered:
    """What the rendered configuration says, and settings that it leaves out."""

    def __init__(self, s: Settings) -> None:
        # Rendering is above the settings: imported when it is used.
        from ...rendering.configuration import render
        from ...rendering.tree import tree

        self._values: dict[str, tuple[str, object, bool]] = {}
        for root, block in tree(s).items():
            if root not in OURS:
                own = root if root in ("endpoints", "datasources") else f"kestra.{root}"
                self._add(own, block)
        if s.address is not None:
            self._add("kestra.url", s.address)
        written = dict(self._values)
        self._values = {}
        self._add("", render(s).document)
        # A setting as it was written says more than its placeholder in the file.
        self._values |= written
        paths = (path for path, _ in walk_values(s.catalogue_keys))
        self._written = {canonical(".".join(map(str, path))) for path in paths} | set(written)

    def _add(self, key: str, node: object) -> None:
        if isinstance(node, dict):
            if canonical(key) in setting_names():
                # A map whose names the user chooses: a variable could add another.
                self._values[canonical(key)] = (key, node, False)
            for name, item in node.items():
                self._add(f"{key}.{name}" if key else str(name), item)
        else:
            secret = isinstance(node, SecretStr)
            text = node.get_secret_value() if secret else node
            is_secret = secret or str(text).startswith("${STACK_")
            self._values[canonical(key)] = (key, text, is_secret)

    def _set_by(self, b: Binding) -> Iterator[tuple[str, str, object, bool]]:
        for name, (key, node, is_secret) in self._values.items():
            if b.sets(name) or (isinstance(node, dict) and b.sets_below(name)):
                yield name, key, node, is_secret

    def feeds(self, b: Binding) -> bool:
        """Whether the setting of the variable's key is exactly `${NAME}` of the variable."""
        return any(node == f"${{{b.variable}}}" for _, _, node, _ in self._set_by(b))

    def overridden(self, b: Binding, value: str | None) -> Refusal:
        for name, key, node, is_secret in self._set_by(b):
            if node == f"${{{b.variable}}}":
                return None
            setting = setting_of(name)
            is_added = name not in self._written and not is_modelled(name)
            if setting is not None and not (is_added and _is_same(value, node)):
                return (
                    f"overrides kestra:{setting}",
                    "Kestra's environment wins over its file",
                    f"set kestra:{setting} instead"
                    + (f", or to ${{{b.variable}}}" if is_secret else ""),
                )
            if setting is None and not _is_same(value, node):
                return (
                    f"overrides {key}, which rendering sets for this stack",
                    "Kestra's environment wins over its file",
                    _REMOVE,
                )
        return None

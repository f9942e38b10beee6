"""Variables of the pods that run Kestra: what each container has, and what the program makes of it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..catalogue import lookup
from ..settings.credentials import credential_sign
from . import binding
from .assembly import Assembly
from .installation import Origin, Variable
from .kubernetes_objects import (
    REFERENCES,
    Entry,
    Objects,
    Source,
    dig,
    listed,
    scalar_text,
)
from .unrendered_values import why_no_value
from .workloads import Workload, spread

#: Variables that say what is read as configuration.
_READ = ("KESTRA_CONFIGURATION", "MICRONAUT_CONFIG_FILES")
#: Variables of options of Java that become `java-options`.
_JAVA = ("JAVA_OPTS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
_REGISTRATION_TOKEN = "KESTRA_WORKER_AUTH_REGISTRATION_TOKEN"  # noqa: S105 - the name of a variable
#: Beginnings of the program's own variables.
_OWN = ("SECRET_", "STACK_")
_SECRET = "SECRET_"  # noqa: S105 - the name of variables
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][A-Za-z0-9_.-]*)\)")
_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


@dataclass
class Environment:
    """The variables of one container."""

    variables: dict[str, Variable] = field(default_factory=dict)
    from_entries: list[dict[str, Any]] = field(default_factory=list)
    """Entries of `envFrom` that stay references."""
    provided: dict[str, Entry] = field(default_factory=dict)
    """Variables that those entries are known to provide."""
    texts: dict[str, Entry] = field(default_factory=dict)
    """Values of variables that stay references, where an input holds them."""
    refused: list[tuple[str, Origin]] = field(default_factory=list)
    """Entries of `envFrom` that the program cannot have, and whose keys no input holds."""
    is_known: bool = True
    """Whether no variable can come from an object that is not among the inputs."""

    def text(self, name: str) -> Entry | None:
        """The value of a variable where an input holds it."""
        variable = self.variables.get(name)
        if variable is not None and variable.value is not None:
            return Entry(variable.value, variable.origin)
        entry = self.texts.get(name) or self.provided.get(name)
        return entry if entry is not None and entry.text is not None else None

    def reference(self, name: str) -> str:
        """The object that a variable comes from: `Secret kestra-configuration`; empty: none."""
        variable = self.variables.get(name)
        for key, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
            owner = dig(variable.value_from if variable else None, key, "name")
            if isinstance(owner, str):
                return f"{kind} {owner}"
        return ""


def environment(
    workload: Workload, objects: Objects, unprovided: Collection[str] = ()
) -> Environment:
    """The variables of a container: `env` over `envFrom`, later entries over earlier ones.

    Args:
        workload: with the container.
        objects: of the inputs.
        unprovided: variables of another program that no input gives; what names them has no value.
    """
    result = Environment()
    for entry in listed(workload.container, "envFrom"):
        _add_from(entry, workload, objects, result)
    for entry in listed(workload.container, "env"):
        name, value = dig(entry, "name"), dig(entry, "value")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            continue
        place = workload.places.get(f"env.{name}", workload.place("env"))
        origin = Origin(workload.file, f"{place}: {name}")
        source = dig(entry, "valueFrom")
        result.provided.pop(name, None)
        result.texts.pop(name, None)
        if isinstance(source, Mapping) and source:
            _add_reference(name, source, origin, objects, result)
        else:
            _add_text(name, scalar_text(value) or "", origin, unprovided, result)
    return result


def _add_text(
    name: str, text: str, origin: Origin, unprovided: Collection[str], result: Environment
) -> None:
    if why_no_value(text, unprovided):
        result.variables[name] = Variable(origin)
        return
    expanded, references = _expanded(text, result)
    result.variables[name] = Variable(origin, expanded, references=references)


def _add_from(entry: Any, workload: Workload, objects: Objects, result: Environment) -> None:
    prefix = str(dig(entry, "prefix") or "")
    for field_name, source in REFERENCES:
        name = dig(entry, field_name, "name")
        if not isinstance(name, str):
            continue
        entries = objects.entries(source, name)
        if prefix.startswith(_OWN):
            _add_secrets_of_flows(source, name, prefix, entries, workload, result)
        elif entries is None:
            result.from_entries.append(dict(entry))
            result.is_known = False
        elif source == "Secret":
            result.from_entries.append(dict(entry))
            for key, value in entries.items():
                result.variables.pop(prefix + key, None)
                result.provided[prefix + key] = value
        else:
            for key, value in entries.items():
                if value.text is not None and _NAME.fullmatch(prefix + key):
                    result.provided.pop(prefix + key, None)
                    result.variables[prefix + key] = Variable(value.origin, value.text)


def _add_secrets_of_flows(
    source: Source,
    name: str,
    prefix: str,
    entries: Mapping[str, Entry] | None,
    workload: Workload,
    result: Environment,
) -> None:
    """Keys that get the beginning of the program's own variables: each becomes a declared secret, or is named."""
    for key, value in (entries or {}).items():
        if value.text is not None:
            result.variables[prefix + key] = Variable(value.origin, value.text)
    if entries is None:
        result.is_known = False
        result.refused.append((f"{source} {name} with prefix {prefix}", workload.origin("envFrom")))


def _add_reference(
    name: str, source: Mapping[str, Any], origin: Origin, objects: Objects, result: Environment
) -> None:
    config = dig(source, "configMapKeyRef")
    if isinstance(config, Mapping):
        entry = objects.entry("ConfigMap", str(config.get("name")), str(config.get("key")))
        if entry is not None and entry.text is not None:
            result.variables[name] = Variable(entry.origin, entry.text)
            return
    secret = dig(source, "secretKeyRef")
    if isinstance(secret, Mapping):
        entry = objects.entry("Secret", str(secret.get("name")), str(secret.get("key")))
        if entry is not None:
            result.texts[name] = entry
    result.variables[name] = Variable(origin, value_from=dict(source))


def _expanded(text: str, result: Environment) -> tuple[str, frozenset[str]]:
    """`$(NAME)` as Kubernetes puts it in: the value of an earlier variable, or Kestra's `${NAME}` for a reference.

    Returns:
        The text, and the names of the references.
    """
    references: set[str] = set()

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name is None:
            return "$"
        variable = result.variables.get(name)
        if variable is not None and variable.value is not None:
            return variable.value
        if variable is not None or name in result.provided:
            references.add(name)
            return f"${{{name}}}"
        return match.group(0)

    return _REFERENCE.sub(value, text), frozenset(references)


def add_variables(
    workloads: Sequence[Workload], environments: Mapping[str, Environment], assembly: Assembly
) -> None:
    """Adds the variables of all containers: those that all have for all, the others for each."""
    names = dict.fromkeys(name for e in environments.values() for name in e.variables)
    for name in names:
        if name in _READ:
            continue
        owners = [w for w in workloads if name in environments[w.target].variables]
        values = [environments[w.target].variables[name] for w in owners]
        if name in _JAVA and all(v.value is not None for v in values):
            continue
        if name == "DOCKER_HOST":
            assembly.note(
                "not carried",
                name,
                "pods of the stack have no Docker beside them",
                "use the Kubernetes or process task runner in flows",
                values[0].origin,
            )
            continue
        contents = {(v.value, str(v.value_from)) for v in values}
        text = environments[owners[0].target].texts.get(name)
        if name == _REGISTRATION_TOKEN and any(w.group for w in owners):
            for workload, variable in zip(owners, values, strict=True):
                if workload.group:
                    _add_own(name, variable, workload, assembly)
                else:
                    _add_shared(name, variable, text, assembly)
            continue
        for_all = name.startswith(_SECRET) or binding.is_configuration(name)
        if len(contents) == 1 and (for_all or len(owners) == len(workloads)):
            _add_shared(name, values[0], text, assembly)
        elif len(owners) == 1 and not owners[0].group:
            _add_shared(name, replace(values[0], component=owners[0].component), text, assembly)
        else:
            for workload, variable in zip(owners, values, strict=True):
                _add_own(name, variable, workload, assembly)
    _add_java_options(workloads, environments, assembly)
    _add_sources(workloads, environments, assembly)
    provided = {n: e for env in environments.values() for n, e in env.provided.items()}
    for name, entry in provided.items():
        _add_provided(name, entry, assembly)
    _note_secrets_of_flows(provided, assembly)


def _add_shared(name: str, variable: Variable, text: Entry | None, assembly: Assembly) -> None:
    if name.startswith(_SECRET) and text is not None and text.text is not None:
        # The program makes the variables of declared secrets itself, so the value has to be known.
        variable = Variable(text.origin, text.text)
    elif text is not None and text.text is not None and _is_plain_setting(name, text.text):
        variable = replace(variable, value=text.text, value_from=None)
    assembly.add_variable(name, variable)


def _is_plain_setting(name: str, text: str) -> bool:
    """Whether a variable sets a key of Kestra's that is no secret, whose value the checks have to know."""
    key = binding.key_of(name, {}) if binding.is_configuration(name) else None
    if key is None:
        return False
    row = lookup(key).key
    return not (row is not None and row.sensitive) and credential_sign(str(key[-1]), text) is None


def _add_own(name: str, variable: Variable, workload: Workload, assembly: Assembly) -> None:
    """A variable that differs between containers."""
    if workload.group and name == _REGISTRATION_TOKEN:
        place = f"{workload.target}.registration-token"
        if variable.value_from is None:
            assembly.add_setting(place, variable.value, variable.origin)
            return
        # The setting names the variable; a variable of this name would take the setting's place.
        name = f"{workload.group.replace('-', '_').upper()}_REGISTRATION_TOKEN"
        assembly.add_setting(place, f"${{{name}}}", variable.origin)
    if variable.value_from is not None:
        entry: dict[str, Any] = {"name": name, "valueFrom": dict(variable.value_from)}
    else:
        entry = {"name": name, "value": variable.value or ""}
    place = f"{workload.target}.extra-env"
    there = assembly.installation.settings
    for step in place.split("."):
        there = there.get(step) if isinstance(there, dict) else None
    entries = [*there, entry] if isinstance(there, list) else [entry]
    assembly.add_setting(place, entries, variable.origin)


def _add_java_options(
    workloads: Sequence[Workload], environments: Mapping[str, Environment], assembly: Assembly
) -> None:
    texts: dict[str, tuple[str, Origin]] = {}
    for workload in workloads:
        variables = environments[workload.target].variables
        own = [variables[name] for name in _JAVA if name in variables and variables[name].value]
        text = " ".join(" ".join(v.value or "" for v in own).split())
        if text:
            texts[workload.target] = text, own[0].origin
    if len(texts) == len(workloads) and len({text for text, _ in texts.values()}) == 1:
        text, origin = next(iter(texts.values()))
        assembly.add_variable("JAVA_OPTS", Variable(origin, text))
        return
    for target, (text, origin) in texts.items():
        assembly.add_setting(f"{target}.java-options", text, origin)


def _add_sources(
    workloads: Sequence[Workload], environments: Mapping[str, Environment], assembly: Assembly
) -> None:
    every = [environments[w.target].from_entries for w in workloads]
    shared = [entry for entry in every[0] if all(entry in other for other in every)]
    assembly.installation.extra_env_from += shared
    for what, origin in dict.fromkeys(r for e in environments.values() for r in e.refused):
        assembly.note(
            "not carried",
            what,
            "variables that begin with SECRET_ are those of declared secrets, which the stack makes itself, and no "
            "input holds the keys of this object",
            "declare each: pulumi config set --path --secret 'kestra:declared-secrets.NAME.value' (the decoded value), "
            "or give the object as a further input",
            origin,
        )
    own = {
        w.target: [e for e in environments[w.target].from_entries if e not in shared]
        for w in workloads
    }
    spread(assembly, "extra-env-from", own, {w.target: w.origin("envFrom") for w in workloads})


def _add_provided(name: str, entry: Entry, assembly: Assembly) -> None:
    """A variable of a Secret that stays: only what sets a key of Kestra's is more than a reference."""
    if entry.text is None or not binding.is_configuration(name) or name in _READ:
        return
    if binding.key_of(name, {}) is None:
        return
    if _is_plain_setting(name, entry.text):
        assembly.add_variable(name, Variable(entry.origin, entry.text))
    else:
        source = {"secretKeyRef": {"name": entry.owner, "key": entry.key}}
        assembly.add_variable(name, Variable(entry.origin, value_from=source))


def _note_secrets_of_flows(provided: Mapping[str, Entry], assembly: Assembly) -> None:
    """Notes `SECRET_…` of Secrets that stay, and those of them that Kestra cannot decode."""
    for name, entry in provided.items():
        if not name.startswith(_SECRET) or entry.text is None:
            continue
        own = name.removeprefix(_SECRET).upper()
        if not _is_base64(entry.text):
            assembly.note(
                "changed",
                name,
                "its value in the container is no base64 (in `data` of a Secret it has to be encoded twice), so "
                "Kestra logs an error and the secret does not exist",
                f"pulumi config set --path --secret 'kestra:declared-secrets.{own}.value'",
                entry.origin,
            )
        else:
            assembly.note(
                "changed",
                name,
                f"flows read it as secret('{own}'); it stays in its Secret, which the pods still read as variables, "
                "and belongs to no namespace of flows",
                f"to have the stack manage it: pulumi config set --path --secret 'kestra:declared-secrets.{own}.value', "
                "with a namespace in the Enterprise Edition",
                entry.origin,
            )


def _is_base64(text: str) -> bool:
    """Whether Kestra can decode a value: Java's decoder, after line breaks are removed."""
    packed = re.sub(r"[\r\n]", "", text)
    try:
        base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True

"""Kestra: no credential stands where more people read than should know it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..application import CARRIERS, SUPER_ADMINS, Document, documents, is_reference
from ..cluster_objects import CONFIG_MAP, SECRET
from ..configuration_sources import system_properties
from ..configuration_texts import flatten
from ..core.model import VARIABLE, Context, Finding, Problem, Resource, control
from ..core.values import (
    Sealed,
    Undecided,
    as_list,
    check_each,
    get_path,
    is_unknown,
    leaves,
    raw,
    reveal,
)
from ..environment_variables import bind
from ..pods import WORKLOADS, containers
from ..task_definitions import TASK_DEFINITION, task_containers
from .kestra_servers import HELM, chart_servers
from .kubernetes_secrets import KESTRAS, is_secretive_name

_SUPER_PASSWORDS = tuple(f"{account}.password" for account in SUPER_ADMINS)
_SECRETIVE = re.compile(
    r"(password|secret|secret-?key|secret-?key-?id|access-?key(-?id)?|token|api-?key|private-?key|client-?secret"
    r"|credential(s)?|session-?token|connection-?string|sas-?token|shared-?key-?account-?access-?key"
    r"|service-?account|fingerprint|signing-?key)$",
    re.IGNORECASE,
)
_IN_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@$]+@|[?&;]password=[^&;$]", re.IGNORECASE)
#: What other controls judge.
_ELSEWHERE = re.compile(
    r"kestra\.(security\.(super-?admin|instance-?owner)|secret\.vault)\.", re.IGNORECASE
)


@control(
    "ks-kestra-03",
    "The super-admin's password comes from a secret",
    "critical",
    risk="The strongest password of Kestra, in a file, is everybody's who may read files.",
    steps=("Write ${NAME} and give the value in a Secret.",),
    setting="kestra:security.super-admin.password (generated when left out)",
    types=CARRIERS,
)
def super_admin(resource: Resource, _: Context) -> Iterator[Finding]:
    actual = "has the super-admin's password in clear"

    def in_document(document: Document) -> Iterator[Finding]:
        settings = flatten(document.content)
        for leaf in (settings[key] for key in _SUPER_PASSWORDS if key in settings):
            if leaf.value and not is_reference(leaf.value):
                yield Problem(actual, VARIABLE, f"{document.path}: {leaf.written}")

    def in_variable(variable: tuple[str, Any, str]) -> Iterator[Finding]:
        name, value, path = variable
        is_super = any(map(bind(name).sets, _SUPER_PASSWORDS))
        if is_super and _is_clear(value, path):
            expected = "valueFrom.secretKeyRef or envFrom.secretRef"
            yield Problem(actual, expected, f"{path}: the variable {name}")

    if resource.type != SECRET:
        yield from check_each([resource], lambda r: check_each(documents(r), in_document))
    yield from check_each([resource], lambda r: check_each(_clear_variables(r), in_variable))


@control(
    "ks-kestra-04",
    "No credential stands in Kestra's configuration",
    "critical",
    risk="A ConfigMap, or the chart's configurations.application, is not secret: anyone who may look, sees.",
    steps=("Write ${NAME} in its place.", "Give the value in a Secret, and change it."),
    setting="pulumi config set --secret --path kestra:<the same path>",
    types=CARRIERS,
)
def no_credentials(resource: Resource, _: Context) -> Iterator[Finding]:
    def in_document(document: Document) -> Iterator[Finding]:
        for path, value in leaves(document.content):
            key = path.rsplit(".", 1)[-1]
            actual = _credential(key, value) or _from_chart(document, key, value)
            if actual and not _ELSEWHERE.match(path):
                where, setting = (
                    f"{document.path}: {path}",
                    f"kestra:{path.removeprefix('kestra.')}",
                )
                yield Problem(actual, VARIABLE, where, setting=setting)

    def in_variable(variable: tuple[str, Any, str]) -> Iterator[Finding]:
        name, value, path = variable
        for key, option in system_properties(str(reveal(value))) if _is_clear(value, path) else ():
            if actual := _credential(key.rsplit(".", 1)[-1], option):
                yield Problem(actual, VARIABLE, f"{path}: -D{key} in the variable {name}")
        # ks-kubernetes-10 judges the names of the variables in a pod's specification.
        is_judged = resource.type in WORKLOADS and is_secretive_name(name)
        is_own = name.startswith(KESTRAS) or resource.type == TASK_DEFINITION
        if not is_own or is_judged or not _is_clear(value, path):
            return
        if actual := _credential(_last_words(name), reveal(value)):
            is_task = resource.type == TASK_DEFINITION
            expected = "valueFrom.secretKeyRef or envFrom.secretRef"
            expected = "secrets of the container, with valueFrom" if is_task else expected
            yield Problem(actual, expected, f"{path}: the variable {name}")

    # A file in a Secret is where credentials belong: ks-secret-stores-14 judges whether Pulumi knows it as one.
    if resource.type != SECRET:
        yield from check_each([resource], lambda r: check_each(documents(r), in_document))
    yield from check_each([resource], lambda r: check_each(_clear_variables(r), in_variable))


def _credential(key: str, value: Any) -> str:
    """What is wrong with a value; empty when nothing is."""
    if not isinstance(value, (str, int)) or isinstance(value, bool) or not value:
        return ""
    if _SECRETIVE.fullmatch(key) and not is_reference(value):
        return "has a credential in clear"
    return "has a credential in an address" if _IN_ADDRESS.search(str(value)) else ""


def _from_chart(document: Document, key: str, value: Any) -> str:
    """What is wrong with a secret among the values of a chart; empty when nothing is."""
    in_config_map = document.path.endswith("configurations.application")
    if not isinstance(value, Sealed) or not in_config_map or is_reference(reveal(value)):
        return ""
    return (
        "has a credential that the chart writes into a ConfigMap"
        if _SECRETIVE.fullmatch(key)
        else ""
    )


def _last_words(name: str) -> str:
    """The end of a variable's name that says secret: `secret-key` of `KESTRA_ENCRYPTION_SECRET_KEY`."""
    match = re.search(rf"(?:^|-){_SECRETIVE.pattern}", name.lower().replace("_", "-"))
    return match[1] if match else name


def _is_clear(value: Any, path: str) -> bool:
    if is_unknown(value):
        raise Undecided(path)
    text = str(reveal(value))
    return bool(text) and not text.startswith("$(") and not is_reference(text)


def _clear_variables(resource: Resource) -> Iterator[tuple[str, Any, str]]:
    """Name, value and path of variables whose values stand in a resource that is no Secret."""
    if resource.type == CONFIG_MAP:
        for name, value in (resource.get_path("data") or {}).items():
            if re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
                yield name, value, f"data.{name}"
        return
    if resource.type in HELM:
        located = {place: e for server in chart_servers(resource) for place, e in server.env}
    elif resource.type == TASK_DEFINITION:
        located = {place: e for _, entries in task_containers(resource) for place, e in entries}
    elif resource.type in WORKLOADS:
        located = {
            f"{container.path}.env.{position}": entry
            for container in containers(resource)
            for position, entry in enumerate(as_list(container.get_path("env")))
        }
    else:
        return
    for path, entry in located.items():
        if is_unknown(entry):
            raise Undecided(path)
        value = raw(entry, "value")
        if value is not None:
            yield str(get_path(entry, "name")), value, f"{path}.value"

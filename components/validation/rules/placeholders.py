"""`${…}` in the settings: who provides what it names, and whether Micronaut reads it as it is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from ...catalogue import catalogue
from ...policy_tables import bind, canonical
from ...settings.base import TextInClear
from ...settings.extra_variables import missing_in
from ...settings.extra_variables import names as variable_names
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import (
    Placeholder,
    as_placeholder,
    find_placeholders,
    has_nested_placeholder,
    is_variable_name,
    variable_of,
)
from ..catalogue_keys import ADDITIONAL
from ..schema import Loc
from .flow_variables import CONFIGURATION_ROOTS
from .values import leaves

#: What every container has by itself.
_OF_PODS = re.compile(r"HOSTNAME|HOME|PATH|PWD|LANG|JAVA_HOME|TZ|USER|KUBERNETES_[A-Z0-9_]+")
#: Properties of Java and of Micronaut that stand in no configuration.
_OF_JAVA = re.compile(r"(java|jdk|os|user|file|line|path|native|sun|random)\..*")
_JAVA_OPTION = re.compile(r"-D([^=\s]+)=")
#: Settings that Kestra does not read, or that are judged elsewhere.
_OTHERS = ("deployment", "identity", "storage-bucket", "tags", "declared-secrets", "rotation")


def _texts(s: Settings) -> Iterator[tuple[Loc, str, bool]]:
    """Place, text, and whether it may be written in a message, of each value in which Kestra resolves placeholders."""
    for loc, value in leaves(s):
        if loc[0] in _OTHERS:
            continue
        if isinstance(value, str):
            yield loc, value, True
        elif isinstance(value, TextInClear) or (
            type(value) is SecretStr and as_placeholder(value.get_secret_value())
        ):
            yield loc, value.get_secret_value(), False


def variables_of_others(s: Settings) -> list[str]:
    """Variables without a default that the settings name and do not provide themselves, sorted.

    The user's own Secrets have them (`environment-from`, `extra-env-from`).
    """
    own = set(s.deployment.environment).union(*(variable_names(w.pod) for w in s.workloads))
    bare = {p.name for _, text, _ in _texts(s) for p in find_placeholders(text) if p.rest is None}
    return sorted(n for n in bare - own if is_variable_name(n) and not _OF_PODS.fullmatch(n))


def provided(s: Settings) -> Iterator[Finding]:
    """A name without a default that neither the settings nor a Secret of the user's provides."""
    if s.deployment.environment_from:
        return
    properties: set[str] | None = None
    for loc, text, _ in _texts(s):
        is_lone = as_placeholder(text) is not None
        names = {p.name for p in find_placeholders(text) if p.rest is None}
        for name in sorted(names):
            if not (lacking := missing_in(s, variable_of(name))) or _OF_PODS.fullmatch(name):
                continue
            kind, rule, fix = _VARIABLE
            if not is_variable_name(name):
                properties = _properties(s) if properties is None else properties
                if _is_property(name, properties):
                    continue
                kind, rule = _PROPERTY
                fix = f"write ${{{variable_of(name)}}} and provide that variable, or write the value itself"
            what = kind if is_lone else f"{name}, {kind}"
            is_nowhere = len(lacking) == len(s.workloads)
            where = "nothing here provides" if is_nowhere else f"{', '.join(lacking)} does not have"
            yield Finding(loc, f"names {what} that {where}", rule, fix, warning=True)


_VARIABLE = (
    "a variable",
    "Kestra reads ${NAME} from the environment of its pods",
    "name the Secret that has it under kestra:deployment.environment-from, or one key of it under "
    "kestra:deployment.extra-env",
)
_PROPERTY = (
    "a property",
    "Kestra reads ${a.name} from its configuration, or from the variable A_NAME of its pods, and does not start "
    "without it",
)


def _properties(s: Settings) -> set[str]:
    """Keys, in the canonical form, that the settings and the variables of the pods give Kestra's configuration."""
    keys = {canonical(".".join(map(str, loc))) for loc, _ in leaves(s)}
    keys |= {key.removeprefix(f"{canonical(ADDITIONAL)}.") for key in keys}
    names = {
        *s.deployment.environment,
        *(v.get("name") for w in s.workloads for v in w.pod.extra_env),
    }
    keys |= {bind(name).key for name in names if isinstance(name, str)}
    texts = [w.component.java_options or "" for w in s.workloads]
    options = " ".join((*texts, *s.deployment.plain_environment.values())).split()
    return keys | {canonical(match[1]) for o in options if (match := _JAVA_OPTION.match(o))}


def _is_property(name: str, known: set[str]) -> bool:
    key = canonical(name)
    root = re.split(r"[.\[]", key)[0]
    if root in CONFIGURATION_ROOTS or root in catalogue().roots or _OF_JAVA.fullmatch(name):
        return True
    return any(one == key or one.startswith((f"{key}.", f"{key}[")) for one in known)


def misread(s: Settings) -> Iterator[Finding]:
    """A placeholder within another, and a default of which Micronaut keeps the end alone."""
    for loc, text, is_readable in _texts(s):
        if has_nested_placeholder(text):
            yield Finding(
                loc,
                "has a placeholder in the default of another",
                "Kestra ends a placeholder at the first }, so that the inner one is not resolved",
                "name them one after the other, ${FIRST:SECOND:default}: Kestra takes the first that has a value",
                warning=True,
            )
        for placeholder in find_placeholders(text):
            if placeholder.loses_default:
                yield Finding(
                    loc,
                    "has a default with a colon",
                    "Kestra takes what stands before each colon for another name, and only what follows the last "
                    "one for the default",
                    f"write the default in backticks: {_in_backticks(placeholder, is_readable)}",
                    warning=True,
                )


def _in_backticks(placeholder: Placeholder, is_readable: bool) -> str:
    default = placeholder.rest if is_readable else "default"
    return f"${{{placeholder.name}:`{default}`}}"


def log_in_of_endpoints(s: Settings) -> Iterator[Finding]:
    """The probes carry the endpoints' log-in, and a shell resolves its placeholders: variables alone."""
    auth: Any = s.endpoints.all and s.endpoints.all.basic_auth
    if not auth:
        return
    password = auth.password.get_secret_value() if auth.password else ""
    for key, text in (("username", auth.username or ""), ("password", password)):
        placeholder = as_placeholder(text)
        if placeholder is None:
            continue
        if not is_variable_name(placeholder.name) or len(placeholder.names) > 1:
            yield Finding(
                ("endpoints", "all", "basic-auth", key),
                "names a property, or several names",
                "the probes of the pods carry this log-in, and a probe reads one environment variable",
                f"write ${{{variable_of(placeholder.name)}}}, and provide that variable",
            )

"""Variables that flows can read as `envs.*`: those that begin with `kestra.variables.env-vars-prefix`.

Source: Kestra 1.3.31 and 2.0.0, `RunContextCache`; the prefix is ENV_ where nothing sets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pydantic import SecretStr

from ...policy_tables import SECRET_FAMILIES, Binding, bind
from ...settings.base import SecretText, TextInClear
from ...settings.credentials import credential_sign
from ...settings.extra_variables import comes_from_elsewhere, literal
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.placeholders import find_placeholders, variable_of
from ...settings.walk import walk_values

PREFIX = "kestra.variables.env-vars-prefix"
#: Roots of keys that Kestra or a library of its class path reads as configuration.
CONFIGURATION_ROOTS = frozenset(
    ("kestra", "micronaut", "datasources", "endpoints", "flyway", "jackson", "logger", "tasks")
)
#: What is wrong, the rule, the fix; None where nothing is.
Refusal = tuple[str, str, str] | None


def prefix(s: Settings, b: Binding, value: str | None) -> Refusal:
    """What is wrong with a variable that sets the prefix; the value of an encrypted one is None."""
    return _judged(s, value, b.variable) if b.sets(PREFIX) else None


def setting(s: Settings) -> Iterator[Finding]:
    """The prefix as a setting, under the rule of the variable."""
    value = s.catalogue_value(*PREFIX.split("."))
    if value is None:
        return
    text = None if isinstance(value, SecretStr) else str(value)
    if problem := _judged(s, text, ""):
        yield Finding(tuple(PREFIX.split(".")[1:]), *problem)


def _judged(s: Settings, value: str | None, own: str) -> Refusal:
    fix = (
        "remove it: rendering sets kestra.variables.env-vars-prefix to ENV_; name what flows may read ENV_…, "
        "or choose a prefix of your own that no other variable begins with"
    )
    why = "Kestra shows flows every variable that begins with kestra.variables.env-vars-prefix, as envs.*"
    if value is None:
        return ("is encrypted, so that nothing says which variables flows can read", why, fix)
    if not value:
        return ("shows flows every variable of the pods, the encryption key included", why, fix)
    if not re.fullmatch(r"[A-Za-z0-9_]+", value):
        return ("is no plain beginning of names", why, fix)
    shown = sorted({f"{n}…" for n in SECRET_FAMILIES if n.startswith(value) or value.startswith(n)})
    shown += sorted(n for n in _holding(s, own) if n.startswith(value))
    if shown:
        some = ", ".join(shown[:5])
        return (f"shows flows variables that hold secrets or settings ({some})", why, fix)
    if value != "ENV_" and (
        s.deployment.environment_from or any(w.pod.extra_env_from for w in s.workloads)
    ):
        return (
            "may show flows variables of Secrets (environment-from, extra-env-from), whose names are not known here",
            why,
            fix,
        )
    return None


def _holding(s: Settings, own: str) -> set[str]:
    """Names of variables that hold a secret or a setting, as far as the stack says."""
    from ...rendering.tree import tree

    names = set(_placeholders(tree(s))) | set(s.deployment.secret_environment)
    for keys in (s.catalogue_keys, s.additional_configuration):
        names |= set(_placeholders(keys))
    for name in s.deployment.environment:
        if name != own and bind(name).key.split(".")[0] in CONFIGURATION_ROOTS:
            names.add(name)
    for workload in s.workloads:
        for variable in workload.pod.extra_env:
            name = variable.get("name")
            if not isinstance(name, str) or name == own:
                continue
            text = literal(variable)
            is_setting = bind(name).key.split(".")[0] in CONFIGURATION_ROOTS
            if is_setting or comes_from_elsewhere(variable) or credential_sign(name, text or ""):
                names.add(name)
    plain = s.deployment.plain_environment
    names |= {name for name, value in plain.items() if credential_sign(name, value)}
    return names


def _placeholders(node: object) -> Iterator[str]:
    for place, value in walk_values(node):
        if place[:1] in (("deployment",), ("tags",)):
            continue
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        is_hidden = isinstance(value, SecretText) and not isinstance(value, TextInClear)
        if isinstance(text, str) and not is_hidden:
            for placeholder in find_placeholders(text):
                yield from map(variable_of, placeholder.names)


def has_own_prefix(s: Settings) -> bool:
    """Whether a variable sets another prefix than ENV_."""
    variables = [*s.deployment.environment.items()]
    variables += [
        (v["name"], literal(v)) for w in s.workloads for v in w.pod.extra_env if v.get("name")
    ]
    return any(bind(name).sets(PREFIX) and value != "ENV_" for name, value in variables)


def shown_to_flows(s: Settings) -> Iterator[Finding]:
    """A sensitive setting that is read from a variable which flows can read too."""
    from .values import leaves

    if has_own_prefix(s):
        return  # judged where the variable stands
    if s.catalogue_value(*PREFIX.split(".")) not in (None, "ENV_"):
        return  # judged where the setting stands
    for name in s.deployment.secret_environment:
        if name.startswith("ENV_"):
            yield Finding(
                ("deployment", "environment", name),
                f"is encrypted, and flows can read it as envs.{name[4:].lower()}",
                "Kestra shows flows every variable that begins with ENV_, and masks none of them in logs",
                "name it otherwise, or declare it under kestra:declared-secrets, which flows read as a secret",
                warning=True,
            )
    for loc, value in leaves(s):
        if not isinstance(value, SecretStr):
            continue
        for name in _placeholders(value):
            if name.startswith("ENV_"):
                yield Finding(
                    loc,
                    f"is read from {name}, which flows can read as envs.{name[4:].lower()}",
                    "Kestra shows flows every variable that begins with ENV_",
                    f"name the variable otherwise, for example STORED_{name[4:]}",
                    warning=True,
                )

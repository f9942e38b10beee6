"""Variables in Kubernetes' form: the same rules as for those of `deployment.environment`."""

from __future__ import annotations

from collections.abc import Iterator

from ...policy_tables import bind
from ...settings.credentials import credential_sign
from ...settings.extra_variables import comes_from_elsewhere, is_encrypted, literal
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.pods import Object, containers
from ...settings.workloads import places
from ..schema import Loc
from . import flow_variables, variable_rules
from .flow_variables import PREFIX

_IN_CLEAR = (
    "a variable in clear stands in the stack file, in Pulumi's state and in the specification of the pods; an "
    "encrypted one is kept in the stack's Secret"
)


def _each(s: Settings) -> Iterator[tuple[Loc, int, Object]]:
    for loc, pod in places(s):
        for i, variable in enumerate(pod.extra_env):
            if isinstance(variable.get("name"), str):
                yield (*loc, "extra-env"), i, variable


def names(s: Settings) -> Iterator[Finding]:
    """Names that the program sets, names that would undo the settings, and names that stand elsewhere too."""
    rendered = None
    for loc, i, variable in _each(s):
        rendered = rendered or variable_rules.Rendered(s)
        name, at = variable["name"], (*loc, i, "name")
        if name.startswith(("STACK_", "SECRET_")):
            yield Finding(
                at,
                "is a name that this project sets",
                "STACK_* and SECRET_* are its own",
                "rename it; secrets belong under kestra:declared-secrets",
            )
            continue
        if name in s.deployment.environment:
            yield Finding(
                at,
                "stands in kestra:deployment.environment too",
                "a variable of the pods is written in one place",
                "keep one of the two",
            )
            continue
        if problem := variable_rules.problem(s, rendered, name, literal(variable)):
            what, rule, fix = problem
            if bind(name).sets(PREFIX) and literal(variable) is None and not is_encrypted(variable):
                what = (
                    "comes from another object, so that nothing says which variables flows can read"
                )
            yield Finding(at, what, rule, fix)


def in_clear(s: Settings) -> Iterator[Finding]:
    """Values that look like secrets and stand in clear."""
    every = [(loc, i, variable) for loc, i, variable in _each(s)]
    for loc, pod in places(s):
        for name, i, container in containers(pod):
            variables = container.get("env") or []
            every += [((*loc, name, i, "env"), n, v) for n, v in enumerate(variables)]
    for loc, i, variable in every:
        text, name = literal(variable), variable.get("name")
        if text and isinstance(name, str) and (sign := credential_sign(name, text)):
            at = (*loc, i, "value")
            yield Finding(
                at,
                f"{sign} and stands in clear",
                _IN_CLEAR,
                "encrypt it",
                warning=True,
                encrypts=True,
            )


def shown_to_flows(s: Settings) -> Iterator[Finding]:
    """Secrets that flows can read, since their variables have the prefix of flows."""
    if flow_variables.has_own_prefix(s):
        return
    for loc, i, variable in _each(s):
        name = variable["name"]
        if name.startswith("ENV_") and comes_from_elsewhere(variable):
            yield Finding(
                (*loc, i, "name"),
                f"is a secret, and flows can read it as envs.{name[4:].lower()}",
                "Kestra shows flows every variable that begins with ENV_, and masks none of them in logs",
                "name it otherwise, or declare it under kestra:declared-secrets, which flows read as a secret",
                warning=True,
            )
    for loc, pod in places(s):
        for i, source in enumerate(pod.extra_env_from):
            if "secretRef" in source and str(source.get("prefix", "")).startswith("ENV_"):
                yield Finding(
                    (*loc, "extra-env-from", i, "prefix"),
                    "shows flows every key of the Secret",
                    "Kestra shows flows every variable that begins with ENV_, and masks none of them in logs",
                    "choose another prefix, for example STORED_",
                    warning=True,
                )


def prefixes(s: Settings) -> Iterator[Finding]:
    """Prefixes with which the keys of an object get names that the program sets."""
    for loc, pod in places(s):
        for i, source in enumerate(pod.extra_env_from):
            if str(source.get("prefix", "")).startswith(("STACK_", "SECRET_")):
                yield Finding(
                    (*loc, "extra-env-from", i, "prefix"),
                    "is the beginning of names that this project sets",
                    "STACK_* and SECRET_* are its own",
                    "choose another prefix; secrets of flows belong under kestra:declared-secrets",
                )

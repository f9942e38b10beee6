"""Namespaces of a stack file's keys: `kestr:secret` is no setting of this program, and Pulumi says nothing of it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from ..settings.base import kebab
from ..settings.model import Settings
from ..settings.report import Problem
from .schema import printable_key

NAMESPACE = "kestra"
#: Of the providers that stacks of this program configure, and of Pulumi itself. Other providers have others.
_OF_PROVIDERS = (
    "aws",
    "aws-native",
    "azure",
    "azure-native",
    "gcp",
    "kubernetes",
    "pulumi",
    "random",
    "vault",
)
_RULE = (
    "settings of this program stand in the namespace kestra; Pulumi takes every other one for a provider's, "
    "so that nobody reads what is written there"
)


def misspelled_namespaces(keys: Iterable[object], source: str) -> list[Problem]:
    """A warning for each key of another namespace that looks like one of the program's.

    Args:
        keys: every key of the stack file's `config`, with its namespace.
        source: the stack file.
    """
    problems = []
    for key in keys:
        namespace, colon, name = key.partition(":") if isinstance(key, str) else ("", "", "")
        if not colon or namespace == NAMESPACE or namespace in _OF_PROVIDERS:
            continue
        if meant := _meant(namespace, printable_key(name)):
            what = f"stands in the namespace {printable_key(namespace)}, which nothing reads"
            problems.append(
                Problem(printable_key(key), source, what, _RULE, f"did you mean {meant}", "warning")
            )
    return problems


def _meant(namespace: str, name: str) -> str | None:
    # Hints read the catalogue, which few stacks need.
    from ..catalogue import catalogue

    if len(namespace) > 40:
        return None
    written = kebab(namespace)
    settings = {field.alias or name for name, field in Settings.model_fields.items()}
    roots = set(catalogue().roots) - {NAMESPACE}
    if written == NAMESPACE or difflib.get_close_matches(written, [NAMESPACE], cutoff=0.65):
        return f"{NAMESPACE}:{name}"
    if written in settings | roots:
        return f"{NAMESPACE}:{written}.{name}"
    if near := difflib.get_close_matches(written, roots, n=1, cutoff=0.8):
        return f"{NAMESPACE}:{near[0]}.{name}"
    return None

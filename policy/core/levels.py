"""How strict the pack is, by environment, and which environment a stack is. Nothing here needs Pulumi."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Literal, get_args

from .model import Control, Environment

Level = Literal["advisory", "mandatory", "remediate"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)

#: Environment to the level of a control, and of one that can mend what it finds.
LEVELS: Mapping[Environment, tuple[Level, Level]] = {
    "development": ("advisory", "advisory"),
    "staging": ("mandatory", "mandatory"),
    "production": ("mandatory", "remediate"),
}

_SYNONYMS: Mapping[Environment, tuple[str, ...]] = {
    "development": ("development", "dev", "local", "sandbox", "test", "ci"),
    "staging": ("staging", "stage", "preproduction", "preprod", "qa"),
    "production": ("production", "prod", "live"),
}
_WORDS: Mapping[str, Environment] = {
    word: environment for environment, words in _SYNONYMS.items() for word in words
}


def level(control: Control, environment: Environment) -> Level:
    """The level of a control in an environment."""
    plain, mending = LEVELS[environment]
    if control.always:
        return control.always  # type: ignore[return-value]
    return mending if control.remedy else plain


VARIABLE = "KESTRA_POLICY_ENVIRONMENT"
"""Names the environment for a run of the pack, where the engine does not tell it the stack (`policy analyze`)."""


def environment_of_process(variables: Mapping[str, str]) -> str:
    """The environment that a process's variables name; empty when they name none.

    Raises:
        ValueError: when it is no environment.
    """
    said = variables.get(VARIABLE, "").strip().lower()
    if said and said not in _WORDS:
        raise ValueError(f"{VARIABLE} is none of {', '.join(ENVIRONMENTS)}. Set it to one of them.")
    return said


def environment_of(config: Mapping[str, str], stack: str, first: str = "") -> Environment:
    """The environment of a stack.

    The first that says one counts: `first`, the setting `kestra-policy:environment`, the tag of this project's
    settings (`kestra:tags`), a word of the stack's name (`kestra-prod`). A stack that says nothing is
    production: what is not named must not be judged leniently.

    Args:
        config: the stack's configuration, key to text.
        stack: the stack's name.
        first: what wins over the stack.
    """
    try:
        tags = json.loads(config.get("kestra:tags", "{}"))
    except ValueError:
        tags = {}
    said = [first, config.get("kestra-policy:environment", "")]
    said.append(str(tags.get("environment", "")) if isinstance(tags, dict) else "")
    said += re.split(r"[^a-z]+", stack.lower().rsplit("/", 1)[-1])
    for word in said:
        if known := _WORDS.get(word.strip().lower()):
            return known
    return "production"

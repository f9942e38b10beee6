"""Environment variables that the settings give the pods, and texts that name them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import SecretStr

from ..settings import Settings
from ..settings.base import reveal


@dataclass(frozen=True)
class PodVariable:
    """A variable whose value the settings hold."""

    setting: str
    """Where: `kestra:deployment.environment.NAME`."""
    name: str
    value: str
    """May be secret."""
    is_secret: bool


def pod_variables(settings: Settings) -> Iterator[PodVariable]:
    """The variables of `environment`, and those of `extra-env` that have a value, each once."""
    for name, value in settings.deployment.environment.items():
        yield _variable(f"kestra:deployment.environment.{name}", name, value)
    shared = settings.deployment.extra_env
    places = [("deployment", shared)]
    places += [(".".join(w.loc), w.component.extra_env) for w in settings.workloads]
    for place, variables in places:
        for position, variable in enumerate(variables):
            value = variable.get("value")
            if isinstance(value, (str, SecretStr)):
                setting = f"kestra:{place}.extra-env[{position}]"
                yield _variable(setting, str(variable.get("name")), value)


def _variable(setting: str, name: str, value: str | SecretStr) -> PodVariable:
    return PodVariable(setting, name, reveal(value) or "", isinstance(value, SecretStr))


def values_by_name(settings: Settings) -> dict[str, str]:
    """Name to value, secret ones included; of several the first counts."""
    return {v.name: v.value for v in reversed(list(pod_variables(settings)))}

"""The way of every secret: where it comes from, where it is kept, and as what it reaches Kestra."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from components.backends.registry import backend_of, is_provisioned
from components.generated_secrets import ENCRYPTION_KEY
from components.kubernetes.pod_additions import REGISTRATION_TOKEN
from components.kubernetes.pods import PROBE_PASSWORD
from components.program import MANAGEMENT_PASSWORD
from components.rendering.configuration import Configuration, ProvidedValue
from components.settings import Settings
from components.settings.base import OPAQUE
from components.settings.external_key import has_external_key
from components.settings.placeholders import is_placeholder
from components.settings.pods import containers
from components.settings.workloads import places

Origin = Literal["settings", "clear", "generator", "store", "others", "existing", "elsewhere"]
ORIGINS = {
    "settings": "stack settings, encrypted by Pulumi",
    "clear": "the stack file, in clear: set it with pulumi config set --path --secret, and rotate it",
    "generator": "generated once, kept in Pulumi's state",
    "store": "made by the store or the identity",
    "others": "whoever runs `python -m components secret`; never in Pulumi's state",
    "existing": "others, who made it in the secret manager; never in Pulumi's state",
    "elsewhere": "a Secret that others keep",
}


@dataclass(frozen=True)
class SecretPath:
    """One secret's way."""

    name: str
    origin: Origin
    kept: str = ""
    """Where in the secret store; empty: not there."""
    variable: str = ""
    """Environment variable of the pods; empty: Kestra reads it from the store."""
    also: str = ""
    """Where in the second secret manager, while the stack moves."""
    is_delivered: bool = False
    """Whether External Secrets brings it from the store into a Secret of the operator's own."""
    is_recovery: bool = False
    """Whether the copy in the store is for recovery only, and out of Kestra's reach."""

    @property
    def from_where(self) -> str:
        return ORIGINS[self.origin]


def recovery_place(settings: Settings) -> str:
    """Where the copy of the encryption key is kept; empty where there is none."""
    backend, key = backend_of(settings), settings.encryption.secret_key
    is_elsewhere = key is not None and is_placeholder(key.get_secret_value())
    if (
        settings.is_secrets_alone
        or not backend.provisions(settings)
        or (is_elsewhere and not has_external_key(settings))
    ):
        return ""
    return backend.recovery_location(settings)


def secret_paths(settings: Settings, configuration: Configuration) -> list[SecretPath]:
    """Every secret of the stack."""
    return [
        *_variables(settings, configuration),
        *_declared(settings),
        *(
            SecretPath(f"all keys of Secret {name}", "elsewhere", "", "as named there")
            for name in settings.deployment.environment_from
        ),
        *_of_pods(settings),
    ]


def _of_pods(settings: Settings) -> Iterator[SecretPath]:
    """Secrets in what the settings add to pods, and those of existing Secrets that they name."""
    for loc, pod in places(settings):
        at = ".".join(loc)
        lists = [(f"{at}.extra-env", pod.extra_env)]
        lists += [(f"{at}.{key}[{i}].env", c.get("env") or ()) for key, i, c in containers(pod)]
        for path, variables in lists:
            for i, variable in enumerate(variables):
                value, name = variable.get("value"), str(variable.get("name"))
                reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
                if isinstance(value, SecretStr):
                    yield SecretPath(f"{path}[{i}].value", _written(value), "", name)
                elif reference:
                    text = f"key {reference['key']} of Secret {reference['name']}"
                    yield SecretPath(text, "elsewhere", "", name)
        for source in pod.extra_env_from:
            if "secretRef" in source:
                names = f"{source['prefix']}…" if source.get("prefix") else "as named there"
                text = f"all keys of Secret {source['secretRef']['name']}"
                yield SecretPath(text, "elsewhere", "", names)
    for name, group in settings.deployment.worker_groups.items():
        token = group.registration_token
        if token is not None and not is_placeholder(token.get_secret_value()):
            path = f"deployment.worker-groups.{name}.registration-token"
            yield SecretPath(path, _written(token), "", REGISTRATION_TOKEN)


def _variables(settings: Settings, configuration: Configuration) -> Iterator[SecretPath]:
    names = {name: path for path, name in _placeholders(configuration.document)}
    management: Origin | None = None
    for variable, source in configuration.environment.items():
        path = names.get(variable, variable).removeprefix("kestra.")
        if isinstance(source, ProvidedValue):
            origin: Origin = _written(source.value)
        else:
            origin = "store" if is_provisioned(source.key) else "generator"
        recovery = recovery_place(settings) if path == ENCRYPTION_KEY else ""
        if path == MANAGEMENT_PASSWORD:
            management = origin
        also = recovery_place(settings.secondary) if recovery and settings.secondary else ""
        yield SecretPath(path, origin, recovery, variable, also, is_recovery=bool(recovery))
    for name, value in settings.deployment.secret_environment.items():
        yield SecretPath(f"deployment.environment.{name}", _written(value), "", name)
    if management is not None:
        yield SecretPath("password of the probes", management, "", PROBE_PASSWORD)


def _written(value: SecretStr) -> Origin:
    """How a value stands in the stack file: one that can be read there is not encrypted."""
    return "settings" if value.get_secret_value() == OPAQUE else "clear"


def _placeholders(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _placeholders(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _placeholders(inner, f"{path}[{position}]")
    elif isinstance(value, str) and value.startswith("${"):
        yield path, value[2:-1]


def _declared(settings: Settings) -> Iterator[SecretPath]:
    for name, declared in settings.declared_secrets.items():
        origin: Origin = "generator" if declared.value is None else _written(declared.value)
        if declared.is_external:
            origin = "others"
        if declared.existing is not None:
            origin = "existing"
        is_read_there = settings.is_enterprise or settings.is_secrets_alone
        variable = "" if is_read_there else f"SECRET_{name.upper()}"
        if declared.existing is not None and declared.existing.name is None:
            existing = declared.existing
            place = (
                f"key {existing.data_key} of Secret {existing.kubernetes_secret}"
                if existing.kubernetes_secret
                else f"file {existing.file}"
            )
            yield SecretPath(f"{name} ({place})", "elsewhere", "", variable)
            continue
        backend, second = backend_of(settings), settings.secondary
        if backend.provisions(settings):
            also = backend_of(second).secret_location(second, name, declared) if second else ""
            place = backend.secret_location(settings, name, declared)
            yield SecretPath(name, origin, place, variable, also, is_delivered=bool(variable))
        else:
            yield SecretPath(name, origin, "", f"SECRET_{name.upper()}")

"""Settings around every key of the model: of the right types, and no more than that.

Checks need no valid whole, and rendering neither; so what Kestra's version changes can be seen key by key.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import SecretStr, ValidationError

from components.rendering.configuration import render
from components.settings import Settings
from components.settings.base import Model
from components.settings.findings import Finding
from components.settings.open_source_store import BLOCKS
from components.settings.permissions import is_first_vocabulary, translate
from components.validation.model_keys import leaves
from components.validation.rules import check_all
from components.validation.rules.advisories import known_holes
from components.validation.schema import models_in

VERSIONS = ("1.3", "2.0")
#: What some key of each type takes; where a key takes words of its own, one of them.
_TEXTS = (
    "30s", "value", "a" * 20, "https://x.example.com", "jdbc:postgresql://db/kestra", "x.example.com", "/path", "a@example.com", "10.0.0.0/8",
    "500m", "1Gi", "50%", "2030-01-01T00:00:00Z", "eu-west-1", "europe-west3", "sha256:" + "a" * 64, "sha256:" + "a" * 32,
    "00000000-0000-0000-0000-000000000000", "arn:aws:iam::123456789012:role/x", "arn:aws:kms:eu-west-1:123456789012:key/x",
    "arn:aws:iam::123456789012:oidc-provider/issuer.example.com", "arn:aws:lambda:eu-west-1:123456789012:function:f",
    "rate(30 days)", "ok-0123abcd", "TEAM_", "1a2b3c4d", "-----BEGIN CERTIFICATE-----\n", "arn:aws:iam::123456789012:policy/p", "project-one.svc.id.goog", "projects/p/locations/l/keyRings/r/cryptoKeys/k",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net",
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/w",
)  # fmt: skip

#: What one version's file has although the settings do not say it: values that 2.0 has by itself, for 1.3; and the
#: address of the controllers, which 1.3 has none of.
ADDED = {
    "endpoints.all.sensitive": True,
    "endpoints.env.enabled": False,
    "endpoints.stop.enabled": False,
    "endpoints.caches.enabled": False,
    "endpoints.health.details-visible": "AUTHENTICATED",
    "endpoints.health.sensitive": False,
    "endpoints.loggers.write-sensitive": True,
    "endpoints.worker.sensitive": True,
    "endpoints.scheduler.sensitive": True,
    "kestra.worker.controllers.type": "STATIC",
    "kestra.worker.controllers.static.endpoints": [{"host": "kestra-controller", "port": 50051}],
}


def every_key() -> dict[str, tuple[str, str]]:
    """Dotted key to the first and the last Kestra version that has it (empty: no last one)."""
    return {
        path: versions
        for name, field in Settings.model_fields.items()
        for path, _, versions in leaves(field.alias or name, field)
        if path not in ("version", "edition")
    }


def around(path: str) -> Settings | None:
    """Settings that say a key, and what its blocks need; None when no value fits."""
    field = _field(path)
    values = [value for value in _values(field.annotation) if value is not None]
    # A value that would be there anyhow shows nothing.
    usual = (field.get_default(call_default_factory=True), ADDED.get(path))
    values.sort(key=lambda value: value in usual)
    for value in values:
        try:
            return Settings.model_validate(_document(path, value))
        except ValidationError:
            continue
    return None


def _document(path: str, value: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {"edition": "enterprise"}
    block, model = settings, Settings
    *parts, last = path.split(".")
    for part, after in zip(parts, [*parts, last][1:], strict=True):
        if part == "<name>":
            continue
        field = next(f for n, f in model.model_fields.items() if (f.alias or n) == part)
        one, many = models_in(field.annotation)
        inner = one or many
        assert inner is not None
        if model is not Settings and part in _types(model):
            # The block of a manager, or of a storage, belongs to its type.
            block["type"] = part
        block = block.setdefault(part, _least(inner))
        if after == "<name>":
            block.clear()
            block = block.setdefault("name", _least(inner))
        model = inner
    block[last] = value
    if path.startswith("deployment.task-runner.") and last != "scripts":
        # They end with 1.3, whatever else the task runner has.
        settings["deployment"]["task-runner"].setdefault("plugin-defaults", False)
    if path.startswith("store.") and not path.startswith("store.also."):
        settings |= {
            "edition": "oss",
            "store": {"type": _store_type(parts[1:])} | settings["store"],
        }
    if ".existing." in path and path.startswith("declared-secrets."):
        settings |= {
            "edition": "oss",
            "store": {"type": "vault", "vault": {"address": "https://v"}},
        }
    if path == "encryption.fingerprint":
        block["external"] = True
    if path.startswith("deployment.components.") and parts[2] != "standalone":
        settings["deployment"]["mode"] = "distributed"
    if path.startswith("store.also."):
        other = "vault" if settings["store"]["also"]["type"] != "vault" else "aws-secret-manager"
        settings["secret"] = {
            "type": other,
            other: {"address": "https://v"} if other == "vault" else {},
        }
        settings["declared-secrets"] = {"NAME": {"namespace": "company.team", "generate": {}}}
    return settings


def _types(model: type[Model]) -> set[Any]:
    """The words of the model's `type`; none without one."""
    field = model.model_fields.get("type")
    return set(_values(field.annotation)) if field else set()


def _store_type(parts: list[str]) -> str:
    """The type of open source that a block of `store` belongs to."""
    return next((chosen for chosen, block in BLOCKS.items() if parts[:1] == [block]), "vault")


def _least(model: type[Model]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        if field.is_required():
            inner, _ = models_in(field.annotation)
            values[field.alias or name] = _least(inner) if inner else _first(model, name)
    return values


def _first(model: type[Model], name: str) -> Any:
    field = model.model_fields[name]
    for value in _values(field.annotation):
        try:
            model.__pydantic_validator__.validate_assignment(model.model_construct(), name, value)
        except ValidationError as error:
            if any(detail["loc"][0] in (name, field.alias) for detail in error.errors()):
                continue
        return value
    raise AssertionError(f"no value fits {model.__name__}.{name}")


def _values(annotation: Any) -> Iterator[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        for part in arguments:
            if part is not type(None):
                yield from _values(part)
    elif origin is Annotated:
        yield from _values(arguments[0])
    elif origin is Literal:
        yield from arguments
    elif origin is tuple and models_in(arguments[0])[0]:
        model = models_in(arguments[0])[0]
        assert model is not None
        yield [_least(model)]
    elif origin is tuple:
        yield from ([value] for value in _values(arguments[0]))
    elif origin is dict:
        yield {"FLOW": ["READ"]}
        yield from ({"name": value} for value in _values(arguments[1]))
    elif annotation is bool:
        yield from (True, False)
    elif annotation is int:
        yield from (10, 1, 600, 30, 2, 9000)
    elif annotation is SecretStr:
        yield "Planted1-a-value-that-is-long-enough"
        yield '{"clusters": [{"name": "c"}], "contexts": [{"name": "c"}], "users": [{"name": "u"}]}'
    else:
        yield from _TEXTS


def _field(path: str) -> Any:
    top = path.split(".")[0]
    name, field = next((n, f) for n, f in Settings.model_fields.items() if (f.alias or n) == top)
    return next(
        leaf for path_of_leaf, leaf, _ in leaves(field.alias or name, field) if path_of_leaf == path
    )


def of_version(settings: Settings, version: str) -> Settings:
    """The same settings for another Kestra."""
    return settings.model_copy(update={"version": version})


def findings(settings: Settings) -> set[Finding]:
    """What the checks say of the keys themselves.

    Published holes are those of a version's own default release. A worker group needs a registration token on 2.0,
    whatever else it says.
    """
    said = set(check_all(settings)) - set(known_holes(settings))
    return {f for f in said if (f.loc[-1], f.message) != ("registration-token", "is missing")}


def rendered(settings: Settings) -> dict[str, Any]:
    """Dotted key of application.yaml to its value: without what a version adds, the account under its name of 1.3
    and a role in the words of 2.0."""
    text = render(settings).yaml()
    text = text.replace("instance-owner", "super-admin").replace("INSTANCE_OWNER", "SUPER_ADMIN")
    document = yaml.safe_load(text)
    # Empty where the key of this row is the one that leaves Kestra out.
    role = document.get("kestra", {}).get("security", {}).get("default-role", {})
    if "permissions" in role and is_first_vocabulary(role["permissions"]):
        role["permissions"] = translate(role["permissions"])
    return {
        path: value for path, value in _flat(document) if path not in ADDED or ADDED[path] != value
    }


def _flat(block: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        at = f"{path}.{name}" if path else str(name)
        if isinstance(value, Mapping):
            yield from _flat(value, at)
        else:
            yield at, value

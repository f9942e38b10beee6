"""The pack's configuration: limits, allow-lists and exemptions, given with `--policy-pack-config`."""

from __future__ import annotations

import datetime
import difflib
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

NAME = "ks-configuration"
"""The entry of the configuration file that holds the options."""

MANAGED_ELSEWHERE = (
    "vault-audit",
    "key-vault-diagnostics",
    "private-endpoints",
    "pod-network-encryption",
)

_TEXTS = {"type": "array", "items": {"type": "string"}}
_DAYS = {"type": "integer", "minimum": 1}
_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
SCHEMA: Mapping[str, dict[str, Any]] = {
    "registries": _TEXTS | {"description": "image repositories that may be used, by prefix"},
    "deployers": _TEXTS | {"description": "principals that deploy; Kestra must not run as one"},
    "keyAdministrators": _TEXTS | {"description": "principals that may administer keys"},
    "tokenAccounts": _TEXTS | {"description": "service accounts whose pods need a token"},
    "managedElsewhere": {
        "type": "array",
        "items": {"type": "string", "enum": list(MANAGED_ELSEWHERE)},
        "description": f"what another stack provides: {', '.join(MANAGED_ELSEWHERE)}",
    },
    "requiredTags": _TEXTS | {"description": "keys that every resource carries"},
    "dataClasses": _TEXTS | {"description": "vocabulary of data-class"},
    "defaultTags": _MAP | {"description": "tags that remediation adds"},
    "maximumRotationDays": _DAYS | {"description": "longest time between rotations, in days"},
    "maximumCacheSeconds": _DAYS | {"description": "longest life of a cached secret, in seconds"},
    "imageReleases": _MAP
    | {
        "description": "digest of an image (`sha256:…`) to its release, so that its known holes are judged",
    },
    "requireHsm": {"type": "boolean", "description": "Key Vaults of production are premium"},
    "exemptions": {
        "type": "array",
        "description": "what may stay as it is, for a while",
        "items": {
            "type": "object",
            "properties": {
                k: {"type": "string"} for k in ("control", "resource", "reason", "owner", "expires")
            },
        },
    },
}
"""Option to its JSON schema. The engine checks types by it; `configuration_faults` checks the rest too."""

DEFAULT_REGISTRIES = ("kestra/kestra", "docker.io/kestra/kestra", "registry.kestra.io/docker/")


@dataclass(frozen=True)
class Exemption:
    """Leave for a resource to break a control, until a day."""

    control: str = ""
    resource: str = ""
    """Name or URN, `*` for any part of it."""
    reason: str = ""
    owner: str = ""
    expires: str = ""
    """The last day, `YYYY-MM-DD`."""

    def faults(self, today: datetime.date, known: Sequence[str]) -> Iterator[str]:
        """Why it does not count."""
        for entry in fields(self):
            if not str(getattr(self, entry.name)).strip():
                yield f"has no {entry.name}"
        if self.control and self.control not in known:
            yield "names no control of this pack"
        if self.resource.strip("* ") == "" and self.resource:
            yield "is for every resource"
        if self.expires:
            day = self.last_day
            if day is None:
                yield "has an expiry date that is not YYYY-MM-DD"
            elif day < today:
                yield f"expired on {day}"

    @property
    def last_day(self) -> datetime.date | None:
        try:
            return datetime.date.fromisoformat(self.expires)
        except ValueError:
            return None

    def covers(self, control: str, name: str, urn: str, today: datetime.date) -> bool:
        """Whether it excuses a resource, by a control."""
        if control != self.control or any(self.faults(today, [control])):
            return False
        return any(fnmatch.fnmatchcase(text, self.resource) for text in (name, urn) if text)


@dataclass(frozen=True)
class Options:
    """What the configuration says, with the defaults of the pack."""

    registries: Sequence[str] = DEFAULT_REGISTRIES
    deployers: Sequence[str] = ()
    key_administrators: Sequence[str] = ()
    token_accounts: Sequence[str] = ()
    managed_elsewhere: Sequence[str] = ()
    required_tags: Sequence[str] = ("owner", "environment", "data-class")
    data_classes: Sequence[str] = ("public", "internal", "confidential", "restricted")
    default_tags: Mapping[str, str] = field(default_factory=dict)
    maximum_rotation_days: float = 90
    maximum_cache_seconds: float = 300
    image_releases: Mapping[str, str] = field(default_factory=dict)
    require_hsm: bool = False
    exemptions: Sequence[Exemption] = ()

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Options:
        """Options of a configuration that has no faults (`configuration_faults`)."""
        known = {entry.name for entry in fields(cls)}
        spelled = (
            (re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", k), v) for k, v in written.items()
        )
        values = {k: v for k, v in spelled if k in known}
        texts = {entry.name for entry in fields(Exemption)}
        values["exemptions"] = tuple(
            Exemption(**{k: str(v) for k, v in entry.items() if k in texts})
            for entry in values.get("exemptions", ())
            if isinstance(entry, Mapping)
        )
        return cls(**values)

    def exempts(self, control: str, name: str, urn: str, today: datetime.date) -> bool:
        """Whether an exemption in force covers a resource."""
        return any(e.covers(control, name, urn, today) for e in self.exemptions)


def configuration_faults(config: Mapping[str, Any], controls: Sequence[str]) -> list[str]:
    """What is wrong with a configuration, all of it, each with what to do.

    Args:
        config: entry of the configuration file to its properties; without levels.
        controls: the ids of the pack's controls.
    """
    faults: list[str] = []
    for name, properties in config.items():
        if name == NAME:
            faults += _option_faults(properties)
        elif name not in ("all", *controls):
            faults.append(f"`{name}` is no control of this pack{_near(name, controls)}")
        elif properties:
            only = f"`{name}` takes a level and no options; options are in `{NAME}`"
            faults.append(f"{only}: {', '.join(properties)}")
    return faults


def _option_faults(properties: Any) -> Iterator[str]:
    if not isinstance(properties, Mapping):
        yield f"`{NAME}` is no object of options"
        return
    for name, value in properties.items():
        if name not in SCHEMA:
            yield f"`{NAME}.{name}` is no option{_near(name, tuple(SCHEMA))}"
        else:
            yield from _value_faults(f"{NAME}.{name}", value, SCHEMA[name])


def _value_faults(path: str, value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Problems with a value by the part of JSON Schema that SCHEMA uses."""
    kind = schema["type"]
    type_, words = _KINDS[kind]
    is_of_kind = isinstance(value, type_) and isinstance(value, bool) is (kind == "boolean")
    if not is_of_kind:
        yield f"`{path}` is no {words}"
        return
    if kind == "integer" and (value != int(value) or value < schema["minimum"]):
        yield f"`{path}` is {value:g}; it is a whole number, {schema['minimum']} or more"
    if "enum" in schema and value not in schema["enum"]:
        yield f"`{path}` is `{value}`{_near(value, schema['enum'])}"
    if kind == "array":
        for position, entry in enumerate(value):
            yield from _value_faults(f"{path}.{position}", entry, schema["items"])
    elif kind == "object":
        own = schema.get("properties", {})
        for key, entry in value.items():
            if own and key not in own:
                yield f"`{path}.{key}` is no key of an entry{_near(key, tuple(own))}"
            else:
                rule = own.get(key) or schema["additionalProperties"]
                yield from _value_faults(f"{path}.{key}", entry, rule)


_KINDS: Mapping[str, tuple[Any, str]] = {
    "array": ((list, tuple), "list"),
    "string": (str, "text"),
    "integer": ((int, float), "number"),
    "boolean": (bool, "true or false"),
    "object": (Mapping, "map"),
}


def _near(name: str, known: Sequence[str]) -> str:
    """`; did you mean …?`, or all that there are when they are few."""
    padded = re.sub(r"-(\d)$", r"-0\1", name)
    if close := difflib.get_close_matches(padded, known, 1, 0.7):
        return f"; did you mean `{close[0]}`?"
    return f"; one of {', '.join(known)}" if len(known) <= len(SCHEMA) else ""

"""The pack's configuration: limits, allow-lists and exemptions, given with `--policy-pack-config`."""

from __future__ import annotations

import datetime
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

NAME = "ks-configuration"
"""The entry of the configuration file that holds the options."""

_TEXTS = {"type": "array", "items": {"type": "string"}}
_DAYS = {"type": "integer", "minimum": 1}
SCHEMA: Mapping[str, dict[str, Any]] = {
    "registries": _TEXTS | {"description": "image repositories that may be used, by prefix"},
    "deployers": _TEXTS | {"description": "principals that deploy; Kestra must not run as one"},
    "keyAdministrators": _TEXTS | {"description": "principals that may administer keys"},
    "tokenAccounts": _TEXTS | {"description": "service accounts whose pods need a token"},
    "managedElsewhere": _TEXTS
    | {
        "description": "what another stack provides: vault-audit, key-vault-diagnostics, private-endpoints, "
        "pod-network-encryption"
    },
    "requiredTags": _TEXTS | {"description": "keys that every resource carries"},
    "dataClasses": _TEXTS | {"description": "vocabulary of data-class"},
    "defaultTags": {"type": "object", "description": "tags that remediation adds"},
    "maximumRotationDays": _DAYS | {"description": "longest time between rotations"},
    "maximumCacheSeconds": _DAYS | {"description": "longest life of a cached secret"},
    "imageReleases": {
        "type": "object",
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
        """Options of a configuration; what the engine let through that has no meaning is left out."""
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

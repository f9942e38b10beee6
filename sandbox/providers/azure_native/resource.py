"""What every resource type has: its id, what Azure refuses, and what Azure answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects, stable_uuid
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.schema_provider import ResourceType
from sandbox.providers.runtime.values import Properties

Objects = dict[str, Properties]
GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class AzureError(ProviderError):
    """A refusal, in Azure's words."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f'Status={status} Code="{code}" Message="{message}"')


@dataclass
class Azure:
    """What the provider is configured with."""

    store: FileBackedObjects
    subscription: str
    tenant: str
    client: str
    location: str | None = None

    @property
    def object(self) -> str:
        """The id of who runs the program."""
        return stable_uuid("object", self.client)


class AzureResource(ResourceType[Azure]):
    """A type. What is kept of an object is Azure's answer, with the id, and what only the store needs below `_`."""

    type: str
    #: The path, with the inputs that it is made of.
    path: str
    api: str
    naming: Literal["random", "uuid"] = "random"
    #: Whether the type has a place, and whether the program must say which.
    place: Literal["none", "optional", "required"] = "none"
    #: Patterns of the API specification, by input.
    patterns: ClassVar[dict[str, str]] = {}
    #: What Azure fills in, which an import does not take for the program's own.
    unasked: ClassVar[Properties] = {}
    has_system_data = True

    def check(self, p: Properties) -> Failures:
        return [
            ("", f"'{name}' does not match expression '{pattern}'")
            for name, pattern in self.patterns.items()
            if isinstance(p.get(name), str) and not re.search(pattern, p[name])
        ]

    def id(self, a: Azure, p: Properties) -> str:
        """Its id."""
        path = self.path.format_map({"subscription": a.subscription} | p)
        return re.sub("^/+", "/", path)

    def create(self, a: Azure, p: Properties) -> tuple[str, Properties]:
        id_ = self.id(a, p)
        with a.store.open() as objects:
            if id_.lower() in objects:
                raise ProviderError(f"cannot create already existing resource '{id_}'")
            return id_, self._put(a, objects, id_, p)

    def read(self, a: Azure, id_: str, p: Properties) -> Properties | None:
        kept = a.store.get(id_.lower())
        return None if kept is None else self.outputs(kept)

    def update(self, a: Azure, id_: str, p: Properties, olds: Properties) -> Properties | None:
        with a.store.open() as objects:
            return self._put(a, objects, id_, p)

    def delete(self, a: Azure, id_: str, p: Properties) -> None:
        with a.store.open() as objects:
            self.remove(a, objects, id_)

    def _put(self, a: Azure, objects: Objects, id_: str, p: Properties) -> Properties:
        before = objects.get(id_.lower())
        self.refuse(a, objects, p, before)
        kept = objects[id_.lower()] = self.kept(a, objects, p, before)
        return self.outputs(kept)

    def outputs(self, kept: Properties) -> Properties:
        """What the state holds of what is kept."""
        shown = {k: v for k, v in kept.items() if k != "id" and not k.startswith("_")}
        return shown | {"azureApiVersion": self.api}

    def parse(self, id_: str) -> Properties:
        """The inputs that an id tells.

        Raises:
            ProviderError: when it is not one of this type.
        """
        parts = re.split(r"\{(\w+)\}", self.path.lstrip("/"))
        # What is between the names is written in any case; a scope is itself a path.
        pattern = "".join(
            f"(?P<{part}>{'.+' if part in ('scope', 'resourceUri') else '[^/]+'})"
            if i % 2
            else re.escape(part)
            for i, part in enumerate(parts)
        )
        match = re.fullmatch(pattern, id_.lstrip("/"), re.IGNORECASE)
        if match is None:
            raise ProviderError(f"unexpected resource id {id_!r}: it must be {self.path}")
        inputs = match.groupdict()
        inputs.pop("subscription", None)
        return {k: f"/{v}" if k in ("scope", "resourceUri") else v for k, v in inputs.items()}

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        """Raises what Azure answers to inputs that it does not take; `before` is the object when it is there.

        Raises:
            AzureError: in Azure's words.
        """

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        """What Azure answers, beside id, name, type and system data."""
        names = set(re.findall(r"\{(\w+)\}", self.path))
        return {k: v for k, v in p.items() if k not in names}

    def kept(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        """The whole of what is kept."""
        id_ = self.id(a, p)
        out = self.answer(a, objects, p, before) | {
            "id": id_,
            "name": id_.rsplit("/", 1)[-1],
            "type": self.type,
        }
        if self.has_system_data:
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            created = (before or {}).get("systemData") or {
                "createdAt": now,
                "createdBy": a.client,
                "createdByType": "Application",
            }
            changed = {"lastModifiedBy": a.client, "lastModifiedByType": "Application"}
            out["systemData"] = created | changed | {"lastModifiedAt": now}
        return out

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        """Removes it; one that is not there is no error."""
        objects.pop(id_.lower(), None)


def part(id_: str, name: str) -> str:
    """What stands after a name in an id: `part(id, "resourceGroups")`."""
    match = re.search(rf"/{name}/([^/]+)", id_, re.IGNORECASE)
    return match[1] if match else ""


def require(objects: Objects, id_: str) -> Properties:
    """The object of a vault, an identity or an endpoint that another one stands on.

    Raises:
        AzureError: when it is not there.
    """
    current = objects.get(id_.lower())
    if current is None:
        kind, _, name = id_.partition("/providers/")[2].rpartition("/")
        raise AzureError(
            404,
            "ResourceNotFound",
            f"The Resource '{kind}/{name}' under resource group '{part(id_, 'resourceGroups')}' was not "
            "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        )
    return current


def same_place(kept: Properties, p: Properties) -> None:
    """Refuses to move what is there.

    Raises:
        AzureError: when the location is another one.
    """
    if normal(kept["location"]) != normal(p["location"]):
        name, group = kept["name"], part(kept["id"], "resourceGroups")
        raise AzureError(
            409,
            "InvalidResourceLocation",
            f"The resource '{name}' already exists in location '{kept['location']}' in resource group "
            f"'{group}'. A resource with the same name cannot be created in location '{p['location']}'. "
            "Please select a new resource name.",
        )


def normal(location: Any) -> str:
    """A location without its spaces and capitals, which mean nothing."""
    return str(location).lower().replace(" ", "")

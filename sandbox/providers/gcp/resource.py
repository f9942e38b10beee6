"""What every resource type has: how it is made, read back, compared and deleted."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from sandbox.providers.gcp.api import REQUEST_SECONDS, GoogleError, SecretManager
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.file_backed_objects import FileBackedObjects, changes
from sandbox.providers.runtime.schema_provider import ResourceType
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.terraform_values import ZERO
from sandbox.providers.runtime.values import Properties, has_unknown


@dataclass
class Google:
    """What the provider is configured with."""

    store: FileBackedObjects
    project: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    """Labels that every resource gets: the default ones and the provider's own mark."""
    endpoint: str | None = None
    request_seconds: float = REQUEST_SECONDS
    _api: SecretManager | None = None

    @property
    def secrets(self) -> SecretManager:
        """Secret Manager.

        Raises:
            ProviderError: when there is no endpoint; this stand-in never calls Google.
        """
        if self._api is None:
            if not self.endpoint:
                raise ProviderError(
                    "this stand-in calls no server of Google: set gcp:secretManagerCustomEndpoint or "
                    "GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT, or install the official plugin"
                )
            self._api = SecretManager(self.endpoint, self.request_seconds)
        return self._api

    def of(self, p: Properties) -> str:
        """The project of a resource.

        Raises:
            ProviderError: when neither it nor the provider names one.
        """
        project = p.get("project") or self.project
        if not project:
            raise ProviderError("project: required field is not set")
        return project


def number(project: str) -> str:
    """The number of a project; the same for the same name, of twelve digits."""
    return str(10**11 + int(hashlib.sha256(project.encode()).hexdigest(), 16) % (9 * 10**11))


class GoogleResource(ResourceType[Google]):
    """A type."""

    #: What stands before the server's words: `Error creating Secret`.
    noun: str = ""
    computed: frozenset[str] = frozenset({"project"})
    defaults: ClassVar[Properties] = {"deletionPolicy": "DELETE"}
    named: str | None = None
    followed = frozenset({"pulumiLabels", "effectiveLabels"})
    #: Whether the provider's own labels are added.
    labelled = False
    #: Inputs that the official provider compares by the last part of their path.
    links: frozenset[str] = frozenset()

    def id(self, g: Google, p: Properties) -> str:
        """Its id in the state."""
        raise NotImplementedError

    def parse(self, g: Google, id_: str) -> Properties:
        """The properties that an import id tells.

        Raises:
            ProviderError: for an id that does not fit.
        """
        raise NotImplementedError

    def locate(self, g: Google, schema: ResourceSchema, id_: str) -> tuple[str, Properties]:
        p = self.defaults | self.parse(g, id_)
        return self.id(g, {"name": id_} | p), p

    def same(self, name: str, before: Any, after: Any) -> bool:
        # Numbers and texts may stand for another.
        if before in ZERO and after in ZERO:
            return True
        if name in self.links and isinstance(before, str) and isinstance(after, str):
            return before.rsplit("/", 1)[-1] == after.rsplit("/", 1)[-1]
        if isinstance(before, (dict, list)) or isinstance(after, (dict, list)):
            return before == after
        return (
            str(before).lower() == str(after).lower() if _loose(before, after) else before == after
        )

    def compare(self, name: str, before: Any, after: Any) -> set[str]:
        if name in self.sets and not has_unknown(after):
            before, after = sorted(before or []), sorted(after or [])
        return changes(before, after, lambda a, b: self.same(name, a, b), name)


class Recorded(GoogleResource):
    """A type that is kept by its inputs only: no server for it can be had on one machine."""

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        id_ = self.id(g, p)
        with g.store.open() as objects:
            if id_ in objects:
                raise ProviderError(
                    f"Error creating {self.noun}: {GoogleError(409, self.taken(id_))}"
                )
            self.before(g, objects, p)
            objects[id_] = self.record(g, id_, p)
        return id_, self.seen(g, id_, p, objects[id_])

    def read(self, g: Google, id_: str, p: Properties) -> Properties | None:
        current = g.store.get(id_)
        return None if current is None or self.gone(current) else self.seen(g, id_, p, current)

    def update(self, g: Google, id_: str, p: Properties, olds: Properties) -> Properties:
        with g.store.open() as objects:
            if id_ not in objects:
                raise ProviderError(
                    f"Error updating {self.noun} {id_!r}: {GoogleError(404, f'{id_} not found.')}"
                )
            objects[id_] |= self.record(g, id_, p)
        return self.seen(g, id_, p, objects[id_])

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        g.store.remove(id_)

    def taken(self, id_: str) -> str:
        """What Google says when there is one already."""
        return f"{self.noun} {id_} already exists."

    def before(self, g: Google, objects: dict[str, Properties], p: Properties) -> None:
        """Refuses what Google refuses because of other objects."""

    def record(self, g: Google, id_: str, p: Properties) -> Properties:
        """What is kept."""
        return {k: v for k, v in p.items() if v is not None}

    def seen(self, g: Google, id_: str, p: Properties, kept: Properties) -> Properties:
        """Outputs of what is kept."""
        return p | kept

    def gone(self, kept: Properties) -> bool:
        """Whether what is kept counts as deleted."""
        return False


def ids(pattern: str, id_: str) -> Properties:
    """The parts of an import id.

    Raises:
        ProviderError: when it does not fit the pattern.
    """
    match = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern), id_)
    if match is None:
        raise ProviderError(
            f"Import id {id_!r} doesn't match any of the accepted formats: [{pattern}]"
        )
    return match.groupdict()


def _loose(before: Any, after: Any) -> bool:
    return any(isinstance(v, (bool, int, float)) for v in (before, after))

"""What every resource type has: how it is made at AWS, read back, compared and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.providers.aws.connection import Aws
from sandbox.providers.aws.policies import same_policy
from sandbox.providers.documents import ZERO, alike, is_json_object
from sandbox.providers.inputs import snake
from sandbox.providers.server import ProviderError
from sandbox.providers.values import Unknown

Properties = dict[str, Any]


class Resource:
    """A type. The attributes say what the Terraform provider's schema says beyond Pulumi's."""

    service = ""
    label = ""
    """The words for it in errors."""
    computed: frozenset[str] = frozenset()
    """Inputs that AWS fills in without that being a difference."""
    defaults: ClassVar[Properties] = {}
    """Inputs that have a value where the program gives none."""
    sets: frozenset[str] = frozenset()
    """Lists whose order means nothing."""
    policies: frozenset[str] = frozenset()
    """Texts that hold a policy document and are compared as such."""
    ranges: ClassVar[Mapping[str, tuple[int, int]]] = {}
    """Inputs that are whole numbers from one to another, both included."""
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    conflicts: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Inputs of which one at most may be given."""
    together: ClassVar[Mapping[str, str]] = {}
    """Inputs that want another one beside them."""

    def check(self, p: Properties) -> list[tuple[str, str]]:
        """Property and reason for what the provider itself refuses. Values may be unknown."""
        failures = [
            (name, f'"{snake(name)}" contains an invalid JSON policy')
            for name in sorted(self.policies)
            if isinstance(p.get(name), str) and not is_json_object(p[name])
        ]
        for name, (least, most) in self.ranges.items():
            value = p.get(name)
            if isinstance(value, int) and not least <= value <= most:
                failures.append(
                    (name, f"expected {snake(name)} to be in the range ({least} - {most})")
                )
        for name, allowed in self.choices.items():
            if isinstance(p.get(name), str) and p[name] not in allowed:
                failures.append(
                    (name, f"expected {snake(name)} to be one of [{', '.join(allowed)}]")
                )
        for names in self.conflicts:
            given = [n for n in names if p.get(n) not in ZERO]
            if len(given) > 1:
                first, second = snake(given[0]), snake(given[1])
                failures.append(
                    (
                        given[0],
                        f'Conflicting configuration arguments. "{first}": conflicts with {second}',
                    )
                )
        for name, other in self.together.items():
            if p.get(name) not in ZERO and p.get(other) in ZERO:
                both = ",".join(sorted((snake(name), snake(other))))
                failures.append(
                    (
                        name,
                        f'Missing required argument. "{snake(name)}": all of `{both}` must be specified',
                    )
                )
        return failures

    def name(self, p: Properties) -> str:
        """What errors call it while it has no id."""
        return p.get("name") or p.get("namePrefix") or ""

    def create(self, aws: Aws, p: Properties) -> str:
        """Makes it, and gives its id."""
        raise NotImplementedError

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        """What is left to do after it is there; if that fails, the state knows it already."""

    def read(self, aws: Aws, id_: str, p: Properties) -> Properties | None:
        """What AWS has, laid over `p`; None when it is gone."""
        raise NotImplementedError

    def update(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        """Changes what differs."""
        raise NotImplementedError

    def delete(self, aws: Aws, id_: str, p: Properties) -> None:
        """Removes it; one that is gone is fine."""
        raise NotImplementedError

    def parse(self, id_: str) -> Properties:
        """The properties that an id tells, for an import.

        Raises:
            ProviderError: when the id has not the form that it should.
        """
        return {}

    def imported(self, id_: str) -> str:
        """The id in the state for the one that an import names."""
        return id_

    def replaces(self, before: Properties, after: Properties) -> set[str]:
        """Inputs that replace it because of what they change from and to."""
        return set()

    def moving(self, changed: set[str]) -> set[str]:
        """Outputs that an update of these inputs makes unknown until it is done."""
        return set()

    def same(self, name: str, before: Any, after: Any) -> bool:
        """Whether an input is what the state has."""
        if name in self.policies and isinstance(before, str) and isinstance(after, str):
            return same_policy(before, after)
        if name in self.sets and isinstance(before, list) and isinstance(after, list):
            return sorted(map(str, before)) == sorted(map(str, after))
        return alike(before, after)

    def differ(self, names: tuple[str, ...], p: Properties, olds: Properties) -> bool:
        """Whether one of the properties changes."""
        return any(not self.same(n, olds.get(n), p.get(n)) for n in names)

    def client(self, aws: Aws, p: Properties) -> Any:
        """The client for its region."""
        return aws.client(self.service, p.get("region"))


class Tagged(Resource):
    """A type with tags: its own, and those of the provider's settings."""

    pair: ClassVar[tuple[str, str]] = ("Key", "Value")

    def tag(self, client: Any, id_: str, tags: list[dict[str, str]]) -> None:
        """Sets tags."""
        raise NotImplementedError

    def untag(self, client: Any, id_: str, keys: list[str]) -> None:
        """Removes tags."""
        raise NotImplementedError

    def tags(self, aws: Aws, p: Properties) -> list[dict[str, str]]:
        """All tags that it is to have, in AWS's form."""
        return self._pairs(all_tags(aws, p))

    def retag(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        """Sets and removes what differs."""
        before, after = olds.get("tagsAll") or {}, all_tags(aws, p)
        if gone := sorted(before.keys() - after.keys()):
            self.untag(self.client(aws, p), id_, gone)
        if new := {k: v for k, v in after.items() if before.get(k) != v}:
            self.tag(self.client(aws, p), id_, self._pairs(new))

    def _pairs(self, tags: Mapping[str, str]) -> list[dict[str, str]]:
        key, value = self.pair
        return [{key: k, value: v} for k, v in sorted(tags.items())]

    def tagged(self, aws: Aws, p: Properties, found: Any) -> Properties:
        """What AWS says of its tags: `tags` without the provider's, `tagsAll` with them."""
        key, value = self.pair
        pairs = found if isinstance(found, dict) else {t[key]: t[value] for t in found or []}
        every = {k: v for k, v in pairs.items() if not k.startswith("aws:")}
        stated, default = p.get("tags") or {}, aws.default_tags
        own = {k: v for k, v in every.items() if k in stated or default.get(k) != v}
        return {"tags": own or None, "tagsAll": every}


def all_tags(aws: Aws, p: Properties) -> dict[str, Any]:
    """A resource's tags over the provider's."""
    tags = p.get("tags") or {}
    known = {k: v if isinstance(v, Unknown) else str(v) for k, v in tags.items()}
    return aws.default_tags | known


def final_name(p: Properties, prefix: str = "") -> str:
    """The name, or one that begins with the prefix, as Terraform makes it."""
    if p.get("name"):
        return p["name"]
    moment = datetime.now(UTC).strftime("%Y%m%d%H%M%S%f")[:18]
    return f"{p.get('namePrefix') or prefix}{moment}{secrets.token_hex(4)}"


def two_parts(id_: str, sign: str, form: str) -> tuple[str, str]:
    """The parts of an id.

    Raises:
        ProviderError: when it has not two.
    """
    first, found, second = id_.partition(sign)
    if not found or not first or not second:
        raise ProviderError(f"unexpected format of ID ({id_}), expected {form}")
    return first, second


def present(**parameters: Any) -> Properties:
    """Parameters of a request, without those that are nothing."""
    return {k: v for k, v in parameters.items() if v not in (None, "", [], {})}

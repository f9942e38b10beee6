"""What every resource type has: how it is made at AWS, read back, compared and deleted."""

from __future__ import annotations

import contextlib
import json
import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.providers.aws.connection import ERRORS, Aws, words
from sandbox.providers.aws.policies import same_policy
from sandbox.providers.runtime.errors import PartiallyCreated, ProviderError, finish_create
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.schema_provider import ResourceType
from sandbox.providers.runtime.schema_validation import snake
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.terraform_values import ZERO, alike, is_json_object
from sandbox.providers.runtime.values import (
    UNKNOWN,
    Properties,
    Secret,
    Unknown,
    has_secret,
    has_unknown,
    plain,
)

#: How an import names a region that is not the provider's.
_IN_REGION = re.compile(r"(.+)@([a-z]{2,4}(?:-[a-z]+)+-\d)")


class AwsResource(ResourceType[Aws]):
    """A type. The attributes say what the Terraform provider's schema says beyond Pulumi's."""

    service = ""
    label = ""
    """The words for it in errors."""
    policies: frozenset[str] = frozenset()
    """Texts that hold a policy document and are compared as such."""
    ranges: ClassVar[Mapping[str, tuple[int, int]]] = {}
    """Inputs that are whole numbers from one to another, both included."""
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    conflicts: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Inputs of which one at most may be given."""
    together: ClassVar[Mapping[str, str]] = {}
    """Inputs that want another one beside them."""

    def prepare(self, news: Properties) -> Properties:
        return {k: _as_text(v) if k in self.policies else v for k, v in news.items()}

    def check(self, p: Properties) -> Failures:
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
            stated = [n for n in names if p.get(n) not in ZERO]
            if len(stated) > 1:
                first, second = snake(stated[0]), snake(stated[1])
                failures.append(
                    (
                        stated[0],
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

    def create(self, aws: Aws, p: Properties) -> tuple[str, Properties]:
        with describe_errors("creating", self, self.name(p)):
            id_ = self.start(aws, p)

        def rest() -> Properties | None:
            with describe_errors("creating", self, id_):
                self.settle(aws, id_, p)
                return self.read(aws, id_, p)

        try:
            return id_, finish_create(id_, p, rest)
        except PartiallyCreated as error:
            # What is there decides what the next update does.
            with contextlib.suppress(*ERRORS):
                error.outputs = self.read(aws, id_, error.outputs) or error.outputs
            raise

    def start(self, aws: Aws, p: Properties) -> str:
        """Creates it, and gives its id."""
        raise NotImplementedError

    def settle(self, aws: Aws, id_: str, p: Properties) -> None:
        """What is left to do after it is there; if that fails, the state knows it already."""

    def update(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> Properties | None:
        self.change(aws, id_, p, olds)
        return self.read(aws, id_, p)

    def change(self, aws: Aws, id_: str, p: Properties, olds: Properties) -> None:
        """Changes what differs."""
        raise NotImplementedError

    def locate(self, aws: Aws, schema: ResourceSchema, id_: str) -> tuple[str, Properties]:
        region: Properties = {}
        if "region" in schema.inputs and (named := _IN_REGION.fullmatch(id_)):
            id_, region = named[1], {"region": named[2]}
        return self.imported(id_), self.parse(id_) | region

    def not_imported(self, schema: ResourceSchema) -> Collection[str]:
        # A name and a secret value are worth having in the program.
        return {n for n in self.computed if n != "name" and not schema.outputs[n].get("secret")}

    def parse(self, id_: str) -> Properties:
        """The properties that an id tells, for an import.

        Raises:
            ProviderError: when the id has not the form that it should.
        """
        return {}

    def imported(self, id_: str) -> str:
        """The id in the state for the one that an import names."""
        return id_

    def same(self, name: str, before: Any, after: Any) -> bool:
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


@contextlib.contextmanager
def describe_errors(verb: str, kind: AwsResource, name: str) -> Iterator[None]:
    """Errors with AWS's words and the resource's name."""
    try:
        yield
    except ERRORS as error:
        raise ProviderError(f"{verb} {kind.label} ({name}): {words(error, kind.service)}") from None


class Tagged(AwsResource):
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

    def tagged(self, aws: Aws, p: Properties, tags: Any) -> Properties:
        """What AWS says of its tags: `tags` without the provider's, `tagsAll` with them."""
        key, value = self.pair
        pairs = tags if isinstance(tags, dict) else {t[key]: t[value] for t in tags or []}
        every = {k: v for k, v in pairs.items() if not k.startswith("aws:")}
        stated, default = p.get("tags") or {}, aws.default_tags
        own = {k: v for k, v in every.items() if k in stated or default.get(k) != v}
        return {"tags": own or None, "tagsAll": every}


def all_tags(aws: Aws, p: Properties) -> dict[str, Any]:
    """A resource's tags over the provider's."""
    tags = p.get("tags") or {}
    known = {k: v if isinstance(v, Unknown) else str(v) for k, v in tags.items()}
    return aws.default_tags | known


def _as_text(value: Any) -> Any:
    """A policy that is given as an object, as text."""
    if isinstance(value, Secret):
        return Secret(_as_text(value.value))
    if not isinstance(value, dict):
        return value
    text = UNKNOWN if has_unknown(value) else json.dumps(plain(value))
    return Secret(text) if has_secret(value) else text


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
    first, separator, second = id_.partition(sign)
    if not separator or not first or not second:
        raise ProviderError(f"unexpected format of ID ({id_}), expected {form}")
    return first, second


def present(**parameters: Any) -> Properties:
    """Parameters of a request, without those that are nothing."""
    return {k: v for k, v in parameters.items() if v not in (None, "", [], {})}

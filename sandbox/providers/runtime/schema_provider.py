"""A provider whose resource types have a schema: one way to check, compare, preview, create, read and update them."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

from sandbox.providers.runtime.errors import NotReadyError, PartiallyCreated, ProviderError
from sandbox.providers.runtime.provider import (
    Autonaming,
    Checked,
    Diff,
    Failures,
    Provider,
    Read,
    Urn,
    unsupported,
)
from sandbox.providers.runtime.redaction import redact_error
from sandbox.providers.runtime.schema_validation import AzureNative, Bridge
from sandbox.providers.runtime.schemas import BRIDGE, ResourceSchema, Schemas
from sandbox.providers.runtime.user_inputs import (
    DEFAULTS,
    auto_name,
    imported,
    is_named,
    unknown_outputs,
    user_inputs,
)
from sandbox.providers.runtime.values import UNKNOWN, Properties, has_unknown, plain

C = TypeVar("C")
"""What the provider is configured with, and asks its server by."""


class ResourceType(Generic[C]):
    """A resource type: how it is created, read and deleted, and what the official provider's own schema says of it.

    Properties have no marks of secrets here; inputs may be unknown where a method is part of a preview.
    """

    computed: frozenset[str] = frozenset()
    """Inputs that the server fills in without that being a difference."""
    defaults: ClassVar[Properties] = {}
    """Inputs that have a value where the program gives none."""
    sets: frozenset[str] = frozenset()
    """Lists whose order means nothing."""
    named: str | None = "name"
    """The input that is named after the resource where the program gives no name."""
    name_separator = "-"
    name_prefix = ""
    followed: frozenset[str] = frozenset()
    """Outputs that an update works out again, and does not start from."""

    def prepare(self, news: Properties) -> Properties:
        """The inputs in the form in which the provider keeps them. Values may be marked as secret."""
        return news

    def check(self, p: Properties) -> Failures:
        """Property and reason for what the provider itself refuses. Values may be unknown."""
        return []

    def create(self, client: C, /, p: Properties) -> tuple[str, Properties]:
        """Id and outputs of a new one.

        Raises:
            PartiallyCreated: when it exists, and what followed failed.
        """
        raise NotImplementedError

    def read(self, client: C, /, id_: str, p: Properties) -> Properties | None:
        """What the server has, laid over `p`; None when it is gone."""
        raise NotImplementedError

    def update(self, client: C, /, id_: str, p: Properties, olds: Properties) -> Properties | None:
        """Changes what differs; the outputs after that."""
        raise NotImplementedError

    def delete(self, client: C, /, id_: str, p: Properties) -> None:
        """Removes it; one that is gone is no error."""
        raise NotImplementedError

    def locate(self, client: C, /, schema: ResourceSchema, id_: str) -> tuple[str, Properties]:
        """The id in the state for the one that an import names, and the properties that it tells.

        Raises:
            ProviderError: when the type cannot be imported, or not by this id.
        """
        raise NotImplementedError

    def not_imported(self, schema: ResourceSchema) -> Collection[str]:
        """Inputs that an import does not take for the program's own."""
        return self.computed

    def dropped(self, name: str, after: Properties) -> bool:
        """Whether an input that the program no longer gives is to be set back to nothing."""
        return name not in self.computed

    def left_to_server(self, name: str, value: Any) -> bool:
        """Whether a value stands for whatever the server fills in."""
        return False

    def same(self, name: str, before: Any, after: Any) -> bool:
        """Whether an input is what the state has."""
        return before == after

    def compare(self, name: str, before: Any, after: Any) -> set[str]:
        """The paths in and below an input at which the state differs."""
        return {name} if has_unknown(after) or not self.same(name, before, after) else set()

    def replaces(self, before: Properties, after: Properties) -> set[str]:
        """Inputs that replace it because of what they change from and to."""
        return set()

    def moving(self, changed: set[str]) -> set[str]:
        """Outputs that an update of these inputs makes unknown until it is done."""
        return set()


K = TypeVar("K", bound=ResourceType[Any])


class SchemaProvider(Provider, Generic[C, K]):
    """A provider over its `schema.json` and its resource types."""

    types: ClassVar[Mapping[str, ResourceType[Any]]]
    functions: ClassVar[Mapping[str, Callable[[Any, Properties], Properties]]] = {}
    words: ClassVar[Bridge | AzureNative] = BRIDGE

    def __init__(self) -> None:
        file = Path(inspect.getfile(type(self))).with_name("schema.json")
        self._schemas = Schemas(file, self.words)

    def connect(self, p: Properties) -> C:
        """What the types ask their server by, for a resource with these properties."""
        raise NotImplementedError

    def describe_errors(
        self, verb: str, kind: K, name: str
    ) -> contextlib.AbstractContextManager[None]:
        """Turns a client library's errors into `ProviderError`; a verb is `creating` and so on."""
        return contextlib.nullcontext()

    def mark(self, schema: ResourceSchema, outputs: Properties, inputs: Properties) -> Properties:
        """Outputs with their secrets marked."""
        return schema.mark(outputs, inputs)

    def previewed(self, kind: K, known: Properties) -> Properties:
        """Outputs that are known before a resource is created or updated."""
        return {}

    def settings_changes(
        self, schema: ResourceSchema, kind: K, before: Properties, after: Properties
    ) -> set[str]:
        """What differs because the provider's own settings do."""
        return set()

    def merged(self, kept: Properties, known: Properties) -> Properties:
        """What an update sends: the outputs that stay, and the inputs."""
        return plain(kept) | plain(known)

    def check(
        self,
        urn: Urn,
        olds: Properties,
        news: Properties,
        seed: bytes = b"",
        autonaming: Autonaming = Autonaming(),
    ) -> Checked:
        schema, kind = self._of(urn)
        filled = {k: v for k, v in kind.defaults.items() if news.get(k) is None}
        named, start = kind.named, kind.name_prefix
        if named in schema.inputs and all(news.get(n) is None for n in (named, "namePrefix")):
            beginning = urn.name if urn.name.startswith(start) else f"{start}{urn.name}"
            filled[named] = auto_name(olds, named, beginning, kind.name_separator)
        inputs = kind.prepare(news) | filled
        failures = schema.check(urn.name, news | filled) or [
            ("", f"{reason}. Examine values at '{urn.name}.{property_}'.")
            for property_, reason in kind.check(plain(inputs))
        ]
        return Checked(inputs | {DEFAULTS: sorted(filled)}, failures)

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        schema, kind = self._of(urn)
        before, after = plain(olds), plain(news)
        changed: set[str] = set()
        for name in schema.inputs:
            new = after.get(name)
            if name.endswith("Wo"):
                continue  # write-only: its version says when it changes
            if kind.left_to_server(name, new) or (new is None and not kind.dropped(name, after)):
                continue
            changed |= kind.compare(name, before.get(name), new)
        changed |= self.settings_changes(schema, kind, before, after)
        replacing = {path for path in changed if schema.replaces(path)}
        replacing |= kind.replaces(before, after) & changed
        named = kind.named
        taken = is_named(schema, after, named) and None not in (after.get(named), before.get(named))
        taken = taken and before.get(named) == after.get(named)
        return Diff.of(changed, replacing, delete_first=taken).without(ignored)

    def create(
        self, urn: Urn, news: Properties, preview: bool = False, timeout: float = 0
    ) -> tuple[str, Properties]:
        schema, kind = self._of(urn)
        known = user_inputs(news)
        if preview:
            unknown = unknown_outputs(schema, known, kind.computed)
            return "", unknown | self.mark(schema, known | self.previewed(kind, known), known)
        p = plain(known)
        with self._operation("creating", schema, kind, urn.name, known):
            try:
                id_, outputs = kind.create(self.connect(p), p)
            except PartiallyCreated as error:
                # The engine records it, and goes on with it the next time.
                message = redact_error(str(error), schema.mark(known, {}))
                kept = self.mark(schema, error.outputs, known)
                raise NotReadyError(message, error.id, kept) from None
        return id_, self.mark(schema, outputs, known)

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        schema, kind = self._of(urn)
        before = plain(olds)
        with self._operation("reading", schema, kind, id_, olds):
            client = self.connect(before)
            if not olds:
                id_, before = kind.locate(client, schema, id_)
                before = kind.defaults | before
            outputs = kind.read(client, id_, before)
        if outputs is None:
            return None
        marked = self.mark(schema, outputs, olds)
        if not olds:
            return Read(id_, imported(schema, marked, kind.not_imported(schema)), marked)
        kept = {k: v if k.endswith("Wo") else marked.get(k, v) for k, v in inputs.items()}
        return Read(id_, kept, marked)

    def update(
        self,
        urn: Urn,
        id_: str,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        preview: bool = False,
        timeout: float = 0,
        ignored: Collection[str] = (),
    ) -> Properties:
        schema, kind = self._of(urn)
        known = user_inputs(news)
        # What the server filled in stays known to the resource; what nobody sets any more does not.
        kept = {
            k: v
            for k, v in olds.items()
            if k not in kind.followed
            and (k not in schema.inputs or not kind.dropped(k, plain(known)))
        }
        if preview:
            changed = self.diff(urn, old_inputs, olds, news, ignored).changed
            moving = dict.fromkeys(kind.moving(changed), UNKNOWN)
            value = self.mark(schema, known | self.previewed(kind, known), known)
            return kept | moving | value
        p = self.merged(kept, known)
        with self._operation("updating", schema, kind, id_, olds | known):
            outputs = kind.update(self.connect(p), id_, p, plain(olds))
        if outputs is None:
            raise ProviderError(f"{id_} is not there after it was written")
        return self.mark(schema, outputs, known)

    def delete(self, urn: Urn, id_: str, olds: Properties, timeout: float = 0) -> None:
        schema, kind = self._of(urn)
        p = plain(olds)
        with self._operation("deleting", schema, kind, id_, olds):
            kind.delete(self.connect(p), id_, p)

    def invoke(self, token: str, args: Properties) -> Properties:
        if token not in self.functions:
            raise unsupported(token)
        return self.functions[token](self.connect({}), args)

    def _of(self, urn: Urn) -> tuple[ResourceSchema, K]:
        return self._schemas.of(urn.type), cast("K", self.types[urn.type])

    @contextlib.contextmanager
    def _operation(
        self,
        verb: str,
        schema: ResourceSchema,
        kind: K,
        name: str,
        properties: Properties,
    ) -> Iterator[None]:
        """Errors in the server's words, but without a secret value of the properties."""
        try:
            with self.describe_errors(verb, kind, name):
                yield
        except NotReadyError:
            raise
        except ProviderError as error:
            message = redact_error(str(error), schema.mark(properties, {}))
            if message == str(error):
                raise
            raise ProviderError(message) from None

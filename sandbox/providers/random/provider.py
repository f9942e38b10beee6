"""The provider: a value is made once, kept in the state, and replaced when an input changes."""

from __future__ import annotations

from collections.abc import Collection

from sandbox.providers.random.makers import TYPES, RandomType
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Diff, Read, Urn
from sandbox.providers.runtime.schema_provider import SchemaProvider
from sandbox.providers.runtime.values import Properties, has_unknown, plain


class RandomProvider(SchemaProvider[None, RandomType]):
    """The provider. Every changed input replaces; nothing is ever read from anywhere."""

    version = "4.21.4"
    types = TYPES

    def connect(self, p: Properties) -> None:
        """There is no server."""

    def previewed(self, kind: RandomType, known: Properties) -> Properties:
        return kind.whole(known)

    def diff(
        self,
        urn: Urn,
        old_inputs: Properties,
        olds: Properties,
        news: Properties,
        ignored: Collection[str] = (),
    ) -> Diff:
        schema, kind = self._of(urn)
        # What the program leaves out has its default: to write the default down changes nothing.
        before, after = kind.whole(plain(old_inputs)), kind.whole(plain(news))
        changed = {
            n
            for n in schema.inputs
            if has_unknown(after.get(n)) or (before.get(n) or None) != (after.get(n) or None)
        }
        return Diff.of(changed, changed).without(ignored)

    def read(self, urn: Urn, id_: str, inputs: Properties, olds: Properties) -> Read | None:
        schema, kind = self._of(urn)
        if olds:
            return Read(id_, inputs, olds)
        id_, inputs, outputs = kind.importer(id_)
        return Read(id_, inputs, schema.mark(kind.whole(inputs) | outputs, {}))

    def update(self, *_: object, **__: object) -> Properties:
        raise ProviderError("a random value is replaced, never updated")

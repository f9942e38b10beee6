"""The provider for AWS: its tags and its region, beside what its resource types do."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from sandbox.providers.aws.connection import ERRORS, Aws, words
from sandbox.providers.aws.functions import FUNCTIONS
from sandbox.providers.aws.resource import AwsResource, Tagged, all_tags, describe_errors
from sandbox.providers.aws.resources import RESOURCES
from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Engine
from sandbox.providers.runtime.schema_provider import SchemaProvider
from sandbox.providers.runtime.schemas import ResourceSchema
from sandbox.providers.runtime.values import Properties, has_unknown, plain


class AwsProvider(SchemaProvider[Aws, AwsResource]):
    """The provider."""

    version = "7.51.1"
    types = RESOURCES
    functions = FUNCTIONS

    def __init__(self) -> None:
        super().__init__()
        self._aws: Aws | None = None

    def configure(self, config: Properties, engine: Engine) -> None:
        self._aws = Aws(config)

    def connect(self, p: Properties) -> Aws:
        if self._aws is None:
            self._aws = Aws({})
        return self._aws

    def describe_errors(
        self, verb: str, kind: AwsResource, name: str
    ) -> AbstractContextManager[None]:
        return describe_errors(verb, kind, name)

    def previewed(self, kind: AwsResource, known: Properties) -> Properties:
        tagged = isinstance(kind, Tagged) and not has_unknown(known.get("tags"))
        return {"tagsAll": all_tags(self.connect(known), plain(known))} if tagged else {}

    def settings_changes(
        self, schema: ResourceSchema, kind: AwsResource, before: Properties, after: Properties
    ) -> set[str]:
        aws, changed = self.connect(after), set[str]()
        if isinstance(kind, Tagged):
            tags = {k: str(v) for k, v in all_tags(aws, after).items()}
            changed |= {"tagsAll"} if tags != (before.get("tagsAll") or {}) else set()
        if "region" in schema.inputs and after.get("region") is None and before.get("region"):
            # A resource that names no region follows the provider's.
            changed |= {"region"} if before["region"] != aws.region else set()
        return changed

    def invoke(self, token: str, args: Properties) -> dict[str, Any]:
        try:
            return super().invoke(token, args)
        except ERRORS as error:
            raise ProviderError(f"invoking {token}: {words(error, 'sts')}") from None

"""The provider: checks, differences and life cycle of the resources, with secrets marked."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.providers.aws.connection import ERRORS, Aws, words
from sandbox.providers.aws.functions import FUNCTIONS
from sandbox.providers.aws.resource import Properties, Resource, Tagged, all_tags
from sandbox.providers.aws.resources import RESOURCES
from sandbox.providers.bridge import (
    DEFAULTS,
    asked,
    automatic,
    checked,
    imported,
    is_named,
    unknown_outputs,
)
from sandbox.providers.documents import ZERO
from sandbox.providers.inputs import ResourceSchema, Schemas
from sandbox.providers.server import Diff, Engine, NotReadyError, ProviderError, take_urn
from sandbox.providers.values import UNKNOWN, Secret, has_secret, has_unknown, plain

_ALIAS = "aws:kms/alias:Alias"

#: How an import names a region that is not the provider's.
_IN_REGION = re.compile(r"(.+)@([a-z]{2,4}(?:-[a-z]+)+-\d)")


class AwsPlugin:
    """The provider."""

    version = "7.51.1"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))
        self._made: Aws | None = None

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        self._made = Aws(config)

    @property
    def _aws(self) -> Aws:
        if self._made is None:
            self._made = Aws({})
        return self._made

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        given = {k: _text(v) if k in resource.policies else v for k, v in news.items()}
        filled = {k: v for k, v in resource.defaults.items() if given.get(k) is None}
        if "name" in schema.inputs and all(given.get(n) is None for n in ("name", "namePrefix")):
            prefix = "alias/" if type_ == _ALIAS and not name.startswith("alias/") else ""
            filled["name"] = automatic(olds, "name", f"{prefix}{name}")
        inputs = given | filled
        # The schema sees policies as the program gives them, which may be objects.
        failures = schema.check(name, news | filled) or checked(
            schema, resource.check, name, inputs
        )
        return inputs | {DEFAULTS: sorted(filled)}, failures

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        before, after = plain(olds), plain(news)
        changed = set()
        for name in schema.inputs:
            if name.endswith("Wo"):
                continue  # write-only: its version says when it changes
            if after.get(name) is None:
                if name not in resource.computed and before.get(name) not in ZERO:
                    changed.add(name)
            elif has_unknown(news[name]) or not resource.same(name, before.get(name), after[name]):
                changed.add(name)
        if "tags" not in changed and isinstance(resource, Tagged):
            wanted = {k: str(v) for k, v in all_tags(self._aws, after).items()}
            if wanted != (before.get("tagsAll") or {}):
                changed.add("tagsAll")  # the provider's own tags
        if "region" in schema.inputs and after.get("region") is None and before.get("region"):
            # A resource that names no region follows the provider's.
            changed |= {"region"} if before["region"] != self._aws.region else set()
        replacing = changed & schema.replacing() | resource.replaces(before, after) & changed
        taken = (
            is_named(schema, after)
            and after.get("name") is not None
            and before.get("name") == after.get("name")
        )
        return Diff(changed, replacing, delete_first=taken)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        if preview:
            unknown = unknown_outputs(schema, known, resource.computed)
            return "", unknown | schema.mark(known | self._previewed(resource, known), known)
        wanted = plain(known)
        with self._telling("creating", resource, resource.name(wanted), schema, known):
            id_ = resource.create(self._aws, wanted)
        try:
            with self._telling("creating", resource, id_, schema, known):
                resource.settle(self._aws, id_, wanted)
                outputs = resource.read(self._aws, id_, wanted)
        except ProviderError as error:
            # It is there: the engine keeps it, and goes on with it the next time.
            raise NotReadyError([str(error)], id_, self._begun(type_, id_, known)) from None
        if outputs is None:
            raise ProviderError(f"reading {resource.label} ({id_}): couldn't find resource")
        return id_, schema.mark(outputs, known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        elsewhere: dict[str, Any] = {}
        if not olds and (named := _IN_REGION.fullmatch(id_)) and "region" in schema.inputs:
            id_, elsewhere = named[1], {"region": named[2]}
        before = plain(olds) or {**resource.defaults, **resource.parse(id_), **elsewhere}
        id_ = id_ if olds else resource.imported(id_)
        with self._telling("reading", resource, id_, schema, olds):
            outputs = resource.read(self._aws, id_, before)
        if outputs is None:
            return None
        marked = schema.mark(outputs, olds)
        if olds:
            found = {k: marked.get(k, v) for k, v in inputs.items() if not k.endswith("Wo")}
            return id_, {k: v for k, v in inputs.items() if k.endswith("Wo")} | found, marked
        left_out = {k for k in resource.computed if k != "name" and not _is_value(schema, k)}
        return id_, imported(schema, marked, left_out), marked

    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]:
        take_urn(news)
        schema, resource = self._schemas.of(type_), RESOURCES[type_]
        known = asked(news)
        # What AWS filled in stays known to the resource; what nobody sets any more does not.
        filled = {k: v for k, v in olds.items() if k not in schema.inputs or k in resource.computed}
        if preview:
            diff = self.diff(type_, old_inputs, olds, news)
            moving = dict.fromkeys(resource.moving(diff.changed), UNKNOWN)
            return filled | moving | schema.mark(known | self._previewed(resource, known), known)
        wanted, before = plain(filled) | plain(known), plain(olds)
        with self._telling("updating", resource, id_, schema, olds | known):
            resource.update(self._aws, id_, wanted, before)
            outputs = resource.read(self._aws, id_, wanted)
        if outputs is None:
            raise ProviderError(f"reading {resource.label} ({id_}): couldn't find resource")
        return schema.mark(outputs, known)

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        take_urn(olds)
        resource = RESOURCES[type_]
        with self._telling("deleting", resource, id_, self._schemas.of(type_), olds):
            resource.delete(self._aws, id_, plain(olds))

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]:
        """A function's answer.

        Raises:
            ProviderError: for a function that the stand-in does not know, and with AWS's words.
        """
        if token not in FUNCTIONS:
            raise ProviderError(
                f"{token} is not known to this stand-in; install the official plugin to use it"
            )
        try:
            return FUNCTIONS[token](self._aws, plain(args))
        except ERRORS as error:
            raise ProviderError(f"invoking {token}: {words(error, 'sts')}") from None

    def _begun(self, type_: str, id_: str, known: dict[str, Any]) -> dict[str, Any]:
        """What is there of a resource that could not be finished, so that the next update does the rest."""
        schema, found = self._schemas.of(type_), None
        wanted = {k: v for k, v in plain(known).items() if not k.endswith("Wo")}
        with contextlib.suppress(*ERRORS):
            found = RESOURCES[type_].read(self._aws, id_, wanted)
        return schema.mark(found or wanted, known)

    def _previewed(self, resource: Resource, known: Mapping[str, Any]) -> Properties:
        tagged = isinstance(resource, Tagged) and not has_unknown(known.get("tags"))
        return {"tagsAll": all_tags(self._aws, plain(known))} if tagged else {}

    @contextlib.contextmanager
    def _telling(
        self,
        verb: str,
        resource: Resource,
        name: str,
        schema: ResourceSchema,
        properties: Mapping[str, Any],
    ) -> Iterator[None]:
        """Errors with AWS's words, the resource's name, and no secret value."""
        try:
            yield
        except ERRORS as error:
            text = words(error, resource.service)
            hidden = {
                str(leaf)
                for k, v in properties.items()
                if has_secret(v) or schema.outputs.get(k, {}).get("secret")
                for leaf in _leaves(plain(v))
            }
            if any(leaf and leaf in text for leaf in hidden):
                text = (
                    f"{text.partition(': ')[0]}: AWS's message is left out, for it quotes a secret"
                )
            raise ProviderError(f"{verb} {resource.label} ({name}): {text}") from None


def _is_value(schema: ResourceSchema, name: str) -> bool:
    return bool(schema.outputs[name].get("secret"))


def _text(value: Any) -> Any:
    """A policy that is given as an object, as text."""
    if isinstance(value, Secret):
        return Secret(_text(value.value))
    if not isinstance(value, dict):
        return value
    if has_unknown(value):
        return Secret(UNKNOWN) if has_secret(value) else UNKNOWN
    text = json.dumps(plain(value))
    return Secret(text) if has_secret(value) else text


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value not in ZERO:
        yield value

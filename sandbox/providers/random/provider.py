"""The provider: a value is made once, kept in the state, and replaced when an input changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox.providers.inputs import Schemas
from sandbox.providers.random.makers import DEFAULTS, IMPORTERS, MAKERS, limits
from sandbox.providers.server import Diff, Engine, ProviderError, take_urn
from sandbox.providers.values import UNKNOWN, Secret, has_unknown, plain


class RandomPlugin:
    """The provider. Every changed input replaces; nothing is ever read from anywhere."""

    version = "4.21.4"

    def __init__(self) -> None:
        self._schemas = Schemas(Path(__file__).with_name("schema.json"))

    def configure(self, config: dict[str, Any], engine: Engine) -> None:
        """There is nothing to configure."""

    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        schema = self._schemas.of(type_)
        failures = schema.check(name, news)
        if not failures:
            failures = [
                ("", f"{reason}. Examine values at '{name}.{property_}'.")
                for property_, reason in limits(type_, plain(news))
            ]
        return news, failures

    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff:
        # What the program leaves out has its default: to write the default down changes nothing.
        before, after = (_whole(type_, plain(inputs)) for inputs in (old_inputs, news))
        names = self._schemas.of(type_).inputs
        changed = {
            n
            for n in names
            if has_unknown(news.get(n)) or (before.get(n) or None) != (after.get(n) or None)
        }
        return Diff(changed, changed)

    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]:
        take_urn(news)
        schema = self._schemas.of(type_)
        known = _whole(type_, {k: v for k, v in news.items() if not k.startswith("__")})
        if preview:
            made: dict[str, Any] = {
                k: Secret(UNKNOWN) if schema.outputs[k].get("secret") else UNKNOWN
                for k in schema.outputs
                if k not in schema.inputs
            }
            return "", known | made
        id_, made = MAKERS[type_](plain(known))
        return id_, schema.mark(known | made, known)

    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        schema = self._schemas.of(type_)
        if olds:
            return id_, inputs, olds
        known, taken, made = IMPORTERS[type_](id_)
        return known, taken, schema.mark(_whole(type_, taken) | made, {})

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
        raise ProviderError("a random value is replaced, never updated")

    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None:
        """The value lives in state only."""


def _whole(type_: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs with their defaults; `number` is the deprecated name of `numeric`, and both are kept."""
    if type_ not in DEFAULTS:
        return dict(inputs)
    numeric = inputs.get("numeric", inputs.get("number", True))
    return DEFAULTS[type_] | inputs | {"numeric": numeric, "number": numeric}

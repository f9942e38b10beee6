"""Leaves of the document: sensitive values leave it for environment variables.

Micronaut resolves ``${…}`` in the values of the YAML file and, measured with the Micronaut of
Kestra 1.3 and 2.0 (4.10.20, 4.10.26), in the values of environment variables that such a
placeholder names, again and again: a password ``pa${HOME}ss`` would reach Kestra as ``pa/app``,
and ``a${b`` would stop the start. ``literal`` therefore writes every ``${`` of a literal value in
a form that Micronaut resolves to ``${`` itself.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import SecretStr

from ..settings.base import PendingSecret, SecretText
from ..settings.placeholders import PLACEHOLDER, as_placeholder

_ENVIRONMENT_PREFIX = "STACK"
# The name is never set (no document path starts with LITERAL), so the default always applies;
# backticks are Micronaut's quotes for a default.
_DOLLAR_BRACE = "${STACK_LITERAL:`${`}"


@dataclass(frozen=True)
class ProvidedValue:
    """An environment variable whose value came in with the settings.

    ``value`` is the text for the environment variable, ready for Micronaut: equal to the setting
    except where that contains ``${`` (see :func:`literal`). Never shown by ``repr``.
    """

    value: SecretStr


@dataclass(frozen=True)
class GeneratedValueRef:
    """An environment variable whose value the stack generates or provisions.

    ``key`` is the dotted settings path, for example ``encryption.secret-key``.
    """

    key: str


Node: TypeAlias = (
    "str | int | float | bool | SecretStr | GeneratedValueRef | list[Node] | dict[str, Node]"
)
"""A value of the tree: a scalar, a secret (given, or needed from the stack), a list, a mapping."""


def literal(value: str) -> str:
    """``value`` written so that Micronaut resolves it to exactly ``value``."""
    return value.replace("${", _DOLLAR_BRACE)


def unliteral(value: str) -> str:
    """What Micronaut makes of a text written by :func:`literal`."""
    return value.replace(_DOLLAR_BRACE, "${")


def text(value: str) -> str:
    """A value that is not sensitive, as the document holds it.

    Well-formed placeholders stay as written (they are Kestra's own way to read the environment,
    ``url: ${DATABASE_URL}``); any other ``${`` is made literal, because Micronaut would refuse to
    start over it.
    """
    out: list[str] = []
    end = 0
    for match in PLACEHOLDER.finditer(value):
        out += [literal(value[end : match.start()]), match.group()]
        end = match.end()
    return "".join([*out, literal(value[end:])])


class Environment:
    """Collects the environment variables of a document while it is written."""

    def __init__(self) -> None:
        self.variables: dict[str, ProvidedValue | GeneratedValueRef] = {}

    def write(self, node: Node, path: tuple[str, ...] = ()) -> object:
        """``node`` as plain YAML data; every secret below it becomes a placeholder.

        ``path`` is where the node stands in the document; names of variables follow from it.
        """
        if isinstance(node, dict):
            return {key: self.write(value, (*path, key)) for key, value in node.items()}
        if isinstance(node, list):
            return [self.write(value, (*path, str(i))) for i, value in enumerate(node)]
        if isinstance(node, GeneratedValueRef):
            return self._variable(path, node)
        if isinstance(node, SecretStr):
            return self._secret(path, node)
        return text(node) if isinstance(node, str) else node

    def _secret(self, path: tuple[str, ...], secret: SecretStr) -> str:
        if isinstance(secret, PendingSecret):
            return self._variable(path, ProvidedValue(secret))
        value = secret.get_secret_value()
        placeholder = as_placeholder(value)
        if placeholder is None:
            if isinstance(secret, SecretText):
                return self._variable(path, ProvidedValue(SecretStr(text(value))))
            return self._variable(path, ProvidedValue(SecretStr(literal(value))))
        if not placeholder.rest:
            return value
        # The default of a sensitive setting is a secret too; Micronaut resolves the placeholder
        # just as well from inside our variable.
        return self._variable(path, ProvidedValue(secret))

    def _variable(self, path: tuple[str, ...], source: ProvidedValue | GeneratedValueRef) -> str:
        name = "_".join(map(_word, (_ENVIRONMENT_PREFIX, *path)))
        if name in self.variables:
            # Two paths can spell alike (`my-db.x`, `my_db.x`): the exact path tells them apart.
            name += "_" + hashlib.sha256("\0".join(path).encode()).hexdigest()[:12].upper()
        self.variables[name] = source
        return f"${{{name}}}"


def _word(part: str) -> str:
    # Micronaut takes one or two digits between underscores for the index of a list.
    word = re.sub(r"[^A-Z0-9]", "_", part.upper())
    return f"N{word}" if word.isdigit() else word


def resolve(document: object, values: Mapping[str, str]) -> object:
    """The document as Kestra sees it, with the values of our own variables filled in.

    ``values`` maps variable names to the texts of the environment. Placeholders that are not in
    it (the user's own) stay as they are.
    """
    if isinstance(document, dict):
        return {key: resolve(value, values) for key, value in document.items()}
    if isinstance(document, list):
        return [resolve(value, values) for value in document]
    if not isinstance(document, str):
        return document
    placeholder = as_placeholder(document)
    if placeholder is not None and placeholder.name in values:
        return unliteral(values[placeholder.name])
    return unliteral(document)

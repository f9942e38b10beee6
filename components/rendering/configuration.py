"""Kestra's application.yaml from a stack's settings: pure, no Pulumi, no clouds.

>>> configuration = render(loaded.settings)                                 # doctest: +SKIP
>>> configuration.yaml()                 # the file; holds no secret        # doctest: +SKIP
>>> configuration.environment            # what its placeholders stand for  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from ..backends.registry import backend_of
from ..settings import Problem, Settings
from ..settings.base import CREDENTIAL_IN_URL, PendingSecret, SecretText, reveal
from ..settings.permissions import is_first_vocabulary, translate
from . import document as _document
from . import sections
from .database import with_authority
from .endpoints import endpoints
from .leaves import Environment, GeneratedValueRef, Node, ProvidedValue, resolve
from .nodes import block
from .plugin_defaults import with_task_runner
from .sections import CONTROLLER_PORT, CONTROLLER_SERVICE
from .tree import plain, tree
from .web_server import WebServer, public_url
from .worker_channel import with_channel

__all__ = [
    "CONTROLLER_PORT",
    "CONTROLLER_SERVICE",
    "Configuration",
    "GeneratedValueRef",
    "ProvidedValue",
    "render",
]


@dataclass(frozen=True)
class Configuration:
    """A rendered configuration.

    document: ``application.yaml`` as ordered plain data; roots ``endpoints``, ``datasources``,
        ``kestra``. Sensitive leaves are ``${STACK_…}`` placeholders.
    environment: every variable that a ``${STACK_…}`` of the document names, and no other.
    warnings: what the reader should know, without secret values.
    """

    document: dict[str, Any]
    environment: dict[str, ProvidedValue | GeneratedValueRef]
    warnings: tuple[Problem, ...] = field(default=())

    def yaml(self) -> str:
        """The file's text: the same bytes for the same settings, no secret in it."""
        return _document.dump(self.document)

    def intended(self, provided: Mapping[str, str]) -> dict[str, Any]:
        """The document as Kestra is meant to see it, secrets in clear.

        provided: value per :class:`GeneratedValueRef` key, as the stack generated it. Raises KeyError (with
        the key, never a value) if one is missing.
        """
        values = {
            name: source.value.get_secret_value()
            if isinstance(source, ProvidedValue)
            else provided[source.key]
            for name, source in self.environment.items()
        }
        resolved = resolve(self.document, values)
        assert isinstance(resolved, dict)
        return resolved


def render(settings: Settings) -> Configuration:
    """The configuration for the version and edition that ``settings`` name.

    Rendered is what the settings say plus what a safe start needs (``sections.kestra``); defaults
    that Kestra's own start script supplies are not repeated. Dropped are keys without effect
    (``heartbeat``, ``basic-auth.enabled``) and, in the open-source edition, Enterprise-only
    blocks. A stack of secrets alone has none. Never raises for settings that the loader accepted.
    """
    if settings.is_secrets_alone:
        return Configuration({}, {})
    nodes = tree(settings)
    version, edition = settings.version, settings.edition
    document: dict[str, Node] = {}
    management = endpoints(nodes, version)
    if management:
        document["endpoints"] = management
    if settings.datasources:
        document["datasources"] = _datasources(nodes)
    document["kestra"] = sections.kestra(
        nodes,
        version=version,
        edition=edition,
        permissions=_permissions(settings),
        url=settings.address,
        environment=settings.tags.environment,
        distributed=settings.deployment.mode == "distributed",
        provided=backend_of(settings).provisioned_keys(settings),
        controller_port=WebServer.of(settings.catalogue_keys, settings).grpc_port,
    )
    for keys in (settings.catalogue_keys, settings.additional_configuration):
        document = _merged(document, plain(keys))
    document["kestra"] = with_channel(block(document, "kestra") or {}, settings)
    document = with_authority(with_task_runner(document, settings), settings)
    environment = Environment()
    written = environment.write(document)
    assert isinstance(written, dict)
    url = public_url(settings, WebServer.of(written, settings))
    if url is not None and settings.address is None:
        written["kestra"] = {"url": url} | written["kestra"]
    return Configuration(written, environment.variables, _warnings(settings))


def _merged(document: dict[str, Node], keys: dict[str, Node]) -> dict[str, Node]:
    """The document with further keys; where rendering added a default of its own, they win."""
    out = dict(document)
    for name, value in keys.items():
        present = out.get(name)
        both = isinstance(present, dict) and isinstance(value, dict)
        out[name] = _merged(present, value) if both else value  # type: ignore[arg-type]
    return out


def _permissions(settings: Settings) -> dict[str, Node] | None:
    role = settings.security.default_role if settings.security else None
    if role is None or settings.version != "2.0" or not is_first_vocabulary(role.permissions):
        return None
    return {key: list[Node](verbs) for key, verbs in translate(role.permissions).items()}


def _warnings(settings: Settings) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            f"kestra:{key}",
            "application.yaml",
            "is not set",
            f"Kestra's server does not start without kestra.{key}.type",
            f"set kestra:{key}.type",
            "warning",
        )
        for key in ("queue", "repository", "storage")
        if getattr(settings, key) is None
    )


def _datasources(nodes: dict[str, Node]) -> Node:
    sources = block(nodes, "datasources") or {}
    for name in sources:
        source = block(sources, name) or {}
        url = source.get("url")
        if isinstance(url, PendingSecret):
            sources[name] = source
            continue
        if isinstance(url, SecretStr) or (isinstance(url, str) and CREDENTIAL_IN_URL.search(url)):
            source["url"] = SecretText(reveal(url) or "")
        sources[name] = source
    return sources

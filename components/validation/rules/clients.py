"""What Kestra needs to reach its servers: addresses of Kafka and Elasticsearch, a licence, one address of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...policy_tables import bind
from ...settings.findings import Finding
from ...settings.model import Settings
from ..schema import config_path

#: Type to the block of its client, the key of its address there, and what an address looks like.
_CLIENTS = {
    "kafka": (
        "queue",
        ("kafka", "client", "properties"),
        "bootstrap.servers",
        "kafka-0.example.com:9092,kafka-1.example.com:9092",
    ),
    "elasticsearch": (
        "repository",
        ("elasticsearch", "client"),
        "http-hosts",
        "[https://elasticsearch.example.com:9200]",
    ),
}


def address(s: Settings) -> Iterator[Finding]:
    """A queue or repository outside of the database is reached at an address."""
    for kind, (part, block, key, example) in _CLIENTS.items():
        chosen = getattr(s, part)
        if not s.is_enterprise or chosen is None or chosen.type != kind:
            continue
        name = ".".join((*block, key))
        if _has(s.catalogue_value("kestra", *block), key.split(".")) or any(
            bind(variable).sets(f"kestra.{name}") for variable in s.deployment.environment
        ):
            continue
        yield Finding(
            (part, "type"),
            f"has no address of {kind.capitalize()}",
            f"Kestra finds it by kestra.{name}, which has no default",
            f"add {config_path((*block, key))}, for example {example}, or a ${{NAME}} of the pods' environment",
            adds=(*block, key),
            kind="missing",
        )


def _has(node: Any, names: list[str]) -> bool:
    """Whether a block has a value at a key, written with dots or as blocks."""
    if not isinstance(node, Mapping):
        return False
    for end in range(1, len(names) + 1):
        inner = node.get(".".join(names[:end]))
        if inner is not None and (
            _has(inner, names[end:]) if end < len(names) else inner not in ("", ())
        ):
            return True
    return False


def queues_of_2(s: Settings) -> Iterator[Finding]:
    """Queues that came with 2.0."""
    if s.queue and s.queue.type in ("amqp", "redis") and s.version == "1.3":
        yield Finding(
            ("queue", "type"),
            f"{s.queue.type} does not exist in Kestra 1.3",
            "queues of type amqp and redis came with 2.0",
            "use postgres, mysql or kafka, or set kestra:version to 2.0",
        )


def licence(s: Settings) -> Iterator[Finding]:
    """The Enterprise Edition checks its licence when it starts."""
    if not s.is_enterprise or s.deployment.environment_from:
        return
    block = s.catalogue_value("kestra", "ee", "license")
    named = {key for key in ("id", "key") if isinstance(block, Mapping) and block.get(key)}
    for variable in s.deployment.environment:
        named |= {key for key in ("id", "key") if bind(variable).sets(f"kestra.ee.license.{key}")}
    if missing := sorted({"id", "key"} - named):
        yield Finding(
            ("ee", "license"),
            f"has no {' and no '.join(missing)}",
            "the Enterprise Edition checks its licence when it starts, and does not start without one",
            "set kestra:ee.license.id, fingerprint and key, encrypted or as ${NAME} of the pods' environment",
            warning=True,
            kind="missing",
        )


def addresses_of_one_kestra(s: Settings) -> Iterator[Finding]:
    """`url` and `deployment.url` are one setting."""
    if s.url is not None and s.deployment.url is not None and s.url != s.deployment.url:
        yield Finding(
            ("url",),
            "is another address than that of kestra:deployment.url",
            "both are kestra.url, the address that users see",
            "keep one of them",
        )

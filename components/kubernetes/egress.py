"""What Kestra opens connections to, by the settings: every address with its port and why.

Which keys are addresses is data: `REASONS` by the beginning of a key, `_ADDRESS_KEY` by its end. It is asked of the
rendered configuration, so that a key counts in whatever way it was set, and of the variables of the pods.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import SecretStr

from ..backends.registry import backends_of
from ..policy_tables import bind, canonical
from ..rendering.addresses import UNKNOWN, Address, read_address, read_port
from ..rendering.configuration import Configuration, ProvidedValue, render
from ..rendering.leaves import unliteral
from ..rendering.pod_variables import PodVariable, pod_variables
from ..rendering.tree import tree
from ..rendering.web_server import leaves
from ..settings import Settings
from ..settings.base import CREDENTIAL_IN_URL, reveal
from ..settings.java import READ_BY_JAVA, VARIABLE
from ..settings.placeholders import resolve_placeholders

Protocol = Literal["TCP", "UDP"]

#: Beginning of a key to what its address is, and the usual port where the address says neither port nor scheme.
REASONS: tuple[tuple[str, str, int | None], ...] = (
    ("datasources.postgres", "database", 5432),
    ("datasources.mysql", "database", 3306),
    ("datasources", "database", None),
    ("flyway.datasources", "database", None),
    ("kestra.ephemeral-database", "database", None),
    ("kestra.storage.minio.proxy-configuration", "proxy", None),
    ("kestra.storage", "internal storage", None),
    ("kestra.secret", "secret manager", 443),
    ("kestra.kafka.client.properties.schema.registry", "schema registry", None),
    ("kestra.kafka.client.properties.sasl", "log-in to Kafka", 443),
    ("kestra.kafka", "Kafka, whose brokers must listen on the same port", 9092),
    ("kestra.elasticsearch", "Elasticsearch", 9200),
    ("kestra.queue.amqp", "queue (AMQP)", 5672),
    ("kestra.queue.redis", "queue (Redis)", 6379),
    ("kestra.queue", "queue", None),
    ("kestra.mail-service", "mail (SMTP)", 25),
    ("kestra.ee.mail-service", "mail (SMTP)", 25),
    ("kestra.logs", "store of logs", None),
    ("kestra.ai", "AI provider", 443),
    ("kestra.plugins.repositories", "repository of plugins", 443),
    ("kestra.security.oidc", "log-in (OpenID Connect)", 443),
    ("micronaut.security.oauth2", "log-in (OpenID Connect)", 443),
    ("micronaut.security.token", "keys of tokens", 443),
    ("micronaut.security.ldap", "log-in (LDAP)", 389),
    ("micronaut.http.client.proxy-address", "proxy", None),
    ("micronaut.metrics.export", "metrics", None),
    ("otel", "telemetry (OTLP)", None),
)  # fmt: skip
#: Beginnings of keys whose addresses Kestra shows, checks or listens at, and never opens a connection to.
_NOT_OPENED = tuple(
    map(
        canonical,
        (
            "kestra.url", "kestra.webserver", "kestra.ee.custom-links", "kestra.ee.right-sidebar",
            "kestra.worker.controllers", "kestra.controller", "kestra.server", "kestra.security.ssrf",
            "kestra.anonymous-usage-report", "kestra.ui-anonymous-usage-report", "kestra.plugins.security",
            "endpoints", "grpc", "micronaut.server", "micronaut.router", "micronaut.security.redirect",
            "micronaut.security.endpoints", "micronaut.security.intercept-url-map",
            "micronaut.security.token.jwt.claims-validators",
        ),
    )
)  # fmt: skip
_ROOTS = ("kestra", "micronaut", "datasources", "flyway", "otel")
_ADDRESS_KEY = re.compile(
    r"(^|\.)(urls?|uris?|address(es)?|endpoints?(\.override)?|hosts?|hostname|servers?|issuer|brokers?|nodes)(\[\d+\])*$"
)
#: Keys that name a host alone, whose port stands under a key beside it.
_HOST_KEY = re.compile(r"(host|hostname|endpoint|server|address)$")
_STATSD = canonical("micronaut.metrics.export.statsd")
_UNRESOLVED = re.compile(r"\$\{[^{}]*\}?")

#: Variables of the pods that name a proxy or an endpoint without being a key of Kestra's.
_VARIABLES: tuple[tuple[str, str], ...] = (
    (r"(?i)(https?|all|ftp)_proxy", "proxy"),
    (r"AWS_ENDPOINT_URL(_[A-Z0-9_]+)?", "endpoint of AWS's client"),
    (r"AZURE_AUTHORITY_HOST", "log-in to Azure"),
)
_JAVA_PROXY = re.compile(r"-D(https?|ftp|socks)\.?[pP]roxy(Host|Port)=([^\s\"']+)")
_JAVA_PROXY_PORTS = {"http": 80, "https": 443, "ftp": 80, "socks": 1080}

#: Storages whose address is not in the settings: where they answer, by HTTPS.
_STORAGES: Mapping[str, tuple[str, ...]] = {
    "s3": ("*.amazonaws.com",),
    "gcs": ("*.googleapis.com",),
}


@dataclass(frozen=True)
class Destination:
    """Something that Kestra opens connections to."""

    key: str
    """The setting, `kestra:storage.s3.endpoint`."""
    reason: str
    """What it is: `database`."""
    host: str
    """Name or address; empty where it is not known or encrypted."""
    port: int | None
    """None: not known."""
    is_usual: bool = False
    """Whether the port is the usual one, since the setting names none."""
    cidr: str = ""
    """The one address as a network, where the setting holds an IP address; empty: any of `egress-cidrs`."""
    protocol: Protocol = "TCP"
    is_hidden: bool = False
    """Whether the address came out of a secret, so that only its port may be shown."""

    @property
    def note(self) -> str:
        """What its reader has to know or do; empty: nothing."""
        how = "add the port to kestra:deployment.network-policy.egress-ports"
        if self.port is None:
            return f"its port is not known here: {how}"
        if self.is_usual and not self.host:
            return f"its address is not known here; if its port is another one, {how}"
        return "the usual port" if self.is_usual else ""


def destinations(settings: Settings) -> list[Destination]:
    """Everything that the settings name, in the order of the configuration, each once."""
    variables = list(pod_variables(settings))
    values = {v.name: v.value for v in reversed(variables)}
    configured = list(_configured(settings, variables, values))
    every = [
        *configured,
        *_without_address(settings, configured),
        *_services(settings),
        *_proxies(variables, values),
        *_java_proxies(settings, variables, values),
    ]
    return list(dict.fromkeys(every))


def shared_ports(settings: Settings, protocol: Protocol = "TCP") -> list[int]:
    """Ports that are open to every network of `egress-cidrs`, sorted."""
    named = {
        d.port
        for d in destinations(settings)
        if d.port is not None and not d.cidr and d.protocol == protocol
    }
    extra_ports = settings.deployment.network_policy.egress_ports if protocol == "TCP" else ()
    return sorted(named | set(extra_ports))


def single_addresses(settings: Settings) -> list[tuple[str, Protocol, int]]:
    """Networks of one address, each with the protocol and port that is open to it, sorted."""
    single: set[tuple[str, Protocol, int]] = {
        (d.cidr, d.protocol, d.port)
        for d in destinations(settings)
        if d.cidr and d.port is not None
    }
    return sorted(single)


@dataclass(frozen=True)
class _Leaf:
    """A value of the configuration, or of a variable that sets one."""

    place: str
    """Its key in the canonical form."""
    key: str
    """The setting that has it."""
    value: Any
    is_secret: bool = False


def _configured(
    settings: Settings, variables: list[PodVariable], values: Mapping[str, str]
) -> Iterator[Destination]:
    """What the configuration names, and variables that set a key of it."""
    every = [*_leaves(render(settings)), *_second_manager(settings)]
    every += [_Leaf(bind(v.name).path, v.setting, v.value, v.is_secret) for v in variables]
    by_place = {leaf.place: leaf.value for leaf in every}
    for leaf in every:
        if _is_address(leaf.place) and isinstance(leaf.value, str):
            yield from _of(leaf, by_place, values)


def _leaves(configuration: Configuration) -> Iterator[_Leaf]:
    for written, value in leaves(configuration.document):
        is_secret = False
        if isinstance(value, str):
            variable = configuration.environment.get(value[2:-1])
            if isinstance(variable, ProvidedValue):
                value, is_secret = unliteral(variable.value.get_secret_value()), True
        yield _Leaf(canonical(written), _setting(written), value, is_secret)


def _second_manager(settings: Settings) -> Iterator[_Leaf]:
    """The other secret manager: while the stack moves, pods of before and after the change run side by side."""
    second = settings.secondary
    if second is None or second.secret is None:
        return
    for written, value in leaves(tree(second.secret)):
        is_secret = isinstance(value, SecretStr)
        place = canonical(f"kestra.secret.{written}")
        yield _Leaf(
            place,
            f"kestra:store.also.{written}",
            reveal(value) if is_secret else value,
            is_secret,
        )


def _setting(written: str) -> str:
    return f"kestra:{written.removeprefix('kestra.')}"


def _is_address(place: str) -> bool:
    if place.partition(".")[0] not in _ROOTS or not _ADDRESS_KEY.search(place):
        return False
    return not any(_below(place, start) for start in _NOT_OPENED)


def _below(place: str, start: str) -> bool:
    return place.startswith(start) and place[len(start) : len(start) + 1] in ("", ".", "[")


def _of(
    leaf: _Leaf, by_place: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[Destination]:
    known = next(((r, p) for start, r, p in _REASONS if _below(leaf.place, start)), None)
    reason, usual = known or ("address in the configuration", None)
    text = _resolved(leaf.value, values)
    port_key = _HOST_KEY.sub("port", leaf.place)
    port = by_place.get(port_key) if port_key != leaf.place else None
    own = read_port(_resolved(port, values) if isinstance(port, str) else port)
    if (
        known is None
        and own is None
        and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://|[^\s/:]+:\d+$", text)
    ):
        # No block of addresses, and no form of one: `server: primary`.
        return
    if usual is None and _below(leaf.place, "kestra.storage"):
        usual = _storage_port(leaf.place, by_place)
    addresses = _database(text, usual) if reason == "database" else read_address(text, usual)
    for address in addresses:
        if own is not None:
            address = replace(address, port=own, is_usual=False)
        yield from _destination(
            leaf.key, reason, address, leaf.is_secret or _shows_secret(text), leaf.place
        )


def _database(text: str, usual: int | None) -> list[Address]:
    if text.lower().startswith("jdbc:"):
        return read_address(text, usual)
    # A whole address that is a placeholder or encrypted: of it only the usual port is known.
    return [Address("", usual, is_usual=True)] if UNKNOWN in text else []


def _storage_port(place: str, by_place: Mapping[str, Any]) -> int:
    """Where an address of a storage has no scheme: MinIO's own switch says whether it is HTTPS."""
    secure = by_place.get(canonical("kestra.storage.minio.secure"))
    return 80 if _below(place, "kestra.storage.minio") and secure is False else 443


def _destination(
    key: str, reason: str, address: Address, hidden: bool, place: str = ""
) -> Iterator[Destination]:
    # The pod itself is no network that a policy could name.
    ip = None if hidden or address.is_own_pod else address.ip
    yield Destination(
        key,
        reason,
        "" if hidden else address.host,
        address.port,
        address.is_usual,
        f"{ip}/{ip.max_prefixlen}" if ip else "",
        "UDP" if _below(place, _STATSD) else "TCP",
        hidden,
    )


def _resolved(text: str, values: Mapping[str, str]) -> str:
    """A text without placeholders: what is not known here is `UNKNOWN`."""
    return _UNRESOLVED.sub(UNKNOWN, resolve_placeholders(text, values))


def _shows_secret(text: str) -> bool:
    return CREDENTIAL_IN_URL.search(text) is not None


def _proxies(variables: list[PodVariable], values: Mapping[str, str]) -> Iterator[Destination]:
    """Proxies and endpoints that clients read from the environment."""
    for variable in variables:
        for pattern, reason in _VARIABLES:
            if re.fullmatch(pattern, variable.name):
                text = _resolved(variable.value, values)
                hidden = variable.is_secret or _shows_secret(text)
                for address in read_address(text):
                    yield from _destination(variable.setting, reason, address, hidden)


def _java_proxies(
    settings: Settings, variables: list[PodVariable], values: Mapping[str, str]
) -> Iterator[Destination]:
    """Proxies in options of Java's."""
    names = (VARIABLE, "KESTRA_JAVA_OPTS", *READ_BY_JAVA)
    texts = [(v.setting, v.value, v.is_secret) for v in variables if v.name in names]
    texts += [
        (f"kestra:{'.'.join(w.loc)}.java-options", w.component.java_options or "", False)
        for w in settings.workloads
    ]
    for key, text, hidden in texts:
        parts: dict[str, dict[str, str]] = {}
        for kind, what, value in _JAVA_PROXY.findall(_resolved(text, values)):
            parts.setdefault(kind, {})[what] = value
        for kind, named in parts.items():
            if host := named.get("Host"):
                port = read_port(named.get("Port"))
                usual = _JAVA_PROXY_PORTS[kind] if "Port" not in named else None
                address = Address("" if UNKNOWN in host else host, port or usual, port is None)
                yield from _destination(key, "proxy", address, hidden)


def _services(settings: Settings) -> Iterator[Destination]:
    """Services whose address no setting holds."""
    # Where External Secrets reads the secret manager, Kestra's pods do not ask it.
    for backend in () if settings.uses_external_secrets else backends_of(settings):
        for host in backend.hosts:
            # Where an address is set, the service answers there; who gives the tokens answers here.
            yield Destination(
                "kestra:secret.type", "secret manager, and who gives its tokens", host, 443
            )
    storage = settings.storage
    block = getattr(storage, storage.type, None) if storage else None
    if storage and not getattr(block, "endpoint", None):
        for host in _STORAGES.get(storage.type, ()):
            yield Destination("kestra:storage.type", "internal storage", host, 443)


def _without_address(settings: Settings, named: list[Destination]) -> Iterator[Destination]:
    """The usual ports of Kafka and Elasticsearch, unless the settings themselves hold their addresses.

    A Secret of the user's may hold them, and variables of the pods may hold a part of them.
    """
    in_settings = {d.reason for d in named if not d.key.startswith("kestra:deployment.")}
    for block, kind, key, port in (
        (settings.queue, "kafka", "kestra:queue.type", 9092),
        (settings.repository, "elasticsearch", "kestra:repository.type", 9200),
    ):
        reason = next(reason for start, reason, _ in REASONS if start == f"kestra.{kind}")
        if block and block.type == kind and reason not in in_settings:
            yield Destination(key, reason, "", port, is_usual=True)


def _canonical_reasons(
    rows: Iterable[tuple[str, str, int | None]],
) -> tuple[tuple[str, str, int | None], ...]:
    ordered = sorted(rows, key=lambda row: -len(row[0]))
    return tuple((canonical(start), reason, port) for start, reason, port in ordered)


_REASONS = _canonical_reasons(REASONS)

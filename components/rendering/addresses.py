"""Hosts and ports in the texts that people write for an address: URLs, JDBC URLs, lists of `host:port`.

Nothing here raises over a text, whatever it holds; what cannot be read has no host or no port.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

#: Stands in a text for a part that is not known here: an unresolved placeholder, an encrypted value.
UNKNOWN = "\0"

#: Usual port of a URL's scheme, and of a database's name in a JDBC URL.
SCHEME_PORTS = {
    "http": 80,
    "https": 443,
    "ws": 80,
    "wss": 443,
    "ldap": 389,
    "ldaps": 636,
    "amqp": 5672,
    "amqps": 5671,
    "redis": 6379,
    "rediss": 6379,
    "smtp": 25,
    "smtps": 465,
    "nats": 4222,
    "mongodb": 27017,
    "socks": 1080,
    "socks5": 1080,
    "tcp": None,
    "ssl": None,
    "tls": None,
    "grpc": None,
    "dns": None,
    "plaintext": 9092,
    "sasl_plaintext": 9092,
    "sasl_ssl": 9092,
}
JDBC_PORTS = {
    "postgresql": 5432,
    "postgres": 5432,
    "mysql": 3306,
    "mariadb": 3306,
    "sqlserver": 1433,
    "oracle": 1521,
    "clickhouse": 8123,
    "h2": 9092,
}
#: What Cloud SQL's connectors talk to: the instance's proxy, and the API that says where it is.
#: Source: Google Cloud documentation, Cloud SQL language connectors.
_CLOUD_SQL_PORTS = (3307, 443)

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+._-]{0,40})://")
_AUTHORITY_END = re.compile(r"[/?#]")
_ORACLE_ADDRESS = re.compile(r"(?i)\(\s*(host|port)\s*=\s*([^()]*)\)")
_MYSQL_PART = re.compile(r"(?i)\b(host|port)\s*=\s*([^(),]*)")
_PROPERTY = re.compile(r"(?i)[;?&]\s*(servername|server|portnumber|port)\s*=\s*([^;&]*)")


@dataclass(frozen=True)
class Address:
    """A host and a port.

    host: a name or an IP address; empty where it is not known.
    port: 1 to 65535; None where it is not known.
    is_usual: whether the text names no port, and this is the usual one of its kind.
    """

    host: str
    port: int | None
    is_usual: bool = False

    @property
    def ip(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        """The host as an IP address that packets can be sent to; None for a name."""
        try:
            ip = ipaddress.ip_address(self.host)
        except ValueError:
            return None
        return None if getattr(ip, "scope_id", None) else ip

    @property
    def is_own_pod(self) -> bool:
        """Whether it is the pod itself, which no network policy concerns."""
        ip = self.ip
        is_local = ip is not None and (ip.is_loopback or ip.is_unspecified)
        return is_local or self.host.lower() == "localhost"


def read_address(text: str, usual: int | None = None) -> list[Address]:
    """The addresses in a text: a URL, `host:port`, a JDBC URL, or several of them with commas between.

    Args:
        text: as the setting has it; `UNKNOWN` stands for parts that are not known.
        usual: port of an entry that names none and has no scheme with a usual one.
    """
    text = text.strip()
    if text.lower().startswith("jdbc:"):
        return read_jdbc_url(text, usual)
    addresses: list[Address] = []
    scheme = ""
    for entry in text.split(","):
        entry = entry.strip()
        if match := _SCHEME.match(entry):
            scheme, entry = match[1].lower(), entry[match.end() :]
        if entry:
            port = SCHEME_PORTS.get(scheme, usual)
            addresses.append(_host_and_port(_authority(entry), usual if port is None else port))
    return addresses


def url_path(url: str) -> str:
    """The path of a URL; empty where it has none, or is no URL."""
    scheme = _SCHEME.match(url)
    rest = re.split(r"[?#]", url[scheme.end() :], maxsplit=1)[0] if scheme else ""
    _, slash, path = rest.partition("/")
    return slash + path


def read_jdbc_url(url: str, usual: int | None = None) -> list[Address]:
    """The servers of a JDBC URL; none for a database in a file or in memory."""
    parts = url[len("jdbc:") :]
    kind, _, rest = parts.partition(":")
    kind = kind.lower()
    if kind == "aws-wrapper":
        return read_jdbc_url(f"jdbc:{rest}", usual)
    if UNKNOWN in kind:
        return [Address("", usual, is_usual=True)]
    port = JDBC_PORTS.get(kind, usual)
    if kind == "h2":
        server = re.match(r"(?i)(tcp|ssl)://", rest)
        return _several(_authority(rest[server.end() :]), port) if server else []
    if kind == "oracle":
        return _oracle(rest, port)
    if kind == "sqlserver":
        return _sql_server(rest, port)
    if re.search(r"(?i)[?&]cloudsqlinstance=", rest):
        return [Address("", number) for number in _CLOUD_SQL_PORTS]
    # mysql:loadbalance://, mysql:replication://, mariadb:sequential:// and their like; mysql+srv has no port.
    head, separator, rest = rest.partition("//")
    if not separator:
        # `jdbc:postgresql:name` is the pod itself.
        return [Address("", port, is_usual=True)] if UNKNOWN in head else []
    if kind.endswith("+srv") or head.lower().startswith("mysql+srv"):
        return [Address(address.host, None) for address in _several(_authority(rest), None)]
    authority = _authority(rest)
    if "(" in authority and (parts := _MYSQL_PART.findall(authority)):
        # (host=a,port=1),(host=b) and address=(host=a)(port=1)
        return list(_pairs(parts, port))
    return _several(authority, port)


def _authority(text: str) -> str:
    """What stands between `//` and the path, without user and password."""
    end = _AUTHORITY_END.search(text)
    return (text[: end.start()] if end else text).rpartition("@")[2]


def _several(authority: str, usual: int | None) -> list[Address]:
    entries = (entry.strip().rpartition("@")[2] for entry in authority.split(","))
    return [_host_and_port(entry, usual) for entry in entries if entry]


def _host_and_port(entry: str, usual: int | None) -> Address:
    entry = entry.strip()
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        port = rest[1:] if rest.startswith(":") else ""
    elif entry.count(":") > 1 and _is_ip(entry):
        host, port = entry, ""
    else:
        host, _, port = entry.partition(":")
    if UNKNOWN in host:
        # `${ADDRESS}` may hold a port of its own.
        host = ""
    number = read_port(port)
    return Address(host, number or usual, is_usual=number is None)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def read_port(value: object) -> int | None:
    """A port of 1 to 65535, as a number or a text of digits; None for what is none.

    Digits of other scripts and long numbers are none either.
    """
    if isinstance(value, bool):
        return None
    text = str(value) if isinstance(value, int) and 0 < value < 100_000 else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{1,5}", text.strip()):
        return None
    return int(text) if 1 <= int(text) <= 65535 else None


def _oracle(rest: str, usual: int | None) -> list[Address]:
    _, _, target = rest.partition("@")
    if "(" in target:
        return list(_pairs(_ORACLE_ADDRESS.findall(target), usual))
    if match := re.match(r"(?i)(tcps?:)?//", target):
        return _several(_authority(target[match.end() :]), usual)
    # host:port:SID, or host:port/service
    host, _, after = _authority(target).partition(":")
    if not host and not after:
        return []
    port = after.partition(":")[0]
    return [_host_and_port(f"{host}:{port}" if port else host, usual)]


def _sql_server(rest: str, usual: int | None) -> list[Address]:
    server, separator, properties = rest.removeprefix("//").partition(";")
    named = {k.lower(): v.strip() for k, v in _PROPERTY.findall(f"{separator}{properties}")}
    host, _, port = server.partition(":")
    host, backslash, _ = host.partition("\\")
    host = host or named.get("servername") or named.get("server") or ""
    port = port or named.get("portnumber") or named.get("port") or ""
    if not host:
        return []
    if backslash and not port:
        # A named instance says its port itself, by UDP 1434.
        return [Address(host, None)]
    return [_host_and_port(f"{host}:{port}" if port else host, usual)]


def _pairs(parts: Iterable[tuple[str, str]], usual: int | None) -> Iterator[Address]:
    """Addresses of `host=…` and `port=…` in their order; a port belongs to the host before it."""
    host = port = ""
    for name, value in [*parts, ("host", "")]:
        if name.lower() == "port":
            port = value.strip()
            continue
        if host:
            yield _host_and_port(f"{host}:{port}" if port else host, usual)
        host, port = value.strip(), ""

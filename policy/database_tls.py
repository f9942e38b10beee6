"""How a JDBC driver reaches its database by its URL and properties: in clear, encrypted, or with a checked certificate.

Source: documentation of the PostgreSQL JDBC driver (sslmode), of MySQL Connector/J (sslMode) and of MariaDB Connector/J.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

_URL = re.compile(r"(?i)^jdbc:(?:aws-wrapper:)?(postgresql|mysql|mariadb)(?::[a-z+]+)?:(.*)$", re.S)
_LOOPBACK = re.compile(r"(?i)^(localhost|127(\.\d+){3}|::1|0:0:0:0:0:0:0:1)$")
#: Classes that open the connection themselves: Cloud SQL's connector, with a certificate of its own; a Unix socket.
_CONNECTORS = ("com.google.cloud.sql.", "org.newsclub.net.unix.")
_TRUE = ("", "true")
_CHECKS_NOTHING = "NonValidatingFactory"
_LIBPQ = "org.postgresql.ssl.LibPQFactory"


@dataclass(frozen=True)
class DatabaseTls:
    """What a driver does about TLS."""

    is_checked: bool
    """Whether it speaks TLS only, and to a server with a certificate of that name that somebody it trusts signed."""
    actual: str
    """What it does, for people: no part of the URL but names and values of TLS."""
    expected: str
    """The parameter that checks."""


@dataclass(frozen=True)
class PostgresTls:
    """What the driver of PostgreSQL checks a certificate by."""

    reads_file: bool
    """Whether it reads a file (LibPQFactory, its default): without `sslrootcert` ~/.postgresql/root.crt, or it fails."""
    file: str | None
    """`sslrootcert`."""


def database_tls(url: str, properties: Mapping[str, str] | None = None) -> DatabaseTls | None:
    """What a driver does; None where the URL is of no such database, or of the pod itself.

    Args:
        url: JDBC URL, without placeholders. It may hold a credential, which nothing here repeats.
        properties: of the driver besides (`data-source-properties`); the URL's own win.
    """
    match = _URL.match(url.strip())
    if match is None:
        return None
    kind = match[1].lower()
    parameters = _parameters(match, properties)
    if _has_connector(parameters):
        return None
    if _is_own_pod(match[2].partition("?")[0]):
        return None
    judge = {"postgresql": _postgresql, "mysql": _mysql, "mariadb": _mariadb}[kind]
    return judge(parameters)


def postgres_factory(url: str, properties: Mapping[str, str] | None = None) -> PostgresTls | None:
    """Where the driver of PostgreSQL gets the authorities from that a certificate is checked by.

    Args:
        url: JDBC URL. Of its parameters none may be a placeholder.
        properties: of the driver besides; the URL's own win.

    Returns:
        None where it checks no certificate, or is another driver.
    """
    match = _URL.match(url.strip())
    if match is None or match[1].lower() != "postgresql":
        return None
    parameters = _parameters(match, properties)
    if _has_connector(parameters) or not _postgres_mode(parameters).startswith("verify-"):
        return None
    factory = parameters.get("sslfactory", "") or _LIBPQ
    if factory.endswith(_CHECKS_NOTHING):
        return None
    return PostgresTls(factory.endswith(".LibPQFactory"), parameters.get("sslrootcert") or None)


def _parameters(match: re.Match[str], properties: Mapping[str, str] | None) -> dict[str, str]:
    """Parameters of a URL and properties of a driver, by names in small letters."""
    # A property may be written as any key of Kestra's: `sslMode`, `ssl-mode`.
    parameters = {
        name.lower().replace("-", ""): value for name, value in (properties or {}).items()
    }
    # The driver of PostgreSQL tells capital letters from small ones, and leaves out a name that it does not know.
    exact = match[1].lower() == "postgresql"
    for part in match[2].partition("?")[2].split("&"):
        name, _, value = part.partition("=")
        if exact and name.lower() != name and name != "socketFactory":
            continue
        if name:
            parameters[name.strip().lower()] = unquote(value).strip()
    return parameters


def _has_connector(parameters: Mapping[str, str]) -> bool:
    return any(parameters.get("socketfactory", "").startswith(one) for one in _CONNECTORS)


def _is_own_pod(address: str) -> bool:
    if not address.startswith("//"):
        return True  # `jdbc:postgresql:kestra` means localhost.
    authority = re.split(r"[/?]", address[2:], maxsplit=1)[0].rpartition("@")[2]
    hosts = [
        re.sub(r":\d*$", "", host.strip()).strip("[]") if not host.strip().startswith("[")
        else host.strip()[1:].partition("]")[0]
        for host in authority.split(",")
    ]  # fmt: skip
    return all(not host or _LOOPBACK.match(host) for host in hosts)


def _postgres_mode(parameters: Mapping[str, str]) -> str:
    mode = parameters.get("sslmode", "").lower()
    if not mode:
        mode = "verify-full" if parameters.get("ssl", "false").lower() in _TRUE else "prefer"
    return mode


def _postgresql(parameters: Mapping[str, str]) -> DatabaseTls:
    mode = _postgres_mode(parameters)
    if parameters.get("sslfactory", "").endswith(_CHECKS_NOTHING):
        return DatabaseTls(False, "has sslfactory NonValidatingFactory", "sslmode=verify-full")
    return _judged("sslmode", mode, "verify-full")


def _mysql(parameters: Mapping[str, str]) -> DatabaseTls:
    mode = parameters.get("sslmode", "").upper()
    if not mode:
        legacy = {name: parameters.get(name.lower(), "") for name in ("useSSL", "requireSSL")}
        checks = parameters.get("verifyservercertificate", "").lower() == "true"
        if legacy["useSSL"].lower() == "false":
            mode = "DISABLED"
        elif checks:
            mode = "VERIFY_CA"
        else:
            mode = "REQUIRED" if legacy["requireSSL"].lower() == "true" else "PREFERRED"
    return _judged("sslMode", mode, "VERIFY_IDENTITY")


def _mariadb(parameters: Mapping[str, str]) -> DatabaseTls:
    mode = parameters.get("sslmode", "").lower()
    if not mode:
        mode = "verify-full" if parameters.get("usessl", "false").lower() in _TRUE else "disable"
    return _judged("sslMode", mode, "verify-full")


def _judged(name: str, mode: str, best: str) -> DatabaseTls:
    weak = re.sub(r"[^A-Za-z_-]", "", mode)[:20]
    does = {
        best.lower(): "checks the certificate",
        "verify-ca": "checks the certificate but not whose it is",
        "verify_ca": "checks the certificate but not whose it is",
        "require": "encrypts, and takes any certificate",
        "required": "encrypts, and takes any certificate",
        "trust": "encrypts, and takes any certificate",
    }.get(mode.lower(), "may speak in clear")
    return DatabaseTls(mode == best, f"has {name} {weak}, which {does}", f"{name}={best}")

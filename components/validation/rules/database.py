"""TLS to Kestra's database: who signed its certificate, and whether it is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ...policy_tables import DatabaseTls, database_tls, postgres_factory
from ...settings.base import OPAQUE, reveal
from ...settings.deployment import DatabaseAuthority
from ...settings.findings import Finding
from ...settings.model import Settings

_AT = ("deployment", "database-authority")
#: Parameters of a URL and properties of a driver that say something of TLS, in small letters.
_OF_TLS = {"requiressl", "ssl", "sslfactory", "sslmode", "usessl", "verifyservercertificate"}
#: Java's own authorities, which are those of browsers.
_JAVAS = "org.postgresql.ssl.DefaultJavaSSLFactory"
_CERTIFICATE = re.compile(
    r"^-----BEGIN CERTIFICATE-----\s*\n(?:[A-Za-z0-9+/=]+\s*\n)+-----END CERTIFICATE-----\s*$", re.M
)
_TRUST_STORES = (".p12", ".pfx", ".jks")


def authority(s: Settings) -> Iterator[Finding]:
    """What `deployment.database-authority` needs to work."""
    chosen = s.deployment.database_authority
    if chosen is None:
        return
    sources = {
        "config-map": chosen.config_map,
        "secret": chosen.secret,
        "certificates": chosen.certificates,
    }
    named = [name for name, value in sources.items() if value is not None]
    if len(named) != 1:
        yield Finding(
            _AT,
            f"has {' and '.join(named)}"
            if named
            else "has none of config-map, secret and certificates",
            "it comes from one of them",
            "keep one" if named else "name the ConfigMap or Secret, or write the certificates",
            kind="relation" if named else "missing",
        )
    yield from _certificates(chosen)
    yield from _drivers(s, chosen)


def _certificates(chosen: DatabaseAuthority) -> Iterator[Finding]:
    text = chosen.certificates
    if text is None:
        return
    if chosen.file.lower().endswith(_TRUST_STORES):
        yield Finding(
            (*_AT, "certificates"),
            f"is text, and {chosen.file} is a trust store",
            "a ConfigMap's text is no PKCS12 and no JKS",
            "put the trust store into a Secret and name that under secret; for PostgreSQL and MariaDB remove file",
            kind="relation",
        )
    if "PRIVATE KEY" in text:
        yield Finding(
            (*_AT, "certificates"),
            "holds a private key",
            "they stand in clear in the stack file and in a ConfigMap",
            "leave the certificates alone there, and take the key for a known one",
        )
    elif not _CERTIFICATE.search(text):
        yield Finding(
            (*_AT, "certificates"),
            "holds no certificate",
            "PEM text: -----BEGIN CERTIFICATE-----, lines of base64, -----END CERTIFICATE-----, each in lines of their own",
            "copy the whole file of the authority below certificates: |",
        )
    if chosen.file == "application.yaml":
        yield Finding(
            (*_AT, "file"),
            "is the name of Kestra's own file",
            "both are keys of one ConfigMap",
            "choose another name",
            kind="relation",
        )


def _drivers(s: Settings, chosen: DatabaseAuthority) -> Iterator[Finding]:
    # Rendering is above the settings: imported when it is used.
    from ...rendering.database import driver_of

    drivers = {name: driver_of(s, name) for name in s.datasources}
    if not any(drivers.values()):
        yield Finding(
            _AT,
            "has no use",
            "it is for datasources of PostgreSQL, MySQL and MariaDB, and this stack has none",
            "remove it, or add kestra:datasources.postgres",
            kind="relation",
        )
    is_store = chosen.file.lower().endswith(_TRUST_STORES)
    for name, driver in drivers.items():
        if driver == "mysql" and not is_store:
            yield Finding(
                (*_AT, "file"),
                f"is no trust store, which the driver of datasources.{name} reads",
                "MySQL Connector/J reads PKCS12 (.p12) and JKS (.jks), and no PEM",
                "make one with keytool -importcert -noprompt -alias db -file ca.crt -keystore ca.p12 -storetype PKCS12 "
                "-storepass changeit, put it into the ConfigMap or Secret, and set file: ca.p12",
                kind="relation",
            )
        if driver in ("postgresql", "mariadb") and is_store:
            yield Finding(
                (*_AT, "file"),
                f"is a trust store, which the driver of datasources.{name} does not read",
                "the drivers of PostgreSQL and MariaDB read PEM",
                "name the key of the PEM file",
                kind="relation",
            )


def checked(s: Settings) -> Iterator[Finding]:
    """A warning for each datasource whose certificate is not checked; in development only with an authority."""
    chosen = s.deployment.database_authority
    if chosen is None and s.tags.environment == "development":
        return
    for name in s.datasources:
        url = reveal(s.datasources[name].url) or ""
        if url == OPAQUE or "${" in url:
            continue
        tls = database_tls(url, _properties(s, name))
        if tls is not None and not tls.is_checked:
            yield _unchecked(s, name, url, tls)


def authorities(s: Settings) -> Iterator[Finding]:
    """A warning for each datasource of PostgreSQL whose driver has nothing to check the certificate by."""
    chosen = s.deployment.database_authority
    for name in s.datasources:
        url = reveal(s.datasources[name].url) or ""
        # A host may be a variable; a parameter that is one says nothing.
        if url == OPAQUE or "${" in url.partition("?")[2]:
            continue
        properties = _properties(s, name)
        tls = postgres_factory(url, properties)
        if tls is None:
            continue
        if tls.reads_file and tls.file is None and not _has_home_folder(s):
            yield Finding(
                _place(name, in_url=postgres_factory(url) is not None),
                "has the certificate checked, and names nobody who signs it",
                "without sslrootcert the driver of PostgreSQL reads .postgresql/root.crt of its user, which Kestra's pods "
                "do not have: Kestra does not start",
                "set kestra:deployment.database-authority; or, where a public authority signs the certificate, add "
                f"sslfactory={_JAVAS} to the URL (docs/database.md)",
                warning=True,
            )
        elif chosen is not None and not tls.reads_file:
            yield Finding(
                _place(name, in_url="sslfactory=" in url),
                "leaves kestra:deployment.database-authority unread",
                "with sslfactory the driver takes the authorities of that class, and not that file",
                "remove sslfactory, or remove kestra:deployment.database-authority",
                warning=True,
            )


def _place(name: str, *, in_url: bool) -> tuple[str, ...]:
    return ("datasources", name, "url" if in_url else "data-source-properties")


def _has_home_folder(s: Settings) -> bool:
    """Whether a volume of the settings' own brings the folder in which the driver looks by itself."""
    mounts = [mount.get("mountPath") for w in s.workloads for mount in w.pod.extra_volume_mounts]
    return any("/.postgresql" in str(path) for path in mounts)


def _properties(s: Settings, name: str) -> Mapping[str, str]:
    from ...rendering.database import driver_of, tls_properties

    chosen, driver = s.deployment.database_authority, driver_of(s, name)
    own = s.catalogue_value("datasources", name, "data-source-properties") or {}
    added = tls_properties(chosen, driver) if chosen and driver else {}
    return {key: str(reveal(value)) for key, value in {**added, **own}.items()}


def _unchecked(s: Settings, name: str, url: str, tls: DatabaseTls) -> Finding:
    own = s.catalogue_value("datasources", name, "data-source-properties") or {}
    written = [key for key in own if key.lower().replace("-", "") in _OF_TLS]
    names = [part.partition("=")[0] for part in url.partition("?")[2].split("&")]
    in_url = [one for one in dict.fromkeys(names) if one.lower() in _OF_TLS]
    setting = "kestra:deployment.database-authority"
    if "sslfactory" in tls.actual:
        fix = "remove sslfactory"
    elif not (in_url or written):
        fix = f"set {setting}, or write {tls.expected} and the authority into the URL"
    else:
        fix = f"remove {' and '.join(in_url or written)}, or write {tls.expected} in its place"
    if s.deployment.database_authority is None and (in_url or written):
        fix += f"; and set {setting}, or name the authority there"
    return Finding(
        _place(name, in_url=bool(in_url) or not written),
        tls.actual,
        "what flows have, and the database's password, go to whoever answers in the database's place",
        f"{fix} (docs/database.md)",
        warning=True,
    )

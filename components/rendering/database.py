"""What the JDBC drivers are told beside the URL: the authority of the database, and that its certificate is checked."""

from __future__ import annotations

from ..settings import Settings
from ..settings.base import reveal
from ..settings.deployment import DatabaseAuthority
from .leaves import Node
from .nodes import block

#: Source: documentation of the PostgreSQL JDBC driver, of MySQL Connector/J and of MariaDB Connector/J.
_DRIVERS = {
    "postgresql": ("org.postgresql.", "jdbc:postgresql:"),
    "mysql": ("com.mysql.", "jdbc:mysql:"),
    "mariadb": ("org.mariadb.", "jdbc:mariadb:"),
}
#: Kestra's names of its databases, which are those of the datasources.
_BY_NAME = {"postgres": "postgresql", "mysql": "mysql"}


def driver_of(settings: Settings, name: str) -> str | None:
    """`postgresql`, `mysql` or `mariadb`; None where the driver is another one, or not told."""
    datasource = settings.datasources[name]
    url = (reveal(datasource.url) or "").strip().lower().replace("jdbc:aws-wrapper:", "jdbc:", 1)
    driver_class = datasource.driver_class_name or ""
    for kind, (package, prefix) in _DRIVERS.items():
        if driver_class.startswith(package) or url.startswith(prefix):
            return kind
    return None if url.startswith("jdbc:") else _BY_NAME.get(name)


def tls_properties(authority: DatabaseAuthority, driver: str) -> dict[str, Node]:
    """The driver's properties; those of a URL win over them."""
    if driver == "mysql":
        return {
            "sslMode": "VERIFY_IDENTITY",
            "trustCertificateKeyStoreUrl": f"file://{authority.path}",
            "trustCertificateKeyStoreType": "JKS" if authority.file.endswith(".jks") else "PKCS12",
            "trustCertificateKeyStorePassword": authority.trust_store_password,
        }
    if driver == "mariadb":
        return {"sslMode": "verify-full", "serverSslCert": authority.path}
    return {"sslmode": "verify-full", "sslrootcert": authority.path}


def with_authority(document: dict[str, Node], settings: Settings) -> dict[str, Node]:
    """The document with the properties of each datasource; what the settings say of them stays."""
    authority = settings.deployment.database_authority
    datasources = block(document, "datasources")
    if authority is None or datasources is None:
        return document
    for name in settings.datasources:
        driver = driver_of(settings, name)
        datasource = block(datasources, name)
        if driver is None or datasource is None:
            continue
        own = block(datasource, "data-source-properties") or {}
        written = {key.lower().replace("-", "") for key in own}
        added = {
            key: value
            for key, value in tls_properties(authority, driver).items()
            if key.lower() not in written
        }
        datasource["data-source-properties"] = own | added
        datasources[name] = datasource
    return {**document, "datasources": datasources}

"""Kestra's database: how it is reached."""

from __future__ import annotations

from collections.abc import Iterator

from ..application import Application
from ..core.model import Context, Finding, control
from ..core.values import Undecided, reveal
from ..database_tls import database_tls
from ..effective_configuration import each_application


@control(
    "ks-database-01",
    "The database is reached over TLS, and its certificate is checked",
    "high",
    risk="Flows, inputs and the database's password cross the network: in clear, or to whoever answers in its place.",
    steps=(
        "PostgreSQL: sslmode=verify-full and sslrootcert; MySQL: sslMode=VERIFY_IDENTITY and a trust store.",
        "Mount the authority that signed the database's certificate.",
    ),
    setting="kestra:deployment.database-authority, or parameters of kestra:datasources.<name>.url",
)
@each_application
def database_over_tls(application: Application, _: Context) -> Iterator[Finding]:
    for name in application.names("datasources"):
        keys = [f"datasources.{name}.{key}" for key in ("url", "jdbc-url")]
        key = next((one for one in keys if application.setting(one) is not None), None)
        if key is None:
            continue
        block = f"datasources.{name}.data-source-properties"
        properties = {
            one: str(reveal(application.get(f"{block}.{one}"))) for one in application.names(block)
        }
        url = str(reveal(application.get(key)))
        if "${" in url:
            yield Undecided(f"the variables in {key}")
            continue
        tls = database_tls(url, properties)
        if tls is not None and not tls.is_checked:
            yield application.problem(tls.actual, tls.expected, key)

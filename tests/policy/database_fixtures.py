"""Cases of the control of Kestra's database."""

from __future__ import annotations

from typing import Any

from tests.policy.cases_support import Case
from tests.policy.kestra_fixtures import CHART, CLEAR, GOOD, HIDDEN, application


def _of(url: str, **more: Any) -> Any:
    return application("datasources", {"postgres": {"url": url, **more}})


PG, MYSQL = "jdbc:postgresql://db.example.com:5432/kestra", "jdbc:mysql://db.example.com/kestra"

DATABASE: dict[str, Case] = {
    "ks-database-01": Case(
        [
            [GOOD],
            [CHART],
            [_of(f"{PG}?sslmode=verify-full")],
            [_of(f"{PG}?ssl=true")],
            [_of(PG, **{"data-source-properties": {"sslmode": "verify-full"}})],
            [_of(f"{MYSQL}?sslMode=VERIFY_IDENTITY")],
            [_of(MYSQL, **{"data-source-properties": {"sslMode": "VERIFY_IDENTITY"}})],
            [_of("jdbc:mariadb://db/kestra?sslMode=verify-full")],
            [_of("jdbc:postgresql://localhost/kestra")],
            [_of("jdbc:postgresql:kestra")],
            [_of("jdbc:mysql://127.0.0.1:3306/kestra")],
            [_of("jdbc:h2:mem:public")],
            [_of("jdbc:postgresql:///k?socketFactory=com.google.cloud.sql.postgres.SocketFactory")],
        ],
        [
            [_of(PG)],
            [_of(f"jdbc:postgresql://kestra:{CLEAR}@db/kestra")],
            [_of(f"{PG}?sslmode=require&password={CLEAR}")],
            [_of(f"{PG}?sslmode=verify-ca")],
            [_of(f"{PG}?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory")],
            [
                _of(
                    f"{PG}?sslmode=disable",
                    **{"data-source-properties": {"sslmode": "verify-full"}},
                )
            ],
            [_of(MYSQL)],
            [_of(f"{MYSQL}?useSSL=false")],
            [_of(f"{MYSQL}?useSSL=true&requireSSL=true")],
            [_of(f"{MYSQL}?useSSL=true&verifyServerCertificate=true")],
            [_of("jdbc:mariadb://db/kestra")],
            [_of("jdbc:aws-wrapper:postgresql://db/kestra")],
        ],
        [[HIDDEN], [_of("${JDBC_URL}")]],
    ),
}

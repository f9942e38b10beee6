"""Open-source Kestra with a PostgreSQL that runs already: the least that it needs (docs/package.md)."""

import pulumi
import pulumi_kestra_platform as kestra

config = pulumi.Config()

platform = kestra.KestraStack(
    "kestra",
    server={"basic_auth": {"username": "admin@example.com"}},
    datasources={
        "postgres": {
            "url": "jdbc:postgresql://postgres.databases.svc:5432/kestra",
            "username": "kestra",
            "password": config.require_secret("databasePassword"),
        }
    },
    queue={"type": "postgres"},
    repository={"type": "postgres"},
    storage={"type": "local"},
)

pulumi.export("endpoint", platform.endpoint)
pulumi.export("generated", platform.generated)

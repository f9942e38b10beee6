// Open-source Kestra with a PostgreSQL that runs already: the least that it needs (docs/package.md).
import * as pulumi from "@pulumi/pulumi";
import * as kestra from "@pulumi/kestra-platform";

const config = new pulumi.Config();

const platform = new kestra.KestraStack("kestra", {
    server: { basicAuth: { username: "admin@example.com" } },
    datasources: {
        postgres: {
            url: "jdbc:postgresql://postgres.databases.svc:5432/kestra",
            username: "kestra",
            password: config.requireSecret("databasePassword"),
        },
    },
    queue: { type: "postgres" },
    repository: { type: "postgres" },
    storage: { type: "local" },
});

export const endpoint = platform.endpoint;
export const generated = platform.generated;

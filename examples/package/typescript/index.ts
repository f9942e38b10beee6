// Kestra Enterprise with Vault, as one component of a program in TypeScript (docs/package.md).
import * as pulumi from "@pulumi/pulumi";
import * as kestra from "@pulumi/kestra-platform";

const config = new pulumi.Config();
const namespace = config.get("kestraNamespace") ?? "kestra";

const platform = new kestra.KestraStack("kestra", {
    edition: "enterprise",
    secret: {
        type: "vault",
        readOnly: true,
        vault: { address: config.require("vaultAddress"), rootEngine: namespace, kubernetes: {} },
    },
    identity: {
        vault: {
            kubernetesHost: config.require("kubernetesHost"),
            kubernetesCaCertificate: config.require("kubernetesCaCertificate"),
        },
    },
    declaredSecrets: {
        API_TOKEN: { namespace: "company.team", value: config.requireSecret("apiToken") },
        DATABASE_PASSWORD: { namespace: "company.team", generate: { length: 40 } },
    },
    security: { superAdmin: { username: "admin@example.com" } },
    datasources: {
        postgres: {
            url: "jdbc:postgresql://postgres.databases.svc:5432/kestra",
            username: "kestra",
            // A variable of the pods, which Kestra puts in place.
            password: "${POSTGRES_PASSWORD}",
        },
    },
    queue: { type: "postgres" },
    repository: { type: "postgres" },
    storage: { type: "local" },
    deployment: { namespace, environmentFrom: ["kestra-platform"] },
    tags: { owner: "platform" },
});

export const endpoint = platform.endpoint;
export const secretIds = platform.secretIds;
export const generated = platform.generated;

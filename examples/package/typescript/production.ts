// Kestra Enterprise in production, its secrets in HashiCorp Vault, as one component (docs/package.md). Put your own hosts,
// names and digest in place of those below.
import * as pulumi from "@pulumi/pulumi";
import * as kestra from "@pulumi/kestra-platform";

const config = new pulumi.Config();
const namespace = config.get("kestraNamespace") ?? "kestra-production";

const platform = new kestra.KestraStack("kestra", {
    edition: "enterprise",
    // This component writes the secrets, Kestra only reads them.
    secret: {
        type: "vault",
        readOnly: true,
        vault: {
            address: config.require("vaultAddress"),
            rootEngine: namespace,
            // Kestra logs in with its own service account; there is no credential.
            kubernetes: { path: namespace },
        },
        cache: { enabled: true, maximumSize: 1000, expireAfterWrite: "60s" },
        isolation: { enabled: true, deniedServices: ["EXECUTOR", "INDEXER", "SCHEDULER"] },
    },
    identity: {
        vault: {
            kubernetesHost: config.require("kubernetesHost"),
            kubernetesCaCertificate: config.require("kubernetesCaCertificate"),
            auditFile: "stdout",
            tokenTtl: "15m",
            tokenMaxTtl: "1h",
        },
    },
    declaredSecrets: {
        API_TOKEN: {
            namespace: "company.team",
            value: config.requireSecret("apiToken"),
            tags: { rotation: "external" },
        },
        DATABASE_PASSWORD: {
            namespace: "company.team",
            generate: { length: 40 },
            tags: { rotation: "external" },
        },
    },
    endpoints: {
        all: { basicAuth: { username: "monitoring" } },
        env: { enabled: false },
        health: { detailsVisible: "NEVER" },
    },
    security: { superAdmin: { username: "admin@example.com" } },
    configurations: { deleteFilesOnStart: true },
    // Variables of the pods, from the Secret kestra-platform, which Kestra puts in place.
    datasources: {
        postgres: {
            url: "jdbc:postgresql://postgres.databases.svc:5432/kestra",
            driverClassName: "org.postgresql.Driver",
            username: "kestra",
            password: "${POSTGRES_PASSWORD}",
        },
    },
    queue: { type: "postgres" },
    repository: { type: "postgres" },
    storage: {
        type: "minio",
        minio: {
            endpoint: "minio.storage.svc",
            port: 9000,
            secure: true,
            bucket: namespace,
            accessKey: "${MINIO_ACCESS_KEY}",
            secretKey: "${MINIO_SECRET_KEY}",
        },
    },
    deployment: {
        namespace,
        mode: "distributed",
        url: "https://kestra.example.com/",
        image: {
            tag: "v1.3.31",
            digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        },
        environmentFrom: ["kestra-platform"],
        databaseAuthority: { configMap: "database-authority" },
        ingress: { host: "kestra.example.com", className: "nginx", tlsSecret: "kestra-tls" },
        networkPolicy: {
            ingressNamespace: "ingress-nginx",
            monitoringNamespace: "monitoring",
            egressPorts: [443, 9000],
        },
        protect: true,
        components: {
            webserver: { replicas: 2 },
            executor: { replicas: 2 },
            scheduler: { replicas: 2 },
            indexer: { replicas: 2 },
            worker: { replicas: 3, workerThreads: 16 },
        },
    },
    tags: {
        application: "kestra",
        environment: "production",
        owner: "platform",
        dataClass: "confidential",
    },
});

export const endpoint = platform.endpoint;
export const secretIds = platform.secretIds;
export const generated = platform.generated;

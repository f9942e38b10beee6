"""Kestra Enterprise with Vault, as one component of a program in Python (docs/package.md)."""

import pulumi
import pulumi_kestra_platform as kestra

config = pulumi.Config()
namespace = config.get("kestraNamespace") or "kestra"

platform = kestra.KestraStack(
    "kestra",
    edition="enterprise",
    secret={
        "type": "vault",
        "read_only": True,
        "vault": {
            "address": config.require("vaultAddress"),
            "root_engine": namespace,
            "kubernetes": {},
        },
    },
    identity={
        "vault": {
            "kubernetes_host": config.require("kubernetesHost"),
            "kubernetes_ca_certificate": config.require("kubernetesCaCertificate"),
        }
    },
    declared_secrets={
        "API_TOKEN": {"namespace": "company.team", "value": config.require_secret("apiToken")},
        "DATABASE_PASSWORD": {"namespace": "company.team", "generate": {"length": 40}},
    },
    security={"super_admin": {"username": "admin@example.com"}},
    datasources={
        "postgres": {
            "url": "jdbc:postgresql://postgres.databases.svc:5432/kestra",
            "username": "kestra",
            # A variable of the pods, which Kestra puts in place.
            "password": "${POSTGRES_PASSWORD}",
        }
    },
    queue={"type": "postgres"},
    repository={"type": "postgres"},
    storage={"type": "local"},
    deployment={"namespace": namespace, "environment_from": ["kestra-platform"]},
    tags={"owner": "platform"},
)

pulumi.export("endpoint", platform.endpoint)
pulumi.export("secretIds", platform.secret_ids)
pulumi.export("generated", platform.generated)

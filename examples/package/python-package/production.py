"""Kestra Enterprise in production, its secrets in HashiCorp Vault, as one component (docs/package.md).

Put your own hosts, names and digest in place of those below.
"""

import pulumi
from kestra_pulumi import KestraStack

config = pulumi.Config()
namespace = config.get("kestraNamespace") or "kestra-production"

platform = KestraStack(
    "kestra",
    {
        "edition": "enterprise",
        # This component writes the secrets, Kestra only reads them.
        "secret": {
            "type": "vault",
            "read_only": True,
            "vault": {
                "address": config.require("vaultAddress"),
                "root_engine": namespace,
                # Kestra logs in with its own service account; there is no credential.
                "kubernetes": {"path": namespace},
            },
            "cache": {"enabled": True, "maximum_size": 1000, "expire_after_write": "60s"},
            "isolation": {"enabled": True, "denied_services": ["EXECUTOR", "INDEXER", "SCHEDULER"]},
        },
        "identity": {
            "vault": {
                "kubernetes_host": config.require("kubernetesHost"),
                "kubernetes_ca_certificate": config.require("kubernetesCaCertificate"),
                "audit_file": "stdout",
                "token_ttl": "15m",
                "token_max_ttl": "1h",
            }
        },
        "declared_secrets": {
            "API_TOKEN": {
                "namespace": "company.team",
                "value": config.require_secret("apiToken"),
                "tags": {"rotation": "external"},
            },
            "DATABASE_PASSWORD": {
                "namespace": "company.team",
                "generate": {"length": 40},
                "tags": {"rotation": "external"},
            },
        },
        "endpoints": {
            "all": {"basic_auth": {"username": "monitoring"}},
            "env": {"enabled": False},
            "health": {"details_visible": "NEVER"},
        },
        "security": {"super_admin": {"username": "admin@example.com"}},
        "configurations": {"delete_files_on_start": True},
        # Variables of the pods, from the Secret kestra-platform, which Kestra puts in place.
        "datasources": {
            "postgres": {
                "url": "jdbc:postgresql://postgres.databases.svc:5432/kestra",
                "driver_class_name": "org.postgresql.Driver",
                "username": "kestra",
                "password": "${POSTGRES_PASSWORD}",
            }
        },
        "queue": {"type": "postgres"},
        "repository": {"type": "postgres"},
        "storage": {
            "type": "minio",
            "minio": {
                "endpoint": "minio.storage.svc",
                "port": 9000,
                "secure": True,
                "bucket": namespace,
                "access_key": "${MINIO_ACCESS_KEY}",
                "secret_key": "${MINIO_SECRET_KEY}",
            },
        },
        "deployment": {
            "namespace": namespace,
            "mode": "distributed",
            "url": "https://kestra.example.com/",
            "image": {
                "tag": "v1.3.31",
                "digest": "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            },
            "environment_from": ["kestra-platform"],
            "database_authority": {"config_map": "database-authority"},
            "ingress": {
                "host": "kestra.example.com",
                "class_name": "nginx",
                "tls_secret": "kestra-tls",
            },
            "network_policy": {
                "ingress_namespace": "ingress-nginx",
                "monitoring_namespace": "monitoring",
                "egress_ports": [443, 9000],
            },
            "protect": True,
            "components": {
                "webserver": {"replicas": 2},
                "executor": {"replicas": 2},
                "scheduler": {"replicas": 2},
                "indexer": {"replicas": 2},
                "worker": {"replicas": 3, "worker_threads": 16},
            },
        },
        "tags": {
            "application": "kestra",
            "environment": "production",
            "owner": "platform",
            "data_class": "confidential",
        },
    },
)

pulumi.export("endpoint", platform.endpoint)
pulumi.export("secretIds", platform.secret_ids)
pulumi.export("generated", platform.generated)

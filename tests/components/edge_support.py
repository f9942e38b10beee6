"""Settings of stacks with ports, edge, monitors and autoscaling of their own."""

from __future__ import annotations

from typing import Any

from components.settings import Settings
from components.validation import load

PLANTED = "Pl4nted-Monitor-Zq81"
STACK: dict[str, Any] = {
    "version": "1.3",
    "server": {"basic-auth": {"username": "admin@example.com"}},
    "datasources": {"postgres": {"url": "jdbc:postgresql://db:5432/kestra", "username": "kestra"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "s3", "s3": {"bucket": "kestra"}},
}
SERVER = {"context-path": "/kestra", "port": 9080}
TLS = SERVER | {"ssl": {"enabled": True, "port": 9443, "build-self-signed": True}}
LOG_IN = {"all": {"port": 9081, "basic-auth": {"username": "monitoring", "password": PLANTED}}}


def load_settings(document: dict[str, Any]) -> Settings:
    """Checked settings."""
    return load(document, source="test").settings


DISTRIBUTED: dict[str, Any] = {
    "mode": "distributed",
    "autoscaling": {"min-replicas": 2, "max-replicas": 4},
    "components": {
        "worker": {
            "autoscaling": {"max-replicas": 9, "cpu-percentage": 60, "memory-percentage": 90}
        },
        "webserver": {"disruption-budget": {"min-available": "50%"}},
    },
}

"""Whole settings documents that tests render: like a real staging, like a real production."""

from __future__ import annotations

from typing import Any

import yaml

VERSIONS = ("1.3", "2.0")
EDITIONS = ("oss", "enterprise")
PLANTED = "Planted1"
"""Every secret value below begins with this, so that a leak is easy to find."""

_STAGING = f"""
tags: {{environment: staging, owner: team-data}}
server:
  basic-auth: {{username: admin@example.com, open-urls: [/api/v1/main/executions/webhook/]}}
  termination-grace-period: 2m
datasources:
  postgres:
    url: jdbc:postgresql://postgres.staging.svc:5432/kestra
    driver-class-name: org.postgresql.Driver
    username: kestra
    password: {PLANTED}-datasource
queue: {{type: postgres}}
repository: {{type: postgres}}
storage: {{type: local}}
"""
_STAGING_ENTERPRISE = """
secret:
  type: vault
  read-only: true
  vault:
    address: https://vault.staging.example.com:8200
    kubernetes: {}
    filter-on-tags: {application: kestra-staging}
security:
  super-admin: {username: admin@example.com, password: "${KESTRA_SUPERADMIN_PASSWORD}"}
"""
_PRODUCTION = f"""
tags: {{environment: production, owner: team-data, data-class: restricted}}
deployment:
  mode: distributed
  ingress: {{host: kestra.example.com, tls-secret: kestra-tls}}
encryption: {{secret-key: UGxhbnRlZDEtZW5jcnlwdGlvbi1rZXktMDEyMzQ1Njc=}}
server:
  basic-auth: {{username: admin@example.com, password: {PLANTED}-basic-auth}}
  liveness: {{interval: 5s, timeout: 45s, initial-delay: 45s, heartbeat-interval: 3s}}
  worker-task-restart-strategy: AFTER_TERMINATION_GRACE_PERIOD
  termination-grace-period: 5m
  service: {{purge: {{retention: 7d}}}}
endpoints:
  all: {{basic-auth: {{username: probes}}}}
configurations: {{delete-files-on-start: true}}
datasources:
  postgres:
    url: ${{KESTRA_DB_URL}}
    username: ${{KESTRA_DB_USERNAME}}
    password: ${{KESTRA_DB_PASSWORD}}
    maximum-pool-size: 20
queue: {{type: postgres}}
repository: {{type: postgres}}
storage:
  type: s3
  s3: {{bucket: kestra-production, region: eu-west-1, access-key: {PLANTED}-access,
        secret-key: {PLANTED}-s3}}
"""
_PRODUCTION_ENTERPRISE = """
deployment:
  mode: distributed
  ingress: {host: kestra.example.com, tls-secret: kestra-tls}
  environment:
    KESTRA_KAFKA_CLIENT_PROPERTIES_BOOTSTRAP_SERVERS: kafka:9092
    KESTRA_ELASTICSEARCH_CLIENT_HTTP_HOSTS: https://elasticsearch:9200
queue: {type: kafka}
repository: {type: elasticsearch}
datasources: {}
server:
  liveness: {interval: 5s, heartbeat-interval: 3s}
secret:
  type: aws-secret-manager
  read-only: true
  aws-secret-manager:
    region: eu-west-1
    filter-on-tags: {tags: {application: kestra-production}}
    excluded-tags: {visibility: hidden}
  cache: {enabled: true, maximum-size: 1000, expire-after-write: 60s}
  isolation: {enabled: true, denied-services: [EXECUTOR, INDEXER, SCHEDULER]}
security:
  super-admin: {username: admin@example.com, tenant-admin-access: [main]}
  default-role:
    name: default
    description: Default role
    permissions: {FLOW: [CREATE, READ, UPDATE, DELETE], EXECUTION: [READ, CREATE], SETTING: [READ]}
    tenant-id: main
  invitations: {expire-after: P30D}
"""
_PASSWORD_RULES = {
    "1.3": {"password-regexp": r"^(?=.*[A-Z])(?=.*\d).{12,}$"},
    "2.0": {"password-min-length": 12, "password-require-special": False},
}
_LIKE = {
    "staging": (_STAGING, _STAGING_ENTERPRISE),
    "production": (_PRODUCTION, _PRODUCTION_ENTERPRISE),
}


def document(like: str, version: str, edition: str) -> dict[str, Any]:
    """The settings of ``staging`` or ``production``, first-level key to value."""
    common, enterprise = (yaml.safe_load(text) for text in _LIKE[like])
    settings = {"version": version, "edition": edition} | common
    if edition == "enterprise":
        settings |= enterprise | {"server": common["server"] | enterprise.get("server", {})}
        if like == "production":
            settings["security"]["basic-auth"] = _PASSWORD_RULES[version]
    return settings

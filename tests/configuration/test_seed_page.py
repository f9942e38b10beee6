"""Every YAML block of Kestra's page "Security and Secrets Configuration", pasted as settings.

Each block renders to the same keys and values. Where a pasted value would not be safe or would
not start, the settings refuse it and the test changes it (``changed``, with the reason); where a
block alone is not enough, the rendering adds keys (``added``, with the reason).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from components.rendering.configuration import GeneratedValueRef, render
from components.settings import SettingsError
from components.validation import load

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
LONG = "a-secure-32-character-minimum-key"
ENTERPRISE = {"edition": "enterprise"}


@dataclass(frozen=True)
class Block:
    """One block of the page."""

    name: str
    text: str
    changed: dict[str, tuple[Any, str]] = field(default_factory=dict)
    added: dict[str, tuple[Any, str]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    base: dict[str, Any] = field(default_factory=lambda: dict(ENTERPRISE))


SERVICE_ACCOUNT = '{\n  "type": "service_account",\n  "private_key": "line\\nline"\n}\n'
OSS = {"edition": "oss"}
LOG_IN = {"edition": "oss", "server": {"basic-auth": {"username": "admin@kestra.io"}}}

BLOCKS = [
    Block(
        "encryption",
        "kestra: {encryption: {secret-key: BASE64_ENCODED_STRING_OF_32_CHARACTERS}}",
        changed={"kestra.encryption.secret-key": (KEY, "the page has a stand-in, no key")},
    ),
    Block(
        "base structure (azure, isolation)",
        """
kestra:
  secret:
    type: azure-key-vault
    azure-key-vault:
      client-secret:
        tenant-id: "id"
        client-id: "id"
        client-secret: "secret"
    isolation:
      enabled: true
      denied-services:
        - EXECUTOR
""",
        changed={
            "kestra.secret.azure-key-vault.vault-name": (
                "company-vault",
                "the page's example names no vault and does not start",
            )
        },
    ),
    Block(
        "aws",
        """
kestra:
  secret:
    type: aws-secret-manager
    aws-secret-manager:
      access-key-id: mysuperaccesskey
      secret-key-id: mysupersecret-key
      session-token: mysupersessiontoken
      region: us-east-1
""",
    ),
    Block(
        "google",
        """
kestra:
  secret:
    type: google-secret-manager
    google-secret-manager:
      project: gcp-project-id
      service-account: |
        <service-account JSON>
""",
        changed={
            "kestra.secret.google-secret-manager.service-account": (
                SERVICE_ACCOUNT,
                "the page has a stand-in; a real one has several lines",
            )
        },
    ),
    Block(
        "elasticsearch",
        f"kestra: {{secret: {{type: elasticsearch, elasticsearch: {{secret: {LONG}}}}}}}",
    ),
    Block(
        "jdbc",
        'kestra: {secret: {type: jdbc, jdbc: {secret: "your-secret-key"}}}',
        changed={"kestra.secret.jdbc.secret": (LONG, "Kestra asks for 32 characters or more")},
    ),
    Block(
        "secret tags",
        """
kestra:
  secret:
    aws-secret-manager:
      tags:
        application: kestra-production
""",
        changed={
            "kestra.secret.type": ("aws-secret-manager", "the page leaves the type to the reader")
        },
    ),
    Block(
        "secret cache",
        """
kestra:
  secret:
    cache:
      enabled: true
      maximum-size: 1000
      expire-after-write: 60s
""",
        changed={"kestra.secret.type": ("aws-secret-manager", "the page shows the cache alone")},
    ),
    Block(
        "server and endpoint hardening",
        """
kestra:
  server:
    basic-auth:
      username: admin@kestra.io
      password: change-me
      open-urls:
        - "/api/v1/main/executions/webhook/"
endpoints:
  all:
    basic-auth:
      username: your-user
      password: your-password
""",
        base=OSS,
        changed={
            "kestra.server.basic-auth.password": (
                "Change-me-1",
                "the page's password lacks an upper-case letter and a digit; Kestra refuses it",
            )
        },
        added={
            "endpoints.all.sensitive": (True, "what is not named below stays closed"),
            "endpoints.env.enabled": (False, "off, as on 2.0"),
            "endpoints.stop.enabled": (False, "off, as on 2.0"),
            "endpoints.caches.enabled": (False, "off, as on 2.0"),
            "endpoints.health.details-visible": ("ANONYMOUS", "the log-in stands before it"),
            "endpoints.health.sensitive": (False, "all.sensitive would close health to probes"),
            "endpoints.info.sensitive": (False, "else closed to the log-in too"),
            "endpoints.metrics.sensitive": (False, "the same"),
            "endpoints.prometheus.sensitive": (False, "the same"),
            "endpoints.loggers.sensitive": (False, "the same"),
            "endpoints.loggers.write-sensitive": (True, "as on 2.0"),
        },
    ),
    Block(
        "super-admin",
        """
kestra:
  security:
    super-admin:
      username: your_username
      password: ${KESTRA_SUPERADMIN_PASSWORD}
      tenant-admin-access:
        - <optional>
""",
    ),
    Block(
        "default role",
        """
kestra:
  security:
    default-role:
      name: default
      description: "Default role"
      permissions:
        FLOW: ["CREATE", "READ", "UPDATE", "DELETE"]
""",
    ),
    Block(
        "default role of one tenant",
        """
kestra:
  security:
    default-role:
      name: default
      description: "Default role"
      permissions:
        FLOW: ["CREATE", "READ", "UPDATE", "DELETE"]
      tenant-id: staging
""",
    ),
    Block("invitations", "kestra: {security: {invitations: {expire-after: P30D}}}"),
    Block(
        "password rules",
        'kestra: {security: {basic-auth: {password-regexp: "<regexp-rule>"}}}',
    ),
    Block(
        "delete files on start",
        "kestra: {configurations: {delete-files-on-start: true}}",
    ),
    Block(
        "liveness",
        """
kestra:
  server:
    liveness:
      enabled: true
      interval: 5s
      timeout: 45s
      initial-delay: 45s
      heartbeat-interval: 3s
""",
    ),
    Block(
        "heartbeat (named in the text)",
        "kestra: {heartbeat: {frequency: 10s, heartbeat-missed: 3}}",
        absent={
            "kestra.heartbeat.frequency": "Kestra ignores it since 0.16",
            "kestra.heartbeat.heartbeat-missed": "Kestra ignores it since 0.16",
        },
    ),
    Block(
        "restart strategy (named in the text)",
        "kestra: {server: {worker-task-restart-strategy: AFTER_TERMINATION_GRACE_PERIOD}}",
    ),
    Block("termination grace period", "kestra: {server: {termination-grace-period: 5m}}"),
    Block("purge", "kestra: {server: {service: {purge: {retention: 7d}}}}"),
]


def leaves(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted path and value of everything that is no mapping."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from leaves(value, f"{path}.{key}".lstrip("."))
    else:
        yield path, node


def put(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        document = document.setdefault(parent, {})
    document[last] = value


def pasted(block: Block, changed: bool = True) -> tuple[dict[str, Any], dict[str, Any]]:
    """The block as a document of Kestra, and as settings."""
    document = yaml.safe_load(block.text)
    if changed:
        for path, (value, _) in block.changed.items():
            put(document, path, value)
    settings = copy.deepcopy(document)
    return document, block.base | settings.pop("kestra") | settings


def sections(document: dict[str, Any], like: dict[str, Any]) -> dict[str, Any]:
    """Of a rendered document, the sections that the block speaks of."""
    section = {k: v for k, v in document.items() if k in like and k != "kestra"}
    kestra = {k: v for k, v in document["kestra"].items() if k in like.get("kestra", {})}
    return section | ({"kestra": kestra} if kestra else {})


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.name)
def test_a_block_of_the_page_renders_to_its_own_keys_and_values(block: Block) -> None:
    document, settings = pasted(block)
    configuration = render(load(settings, source="test").settings)
    needed = {
        s.key: s.key for s in configuration.environment.values() if isinstance(s, GeneratedValueRef)
    }
    rendered = dict(leaves(sections(configuration.intended(needed), document)))

    expected = dict(leaves(document)) | {path: value for path, (value, _) in block.added.items()}
    expected = {path: value for path, value in expected.items() if path not in block.absent}

    assert rendered == expected


@pytest.mark.parametrize(
    "name",
    ["encryption", "base structure (azure, isolation)", "jdbc", "server and endpoint hardening"],
)
def test_what_the_test_changes_is_refused_when_pasted_as_it_is(name: str) -> None:
    block = next(b for b in BLOCKS if b.name == name)
    with pytest.raises(SettingsError):
        load(pasted(block, changed=False)[1], source="test")


def test_the_seeds_crud_role_is_translated_for_2_0() -> None:
    block = next(b for b in BLOCKS if b.name == "default role")
    settings = pasted(block)[1] | {"version": "2.0"}
    role = render(load(settings, source="test").settings).document["kestra"]["security"]
    assert {"VIEW", "LIST", "EXECUTE"} <= set(role["default-role"]["permissions"]["FLOW"])
    assert "READ" not in role["default-role"]["permissions"]["FLOW"]

"""Secrets under keys that no model has: the settings, the path in Kestra's file, the setting of the warning."""

from __future__ import annotations

from typing import Any

SECRET = "Planted7xQ9-secret"

SECRETS: dict[str, tuple[dict[str, Any], tuple[str | int, ...], str]] = {
    "a sensitive key": (
        {"tasks": {"sdk": {"authentication": {"api-token": SECRET}}}},
        ("kestra", "tasks", "sdk", "authentication", "api-token"),
        "kestra:tasks.sdk.authentication.api-token",
    ),
    "a property by its name": (
        {"plugins": {"configurations": [{"type": "a", "values": {"db.password": SECRET}}]}},
        ("kestra", "plugins", "configurations", 0, "values", "db.password"),
        'kestra:plugins.configurations[0].values["db.password"]',
    ),
    "an item of a list": (
        {"variables": {"globals": {"keys": [{"apiKey": SECRET}]}}},
        ("kestra", "variables", "globals", "keys", 0, "apiKey"),
        "kestra:variables.globals.keys[0].apiKey",
    ),
    "a user in an address": (
        {"plugins": {"repositories": {"central": {"url": f"https://u:{SECRET}@m.example.com"}}}},
        ("kestra", "plugins", "repositories", "central", "url"),
        "kestra:plugins.repositories.central.url",
    ),
    "a JAAS text": (
        {"variables": {"globals": {"jaas": f'x required username="u" password="{SECRET}";'}}},
        ("kestra", "variables", "globals", "jaas"),
        "kestra:variables.globals.jaas",
    ),
    "a connection string": (
        {"variables": {"globals": {"c": f"AccountName=a;AccountKey={SECRET};EndpointSuffix=b"}}},
        ("kestra", "variables", "globals", "c"),
        "kestra:variables.globals.c",
    ),
    "a private key": (
        {"storage": {"type": "minio", "minio": {"endpoint": "m", "bucket": "abc", "ca-pem": f"-----BEGIN PRIVATE KEY-----\n{SECRET}"}}},
        ("kestra", "storage", "minio", "ca-pem"),
        "kestra:storage.minio.ca-pem",
    ),
    "an account as JSON": (
        {"variables": {"globals": {"account": f'{{"type": "service_account", "private_key": "{SECRET}"}}'}}},
        ("kestra", "variables", "globals", "account"),
        "kestra:variables.globals.account",
    ),
    "a webhook": (
        {"variables": {"globals": {"hook": f"https://hooks.slack.com/services/{SECRET}"}}},
        ("kestra", "variables", "globals", "hook"),
        "kestra:variables.globals.hook",
    ),
    "a default": (
        {"variables": {"globals": {"apiToken": f"${{TOKEN:{SECRET}}}"}}},
        ("kestra", "variables", "globals", "apiToken"),
        "kestra:variables.globals.apiToken",
    ),
    "a default within a text": (
        {"variables": {"globals": {"url": f"jdbc:x?password=${{PW:{SECRET}}}"}}},
        ("kestra", "variables", "globals", "url"),
        "kestra:variables.globals.url",
    ),
    "additional configuration": (
        {"additional-configuration": {"vendor": {"nested": [{"token": SECRET}]}}},
        ("vendor", "nested", 0, "token"),
        "kestra:additional-configuration.vendor.nested[0].token",
    ),
}  # fmt: skip

"""Ports, edge, monitors, autoscaling and budgets: what is refused or warned of, with a fix that works."""

from __future__ import annotations

from typing import Any

import pytest

from components.settings import SettingsError
from components.validation import load

BASE: dict[str, Any] = {
    "version": "1.3",
    "server": {"basic-auth": {"username": "admin@example.com"}},
    "datasources": {"postgres": {"url": "jdbc:postgresql://db:5432/kestra", "username": "kestra"}},
    "queue": {"type": "postgres"},
    "repository": {"type": "postgres"},
    "storage": {"type": "s3", "s3": {"bucket": "kestra"}},
}
GATEWAY = {"name": "public", "namespace": "gateways", "section-name": "https"}
ROUTE = {"host": "k.example.com", "gateway": GATEWAY}
INGRESS = {"host": "k.example.com", "tls-secret": "tls"}
LOG_IN = {"all": {"basic-auth": {"username": "monitoring"}}}
TLS = {"server": {"ssl": {"enabled": True, "build-self-signed": True}}}


def _said(**changes: Any) -> dict[str, tuple[str, str]]:
    """Key to severity and line of everything that is said of some settings."""
    try:
        problems = load(BASE | changes, source="test").warnings
    except SettingsError as error:
        problems = tuple(error.problems)
    return {p.path: (p.severity, p.line()) for p in problems}


def _deployed(**deployment: Any) -> dict[str, tuple[str, str]]:
    return _said(deployment={"mode": "distributed", **deployment})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"deployment": {"ingress": {"host": "k.example.com"}}}, "deployment.ingress.tls-secret"),
    (
        {"deployment": {"ingress": INGRESS | {"issuer": "a", "cluster-issuer": "b"}}},
        "deployment.ingress.issuer",
    ),
    ({"micronaut": {"server": {"port": 8081}}}, "micronaut.server.port"),
    ({"micronaut": {"server": {"context-path": "/a b';"}}}, "micronaut.server.context-path"),
    ({"micronaut": {"server": {"context-path": "/%s"}}}, "micronaut.server.context-path"),
    ({"deployment": {"autoscaling": {"max-replicas": 3}}}, "deployment.autoscaling"),
    (
        {"deployment": {"mode": "distributed", "autoscaling": {"min-replicas": 4, "max-replicas": 3}}},
        "deployment.autoscaling.min-replicas",
    ),
    (
        {
            "deployment": {
                "mode": "distributed",
                "autoscaling": {"max-replicas": 3},
                "components": {"worker": {"replicas": 2}},
            }
        },
        "deployment.components.worker.replicas",
    ),
    (
        {"deployment": {"disruption-budget": {"min-available": 1, "max-unavailable": 1}}},
        "deployment.disruption-budget.max-unavailable",
    ),
    ({"deployment": {"disruption-budget": {}}}, "deployment.disruption-budget"),
    ({"deployment": {"disruption-budget": {"min-available": "150%"}}}, "deployment.disruption-budget.min-available"),
    (
        {
            "endpoints": {"all": {"basic-auth": {"username": "m", "password": "${PASSWORD}"}}},
            "deployment": {"environment-from": ["s"], "monitoring": {}, "network-policy": {"monitoring-namespace": "m"}},
        },
        "deployment.monitoring.log-in-secret",
    ),
    (
        {"deployment": {"monitoring": {"interval": "30"}}},
        "deployment.monitoring.interval",
    ),
    ({"deployment": {"network-policy": {"dns-cidrs": ["169.254.20.10"]}}}, "deployment.network-policy.dns-cidrs[0]"),
]  # fmt: skip
WARNED: list[tuple[dict[str, Any], str]] = [
    ({"deployment": {"http-route": ROUTE}}, "deployment.network-policy.ingress-namespace"),
    ({"deployment": {"ingress": INGRESS}}, "deployment.network-policy.ingress-namespace"),
    ({"deployment": {"ingress": INGRESS, "http-route": ROUTE}}, "deployment.network-policy.ingress-namespace"),
    (
        {"deployment": {"http-route": {"host": "k.example.com", "gateway": {"name": "g"}}}},
        "deployment.http-route.gateway.section-name",
    ),
    ({"deployment": {"http-route": ROUTE, "ingress": INGRESS | {"host": "b.example.com"}}}, "deployment.url"),
    ({"deployment": {"monitoring": {}}, "endpoints": LOG_IN}, "deployment.network-policy.monitoring-namespace"),
    ({"deployment": {"monitoring": {}}}, "deployment.monitoring"),
    ({"deployment": {"network-policy": {"dns-namespaces": []}}}, "deployment.network-policy.dns-namespaces"),
    ({"micronaut": TLS, "deployment": {"ingress": INGRESS}}, "deployment.ingress.class-name"),
    ({"micronaut": TLS, "deployment": {"http-route": ROUTE}}, "deployment.http-route"),
    (
        {"micronaut": {"server": {"context-path": "/k"}}, "deployment": {"url": "https://k.example.com/"}},
        "deployment.url",
    ),
    (
        {"deployment": {"disruption-budget": {"min-available": 1}}},
        "deployment.disruption-budget.min-available",
    ),
    (
        {"deployment": {"mode": "distributed", "autoscaling": {"max-replicas": 3, "memory-percentage": 80}}},
        "deployment.autoscaling.memory-percentage",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "key"), REFUSED)
def test_what_cannot_work_is_refused(changes: dict[str, Any], key: str) -> None:
    assert _said(**changes)[f"kestra:{key}"][0] == "error"


@pytest.mark.parametrize(("changes", "key"), WARNED)
def test_what_hardly_works_is_a_warning(changes: dict[str, Any], key: str) -> None:
    severity, line = _said(**changes)[f"kestra:{key}"]
    assert severity == "warning", line


GOOD: list[dict[str, Any]] = [
    {
        "deployment": {
            "ingress": {"host": "k.example.com", "cluster-issuer": "letsencrypt"},
            "network-policy": {"ingress-namespace": "edge"},
        }
    },
    {"deployment": {"http-route": ROUTE, "network-policy": {"ingress-namespace": "gateways"}}},
    {"deployment": {"ingress": INGRESS, "network-policy": {"ingress-namespace": "edge"}}},
    {
        "endpoints": LOG_IN,
        "deployment": {"monitoring": {}, "network-policy": {"monitoring-namespace": "monitoring"}},
    },
    {
        "endpoints": {"all": {"basic-auth": {"username": "m", "password": "${PASSWORD:}"}}},
        "deployment": {
            "environment-from": ["s"],
            "monitoring": {"log-in-secret": {"name": "s", "password-key": "PASSWORD"}},
            "network-policy": {"monitoring-namespace": "monitoring"},
        },
    },
    {
        "micronaut": TLS,
        "deployment": {
            "ingress": INGRESS | {"class-name": "nginx"},
            "network-policy": {"ingress-namespace": "edge"},
        },
    },
    {
        "micronaut": {"server": {"context-path": "/k", "port": 9080}},
        "deployment": {"url": "https://k.example.com/k/"},
    },
    {"deployment": {"mode": "distributed", "autoscaling": {"max-replicas": 3}}},
    {"deployment": {"disruption-budget": {"max-unavailable": 1}}},
]


@pytest.mark.parametrize("changes", GOOD)
def test_what_works_is_accepted_without_a_word(changes: dict[str, Any]) -> None:
    assert _said(**changes) == {}


def test_a_fix_that_is_followed_leaves_nothing_to_say() -> None:
    said = _said(deployment={"http-route": {"host": "k.example.com", "gateway": {"name": "g"}}})
    assert len(said) == 2
    fixed = {
        "http-route": {"host": "k.example.com", "gateway": {"name": "g", "section-name": "https"}},
        "network-policy": {"ingress-namespace": "gateways"},
    }
    assert _said(deployment=fixed) == {}


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("MICRONAUT_SERVER_CONTEXT_PATH", "kestra:micronaut.server.context-path"),
        ("MICRONAUT_SERVER_PORT", "kestra:micronaut.server.port"),
        ("MICRONAUT_SERVER_SSL_ENABLED", "kestra:micronaut.server.ssl"),
        ("MICRONAUT_SSL_ENABLED", "kestra:micronaut.server.ssl"),
    ],
)
def test_a_variable_in_place_of_a_setting_is_refused_and_names_it(
    variable: str, setting: str
) -> None:
    said = _said(deployment={"environment": {variable: "true"}})
    severity, line = said[f"kestra:deployment.environment.{variable}"]
    assert severity == "error"
    assert setting in line


@pytest.mark.parametrize("key", ["httpRoute", "http-route"])
def test_keys_may_be_written_in_camel_case(key: str) -> None:
    route = {"host": "k.example.com", "gateway": {"name": "g", "sectionName": "https"}}
    assert "kestra:deployment.http-route" not in str(_deployed(**{key: route}))

"""Cases of the controls of Kestra."""

from __future__ import annotations

from typing import Any

import yaml

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R
from tests.policy.cases_support import Case, case
from tests.policy.kubernetes_fixtures import (
    CONTAINERS,
    DIGEST,
    FIRST,
    NAMED,
    NAMED_OLD,
    POD,
    TAGS,
    WORKLOAD,
)


def settings() -> dict[str, Any]:
    return {
        "endpoints": {"all": {"basic-auth": {"username": "m", "password": "${MANAGEMENT}"}}},
        "kestra": {
            "encryption": {"secret-key": "${ENCRYPTION}"},
            "queue": {"type": "postgres"},
            "repository": {"type": "postgres"},
            "secret": {
                "type": "vault",
                "read-only": True,
                "vault": {"address": "https://vault:8200", "kubernetes": {}},
                "cache": {"enabled": True, "expire-after-write": "60s"},
                "isolation": {
                    "enabled": True,
                    "denied-services": ["EXECUTOR", "INDEXER", "SCHEDULER"],
                },
            },
            "server": {
                "basic-auth": {
                    "username": "a@example.com",
                    "password": "${PASSWORD}",
                    "openUrls": ["/api/v1/main/executions/webhook/"],
                },
                "liveness": {"timeout": "45s", "heartbeat-interval": "3s", "interval": "5s"},
                "termination-grace-period": "5m",
            },
            "security": {
                "super-admin": {"username": "a@example.com", "password": "${SUPER}"},
                "basic-auth": {
                    "password-regexp": "(?=.{8,})(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9]).*",
                    "password-min-length": 12,
                },
            },
            "configurations": {"delete-files-on-start": True},
            "variables": {"env-vars-prefix": "ENV_"},
        },
    }


def application(path: str = "", value: Any = ABSENT) -> R:
    """A ConfigMap with good settings, or with one changed."""
    document = R("", settings()).but(path, value).props if path else settings()
    return R(
        "kubernetes:core/v1:ConfigMap",
        {
            "metadata": {"name": "c", "labels": TAGS},
            "data": {"application.yaml": yaml.safe_dump(document)},
        },
        "configuration",
    )


GOOD = application()
HIDDEN = GOOD.but("data/application.yaml", UNKNOWN)
CLEAR = "Planted9Secret8Value7"
CHART = R(
    "kubernetes:helm.sh/v3:Release",
    {
        "chart": "kestra",
        "values": {"dind": {"enabled": False}, "configurations": {"application": settings()}},
    },
    "chart",
)


def over(*bad: tuple[str, Any], **more: Any) -> Case:
    """Cases of a control of Kestra's settings: one changed in each."""
    return Case(
        [[GOOD], [CHART]], [[application(path, value)] for path, value in bad], [[HIDDEN]], **more
    )


SECRET = "kestra.secret"
SERVER = "kestra.server"
SECURITY = "kestra.security"
SERVICE = R(
    "kubernetes:core/v1:Service",
    {
        "metadata": {"name": "web", "namespace": "kestra"},
        "spec": {"type": "ClusterIP", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]},
    },
    "service",
)
PATH = {"path": "/", "backend": {"service": {"name": "web", "port": {"name": "http"}}}}
INGRESS = R(
    "kubernetes:networking.k8s.io/v1:Ingress",
    {
        "metadata": {"name": "web", "namespace": "kestra"},
        "spec": {
            "tls": [{"hosts": ["k.example.com"], "secretName": "t"}],
            "rules": [{"host": "k.example.com", "http": {"paths": [PATH]}}],
        },
    },
    "ingress",
)
MANAGEMENT = [{"name": "http", "port": 80, "targetPort": 8081}]
ROUTE = R(
    "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
    {
        "metadata": {"name": "web", "namespace": "kestra"},
        "spec": {
            "parentRefs": [{"name": "public", "namespace": "edge", "sectionName": "https"}],
            "rules": [{"backendRefs": [{"name": "web", "port": 80}]}],
        },
    },
    "route",
)
GATEWAY = R(
    "kubernetes:gateway.networking.k8s.io/v1:Gateway",
    {
        "metadata": {"name": "public", "namespace": "edge"},
        "spec": {
            "listeners": [
                {"name": "http", "port": 80, "protocol": "HTTP"},
                {"name": "https", "port": 443, "protocol": "HTTPS"},
            ]
        },
    },
    "gateway",
)
ANY_LISTENER = ROUTE.but("spec.parentRefs", [{"name": "public", "namespace": "edge"}])

SECURITY_VARIABLE = {"name": "MICRONAUT_SECURITY_ENABLED", "value": "true"}
IN_FILE = application("micronaut", {"security": {"enabled": True}})
ENTERPRISE = "registry.kestra.io/docker/kestra-ee@sha256:" + "a" * 64


def with_log_in(issuer: str = "https://sso.example.com/realms/company", token: str = "") -> R:
    openid: dict[str, Any] = {"issuer": issuer} | ({"token": {"url": token}} if token else {})
    client = {"client-id": "kestra", "client-secret": "${CLIENT}", "openid": openid}
    security = {"oauth2": {"clients": {"keycloak": client}}}
    security |= {"ldap": ldap("ldaps://ldap.example.com:636")}
    return application("micronaut", {"security": security})


def ldap(server: str) -> dict[str, Any]:
    return {"default": {"context": {"server": server, "manager-password": "${LDAP}"}}}


def with_image(image: str) -> R:
    """The workload with another image."""
    return WORKLOAD.but(f"{FIRST}.image", image)


def with_security(value: str) -> R:
    """The workload with a variable that replaces Kestra's log-in."""
    variables = CONTAINERS[0]["env"]
    return WORKLOAD.but(f"{FIRST}.env", [*variables, {**SECURITY_VARIABLE, "value": value}])


KESTRA: dict[str, Case] = {
    "ks-kestra-01": over(("kestra.encryption", {}), ("kestra.encryption.secret-key", "")),
    "ks-kestra-02": over(
        (f"{SERVER}.basic-auth.password", ""),
        (f"{SERVER}.basic-auth.username", "admin"),
        (f"{SERVER}.basic-auth.enabled", False),
        (f"{SECURITY}.super-admin.password", ABSENT),
        ("kestra", {"server": {}}),
    ),
    "ks-kestra-03": over(
        (f"{SECURITY}.super-admin.password", CLEAR),
        (f"{SECURITY}.super-admin.password", "${SUPER:" + CLEAR + "}"),
        (f"{SECURITY}.instance-owner", {"username": "a", "password": CLEAR}),
    ),
    "ks-kestra-04": over(
        ("kestra.encryption.secret-key", CLEAR),
        (f"{SERVER}.basic-auth.password", CLEAR),
        ("datasources", {"postgres": {"password": CLEAR}}),
        ("datasources", {"postgres": {"url": f"jdbc:postgresql://kestra:{CLEAR}@db/kestra"}}),
        ("kestra.storage", {"s3": {"secret-key": CLEAR}}),
    ),
    "ks-kestra-05": over(
        (f"{SECRET}.aws-secret-manager", {"access-key-id": "a", "secret-key-id": "${B}"}),
        (f"{SECRET}.azure-key-vault", {"client-secret": {"client-secret": "${B}"}}),
        (f"{SECRET}.google-secret-manager", {"service-account": "${B}"}),
    ),
    "ks-kestra-06": over(
        (f"{SECURITY}.basic-auth.password-regexp", ".*"),
        (f"{SECURITY}.basic-auth.password-regexp", "(?=.{8,})(?=.*[a-z])(?=.*[A-Z]).*"),
        (f"{SECURITY}.basic-auth.password-min-length", 4),
        (f"{SECURITY}.basic-auth.password-min-digits", 0),
    ),
    "ks-kestra-07": over(
        (f"{SECRET}.cache.expire-after-write", "1h"),
        (f"{SECRET}.cache.expire-after-write", ABSENT),
        (f"{SECRET}.cache.expire-after-write", "soon"),
    ),
    "ks-kestra-08": over(
        (f"{SECRET}.isolation", ABSENT), (f"{SECRET}.isolation.denied-services", ["EXECUTOR"])
    ),
    "ks-kestra-09": over((f"{SECRET}.read-only", False), (f"{SECRET}.read-only", ABSENT)),
    "ks-kestra-10": over(
        (f"{SERVER}.liveness.enabled", False),
        (f"{SERVER}.liveness.heartbeat-interval", "1m"),
        (f"{SERVER}.liveness.interval", "45s"),
        (f"{SERVER}.liveness.timeout", "1m30s"),
    ),
    "ks-kestra-11": over(
        (f"{SERVER}.basic-auth.openUrls", ["/"]),
        (f"{SERVER}.basic-auth.openUrls", ["/api/v1/main/flows"]),
    ),
    "ks-kestra-12": over(
        ("endpoints", {}),
        ("endpoints.all", {"sensitive": False}),
        ("endpoints.env", {"enabled": True}),
        ("endpoints.stop", {"enabled": True}),
    ),
    "ks-kestra-13": over(
        ("kestra.variables.env-vars-prefix", ""), ("kestra.variables.env-vars-prefix", "KESTRA_")
    ),
    "ks-kestra-14": over(("kestra.queue.type", "memory"), ("kestra.repository.type", "h2")),
    "ks-kestra-15": case(
        WORKLOAD,
        {
            f"{POD}.terminationGracePeriodSeconds": 300,
            POD: {"containers": [{"image": "kestra/kestra", "name": "k"}]},
        },
        f"{POD}.terminationGracePeriodSeconds",
        around=[GOOD],
        worse=[[WORKLOAD, application(f"{SERVER}.termination-grace-period", "10m")]],
    ),
    "ks-kestra-16": case(
        WORKLOAD,
        {
            f"{POD}.volumes": [{"name": "loaded", "configMap": {"name": "c"}}],
            f"{FIRST}.volumeMounts": [
                {"name": "loaded", "mountPath": "/app/confs", "readOnly": True}
            ],
        },
        [f"{POD}.volumes", f"{FIRST}.volumeMounts"],
        around=[GOOD],
    ),
    "ks-kestra-17": case(
        INGRESS,
        [
            ("spec.rules.0.http.paths.0.backend.service.port", {"number": 8081}),
            ("spec.rules.0.http.paths.0.backend.service.port", {"name": "management"}),
        ],
        "spec.rules",
        around=[SERVICE],
        good=[[ROUTE, SERVICE]],
        worse=[
            [ROUTE, SERVICE.but("spec.ports", MANAGEMENT)],
            [ROUTE.but("spec.rules.0.backendRefs", [{"name": "web", "port": 8081}])],
            [INGRESS, SERVICE.but("spec.ports", MANAGEMENT)],
            [SERVICE.but("spec.ports", MANAGEMENT).but("spec.type", "LoadBalancer")],
        ],
    ),
    "ks-kestra-18": case(
        INGRESS,
        {"spec.tls": ABSENT, "spec.rules.0.host": "other.example.com"},
        "spec.tls",
        good=[
            [SERVICE],
            [ROUTE, GATEWAY],
            # It only redirects.
            [ANY_LISTENER.but("spec.rules", [{"filters": [{"type": "RequestRedirect"}]}]), GATEWAY],
        ],
        worse=[
            [SERVICE.but("spec.type", "LoadBalancer")],
            [ANY_LISTENER, GATEWAY],
            [ROUTE, GATEWAY.but("spec.listeners.1.protocol", "HTTP")],
        ],
    ),
    "ks-kestra-19": case(
        WORKLOAD,
        {
            f"{FIRST}.image": "docker:dind-rootless",
            f"{POD}.volumes": [{"name": "d", "hostPath": {"path": "/var/run/docker.sock"}}],
        },
        f"{FIRST}.image",
        good=[[CHART]],
        worse=[[CHART.but("values.dind", ABSENT)]],
    ),
    "ks-kestra-20": case(
        WORKLOAD.but(f"{FIRST}.image", "kestra/kestra:v1.3.31"),
        [
            (f"{FIRST}.image", f"{name}:{tag}")
            for name in (
                "kestra/kestra",
                "docker.io/kestra/kestra",
                "registry.kestra.io/docker/kestra-ee",
                "registry.example.com:5000/mirror/kestra",
                "registry.example.com/mirror/kestra-ee",
            )
            for tag in ("v1.3.5", "1.3.5", "v1.3.5-no-plugins", "v1.3.21-SNAPSHOT", "v1.2")
        ]
        + [
            (f"{FIRST}.image", f"kestra/kestra:v1.3.5@{DIGEST}"),
            (
                f"{POD}.initContainers",
                [{"name": "configuration", "image": "kestra/kestra:v1.3.5"}],
            ),
        ],
        [f"{FIRST}.image", POD],
        good=[
            [WORKLOAD.but(f"{FIRST}.image", image)]
            for image in (
                "kestra/kestra:v2.0.0",
                "registry.example.com/mirror/kestra-ee:1.3.24-no-plugins",
                f"kestra/kestra:v1.3.31@{DIGEST}",
                "kestra/kestra:v2.0",
                f"kestra/kestra@{NAMED}",
                f"kestra/kestra:latest@{NAMED}",
            )
        ]
        # The number of what is not Kestra is not one of Kestra's.
        + [
            [
                WORKLOAD.but(
                    FIRST, {"name": "app", "image": "registry.example.com/log-shipper:v1.3.5"}
                )
            ]
        ],
        worse=[[WORKLOAD.but(f"{FIRST}.image", f"kestra/kestra@{NAMED_OLD}")]],
        uncertain=[
            [WORKLOAD.but(f"{FIRST}.image", image)]
            for image in (
                f"kestra/kestra@{DIGEST}",
                "kestra/kestra",
                "kestra/kestra:latest-no-plugins",
                "kestra/kestra:develop",
                "kestra/kestra:v1.3",
                "kestra/kestra:build-77",
                "registry.example.com/team/kestra-with-plugins:v1.3.5",
            )
        ],
        options={"imageReleases": {NAMED: "v1.3.31", NAMED_OLD: "v1.3.5"}},
    ),
    "ks-kestra-21": Case(
        [[WORKLOAD, GOOD], [CHART], [with_image(ENTERPRISE), IN_FILE], [IN_FILE]],
        [
            [WORKLOAD, IN_FILE],
            [with_security("true"), GOOD],
            [CHART.but("values.common", {"extraEnv": [SECURITY_VARIABLE]})],
            [CHART.but("values/configurations/application/micronaut.security.enabled", True)],
        ],
        [
            [HIDDEN],
            [with_security(UNKNOWN), GOOD],
            [with_image(UNKNOWN), IN_FILE],
        ],
    ),
    "ks-kestra-22": Case(
        [[GOOD], [with_log_in()], [with_log_in(token="https://sso.example.com/token")], [CHART]],
        [
            [with_log_in("http://sso.example.com/realms/company")],
            [with_log_in(token="http://sso.example.com/token")],
            [application("micronaut", {"security": {"ldap": ldap("ldap://ldap.example.com:389")}})],
            [
                CHART.but(
                    "values/configurations/application/micronaut.security.ldap",
                    ldap("ldap://ldap.example.com"),
                )
            ],
        ],
        [[HIDDEN]],
    ),
}

"""Cases of the controls of Kubernetes, Kestra, Vault and conventions."""

from __future__ import annotations

from typing import Any

import yaml

from tests.policy.cases_support import Case, case
from tests.policy.sdk_support import ABSENT, UNKNOWN, R

RBAC = "kubernetes:rbac.authorization.k8s.io/v1:"
LABELS = {"app": "kestra"}
POD = "spec.template.spec"
FIRST = f"{POD}.containers.0"
TAGS = {"kestra.pulumi/owner": "platform", "environment": "production", "data_class": "internal"}


def workload() -> R:
    container: dict[str, Any] = {
        "name": "kestra",
        "image": "kestra/kestra@sha256:" + "a" * 64,
        "env": [{"name": "MICRONAUT_CONFIG_FILES", "value": "/app/confs/application.yaml"}],
        "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        "readinessProbe": {"httpGet": {}},
        "livenessProbe": {"httpGet": {}},
        "ports": [{"containerPort": 8080}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "loaded", "mountPath": "/app/confs"}],
    }
    pod = {
        "serviceAccountName": "kestra",
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 360,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [{"name": "loaded", "emptyDir": {}}],
    }
    return R(
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "kestra", "namespace": "kestra", "labels": TAGS},
            "spec": {"replicas": 2, "template": {"metadata": {"labels": LABELS}, "spec": pod}},
        },
        "workload",
    )


WORKLOAD = workload()
CONTAINERS = WORKLOAD.props["spec"]["template"]["spec"]["containers"]
SIDECAR = {"name": "proxy", "image": "mirror.example.com/envoy@sha256:" + "b" * 64}
NAMESPACE = R(
    "kubernetes:core/v1:Namespace",
    {
        "metadata": {
            "name": "kestra",
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        }
    },
    "namespace",
)
DENY = R(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    {
        "metadata": {"namespace": "kestra"},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
    },
    "deny",
)
BUDGET = R(
    "kubernetes:policy/v1:PodDisruptionBudget",
    {"metadata": {"namespace": "kestra"}, "spec": {"selector": {"matchLabels": LABELS}}},
    "budget",
)
UNSCALED = WORKLOAD.but("spec.replicas", ABSENT)


def scaler(fewest: int) -> R:
    """An autoscaler of the workload."""
    target = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": WORKLOAD.props["metadata"]["name"],
    }
    return R(
        "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        {
            "metadata": {"namespace": "kestra"},
            "spec": {"scaleTargetRef": target, "minReplicas": fewest, "maxReplicas": 5},
        },
        "scaler",
    )


ROLE = R(
    f"{RBAC}Role",
    {
        "rules": [
            {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]}
        ]
    },
)
VAULT_ROLE = R(
    "vault:kubernetes/authBackendRole:AuthBackendRole",
    {
        "boundServiceAccountNames": ["kestra"],
        "boundServiceAccountNamespaces": ["kestra"],
        "tokenTtl": 3600,
        "tokenMaxTtl": 86400,
    },
    "vault-role",
)
JWT_ROLE = R(
    "vault:jwt/authBackendRole:AuthBackendRole",
    {"boundSubject": "s", "boundAudiences": ["a"], "tokenTtl": 600},
)
MOUNTS = WORKLOAD.but(f"{POD}.automountServiceAccountToken", True)
CLUSTER_STORE = R(
    "kubernetes:external-secrets.io/v1:ClusterSecretStore",
    {"spec": {"conditions": [{"namespaces": ["a"]}]}},
)
DIGEST, NAMED, NAMED_OLD = (f"sha256:{digit * 64}" for digit in "abc")
VOLUMES = [
    {"name": "certs", "secret": {"secretName": "a", "defaultMode": 0o440}},
    {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
    {"name": "work", "emptyDir": {}},
]
IN_CLEAR = [{"name": "DATABASE_PASSWORD", "value": "Planted9Secret8Value7"}]

KUBERNETES: dict[str, Case] = {
    "ks-kubernetes-01": case(
        WORKLOAD,
        [
            (f"{FIRST}.securityContext.privileged", True),
            (f"{FIRST}.securityContext.allowPrivilegeEscalation", ABSENT),
            (f"{FIRST}.securityContext.capabilities", ABSENT),
            (f"{FIRST}.securityContext.capabilities.add", ["NET_ADMIN"]),
            (f"{POD}.securityContext.seccompProfile", ABSENT),
        ],
        [f"{FIRST}.securityContext", POD],
    ),
    "ks-kubernetes-02": case(
        WORKLOAD,
        [
            (f"{POD}.securityContext.runAsNonRoot", ABSENT),
            (f"{FIRST}.securityContext.runAsUser", 0),
            (f"{FIRST}.securityContext.readOnlyRootFilesystem", False),
        ],
        [f"{FIRST}.securityContext.readOnlyRootFilesystem", POD],
    ),
    "ks-kubernetes-03": case(
        WORKLOAD,
        [
            (f"{POD}.hostPID", True),
            (f"{POD}.hostNetwork", True),
            (f"{POD}.volumes", [{"name": "x", "hostPath": {"path": "/"}}]),
            (f"{FIRST}.ports", [{"hostPort": 80}]),
        ],
        [f"{POD}.hostIPC", f"{POD}.volumes"],
    ),
    "ks-kubernetes-04": case(
        WORKLOAD,
        {f"{POD}.automountServiceAccountToken": True},
        f"{POD}.automountServiceAccountToken",
        good=[
            [MOUNTS, VAULT_ROLE],
            [
                MOUNTS,
                R(
                    f"{RBAC}ClusterRoleBinding",
                    {
                        "roleRef": {"name": "system:auth-delegator"},
                        "subjects": [{"name": "kestra"}],
                    },
                ),
            ],
        ],
        worse=[[MOUNTS, VAULT_ROLE.but("boundServiceAccountNames", ["other"])]],
    ),
    "ks-kubernetes-05": case(
        ROLE,
        [
            ("rules.0.verbs", ["*"]),
            ("rules.0.resources", ["*"]),
            ("rules.0.resourceNames", ABSENT),
            ("rules.0.verbs", ["get", "list"]),
        ],
        "rules",
        worse=[[R(f"{RBAC}ClusterRoleBinding", {"roleRef": {"name": "cluster-admin"}})]],
    ),
    "ks-kubernetes-06": case(
        DENY,
        {
            "spec.podSelector": {"matchLabels": {"a": "b"}},
            "spec.policyTypes": ["Ingress"],
            "spec.ingress": [{}],
            "metadata.namespace": "other",
        },
        ["spec.podSelector", "metadata.namespace"],
        around=[NAMESPACE, WORKLOAD],
        worse=[[NAMESPACE.but("metadata.labels", {}), WORKLOAD, DENY], [NAMESPACE, WORKLOAD]],
    ),
    "ks-kubernetes-07": case(
        WORKLOAD,
        [
            (f"{FIRST}.image", "kestra/kestra:latest"),
            (f"{FIRST}.image", "kestra/kestra"),
            (f"{FIRST}.image", "evil.example.com/kestra/kestra@sha256:" + "a" * 64),
            (f"{FIRST}.image", "evil.example.com/workflows@sha256:" + "a" * 64),
            (f"{POD}.initContainers", [{"name": "copy", "image": "kestra/kestra:v1.3.31"}]),
            (f"{POD}.initContainers", [{"name": "copy", "image": "busybox"}]),
            (f"{POD}.ephemeralContainers", [{"name": "debug", "image": "busybox:latest"}]),
        ],
        [f"{FIRST}.image", f"{POD}.containers"],
        good=[
            [WORKLOAD.but(f"{POD}.initContainers", [{"name": "copy", "image": "busybox:1.36"}])],
            [WORKLOAD.but(f"{POD}.containers", [*CONTAINERS, SIDECAR])],
        ],
    ),
    "ks-kubernetes-08": case(
        WORKLOAD,
        [
            (f"{FIRST}.resources", {}),
            (f"{FIRST}.resources.limits", ABSENT),
            (f"{FIRST}.readinessProbe", ABSENT),
            (f"{FIRST}.livenessProbe", ABSENT),
        ],
        [f"{FIRST}.resources", f"{FIRST}.livenessProbe"],
    ),
    "ks-kubernetes-09": case(
        BUDGET,
        {"spec.selector.matchLabels": {"app": "other"}, "metadata.namespace": "other"},
        "spec.selector",
        around=[WORKLOAD],
        good=[[WORKLOAD.but("spec.replicas", 1)], [UNSCALED, scaler(1)], [UNSCALED]],
        worse=[[WORKLOAD], [UNSCALED, scaler(2)]],
    ),
    "ks-kubernetes-10": case(
        WORKLOAD,
        {f"{FIRST}.env": IN_CLEAR},
        [f"{FIRST}.env"],
        good=[
            [CLUSTER_STORE],
            [
                WORKLOAD.but(
                    f"{FIRST}.env", [{"name": "A_TOKEN", "valueFrom": {"secretKeyRef": {}}}]
                )
            ],
            [WORKLOAD.but(f"{FIRST}.env", [{"name": "TOKEN_FILE", "value": "/run/token"}])],
        ],
        worse=[[CLUSTER_STORE.but("spec.conditions", ABSENT)]],
    ),
    "ks-kubernetes-11": case(WORKLOAD, {"metadata.namespace": "default"}, "metadata.namespace"),
    "ks-kubernetes-12": case(
        WORKLOAD.but(f"{POD}.volumes", VOLUMES),
        [
            (f"{POD}.volumes", [{"name": "x", "nfs": {"server": "a", "path": "/b"}}]),
            (f"{POD}.volumes", [{"name": "x", "secret": {"secretName": "a"}}]),
            (f"{POD}.volumes.0.secret.defaultMode", 0o644),
            (f"{POD}.volumes.1.projected.sources", [{"secret": {"name": "a"}}]),
            (
                f"{POD}.volumes.0.secret.items",
                [{"key": "a", "path": "a", "mode": 0o444}],
            ),
        ],
        [f"{POD}.volumes", f"{POD}.volumes.0.secret.defaultMode"],
        good=[
            [WORKLOAD],
            [
                WORKLOAD.but(
                    f"{POD}.volumes",
                    [
                        {
                            "name": "x",
                            "secret": {"items": [{"key": "a", "path": "a", "mode": 0o400}]},
                        }
                    ],
                )
            ],
        ],
    ),
}


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
    held = R("", settings()).but(path, value).props if path else settings()
    return R(
        "kubernetes:core/v1:ConfigMap",
        {
            "metadata": {"name": "c", "labels": TAGS},
            "data": {"application.yaml": yaml.safe_dump(held)},
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
}

VAULT_POLICY = R(
    "vault:index/policy:Policy",
    {"policy": 'path "kestra/data/*" {\n  capabilities = ["read"]\n}\n'},
)
ENGINE = R("vault:index/mount:Mount", {"type": "kv", "options": {"version": "2"}}, "engine")
AUDIT = R("vault:index/audit:Audit", {"type": "file"}, "audit")


def policy_text(path: str, capability: str = "read") -> str:
    return f'path "{path}" {{ capabilities = ["{capability}"] }}'


VAULT: dict[str, Case] = {
    "ks-vault-01": over(
        (f"{SECRET}.vault.token", {"token": CLEAR}),
        (f"{SECRET}.vault.token", {"token": "${TOKEN}"}),
        (f"{SECRET}.vault.app-role", {"secret-id": CLEAR}),
        (f"{SECRET}.vault.password", {"user": "u", "password": CLEAR}),
    ),
    "ks-vault-02": over((f"{SECRET}.vault.address", "http://vault.example.com:8200")),
    "ks-vault-03": case(
        VAULT_ROLE,
        {"boundServiceAccountNames": ["*"], "boundServiceAccountNamespaces": ["*"]},
        "boundServiceAccountNames",
        good=[[JWT_ROLE]],
        worse=[
            [JWT_ROLE.but("boundSubject", ABSENT)],
            [JWT_ROLE.but("boundAudiences", [])],
            [JWT_ROLE.but("boundClaimsType", "glob")],
        ],
    ),
    "ks-vault-04": case(
        VAULT_ROLE,
        {"tokenTtl": 86400, "tokenMaxTtl": 60, "tokenPeriod": 86400},
        ["tokenTtl", "tokenMaxTtl"],
        good=[
            [
                R(
                    "vault:appRole/authBackendRole:AuthBackendRole",
                    {"tokenTtl": 60, "secretIdTtl": 60},
                )
            ]
        ],
        worse=[
            [VAULT_ROLE.but("tokenTtl", ABSENT)],
            [R("vault:appRole/authBackendRole:AuthBackendRole", {"tokenTtl": 60})],
        ],
    ),
    "ks-vault-05": case(
        VAULT_POLICY,
        [
            ("policy", policy_text("*")),
            ("policy", policy_text("kestra/*", "sudo")),
            ("policy", policy_text("sys/mounts")),
        ],
        "policy",
        good=[[VAULT_POLICY.but("policy", policy_text("sys/*", "deny"))]],
    ),
    "ks-vault-06": case(
        ENGINE,
        {"options": {}},
        "options",
        worse=[[R("vault:kv/secretBackendV2:SecretBackendV2", {"deleteVersionAfter": 3600})]],
    ),
    "ks-vault-07": case(ENGINE, {}, "type", good=[[ENGINE, AUDIT]], worse=[[ENGINE]]),
    "ks-vault-08": case(
        VAULT_POLICY.but("policy", policy_text("shared/data/team/kestra/*")),
        [
            ("policy", policy_text("shared/data/*")),
            ("policy", policy_text("shared/metadata/+/kestra/*")),
            ("policy", policy_text("shared/metadata/", "list")),
            ("policy", policy_text("team/shared/data/kestra*")),
            ("policy", policy_text("+/data/team/*")),
            ("policy", policy_text("shared/*")),
            ("policy", policy_text("shared/da*")),
        ],
        "policy",
        good=[
            [VAULT_POLICY, ENGINE.but("path", "kestra")],
            [VAULT_POLICY.but("policy", policy_text("team/kv/*")), ENGINE.but("path", "team/kv/")],
            [VAULT_POLICY.but("policy", policy_text("shared/data/*", "deny"))],
            [VAULT_POLICY.but("policy", policy_text("shared/metadata/team/", "list"))],
            [VAULT_POLICY.but("policy", policy_text("auth/token/*"))],
        ],
        worse=[[VAULT_POLICY, ENGINE.but("path", "kestra-other")]],
    ),
}
VAULT["ks-vault-07"] = Case(
    [[ENGINE, AUDIT], [WORKLOAD]], [[ENGINE]], [[ENGINE.but("type", UNKNOWN)]]
)

SOON = {
    "control": "ks-kubernetes-01",
    "resource": "w",
    "reason": "r",
    "owner": "o",
    "expires": "2999-01-01",
}
CONVENTIONS: dict[str, Case] = {
    "ks-conventions-01": case(
        WORKLOAD,
        {
            "metadata.labels": {},
            "metadata.labels.environment": "prod",
            "metadata.labels.data_class": "top",
        },
        ["metadata.labels", "metadata.labels.environment"],
        good=[
            [
                R(
                    "aws:kms/key:Key",
                    {
                        "tags": {
                            "Owner": "o",
                            "Environment": "staging",
                            "DataClass": "x",
                            "data-class": "public",
                        }
                    },
                )
            ]
        ],
        worse=[[R("vault:kv/secretV2:SecretV2")], [R("gcp:secretmanager/secret:Secret")]],
    ),
}
CASES = KUBERNETES | KESTRA | VAULT | CONVENTIONS

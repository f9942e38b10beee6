"""Cases of the controls of Kubernetes."""

from __future__ import annotations

from typing import Any

from tests.policy.analyzer_support import ABSENT, R
from tests.policy.cases_support import Case, case

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


def _makes_pods(verbs: list[str]) -> list[R]:
    """Verbs on pods of another namespace for Kestra's account."""
    at = {"name": "tasks", "namespace": "tasks"}
    return [
        R(f"{RBAC}Role", {"metadata": at, "rules": [{"resources": ["pods"], "verbs": verbs}]}, "r"),
        R(
            f"{RBAC}RoleBinding",
            {
                "metadata": at,
                "roleRef": {"kind": "Role", "name": "tasks"},
                "subjects": [{"name": "kestra"}],
            },
            "b",
        ),
    ]


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
            [MOUNTS, *_makes_pods(["create"])],
        ],
        worse=[
            [MOUNTS, *_makes_pods(["get"])],
            [MOUNTS, VAULT_ROLE.but("boundServiceAccountNames", ["other"])],
        ],
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

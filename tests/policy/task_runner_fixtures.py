"""Cases of the controls of the task runner."""

from __future__ import annotations

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R
from tests.policy.cases_support import Case, case
from tests.policy.kubernetes_fixtures import RBAC, WORKLOAD

TASKS = "kestra-tasks"
AT = {"name": "runner", "namespace": TASKS}
ROLE = R(
    f"{RBAC}Role",
    {
        "metadata": AT,
        "rules": [
            {"resources": ["pods"], "verbs": ["create", "delete", "get", "list", "watch"]},
            {"resources": ["pods/log"], "verbs": ["get"]},
            {"resources": ["pods/exec"], "verbs": ["create", "get"]},
        ],
    },
    "role",
)
BINDING = R(
    f"{RBAC}RoleBinding",
    {
        "metadata": AT,
        "roleRef": {"kind": "Role", "name": "runner"},
        "subjects": [{"kind": "ServiceAccount", "name": "kestra", "namespace": "kestra"}],
    },
    "binding",
)
EVERYWHERE = R(
    f"{RBAC}ClusterRoleBinding",
    {
        "roleRef": {"kind": "ClusterRole", "name": "pods"},
        "subjects": [{"kind": "ServiceAccount", "name": "kestra", "namespace": "kestra"}],
    },
    "everywhere",
)
CLUSTER_ROLE = R(
    f"{RBAC}ClusterRole", {"metadata": {"name": "pods"}, "rules": ROLE.props["rules"]}, "cluster"
)
SPACE = R("kubernetes:core/v1:Namespace", {"metadata": {"name": TASKS}}, "space")
QUOTA = R(
    "kubernetes:core/v1:ResourceQuota",
    {"metadata": AT, "spec": {"hard": {"pods": "10", "limits.memory": "10Gi"}}},
    "quota",
)
LIMITS = R(
    "kubernetes:core/v1:LimitRange",
    {"metadata": AT, "spec": {"limits": [{"type": "Container", "default": {"memory": "1Gi"}}]}},
    "limits",
)
ACCOUNT = R(
    "kubernetes:core/v1:ServiceAccount",
    {"metadata": {"name": TASKS, "namespace": TASKS}, "automountServiceAccountToken": False},
    "account",
)
DEFAULT = R(
    "kubernetes:core/v1:ServiceAccountPatch",
    {"metadata": {"name": "default", "namespace": TASKS}, "automountServiceAccountToken": False},
    "default",
)
DENY = R(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    {"metadata": AT, "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}},
    "deny",
)
OPEN = R(
    "kubernetes:networking.k8s.io/v1:NetworkPolicy",
    {
        "metadata": AT,
        "spec": {
            "podSelector": {},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]}],
        },
    },
    "open",
)
PEERS = "spec.egress.0.to"
MAKES = [BINDING, ROLE, WORKLOAD]
CLUSTER_WIDE = [EVERYWHERE, CLUSTER_ROLE, WORKLOAD]

TASK_RUNNER: dict[str, Case] = {
    "ks-task-runner-01": case(
        BINDING,
        [
            ("roleRef", {"kind": "ClusterRole", "name": "edit"}),
            ("roleRef", {"kind": "ClusterRole", "name": "admin"}),
        ],
        ["subjects", "roleRef.name", "metadata.namespace"],
        around=[ROLE, WORKLOAD],
        good=[
            [WORKLOAD],
            [EVERYWHERE.but("subjects", [{"name": "somebody"}]), CLUSTER_ROLE, WORKLOAD],
            [EVERYWHERE.but("roleRef.name", "system:auth-delegator"), WORKLOAD],
        ],
        worse=[
            CLUSTER_WIDE,
            [
                BINDING.but("metadata.namespace", "kestra"),
                ROLE.but("metadata.namespace", "kestra"),
                WORKLOAD,
            ],
        ],
        uncertain=[[BINDING, ROLE.but("rules", UNKNOWN), WORKLOAD]],
    ),
    "ks-task-runner-02": case(
        ROLE,
        [
            ("rules.0.verbs", ["create", "patch"]),
            ("rules.0.resources", ["pods", "secrets"]),
            ("rules.1.resources", ["pods/attach"]),
            ("rules.0.verbs", ["*"]),
            ("rules.2.resources", ["serviceaccounts/token"]),
        ],
        ["rules", "rules.0.verbs", "rules.1.resources"],
        good=[
            [ROLE.but("rules.1.verbs", ["get", "watch"])],
            [ROLE.but("rules.0.verbs", ["get", "patch"])],
        ],
    ),
    "ks-task-runner-03": case(
        QUOTA,
        [
            ("spec.hard", {"pods": "1"}),
            ("spec.hard", {"limits.memory": "1Gi"}),
            ("metadata.namespace", "other"),
        ],
        ["spec.hard", "metadata.namespace"],
        around=[LIMITS, SPACE, *MAKES],
        good=[[SPACE], [SPACE, WORKLOAD]],
        worse=[
            [QUOTA, SPACE, *MAKES],
            [QUOTA, LIMITS.but("spec.limits.0.type", "Pod"), SPACE, *MAKES],
            [QUOTA, LIMITS.but("spec.limits.0.default", ABSENT), SPACE, *MAKES],
        ],
        uncertain=[[QUOTA, LIMITS.but("spec.limits", UNKNOWN), SPACE, *MAKES]],
    ),
    "ks-task-runner-04": case(
        ACCOUNT,
        [
            ("automountServiceAccountToken", True),
            ("automountServiceAccountToken", ABSENT),
        ],
        ["automountServiceAccountToken", "metadata.namespace"],
        around=[DEFAULT, SPACE, *MAKES],
        good=[[ACCOUNT.but("automountServiceAccountToken", True), SPACE]],
        worse=[
            [ACCOUNT, SPACE, *MAKES],
            [DEFAULT.but("automountServiceAccountToken", True), SPACE, *MAKES],
        ],
    ),
    "ks-task-runner-05": case(
        OPEN,
        [
            (f"{PEERS}", []),
            (f"{PEERS}.0.ipBlock.except", ABSENT),
            (f"{PEERS}.0.ipBlock.except", ["10.0.0.0/8"]),
            (f"{PEERS}.0.ipBlock", {"cidr": "169.254.169.254/32"}),
            (f"{PEERS}.0.ipBlock", {"cidr": "::/0"}),
        ],
        ["spec.egress", f"{PEERS}.0.ipBlock", "metadata.namespace"],
        around=[DENY, SPACE, *MAKES],
        good=[
            [OPEN.but(f"{PEERS}.0.ipBlock", {"cidr": "10.0.0.0/8"}), DENY, SPACE, *MAKES],
            [
                DENY.but(
                    "spec.podSelector",
                    {"matchExpressions": [{"key": "kestra.io/taskrun-id", "operator": "Exists"}]},
                ),
                *MAKES,
            ],
        ],
        worse=[
            [SPACE, *MAKES],
            [DENY.but("spec.policyTypes", ["Ingress"]), SPACE, *MAKES],
            [DENY.but("metadata.namespace", "other"), SPACE, *MAKES],
        ],
        uncertain=[[DENY.but("spec.policyTypes", UNKNOWN), SPACE, *MAKES]],
    ),
}

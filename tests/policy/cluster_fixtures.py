"""Cases of the controls of Kubernetes, Kestra, Vault and conventions."""

from __future__ import annotations

from tests.policy.analyzer_support import ABSENT, UNKNOWN, R
from tests.policy.cases_support import Case, case
from tests.policy.database_fixtures import DATABASE
from tests.policy.external_secrets_fixtures import EXTERNAL_SECRETS
from tests.policy.kestra_channel_fixtures import CHANNEL
from tests.policy.kestra_fixtures import CLEAR, KESTRA, SECRET, over
from tests.policy.kubernetes_fixtures import JWT_ROLE, KUBERNETES, VAULT_ROLE, WORKLOAD
from tests.policy.task_runner_fixtures import TASK_RUNNER

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

CASES = (
    DATABASE | KUBERNETES | TASK_RUNNER | KESTRA | CHANNEL | VAULT | EXTERNAL_SECRETS | CONVENTIONS
)

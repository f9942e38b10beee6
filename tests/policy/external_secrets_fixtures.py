"""Cases of the controls of External Secrets."""

from __future__ import annotations

from typing import Any

from tests.policy.analyzer_support import ABSENT, R
from tests.policy.cases_support import Case, case

GROUP = "kubernetes:external-secrets.io/v1:"
ACCOUNT = {"serviceAccountRef": {"name": "kestra-secrets"}}
PROVIDER = "spec.provider"


def store(kind: str = "SecretStore", **provider: Any) -> R:
    spec = {"provider": provider or {"vault": VAULT}}
    return R(f"{GROUP}{kind}", {"metadata": {"namespace": "kestra"}, "spec": spec}, "store")


VAULT = {
    "server": "https://vault.example.com:8200",
    "path": "kestra",
    "version": "v2",
    "auth": {"kubernetes": {"mountPath": "kubernetes", "role": "kestra-secrets", **ACCOUNT}},
}
AWS = {"service": "SecretsManager", "region": "eu-west-1", "auth": {"jwt": ACCOUNT}}
GOOGLE = {"projectID": "acme", "auth": {"workloadIdentity": ACCOUNT}}
AZURE = {"authType": "WorkloadIdentity", "vaultUrl": "https://acme.vault.azure.net", **ACCOUNT}
IN_A_SECRET = {"name": "credential", "key": "token"}
STORE = store()
CLUSTER_STORE = R(
    f"{GROUP}ClusterSecretStore",
    {"spec": {"provider": {"vault": VAULT}, "conditions": [{"namespaces": ["kestra"]}]}},
    "cluster-store",
)
REMOTE = {"key": "main/API_TOKEN", "property": "value", "version": "2"}
PINNED = R(
    f"{GROUP}ExternalSecret",
    {
        "metadata": {"namespace": "kestra"},
        "spec": {
            "refreshPolicy": "CreatedOnce",
            "refreshInterval": "1h",
            "target": {"creationPolicy": "Owner", "deletionPolicy": "Retain", "immutable": True},
            "data": [{"secretKey": "API_TOKEN", "remoteRef": REMOTE}],
        },
    },
    "declared",
)
FLOATING = PINNED.but("spec.refreshPolicy", "Periodic").but("spec.refreshInterval", "5m")

EXTERNAL_SECRETS: dict[str, Case] = {
    "ks-external-secrets-01": case(
        STORE,
        [
            (f"{PROVIDER}.vault.auth", {"tokenSecretRef": IN_A_SECRET}),
            (f"{PROVIDER}.vault.auth", {"appRole": {"secretRef": IN_A_SECRET, "roleId": "r"}}),
            (f"{PROVIDER}.vault.auth.kubernetes", {"mountPath": "kubernetes", "role": "kestra"}),
            (f"{PROVIDER}.vault.auth", ABSENT),
        ],
        [f"{PROVIDER}.vault.auth", PROVIDER],
        good=[
            [store(aws=AWS)],
            [store(gcpsm=GOOGLE)],
            [store(azurekv=AZURE)],
            [store(fake={"data": []})],
            [CLUSTER_STORE],
        ],
        worse=[
            [store(aws=AWS | {"auth": {"secretRef": {"accessKeyIDSecretRef": IN_A_SECRET}}})],
            [store(aws={"service": "SecretsManager", "region": "eu-west-1"})],
            [
                store(
                    gcpsm=GOOGLE
                    | {"auth": {"secretRef": {"secretAccessKeySecretRef": IN_A_SECRET}}}
                )
            ],
            [store(azurekv=AZURE | {"authType": "ServicePrincipal"})],
            [store(azurekv=AZURE | {"authType": "ManagedIdentity"})],
            [
                store(
                    azurekv={
                        "authType": "WorkloadIdentity",
                        "vaultUrl": "https://a.vault.azure.net",
                    }
                )
            ],
        ],
    ),
    "ks-external-secrets-02": case(
        CLUSTER_STORE,
        [
            ("spec.conditions", ABSENT),
            ("spec.conditions", []),
            ("spec.conditions", [{}]),
            ("spec.conditions", [{"namespaceRegexes": [".*"]}]),
        ],
        "spec.conditions",
        good=[
            [STORE],
            [CLUSTER_STORE.but("spec.conditions", [{"namespaceRegexes": ["kestra-.*"]}])],
            [R(f"{GROUP}ClusterExternalSecret", {"spec": {"namespaces": ["kestra"]}})],
        ],
        worse=[[R(f"{GROUP}ClusterExternalSecret", {"spec": {}})]],
    ),
    "ks-external-secrets-03": case(
        PINNED,
        {
            "spec.target.deletionPolicy": "Delete",
            "spec.target.creationPolicy": "Orphan",
        },
        ["spec.target.deletionPolicy", "spec.target"],
        good=[[PINNED.but("spec.target.deletionPolicy", ABSENT)]],
        worse=[[PINNED.but("spec.target.deletionPolicy", "Merge")]],
    ),
    "ks-external-secrets-04": case(
        PINNED,
        {
            "spec.data": [{"secretKey": "A", "remoteRef": {"key": "a"}}],
            "spec.dataFrom": [{"extract": {"key": "a"}}],
        },
        ["spec.refreshPolicy", "spec.data"],
        good=[[FLOATING], [FLOATING.but("spec.refreshInterval", ABSENT)]],
        worse=[
            [FLOATING.but("spec.refreshInterval", "0")],
            [FLOATING.but("spec.refreshInterval", "0s")],
            [FLOATING.but("spec.refreshInterval", "720h0m0s")],
        ],
    ),
    "ks-external-secrets-05": case(
        STORE,
        {f"{PROVIDER}.vault.server": "http://vault.example.com:8200"},
        f"{PROVIDER}.vault.server",
        good=[[STORE.but(f"{PROVIDER}.vault.server", "http://127.0.0.1:8200")], [store(aws=AWS)]],
    ),
    "ks-external-secrets-06": case(
        FLOATING,
        {"spec.dataFrom": [{"find": {"path": "main", "name": {"regexp": ".*"}}}]},
        "spec.dataFrom",
        good=[[FLOATING.but("spec.dataFrom", [{"extract": {"key": "a"}}])]],
    ),
}

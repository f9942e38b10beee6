"""What the servers hold of one stack: each thing once, by name, without what differs from run to run."""

from __future__ import annotations

import base64
import functools
import json
import re
from typing import Any

from sandbox.services import AwsServer, ControlPlane, Vault
from sandbox.services.single import session

_KINDS = {
    "Service": "api/v1/namespaces/{}/services",
    "ServiceAccount": "api/v1/namespaces/{}/serviceaccounts",
    "ConfigMap": "api/v1/namespaces/{}/configmaps",
    "Secret": "api/v1/namespaces/{}/secrets",
    "Deployment": "apis/apps/v1/namespaces/{}/deployments",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Ingress": "apis/networking.k8s.io/v1/namespaces/{}/ingresses",
    "PodDisruptionBudget": "apis/policy/v1/namespaces/{}/poddisruptionbudgets",
}
_CLUSTER = {
    "Namespace": "api/v1/namespaces",
    "ClusterRoleBinding": "apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
}
#: What Kubernetes puts into every namespace.
_OWN = {("ServiceAccount", "default"), ("ConfigMap", "kube-root-ca.crt")}
#: What the API server chooses.
_CHOSEN = ("clusterIP", "clusterIPs", "healthCheckNodePort")
REGIONS = ("eu-west-1", "eu-central-1")


def neutral(found: Any, stack: str) -> Any:
    """The same without the stack's name, and without hashes, ids and ports."""
    text = json.dumps(found, sort_keys=True).replace(stack, "<stack>")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", text)
    text = re.sub(r"(kestra-(?:configuration|secret))-[0-9a-f]{8}\b", r"\1-<random>", text)
    text = re.sub(r"\b[0-9a-f]{16,}\b", "<hash>", text)
    return json.loads(
        re.sub(r"(?<=secret:<stack>)(/[^\"]*)-[A-Za-z0-9]{6}\b", r"\1-<random>", text)
    )


def differences(found: Any, expected: Any, at: str = "") -> list[str]:
    """The places at which two inventories differ, and how."""
    if found == expected:
        return []
    if isinstance(found, dict) and isinstance(expected, dict):
        keys = sorted(found.keys() | expected.keys())
        return [
            line
            for key in keys
            for line in differences(found.get(key), expected.get(key), f"{at} / {key}")
        ]
    if isinstance(found, list) and isinstance(expected, list) and len(found) == len(expected):
        pairs = enumerate(zip(found, expected, strict=True))
        return [line for n, pair in pairs for line in differences(*pair, f"{at} / {n}")]
    return [f"{at}: {found!r:.300} and not {expected!r:.300}"]


def kubernetes(plane: ControlPlane, stack: str) -> dict[str, Any]:
    """The stack's objects: what was asked for of each; of a Secret the names of its values."""
    session, found = plane.session(), {}
    for kind, path in (_KINDS | _CLUSTER).items():
        answer = session.get(f"{plane.url}/{path.format(stack)}", timeout=30)
        answer.raise_for_status()
        for item in answer.json()["items"]:
            name = item["metadata"]["name"]
            if (kind, name) in _OWN or (kind in _CLUSTER and stack not in name):
                continue
            asked = {k: v for k, v in item.get("spec", {}).items() if k not in _CHOSEN}
            for port in asked.get("ports") or []:
                port.pop("nodePort", None)
            data = item.get("data") or {}
            if kind == "Secret":
                data = sorted(data)
            found[f"{kind} {name}"] = {
                "labels": item["metadata"].get("labels"),
                "spec": asked,
                "data": data,
                "refers": [item.get("roleRef"), item.get("subjects")],
            }
    return found


def secret(plane: ControlPlane, stack: str) -> dict[str, str]:
    """The values of the stack's one Secret."""
    url = f"{plane.url}/{_KINDS['Secret'].format(stack)}"
    (item,) = plane.session().get(url, timeout=30).json()["items"]
    return {key: base64.b64decode(value).decode() for key, value in item["data"].items()}


class InVault:
    """What Vault holds of a stack."""

    def __init__(self, vault: Vault, stack: str) -> None:
        self._vault, self._stack = vault, stack
        self.values: dict[str, dict[str, str]] = {}
        """Path to the newest value of each secret."""

    def _get(self, path: str, method: str = "GET") -> Any:
        token = {"X-Vault-Token": self._vault.root_token}
        answer = session().request(
            method, f"{self._vault.address}/v1/{path}", headers=token, timeout=30
        )
        if answer.status_code == 404:
            return {}
        answer.raise_for_status()
        return answer.json()["data"] if answer.content else {}

    def inventory(self) -> dict[str, Any]:
        """Engines, log-ins, audit devices, policies, roles, secrets with the number of their versions."""
        found: dict[str, Any] = {}
        for kind in ("mounts", "auth", "audit"):
            for path, about in self._get(f"sys/{kind}").items():
                if self._stack in path:
                    told = {k: about.get(k) for k in ("type", "description", "options")}
                    found[f"{kind} {path}"] = told
        for name in self._get("sys/policies/acl", "LIST")["keys"]:
            if self._stack in name:
                found[f"policy {name}"] = self._get(f"sys/policies/acl/{name}")["policy"]
        for name in self._get(f"auth/{self._stack}/role", "LIST").get("keys", []):
            found[f"role {name}"] = self._get(f"auth/{self._stack}/role/{name}")
        config = self._get(f"auth/{self._stack}/config")
        found["log-in's configuration"] = {k: v for k, v in config.items() if "cert" not in k}
        for engine in (self._stack, f"{self._stack}-stack"):
            found |= self._secrets(engine, "")
        return found

    def _secrets(self, engine: str, below: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key in self._get(f"{engine}/metadata/{below}", "LIST").get("keys", []):
            path = f"{below}{key}"
            if key.endswith("/"):
                found |= self._secrets(engine, path)
                continue
            about = self._get(f"{engine}/metadata/{path}")
            self.values[f"{engine}/{path}"] = self._get(f"{engine}/data/{path}")["data"]
            told = {"versions": sorted(about["versions"]), "tags": about["custom_metadata"]}
            found[f"secret {engine}/{path}"] = told
        return found

    def forget(self) -> None:
        """Takes the stack's audit device away: every device slows all requests."""
        for path in self._get("sys/audit"):
            if self._stack in path:
                self._get(f"sys/audit/{path.strip('/')}", "DELETE")


@functools.cache
def _client(server: AwsServer, service: str, region: str) -> Any:
    """A client, which costs more than its requests."""
    return server.client(service, region)


class InAws:
    """What the AWS server holds of a stack."""

    def __init__(self, server: AwsServer, stack: str) -> None:
        self._server, self._stack = server, stack
        self.values: dict[str, str] = {}
        """Name to the newest value of each secret."""

    def _client(self, service: str, region: str = REGIONS[0]) -> Any:
        return _client(self._server, service, region)

    def inventory(self) -> dict[str, Any]:
        """Keys, aliases, secrets with the number of their versions, roles and their policies; each counted."""
        found: dict[str, Any] = {}
        for region in REGIONS:
            found |= self._keys(region) | self._secrets(region)
        iam = self._client("iam")
        for role in iam.list_roles(MaxItems=1000)["Roles"]:
            if self._stack in role["RoleName"]:
                policies = iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]
                found[f"role {role['RoleName']}"] = policies
        return found

    def _keys(self, region: str) -> dict[str, Any]:
        kms = self._client("kms", region)
        found: dict[str, Any] = {f"keys in {region}": []}
        for page in kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                about = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                if self._stack in about["Description"]:
                    rotated = kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
                    found[f"keys in {region}"].append([about["KeyState"], rotated])
        for page in kms.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if self._stack in alias["AliasName"]:
                    key = kms.describe_key(KeyId=alias["TargetKeyId"])["KeyMetadata"]
                    found[f"{alias['AliasName']} in {region}"] = key["Description"]
        return found

    def _secrets(self, region: str) -> dict[str, Any]:
        client, found = self._client("secretsmanager", region), {}
        listed = client.get_paginator("list_secrets").paginate(IncludePlannedDeletion=True)
        for one in (one for page in listed for one in page["SecretList"]):
            if self._stack not in one["Name"]:
                continue
            about = client.describe_secret(SecretId=one["ARN"])
            told = found[f"secret {one['Name']} in {region}"] = {
                "deleted": "DeletedDate" in about,
                "tags": sorted((t["Key"], t["Value"]) for t in about.get("Tags", [])),
            }
            if region != REGIONS[0] or told["deleted"]:
                continue  # a replica is asked nothing more, and what waits for its deletion neither
            id_ = {"SecretId": one["ARN"]}
            told["versions"] = len(client.list_secret_version_ids(**id_)["Versions"])
            told["rotated"] = about.get("RotationEnabled", False)
            told["policy"] = bool(client.get_resource_policy(**id_).get("ResourcePolicy"))
            self.values[one["Name"]] = client.get_secret_value(**id_)["SecretString"]
        return found

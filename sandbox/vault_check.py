"""Logs in to the real Vault exactly as the rendered `kestra.secret.vault` says, and tries what the role may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
import yaml

from components.backends.vault.permissions import DEFAULT_TENANT, WHOLE_ENGINE, scope
from components.rendering.leaves import resolve
from components.settings import Settings
from sandbox.errors import SandboxError
from sandbox.services import ControlPlane


class Client:
    """Vault with Kestra's token."""

    def __init__(self, address: str, token: str = "") -> None:
        self._address, self._token = address, token
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One request."""
        headers = {"X-Vault-Token": self._token} if self._token else {}
        return self._session.request(
            method, f"{self._address}/v1/{path}", json=body, headers=headers, timeout=30
        )


def service_account_token(
    plane: ControlPlane, namespace: str, account: str, audience: str | None
) -> str:
    """A token as kubelet would mount it into the pod."""
    body = {"spec": {"audiences": [audience] if audience else [], "expirationSeconds": 3600}}
    answer = plane.session().post(
        f"{plane.url}/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token",
        json={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", **body},
        timeout=30,
    )
    if not answer.ok:
        raise SandboxError(f"The Kubernetes API says: {answer.json().get('message')}")
    return answer.json()["status"]["token"]


def log_in(block: Mapping[str, Any], jwt: str | None = None) -> Client | None:
    """A client with the token that the rendered block leads to; None when Vault refuses.

    Args:
        block: `kestra.secret.vault` with its placeholders resolved. Secret.
        jwt: the service account's token, for Kubernetes auth.
    """
    anonymous = Client(block["address"])
    if "token" in block:
        client = Client(block["address"], block["token"]["token"])
        # The role's tokens may not look themselves up; this answers whoever may use the engine at all.
        engine = block.get("root-engine", "secret")
        return client if client.call("GET", f"sys/internal/ui/mounts/{engine}").ok else None
    if "kubernetes" in block:
        method = block["kubernetes"]
        answer = anonymous.call(
            "POST", f"auth/{method['path']}/login", {"role": method["role"], "jwt": jwt}
        )
    elif "app-role" in block:
        method = block["app-role"]
        body = {"role_id": method["role-id"], "secret_id": method["secret-id"]}
        answer = anonymous.call("POST", f"auth/{method['path']}/login", body)
    else:
        method = block["password"]
        answer = anonymous.call(
            "POST", f"auth/userpass/login/{method['user']}", {"password": method["password"]}
        )
    return Client(block["address"], answer.json()["auth"]["client_token"]) if answer.ok else None


def check_vault(
    application_yaml: str,
    environment: Mapping[str, str],
    expected: Mapping[str, Mapping[str, str]],
    plane: ControlPlane,
    settings: Settings,
    namespace: str,
) -> dict[str, Any]:
    """What Kestra can reach: each declared secret with its value, and nothing beside the mode."""
    document = yaml.safe_load(application_yaml)
    block = resolve(document["kestra"]["secret"]["vault"], environment)
    assert isinstance(block, dict)
    block["address"] = plane.reached_from_here(block["address"])
    jwt = None
    if "kubernetes" in block:
        account = settings.identity.service_account.name
        jwt = service_account_token(plane, namespace, account, settings.identity.vault.audience)
    client = log_in(block, jwt)
    method = next(m for m in ("kubernetes", "app-role", "token", "password") if m in block)
    checks = [{"what": f"Kestra's log-in with {method} is accepted", "ok": client is not None}]
    if client is None:
        return {"id": "vault", "checks": checks}
    engine = block.get("root-engine", "secret")
    for path, fields in expected.items():
        answer = client.call("GET", f"{engine}/data/{path}")
        ok = answer.ok and answer.json()["data"]["data"] == fields
        checks.append({"what": f"{engine}/{path} holds the declared value", "ok": ok})
    for parent in sorted({path.rpartition("/")[0] for path in expected}):
        ok = client.call("LIST", f"{engine}/metadata/{parent}").ok
        checks.append({"what": f"the names in {engine}/{parent} can be listed", "ok": ok})
    within = scope(settings)
    folder = (within.folders or ("",))[0] or DEFAULT_TENANT
    probe = f"{engine}/data/{folder}/sandbox/probe"
    writes = client.call("POST", probe, {"data": {"value": "probe"}}).status_code
    read_only = settings.is_read_only
    checks.append(
        {
            "what": f"writing is {'refused' if read_only else 'allowed'}",
            "ok": (writes == 403) if read_only else writes in (200, 204),
        }
    )
    if writes != 403:
        deleted = client.call("DELETE", probe.replace("/data/", "/metadata/", 1)).status_code
        checks.append({"what": "what was written can be deleted", "ok": deleted == 204})
    refused = {
        "the copy of the encryption key is out of reach": f"{engine}-stack/data/encryption",
        "Vault's own configuration is out of reach": "sys/mounts",
    }
    if within != WHOLE_ENGINE:
        refused["what others keep in the engine is out of reach"] = f"{engine}/data/sandbox-other/x"
    for what, path in refused.items():
        checks.append({"what": what, "ok": client.call("GET", path).status_code == 403})
    return {"id": "vault", "checks": checks}

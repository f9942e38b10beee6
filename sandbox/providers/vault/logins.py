"""AppRole, Kubernetes auth, and tokens."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from sandbox.providers.runtime.errors import ProviderError, finish_create
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import ZERO, go_json, normalize_json
from sandbox.providers.runtime.values import Properties
from sandbox.providers.vault.api import Api, VaultError
from sandbox.providers.vault.resource import VaultResource, body, view

_TOKEN = (
    "tokenBoundCidrs", "tokenExplicitMaxTtl", "tokenMaxTtl", "tokenNoDefaultPolicy", "tokenNumUses",
    "tokenPeriod", "tokenPolicies", "tokenTtl", "tokenType", "aliasMetadata",
)  # fmt: skip
_TOKEN_SETS = frozenset({"tokenBoundCidrs", "tokenPolicies"})


class _Role(VaultResource):
    names: tuple[str, ...] = ()

    def path(self, p: Properties) -> str:
        return f"auth/{p['backend'].strip('/')}/role/{p['roleName'].strip('/')}"

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        api.request("POST", self.path(p), body(p, self.names, olds))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        current = api.request("GET", id_)
        return None if current is None else view(current["data"], self.names, p)

    def parse(self, id_: str) -> Properties:
        parts = re.fullmatch(r"auth/(.+)/role/(.+)", id_)
        if parts is None:
            raise ProviderError(f'invalid path "{id_}": no role found')
        return {"backend": parts[1], "roleName": parts[2]}


class AppRole(_Role):
    """A role of AppRole."""

    names = (
        "bindSecretId",
        "localSecretIds",
        "secretIdBoundCidrs",
        "secretIdNumUses",
        "secretIdTtl",
        *_TOKEN,
    )
    computed = frozenset({"roleId"})
    defaults: ClassVar[Properties] = {
        "backend": "approle",
        "bindSecretId": True,
        "tokenType": "default",
    }
    sets = _TOKEN_SETS | {"secretIdBoundCidrs"}

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        super().write(api, p, olds)
        if p.get("roleId") and p["roleId"] != olds.get("roleId"):
            api.request("POST", f"{self.path(p)}/role-id", {"role_id": p["roleId"]})

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        out = super().read(api, id_, p)
        if out is None:
            return None
        role = api.request("GET", f"{id_}/role-id")
        return out | {"roleId": role["data"]["role_id"] if role else None}


class AppRoleSecretId(VaultResource):
    """A secret id; every change makes another.

    The provider reads its limits back from Vault. Limits that only the role sets are then a difference, and
    the secret id is replaced by every update.
    """

    computed = frozenset({"secretId"})
    defaults: ClassVar[Properties] = {"backend": "approle"}
    sets = frozenset({"cidrLists", "tokenBoundCidrs"})
    documents = frozenset({"metadata"})

    def path(self, p: Properties) -> str:
        return f"auth/{p['backend'].strip('/')}/role/{p['roleName'].strip('/')}/secret-id"

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        if p.get("wrappingTtl"):
            raise ProviderError("this stand-in wraps no secret ids; install the official plugin")
        sent = body(p, ("numUses", "ttl", "secretId"))
        sent["metadata"] = normalize_json(p["metadata"]) if p.get("metadata") else ""
        for name, key in (("cidrLists", "cidr_list"), ("tokenBoundCidrs", "token_bound_cidrs")):
            if p.get(name):
                sent[key] = ",".join(p[name])
        path = self.path(p)
        if p.get("secretId"):
            path = path.removesuffix("secret-id") + "custom-secret-id"
        created = api.request("POST", path, sent)
        assert created is not None
        accessor, secret = created["data"]["secret_id_accessor"], created["data"]["secret_id"]
        backend, role = p["backend"].strip("/"), p["roleName"].strip("/")
        id_ = f"backend={backend}::role={role}::accessor={accessor}"
        known = p | {"accessor": accessor, "secretId": secret, "wrappingAccessor": ""}
        return id_, finish_create(id_, known, lambda: self.read(api, id_, known) or known)

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        sent = {"secret_id_accessor": p["accessor"]}
        try:
            current = api.request("POST", f"{self.path(p)}-accessor/lookup", sent)
        except VaultError as error:
            gone = ("failed to find accessor entry", "does not exist")
            if error.status == 404 or any(words in error.words for words in gone):
                return None
            raise
        if not current:
            return None
        data = current["data"]
        return p | {
            "ttl": data["secret_id_ttl"],
            "numUses": data["secret_id_num_uses"],
            "cidrLists": data.get("cidr_list") or [],
            "metadata": go_json(data.get("metadata") or {}),
        }

    def same(self, name: str, before: Any, after: Any) -> bool:
        if name == "metadata" and {before, after} <= {"{}", "", None}:
            return True
        return super().same(name, before, after)

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        sent = {"secret_id_accessor": p["accessor"]}
        try:
            api.request("POST", f"{self.path(p)}-accessor/destroy", sent)
        except VaultError as error:
            # As the official provider: one that has ended is an error until a refresh has seen it.
            raise ProviderError(
                f'error deleting AppRole auth backend role SecretID "{id_}": {error}'
            ) from None


class KubernetesConfig(VaultResource):
    """The configuration of Kubernetes auth."""

    names = (
        "kubernetesHost",
        "kubernetesCaCert",
        "disableLocalCaJwt",
        "issuer",
        "pemKeys",
    )
    #: Sent even when nobody sets them, so that Vault's own defaults never hold.
    forced = ("disableIssValidation", "useAnnotationsAsAliasMetadata")
    computed = frozenset({*forced, "disableLocalCaJwt", "kubernetesCaCert"})
    defaults: ClassVar[Properties] = {"backend": "kubernetes"}

    def path(self, p: Properties) -> str:
        return f"auth/{p['backend'].strip('/')}/config"

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        sent = body(p, self.names, olds)
        sent |= body(dict.fromkeys(self.forced, False) | p, self.forced)
        reviewer = p.get("tokenReviewerJwt") or p.get("tokenReviewerJwtWo")
        if reviewer:
            sent["token_reviewer_jwt"] = reviewer
        api.request("POST", self.path(p), sent)

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        current = api.request("GET", id_)
        if current is None:
            return None
        out = view(current["data"], self.names, p)
        out.pop("tokenReviewerJwtWo", None)
        filled = ("disableIssValidation", "useAnnotationsAsAliasMetadata", "disableLocalCaJwt")
        keys = (
            "disable_iss_validation",
            "use_annotations_as_alias_metadata",
            "disable_local_ca_jwt",
        )
        out |= {n: current["data"].get(k, False) for n, k in zip(filled, keys, strict=True)}
        return out | {"kubernetesCaCert": current["data"].get("kubernetes_ca_cert", "")}

    def dropped(self, name: str, after: Properties) -> bool:
        # A certificate that nobody asks for any more is taken out, unless only it is to be trusted.
        if name == "kubernetesCaCert" and not after.get("disableLocalCaJwt"):
            return True
        return super().dropped(name, after)

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        """Vault has no deletion of it; it goes with the auth method."""

    def parse(self, id_: str) -> Properties:
        parts = re.fullmatch(r"auth/(.+)/config", id_)
        if parts is None:
            raise ProviderError(f'invalid path "{id_}": no backend found')
        return {"backend": parts[1]}


class KubernetesRole(_Role):
    """A role of Kubernetes auth."""

    names = (
        "boundServiceAccountNames",
        "boundServiceAccountNamespaces",
        "boundServiceAccountNamespaceSelector",
        "audience",
        "aliasNameSource",
        *_TOKEN,
    )
    computed = frozenset({"aliasNameSource"})
    defaults: ClassVar[Properties] = {
        "backend": "kubernetes",
        "audience": "",
        "tokenType": "default",
    }
    sets = _TOKEN_SETS | {"boundServiceAccountNames", "boundServiceAccountNamespaces"}

    def check(self, p: Properties) -> Failures:
        names = ("boundServiceAccountNamespaces", "boundServiceAccountNamespaceSelector")
        if all(p.get(name) in ZERO for name in names):
            return [
                (
                    names[0],
                    "at least one of 'bound_service_account_namespaces' or "
                    "'bound_service_account_namespace_selector' must be provided",
                )
            ]
        return []


class Token(VaultResource):
    """A token."""

    computed = frozenset({"noParent", "renewable", "numUses"})
    defaults: ClassVar[Properties] = {"displayName": "token"}
    sets = frozenset({"policies"})

    def id(self, p: Properties) -> str:
        return p["accessor"]

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        if p.get("wrappingTtl"):
            raise ProviderError("this stand-in wraps no tokens; install the official plugin")
        sent = body(p, ("displayName", "explicitMaxTtl", "noDefaultPolicy", "noParent", "numUses", "period",
                        "policies", "renewable", "ttl"))  # fmt: skip
        if p.get("metadata"):
            sent["meta"] = p["metadata"]
        path = f"auth/token/create/{p['roleName']}" if p.get("roleName") else "auth/token/create"
        created = api.request("POST", path, sent)
        assert created is not None
        auth = created["auth"]
        known = p | {
            "clientToken": auth["client_token"],
            "wrappedToken": "",
            "wrappingAccessor": "",
        }
        return auth["accessor"], self.read(api, auth["accessor"], known) or known

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        """Only how it is renewed can change, and that is the provider's own business."""
        return dict(olds) | p

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        try:
            current = api.request("POST", "auth/token/lookup-accessor", {"accessor": id_})
        except VaultError:
            # A token that ended is gone; the next update makes another.
            return None
        if not current:
            return None
        data = current["data"]
        if not isinstance(data["expire_time"], str):
            raise ProviderError("error expire_time is <nil>")
        issued, ends = _time(data["issue_time"]), _time(data["expire_time"])
        out = p | {
            "policies": [name for name in data["policies"] if name != "default"],
            "noParent": data["orphan"],
            "renewable": data["renewable"],
            "displayName": data["display_name"].removeprefix("token-"),
            "numUses": data["num_uses"],
            "metadata": data.get("meta") or {},
            "leaseStarted": issued.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "leaseDuration": int((ends - issued).total_seconds()),
        }
        left = (ends - datetime.now(UTC)).total_seconds()
        least = int(p.get("renewMinLease") or 0)
        if data["renewable"] and least and left <= least:
            return self._renewed(api, out)
        return out

    def _renewed(self, api: Api, p: Properties) -> Properties | None:
        increment = int(p.get("renewIncrement") or p["leaseDuration"])
        sent = {"token": p["clientToken"], "increment": f"{increment}s"}
        try:
            answer = api.request("POST", "auth/token/renew", sent)
        except VaultError:
            return None
        assert answer is not None
        return p | {
            "leaseDuration": answer["auth"]["lease_duration"],
            "leaseStarted": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        try:
            api.request("POST", "auth/token/revoke-accessor", {"accessor": id_})
        except VaultError as error:
            # As the official provider: one that has ended is an error until a refresh has seen it.
            raise ProviderError(f'error deleting token "{id_}": {error}') from None


def _time(text: str) -> datetime:
    """Vault's time, which has nine digits after the point."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text).replace("Z", "+00:00"))

"""Secrets engines, auth methods and audit devices."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from sandbox.providers.runtime.errors import ProviderError
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import ZERO
from sandbox.providers.runtime.values import Properties
from sandbox.providers.vault.api import Api
from sandbox.providers.vault.resource import VaultResource, body, view

_TUNED = (
    "auditNonHmacRequestKeys",
    "auditNonHmacResponseKeys",
    "listingVisibility",
    "passthroughRequestHeaders",
    "allowedResponseHeaders",
    "allowedManagedKeys",
    "delegatedAuthAccessors",
    "pluginVersion",
)
_LEASES = {
    "default_lease_ttl": "defaultLeaseTtlSeconds",
    "max_lease_ttl": "maxLeaseTtlSeconds",
}


class Mount(VaultResource):
    """A secrets engine."""

    computed = frozenset(
        {
            "auditNonHmacRequestKeys",
            "auditNonHmacResponseKeys",
            "defaultLeaseTtlSeconds",
            "maxLeaseTtlSeconds",
            "forceNoCache",
            "sealWrap",
        }
    )
    defaults: ClassVar[Properties] = {"externalEntropyAccess": False}
    sets = frozenset({"allowedManagedKeys"})

    def path(self, p: Properties) -> str:
        return f"sys/mounts/{p['path'].strip('/')}"

    def id(self, p: Properties) -> str:
        return p["path"]

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        sent = body(
            p, ("type", "description", "options", "local", "sealWrap", "externalEntropyAccess")
        )
        sent["config"] = body(p, (*_TUNED, "forceNoCache")) | _leases(p)
        api.request("POST", self.path(p), sent)

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        if p["path"] != olds["path"]:
            api.remount(olds["path"], p["path"])
        sent = _leases(p) | {"options": p.get("options") or {}} | body(p, _TUNED, olds)
        if p.get("description") != olds.get("description"):
            sent["description"] = p.get("description") or ""
        api.request("POST", f"{self.path(p)}/tune", sent)
        return self.read(api, self.id(p), p) or p

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        mounts = api.request("GET", "sys/mounts") or {}
        current = mounts.get("data", mounts).get(f"{p['path'].strip('/')}/")
        if current is None:
            return None
        current, config = dict(current), current["config"]
        if p.get("type") == "kv-v2" and current["type"] == "kv":
            # An alias, which Vault resolves; the provider does not take that for a change.
            current["type"] = "kv-v2"
            if "version" not in (p.get("options") or {}):
                current["options"] = {
                    k: v for k, v in (current["options"] or {}).items() if k != "version"
                }
        out = view(current, ("type", "description", "options", "local"), p)
        out = view(config, _TUNED[2:], out)
        return out | {
            "accessor": current["accessor"],
            "sealWrap": current.get("seal_wrap", False),
            "externalEntropyAccess": current.get("external_entropy_access", False),
            "forceNoCache": config.get("force_no_cache", False),
            "auditNonHmacRequestKeys": config.get("audit_non_hmac_request_keys") or [],
            "auditNonHmacResponseKeys": config.get("audit_non_hmac_response_keys") or [],
            "defaultLeaseTtlSeconds": config["default_lease_ttl"],
            "maxLeaseTtlSeconds": config["max_lease_ttl"],
        }

    def parse(self, id_: str) -> Properties:
        return {"path": id_}


class AuthBackend(VaultResource):
    """An auth method."""

    computed = frozenset({"path", "tune"})

    def path(self, p: Properties) -> str:
        return f"sys/auth/{self.id(p)}"

    def id(self, p: Properties) -> str:
        return p.get("path") or p["type"]

    def check(self, p: Properties) -> Failures:
        path = p.get("path")
        if isinstance(path, str) and path != path.strip("/"):
            return [
                (
                    "path",
                    f'invalid value {json.dumps(path)} for "path", contains leading/trailing "/"',
                )
            ]
        return []

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        api.request("POST", self.path(p), body(p, ("type", "description", "local")))

    def describe(self, api: Api, p: Properties) -> None:
        if p.get("tune"):
            self._tune(api, p, {})

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        before = olds.get("path") or id_
        if before != self.id(p):
            api.remount(f"auth/{before}", f"auth/{self.id(p)}")
        sent: Properties = {}
        if p.get("description") != olds.get("description"):
            sent["description"] = p.get("description") or ""
        if sent or p.get("tune") != olds.get("tune"):
            self._tune(api, p, sent)
        return self.read(api, self.id(p), p) or p

    def _tune(self, api: Api, p: Properties, sent: Properties) -> None:
        tune = p.get("tune") or {}
        api.request("POST", f"{self.path(p)}/tune", sent | body(tune, tuple(tune)))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        methods = api.request("GET", "sys/auth") or {}
        path = p.get("path") or id_
        current = methods.get("data", methods).get(f"{path.strip('/')}/")
        if current is None:
            return None
        return view(current, ("type", "description", "local"), p) | {
            "path": path,
            "accessor": current["accessor"],
        }

    def parse(self, id_: str) -> Properties:
        return {"path": id_}


class Audit(VaultResource):
    """An audit device."""

    computed = frozenset({"path"})

    def path(self, p: Properties) -> str:
        return f"sys/audit/{self.id(p)}"

    def id(self, p: Properties) -> str:
        return p.get("path") or p["type"]

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        api.request("PUT", self.path(p), body(p, ("type", "description", "local", "options")))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        devices = api.request("GET", "sys/audit") or {}
        current = devices.get("data", devices).get(f"{id_.strip('/')}/")
        if current is None:
            return None
        return view(current, ("type", "description", "options"), p) | {"path": id_}

    def parse(self, id_: str) -> Properties:
        return {"path": id_}


class Policy(VaultResource):
    """An ACL policy. One that was removed is not gone for the provider, but empty: it is written again."""

    defaults: ClassVar[Properties] = {"allowOverwrite": True}

    def path(self, p: Properties) -> str:
        return f"sys/policies/acl/{p['name']}"

    def id(self, p: Properties) -> str:
        return p["name"]

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        if not p.get("allowOverwrite", True) and self._text(api, p["name"]):
            raise ProviderError(
                f'policy "{p["name"]}" already exists; use import to manage it or set '
                "allowOverwrite = true"
            )
        return super().create(api, p)

    def write(self, api: Api, p: Properties, olds: Properties) -> None:
        api.request("PUT", self.path(p), {"policy": p["policy"]})

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        return p | {"name": id_, "policy": self._text(api, id_)}

    def _text(self, api: Api, name: str) -> str:
        current = api.request("GET", f"sys/policies/acl/{name}")
        return "" if current is None else current["data"]["policy"]

    def parse(self, id_: str) -> Properties:
        return {"name": id_}


def _leases(p: Properties) -> dict[str, Any]:
    return {k: f"{p[v]}s" for k, v in _LEASES.items() if p.get(v) not in ZERO}

"""The resource types: where each lives in Vault's API, and how it is written and read there."""

from __future__ import annotations

import json
import re
from typing import Any

from sandbox.plugins.server import ProviderError
from sandbox.plugins.values import plain
from sandbox.plugins.vault.api import Api

Properties = dict[str, Any]


def snake(name: str) -> str:
    """`tokenTtl` as `token_ttl`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class Resource:
    """A type. `write` is used for create and update; `read` gives the server's view of the properties."""

    #: Inputs that the server fills in without that being a difference.
    computed: frozenset[str] = frozenset()

    def path(self, p: Properties) -> str:
        raise NotImplementedError

    def id(self, p: Properties) -> str:
        return self.path(p)

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        self.write(api, p)
        found = self.read(api, self.id(p), p)
        if found is None:
            raise ProviderError(f"{self.path(p)} is not there after it was written")
        return self.id(p), found

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        self.write(api, p)
        return self.read(api, id_, p) or p

    def write(self, api: Api, p: Properties) -> None:
        raise NotImplementedError

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        raise NotImplementedError

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        api.request("DELETE", self.path(p), namespace=p.get("namespace"))


def _body(p: Properties, names: tuple[str, ...]) -> Properties:
    return {snake(n): p[n] for n in names if p.get(n) is not None}


def _view(data: Properties, names: tuple[str, ...], p: Properties) -> Properties:
    """What the server says of the inputs; a zero that nobody set is left out, as the official bridge does."""
    out = dict(p)
    for name in names:
        value = data.get(snake(name))
        if value in (None, "", 0, False, [], {}) and p.get(name) in (None, "", 0, False, [], {}):
            continue
        out[name] = value
    return out


_TOKEN = (
    "tokenBoundCidrs", "tokenExplicitMaxTtl", "tokenMaxTtl", "tokenNoDefaultPolicy", "tokenNumUses",
    "tokenPeriod", "tokenPolicies", "tokenTtl", "tokenType",
)  # fmt: skip


class Mount(Resource):
    """A secrets engine."""

    computed = frozenset(
        {
            "accessor",
            "auditNonHmacRequestKeys",
            "auditNonHmacResponseKeys",
            "defaultLeaseTtlSeconds",
            "maxLeaseTtlSeconds",
            "sealWrap",
            "listingVisibility",
        }
    )

    def path(self, p: Properties) -> str:
        return f"sys/mounts/{p['path'].strip('/')}"

    def id(self, p: Properties) -> str:
        return p["path"].strip("/")

    def write(self, api: Api, p: Properties) -> None:
        lease = {
            "default_lease_ttl": "defaultLeaseTtlSeconds",
            "max_lease_ttl": "maxLeaseTtlSeconds",
        }
        body = _body(
            p, ("type", "description", "options", "local", "sealWrap", "externalEntropyAccess")
        )
        body["config"] = {k: f"{p[v]}s" for k, v in lease.items() if p.get(v) is not None}
        body["config"] |= _body(
            p,
            (
                "auditNonHmacRequestKeys",
                "auditNonHmacResponseKeys",
                "listingVisibility",
                "forceNoCache",
                "passthroughRequestHeaders",
                "allowedResponseHeaders",
            ),
        )
        api.request("POST", self.path(p), body, namespace=p.get("namespace"))

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        if id_ != self.id(p):
            body = {"from": id_, "to": self.id(p)}
            api.request("POST", "sys/remount", body, namespace=p.get("namespace"))
        body = {"description": p.get("description", ""), "options": p.get("options") or {}}
        for name, key in (
            ("defaultLeaseTtlSeconds", "default_lease_ttl"),
            ("maxLeaseTtlSeconds", "max_lease_ttl"),
        ):
            if p.get(name) is not None:
                body[key] = f"{p[name]}s"
        api.request("POST", f"{self.path(p)}/tune", body, namespace=p.get("namespace"))
        return self.read(api, self.id(p), p) or p

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        mounts = api.request("GET", "sys/mounts", namespace=p.get("namespace")) or {}
        found = mounts.get("data", mounts).get(f"{id_}/")
        if found is None:
            return None
        out = _view(found, ("type", "description", "options", "local"), p) | {"path": id_}
        return out | {
            "accessor": found["accessor"],
            "sealWrap": found.get("seal_wrap", False),
            "defaultLeaseTtlSeconds": found["config"]["default_lease_ttl"],
            "maxLeaseTtlSeconds": found["config"]["max_lease_ttl"],
        }


class AuthBackend(Resource):
    """An auth method."""

    computed = frozenset({"accessor", "path", "tune"})

    def path(self, p: Properties) -> str:
        return f"sys/auth/{(p.get('path') or p['type']).strip('/')}"

    def id(self, p: Properties) -> str:
        return (p.get("path") or p["type"]).strip("/")

    def write(self, api: Api, p: Properties) -> None:
        api.request(
            "POST",
            self.path(p),
            _body(p, ("type", "description", "local")),
            namespace=p.get("namespace"),
        )

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        if id_ != self.id(p):
            body = {"from": f"auth/{id_}", "to": f"auth/{self.id(p)}"}
            api.request("POST", "sys/remount", body, namespace=p.get("namespace"))
        body = {"description": p.get("description", "")}
        api.request("POST", f"{self.path(p)}/tune", body, namespace=p.get("namespace"))
        return self.read(api, self.id(p), p) or p

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        methods = api.request("GET", "sys/auth", namespace=p.get("namespace")) or {}
        found = methods.get("data", methods).get(f"{id_}/")
        if found is None:
            return None
        return _view(found, ("type", "description", "local"), p) | {
            "path": id_,
            "accessor": found["accessor"],
        }


class Policy(Resource):
    """An ACL policy."""

    computed = frozenset({"name"})

    def path(self, p: Properties) -> str:
        return f"sys/policies/acl/{p['name']}"

    def id(self, p: Properties) -> str:
        return p["name"]

    def write(self, api: Api, p: Properties) -> None:
        api.request("PUT", self.path(p), {"policy": p["policy"]}, namespace=p.get("namespace"))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        found = api.request("GET", f"sys/policies/acl/{id_}", namespace=p.get("namespace"))
        return None if found is None else p | {"name": id_, "policy": found["data"]["policy"]}


class SecretV2(Resource):
    """A secret of a KV version 2 engine."""

    computed = frozenset({"name", "data", "metadata", "path", "customMetadata"})

    def path(self, p: Properties) -> str:
        return f"{p['mount'].strip('/')}/data/{p['name'].strip('/')}"

    def write(self, api: Api, p: Properties) -> None:
        body: Properties = {"data": json.loads(p["dataJson"]) if p.get("dataJson") else {}}
        options = dict(p.get("options") or {})
        if p.get("cas") is not None:
            options["cas"] = p["cas"]
        if options:
            body["options"] = options
        api.request("POST", self.path(p), body, namespace=p.get("namespace"))
        self._describe(api, p)

    def update(self, api: Api, id_: str, p: Properties, olds: Properties) -> Properties:
        # A new version only where the value changed.
        if p.get("dataJson") != olds.get("dataJson"):
            self.write(api, p)
        else:
            self._describe(api, p)
        return self.read(api, id_, p) or p

    def _describe(self, api: Api, p: Properties) -> None:
        wanted = p.get("customMetadata")
        if wanted is None:
            return
        body = _body(wanted, ("casRequired", "deleteVersionAfter", "maxVersions"))
        body["custom_metadata"] = wanted.get("data") or {}
        path = self.path(p).replace("/data/", "/metadata/", 1)
        api.request("POST", path, body, namespace=p.get("namespace"))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        found = api.request("GET", id_, namespace=p.get("namespace"))
        if found is None or found["data"]["data"] is None:
            return None
        data, metadata = found["data"]["data"], found["data"]["metadata"]
        mount, _, name = id_.partition("/data/")
        out = dict(p) | {"mount": p.get("mount", mount), "name": name, "path": id_}
        before = p.get("dataJson")
        if before is None or json.loads(before) != data:
            out["dataJson"] = json.dumps(data, separators=(",", ":"), sort_keys=True)
        out["data"] = {k: v if isinstance(v, str) else json.dumps(v) for k, v in data.items()}
        out["metadata"] = {
            k: v if isinstance(v, str) else json.dumps(v)
            for k, v in metadata.items()
            if v is not None
        }
        if p.get("customMetadata") is not None:
            out["customMetadata"] = p["customMetadata"] | {
                "data": metadata.get("custom_metadata") or {}
            }
        return out

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        path = id_.replace("/data/", "/metadata/", 1) if p.get("deleteAllVersions") else id_
        api.request("DELETE", path, namespace=p.get("namespace"))


class AppRole(Resource):
    """A role of AppRole."""

    names = (
        "bindSecretId",
        "localSecretIds",
        "secretIdBoundCidrs",
        "secretIdNumUses",
        "secretIdTtl",
        *_TOKEN,
    )
    computed = frozenset({"roleId", "bindSecretId", "tokenType"})

    def path(self, p: Properties) -> str:
        return f"auth/{(p.get('backend') or 'approle').strip('/')}/role/{p['roleName']}"

    def write(self, api: Api, p: Properties) -> None:
        api.request("POST", self.path(p), _body(p, self.names), namespace=p.get("namespace"))
        if p.get("roleId"):
            body = {"role_id": p["roleId"]}
            api.request("POST", f"{self.path(p)}/role-id", body, namespace=p.get("namespace"))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        found = api.request("GET", id_, namespace=p.get("namespace"))
        if found is None:
            return None
        role = api.request("GET", f"{id_}/role-id", namespace=p.get("namespace")) or {
            "data": {"role_id": None}
        }
        return _view(found["data"], self.names, p) | {"roleId": role["data"]["role_id"]}


class AppRoleSecretId(Resource):
    """A secret id; every change makes another."""

    computed = frozenset({"secretId", "accessor"})

    def path(self, p: Properties) -> str:
        return f"auth/{(p.get('backend') or 'approle').strip('/')}/role/{p['roleName']}/secret-id"

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        body = _body(p, ("cidrLists", "numUses", "ttl", "tokenBoundCidrs", "secretId"))
        if p.get("metadata"):
            body["metadata"] = p["metadata"]
        path = f"auth/{(p.get('backend') or 'approle').strip('/')}/role/{p['roleName']}/"
        path += "custom-secret-id" if p.get("secretId") else "secret-id"
        made = api.request("POST", path, body, namespace=p.get("namespace"))
        assert made is not None
        accessor, secret = made["data"]["secret_id_accessor"], made["data"]["secret_id"]
        id_ = f"backend={p.get('backend') or 'approle'}::role={p['roleName']}::accessor={accessor}"
        found = self.read(api, id_, p | {"accessor": accessor, "secretId": secret})
        return id_, found or p

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        body = {"secret_id_accessor": p["accessor"]}
        try:
            found = api.request(
                "POST", f"{self.path(p)}-accessor/lookup", body, namespace=p.get("namespace")
            )
        except ProviderError as error:
            if "Code: 404" in str(error) or "failed to find accessor" in str(error):
                return None
            raise
        if not found:
            return None
        out = dict(p)
        data = found["data"]
        # The official provider reads the server's values back: limits that came from the role show up as
        # differences, and the secret id is replaced at every update unless both say the same.
        for name, key in (("numUses", "secret_id_num_uses"), ("ttl", "secret_id_ttl")):
            if data.get(key) or p.get(name):
                out[name] = data.get(key)
        if p.get("cidrLists") or data.get("cidr_list"):
            out["cidrLists"] = data.get("cidr_list")
        return out

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        body = {"secret_id_accessor": p["accessor"]}
        try:
            api.request(
                "POST", f"{self.path(p)}-accessor/destroy", body, namespace=p.get("namespace")
            )
        except ProviderError as error:
            if "404" not in str(error) and "failed to find accessor" not in str(error):
                raise


class KubernetesConfig(Resource):
    """The configuration of Kubernetes auth."""

    names = (
        "kubernetesHost",
        "kubernetesCaCert",
        "disableLocalCaJwt",
        "disableIssValidation",
        "issuer",
        "pemKeys",
        "useAnnotationsAsAliasMetadata",
    )
    computed = frozenset({"disableIssValidation", "disableLocalCaJwt", "kubernetesCaCert"})

    def path(self, p: Properties) -> str:
        return f"auth/{(p.get('backend') or 'kubernetes').strip('/')}/config"

    def write(self, api: Api, p: Properties) -> None:
        body = _body(p, (*self.names, "tokenReviewerJwt"))
        api.request("POST", self.path(p), body, namespace=p.get("namespace"))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        found = api.request("GET", id_, namespace=p.get("namespace"))
        return None if found is None else _view(found["data"], self.names, p)

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        """Vault has no deletion of it; it goes with the auth method."""


class KubernetesRole(Resource):
    """A role of Kubernetes auth."""

    names = (
        "boundServiceAccountNames",
        "boundServiceAccountNamespaces",
        "audience",
        "aliasNameSource",
        *_TOKEN,
    )
    computed = frozenset({"aliasNameSource", "tokenType"})

    def path(self, p: Properties) -> str:
        return f"auth/{(p.get('backend') or 'kubernetes').strip('/')}/role/{p['roleName']}"

    def write(self, api: Api, p: Properties) -> None:
        api.request("POST", self.path(p), _body(p, self.names), namespace=p.get("namespace"))

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        found = api.request("GET", id_, namespace=p.get("namespace"))
        return None if found is None else _view(found["data"], self.names, p)


class Endpoint(Resource):
    """Any path that takes a document."""

    def path(self, p: Properties) -> str:
        return p["path"]

    def write(self, api: Api, p: Properties) -> None:
        answer = api.request(
            "POST", p["path"], json.loads(p["dataJson"]), namespace=p.get("namespace")
        )
        fields = p.get("writeFields") or []
        data = (answer or {}).get("data") or {}
        chosen = {f: data[f] for f in fields if f in data}
        p["writeDataJson"] = json.dumps(chosen) if fields else None
        p["writeData"] = {k: str(v) for k, v in chosen.items()} if fields else None

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        if p.get("disableRead"):
            return p
        found = api.request("GET", id_, namespace=p.get("namespace"))
        if found is None:
            return None
        wanted, data = json.loads(p["dataJson"]), found.get("data") or {}
        if p.get("ignoreAbsentFields"):
            data = {k: data[k] for k in wanted if k in data} | {
                k: v for k, v in wanted.items() if k not in data
            }
        return p if data == wanted else p | {"dataJson": json.dumps(data, sort_keys=True)}

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        if not p.get("disableDelete"):
            super().delete(api, id_, p)


class Token(Resource):
    """A token."""

    computed = frozenset(
        {"leaseDuration", "leaseStarted", "clientToken", "policies", "ttl", "period"}
    )

    def id(self, p: Properties) -> str:
        return p["accessor"]

    def create(self, api: Api, p: Properties) -> tuple[str, Properties]:
        body = _body(p, ("displayName", "explicitMaxTtl", "noDefaultPolicy", "noParent", "numUses", "period",
                         "policies", "renewable", "ttl"))  # fmt: skip
        if p.get("metadata"):
            body["meta"] = p["metadata"]
        path = f"auth/token/create/{p['roleName']}" if p.get("roleName") else "auth/token/create"
        made = api.request("POST", path, body, namespace=p.get("namespace"))
        assert made is not None
        auth = made["auth"]
        out = p | {"clientToken": auth["client_token"], "leaseDuration": auth["lease_duration"]}
        return auth["accessor"], out | {"leaseStarted": ""}

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        try:
            found = api.request(
                "POST",
                "auth/token/lookup-accessor",
                {"accessor": id_},
                namespace=p.get("namespace"),
            )
        except ProviderError as error:
            # A token that ended is gone; the next update makes another.
            if "invalid accessor" in str(error) or "Code: 403" in str(error):
                return None
            raise
        return p if found else None

    def delete(self, api: Api, id_: str, p: Properties) -> None:
        try:
            api.request(
                "POST",
                "auth/token/revoke-accessor",
                {"accessor": id_},
                namespace=p.get("namespace"),
            )
        except ProviderError as error:
            if "invalid accessor" not in str(error):
                raise


class Audit(Resource):
    """An audit device."""

    computed = frozenset({"path"})

    def path(self, p: Properties) -> str:
        return f"sys/audit/{(p.get('path') or p['type']).strip('/')}"

    def id(self, p: Properties) -> str:
        return (p.get("path") or p["type"]).strip("/")

    def write(self, api: Api, p: Properties) -> None:
        api.request(
            "PUT",
            self.path(p),
            _body(p, ("type", "description", "local", "options")),
            namespace=p.get("namespace"),
        )

    def read(self, api: Api, id_: str, p: Properties) -> Properties | None:
        devices = api.request("GET", "sys/audit", namespace=p.get("namespace")) or {}
        found = devices.get("data", devices).get(f"{id_}/")
        return (
            None
            if found is None
            else _view(found, ("type", "description", "local"), p) | {"path": id_}
        )


RESOURCES: dict[str, Resource] = {
    "vault:index/mount:Mount": Mount(),
    "vault:index/authBackend:AuthBackend": AuthBackend(),
    "vault:index/policy:Policy": Policy(),
    "vault:index/audit:Audit": Audit(),
    "vault:index/token:Token": Token(),
    "vault:kv/secretV2:SecretV2": SecretV2(),
    "vault:appRole/authBackendRole:AuthBackendRole": AppRole(),
    "vault:appRole/authBackendRoleSecretId:AuthBackendRoleSecretId": AppRoleSecretId(),
    "vault:kubernetes/authBackendConfig:AuthBackendConfig": KubernetesConfig(),
    "vault:kubernetes/authBackendRole:AuthBackendRole": KubernetesRole(),
    "vault:generic/endpoint:Endpoint": Endpoint(),
}

__all__ = ["RESOURCES", "Properties", "Resource", "plain"]

"""Secrets and their versions, on a Secret Manager API server.

What the server lacks (annotations, topics, rotation, expiry, aliases, delayed destruction, tags) is kept beside
it. It names a project by its id where Google answers with its number.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sandbox.providers.gcp.api import GoogleError
from sandbox.providers.gcp.labels import label_failures, labels_seen, labels_sent
from sandbox.providers.gcp.projects import service_agent
from sandbox.providers.gcp.resource import Google, GoogleResource, ids, number
from sandbox.providers.runtime.errors import ProviderError, finish_create
from sandbox.providers.runtime.provider import Failures
from sandbox.providers.runtime.terraform_values import ZERO
from sandbox.providers.runtime.values import Properties

_BESIDE = (
    "annotations",
    "topics",
    "rotation",
    "ttl",
    "versionAliases",
    "versionDestroyTtl",
    "tags",
)
_LARGEST = 64 * 1024


class GoogleSecret(GoogleResource):
    """A secret without its values."""

    noun = "Secret"
    computed = frozenset({"project", "expireTime"})
    defaults: ClassVar[Properties] = {"deletionPolicy": "DELETE", "deletionProtection": False}
    named = "secretId"
    labelled = True

    def check(self, p: Properties) -> Failures:
        failures = []
        replication = p.get("replication")
        if isinstance(replication, dict):
            chosen = [k for k in ("auto", "userManaged") if replication.get(k) is not None]
            if len(chosen) != 1:
                phrase = "only one of" if chosen else "one of"
                words = "can" if chosen else "must"
                failures.append(
                    (
                        "replication.auto",
                        f'Invalid combination of arguments. "replication.0.auto": {phrase} '
                        f"`replication.0.auto,replication.0.user_managed` {words} be specified",
                    )
                )
            elif chosen == ["userManaged"] and replication["userManaged"].get("replicas") == []:
                failures.append(
                    (
                        "replication.userManaged.replicas",
                        "Not enough list items. Attribute requires 1 item minimum, but config has only "
                        "0 declared",
                    )
                )
        if p.get("ttl") and p.get("expireTime"):
            failures.append(
                (
                    "ttl",
                    'Conflicting configuration arguments. "ttl": conflicts with expire_time',
                )
            )
        if p.get("rotation") and not p.get("topics"):
            failures.append(
                (
                    "rotation",
                    'Missing required argument. "rotation": all of `rotation,topics` must be specified',
                )
            )
        return failures

    def id(self, g: Google, p: Properties) -> str:
        return f"projects/{g.of(p)}/secrets/{p['secretId']}"

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        id_ = self.id(g, p)
        try:
            self._refuse(g, id_, p)
            body = {"replication": _sent(p["replication"]), "labels": labels_sent(g, p, {})}
            path, _, name = id_.rpartition("/")
            g.secrets.request("POST", path, body, {"secretId": name})
        except GoogleError as error:
            raise ProviderError(f"Error creating Secret: {error}") from None
        self._keep(g, id_, p)
        return id_, finish_create(id_, p, lambda: self.read(g, id_, p))

    def read(self, g: Google, id_: str, p: Properties) -> Properties | None:
        current = g.secrets.find(id_)
        if current is None:
            g.store.remove(id_)
            return None
        extras = g.store.get(id_) or {}
        out = {k: v for k, v in p.items() if k not in _BESIDE}
        out |= {k: v for k, v in extras.items() if v not in ZERO}
        if "annotations" in out:
            out["effectiveAnnotations"] = out["annotations"]
            out["annotations"] = {
                k: v for k, v in out["annotations"].items() if k in (p.get("annotations") or {})
            }
        else:
            out["effectiveAnnotations"] = {}
        if out.get("ttl"):
            out["expireTime"] = _later(current["createTime"], out["ttl"])
        return (
            out
            | {
                "project": id_.split("/")[1],
                "secretId": id_.rsplit("/", 1)[-1],
                "name": current["name"],
                "createTime": current["createTime"],
                "replication": _seen(extras.get("replication") or current["replication"]),
            }
            | labels_seen(g, p, current.get("labels") or {})
        )

    def update(self, g: Google, id_: str, p: Properties, olds: Properties) -> Properties:
        try:
            self._refuse(g, id_, p)
            body = {"labels": labels_sent(g, p, olds)}
            g.secrets.request("PATCH", id_, body, {"updateMask": "labels"})
        except GoogleError as error:
            raise ProviderError(f'Error updating Secret "{id_}": {error}') from None
        self._keep(g, id_, p)
        current = self.read(g, id_, p)
        assert current is not None
        return current

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        if p.get("deletionProtection"):
            raise ProviderError(
                "cannot destroy secret without setting deletion_protection=false and running "
                "`pulumi up`"
            )
        try:
            g.secrets.request("DELETE", id_)
        except GoogleError as error:
            if error.status != 404:
                raise
        g.store.remove(id_)

    def parse(self, g: Google, id_: str) -> Properties:
        if "/" not in id_:
            return {"secretId": id_}
        parts = ids("(?:projects/)?{project}/(?:secrets/)?{secret_id}", id_)
        return {"project": parts["project"], "secretId": parts["secret_id"]}

    def _keep(self, g: Google, id_: str, p: Properties) -> None:
        extras = {k: p[k] for k in (*_BESIDE, "expireTime") if p.get(k) not in ZERO}
        if p.get("ttl"):
            extras.pop("expireTime", None)
        if _keys(p["replication"]):
            # The server does not change the key of a secret that is there.
            extras["replication"] = _sent(p["replication"])
        g.store.put(id_, extras)

    def _refuse(self, g: Google, id_: str, p: Properties) -> None:
        """What Google refuses and the server takes.

        Raises:
            GoogleError: with what Google says, where that is known.
        """
        name = id_.rsplit("/", 1)[-1]
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", name):
            raise GoogleError(
                400,
                f"The provided Secret ID [{name}] does not match the expected format [[a-zA-Z_0-9]+]",
            )
        for words in label_failures(p.get("labels") or {}):
            raise GoogleError(400, words)
        for alias, version in (p.get("versionAliases") or {}).items():
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,62}", alias) or alias in (
                "latest",
                "NEW",
            ):
                raise GoogleError(400, f"{alias!r} is not a valid version alias.")
            if g.secrets.find(f"{id_}/versions/{version}") is None:
                raise GoogleError(
                    400,
                    f"The version alias {alias!r} names version {version}, which does not exist.",
                )
        for location, key in _keys(p["replication"]):
            self._refuse_key(g, location, key, g.of(p))

    def _refuse_key(self, g: Google, location: str, key: str, project: str) -> None:
        parts = re.fullmatch(
            r"projects/[^/]+/locations/([^/]+)/keyRings/[^/]+/cryptoKeys/[^/]+", key
        )
        if parts is None:
            raise GoogleError(400, f"{key!r} is not the name of a Cloud KMS key.")
        if parts[1] != location:
            raise GoogleError(
                400,
                f"The Cloud KMS key of a replica in {location} is in {parts[1]}; both must agree.",
            )
        with g.store.open() as objects:
            agent = (
                f"serviceAccount:{service_agent('secretmanager.googleapis.com', number(project))}"
            )
            role = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
            if key in objects and f"{key}/{role}/{agent}" not in objects:
                raise GoogleError(
                    403,
                    f"Permission denied: {agent.removeprefix('serviceAccount:')} may not use the key {key}; "
                    f"give it {role} on the key first.",
                )


class GoogleSecretVersion(GoogleResource):
    """A value of a secret."""

    noun = "SecretVersion"
    defaults: ClassVar[Properties] = {
        "deletionPolicy": "DELETE",
        "enabled": True,
        "isSecretDataBase64": False,
    }
    links = frozenset({"secret"})

    def check(self, p: Properties) -> Failures:
        chosen = [n for n in ("secretData", "secretDataWo") if p.get(n) is not None]
        if len(chosen) == 1:
            return []
        return [
            (
                "secretData",
                'Invalid combination of arguments. "secret_data": one of '
                "`secret_data,secret_data_wo` must be specified",
            )
        ]

    def create(self, g: Google, p: Properties) -> tuple[str, Properties]:
        value = p.get("secretData") or p.get("secretDataWo") or ""
        data = base64.b64encode(value.encode()).decode()
        try:
            if p.get("isSecretDataBase64"):
                data = value
            size = len(base64.b64decode(data, validate=True))
        except binascii.Error:
            raise ProviderError(
                "Error creating SecretVersion: the secret data is not base64, as is_secret_data_base64 says"
            ) from None
        try:
            if size > _LARGEST:
                raise GoogleError(
                    400, f"The payload is {size} bytes; it must be at most {_LARGEST} bytes."
                )
            if not size:
                raise GoogleError(400, "Field [payload] is required.")
            created = g.secrets.request(
                "POST", f"{p['secret']}:addVersion", {"payload": {"data": data}}
            )
        except GoogleError as error:
            raise ProviderError(f"Error creating SecretVersion: {error}") from None
        id_ = created["name"]

        def rest() -> Properties | None:
            if p.get("enabled") is False:
                g.secrets.request("POST", f"{id_}:disable")
            return self.read(g, id_, p)

        return id_, finish_create(id_, p | {"name": id_}, rest)

    def read(self, g: Google, id_: str, p: Properties) -> Properties | None:
        current = g.secrets.find(id_)
        if current is None or current["state"] == "DESTROYED":
            return None
        out = {k: v for k, v in p.items() if k != "secretDataWo"} | {
            "enabled": current["state"] == "ENABLED",
            "name": current["name"],
            "version": id_.rsplit("/", 1)[-1],
            "createTime": current["createTime"],
            "destroyTime": "",
            "project": id_.split("/")[1],
        }
        written_only = p.get("secretDataWo") is not None or p.get("secretDataWoVersion")
        if out["enabled"] and not written_only:
            data = g.secrets.request("GET", f"{id_}:access")["payload"]["data"]
            plain = data if p.get("isSecretDataBase64") else base64.b64decode(data).decode()
            out["secretData"] = plain
        return out

    def update(self, g: Google, id_: str, p: Properties, olds: Properties) -> Properties:
        if p.get("enabled") != olds.get("enabled"):
            g.secrets.request("POST", f"{id_}:{'enable' if p.get('enabled') else 'disable'}")
        current = self.read(g, id_, p)
        if current is None:
            raise ProviderError(f'Error updating SecretVersion "{id_}": it is gone')
        return current

    def delete(self, g: Google, id_: str, p: Properties) -> None:
        action = "disable" if p.get("deletionPolicy") == "DISABLE" else "destroy"
        try:
            g.secrets.request("POST", f"{id_}:{action}")
        except GoogleError as error:
            if error.status != 404:
                raise

    def parse(self, g: Google, id_: str) -> Properties:
        if not re.fullmatch("projects/.+/secrets/.+/versions/.+", id_):
            raise ProviderError(
                "Version name does not fit the format "
                "`projects/{{project}}/secrets/{{secret}}/versions/{{version}}`"
            )
        return {"secret": id_.partition("/versions/")[0], "deletionPolicy": "DELETE"}

    def id(self, g: Google, p: Properties) -> str:
        return p["name"]


def _keys(replication: Properties) -> list[tuple[str, str]]:
    """Location and key of each encryption with a key of the program's own."""
    replicas: list[Any] = [
        {"location": "global", **(replication.get("auto") or {})},
        *((replication.get("userManaged") or {}).get("replicas") or []),
    ]
    return [
        (r["location"], r["customerManagedEncryption"]["kmsKeyName"])
        for r in replicas
        if r.get("customerManagedEncryption")
    ]


def _sent(replication: Properties) -> Properties:
    if replication.get("userManaged") is not None:
        return {"userManaged": replication["userManaged"]}
    return {"automatic": replication.get("auto") or {}}


def _seen(replication: Properties) -> Properties:
    if "userManaged" in replication:
        return {"userManaged": replication["userManaged"]}
    return {"auto": replication.get("automatic") or {}}


def _later(begin: str, ttl: str) -> str:
    seconds = float(ttl.removesuffix("s"))
    end = datetime.fromisoformat(begin.replace("Z", "+00:00")) + timedelta(seconds=seconds)
    return end.isoformat().replace("+00:00", "Z")

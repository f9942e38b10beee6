"""What lies outside the engine, backend by backend: looked at, and changed, behind the engine's back."""

from __future__ import annotations

import base64
import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from botocore.exceptions import ClientError

from sandbox.providers.runtime.file_backed_objects import FileBackedObjects
from sandbox.services import AwsServer, GoogleCloud, Vault
from sandbox.services.gcp import PROJECT

SUBSCRIPTION, TENANT = (
    "11111111-2222-3333-4444-555555555555",
    "66666666-7777-8888-9999-000000000000",
)
REGION = "eu-west-1"


class Outside:
    """Where the secrets of a stack lie. Ids are those of the store's `secret_ids`.

    This one is the outside of a backend that has nothing there.
    """

    environment: Mapping[str, str] = {}
    """By what the provider's plugin finds it."""
    files: tuple[Path, ...] = ()
    """Files and folders that a server or a stand-in writes."""
    tells_values = True
    """Whether a value can be had back."""

    def value(self, id_: str) -> str | None:
        """The current value; None when the secret is gone, or its value is never told."""
        return None

    def tags(self, id_: str) -> dict[str, str] | None:
        """The tags, as this backend writes them; None when the secret is gone."""
        return None

    def untag(self, id_: str, tag: str) -> None:
        """Takes a tag away, as somebody else would."""
        raise NotImplementedError

    def rewrite(self, id_: str, value: str) -> None:
        """Writes another value, as somebody else would."""
        raise NotImplementedError

    def left(self) -> set[str]:
        """All that is there of the stack, in the words of the table."""
        return set()


class SecretsManager(Outside):
    """Secrets in AWS Secrets Manager, on the local API server."""

    service, noun = "secretsmanager", "secret"

    def __init__(self, server: AwsServer, namespace: str) -> None:
        self._server, self._namespace = server, namespace
        self.environment, self.files = server.environment, (server.directory,)
        self._api = server.client(self.service, REGION)

    def value(self, id_: str) -> str | None:
        if self.tags(id_) is None:
            return None
        found = self._api.list_secret_version_ids(SecretId=id_)["Versions"]
        # moto leaves the stage on an older version too, once it has been moved; AWS has it on one.
        *_, current = (v["VersionId"] for v in found if "AWSCURRENT" in v["VersionStages"])
        return self._api.get_secret_value(SecretId=id_, VersionId=current)["SecretString"]

    def tags(self, id_: str) -> dict[str, str] | None:
        found = self._api.describe_secret(SecretId=id_)
        return None if "DeletedDate" in found else _pairs(found["Tags"])

    def untag(self, id_: str, tag: str) -> None:
        self._api.untag_resource(SecretId=id_, TagKeys=[tag])

    def rewrite(self, id_: str, value: str) -> None:
        self._api.put_secret_value(SecretId=id_, SecretString=value)

    def _names(self) -> set[str]:
        return {s["Name"] for s in self._api.list_secrets()["SecretList"]}

    def left(self) -> set[str]:
        kms, iam = self._server.client("kms", REGION), self._server.client("iam")
        mine = f"Secrets of Kestra in {self._namespace}"
        keys = [kms.describe_key(KeyId=k["KeyId"]) for k in kms.list_keys()["Keys"]]
        enabled = [k for k in (k["KeyMetadata"] for k in keys) if k["KeyState"] == "Enabled"]
        found = {"KMS key" for k in enabled if k["Description"] == mine}
        aliases = kms.list_aliases()["Aliases"]
        found |= {"alias" for a in aliases if self._namespace in a["AliasName"]}
        found |= {"role" for r in iam.list_roles()["Roles"] if self._namespace in r["RoleName"]}
        return found | {f"{self.noun} {n}" for n in self._names() if self._namespace in n}


class ParameterStore(SecretsManager):
    """Parameters in AWS Systems Manager, on the local API server."""

    service, noun = "ssm", "parameter"

    def value(self, id_: str) -> str | None:
        with contextlib.suppress(self._api.exceptions.ParameterNotFound):
            found = self._api.get_parameter(Name=_name(id_), WithDecryption=True)
            return found["Parameter"]["Value"]
        return None

    def tags(self, id_: str) -> dict[str, str] | None:
        with contextlib.suppress(ClientError):
            name = _name(id_)
            found = self._api.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)
            return _pairs(found["TagList"])
        return None

    def untag(self, id_: str, tag: str) -> None:
        self._api.remove_tags_from_resource(
            ResourceType="Parameter", ResourceId=_name(id_), TagKeys=[tag]
        )

    def rewrite(self, id_: str, value: str) -> None:
        self._api.put_parameter(Name=_name(id_), Value=value, Type="SecureString", Overwrite=True)

    def _names(self) -> set[str]:
        return {p["Name"] for p in self._api.describe_parameters()["Parameters"]}


class KeyVault(Outside):
    """What the stand-in recorded of Azure: everything but the values, which Azure does not tell either."""

    tells_values = False

    def __init__(self, file: Path) -> None:
        self._store, self.files = FileBackedObjects(file), (file,)
        self.environment = {
            "KESTRA_SANDBOX_AZURE_STATE": str(file),
            "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
            "ARM_TENANT_ID": TENANT,
        }

    def tags(self, id_: str) -> dict[str, str] | None:
        with self._store.open() as objects:
            found = objects.get(_recorded(id_, objects))
        return None if found is None else found["tags"]

    def untag(self, id_: str, tag: str) -> None:
        with self._store.open() as objects:
            del objects[_recorded(id_, objects)]["tags"][tag]

    def left(self) -> set[str]:
        with self._store.open() as objects:
            there = {i for i in objects if not i.startswith("deleted/")}
        # As `vaults/<name>/secrets/<name>`, without subscription, group and provider.
        return {i.split("/providers/", 1)[-1].split("/", 1)[1] for i in there}


class SecretManager(Outside):
    """Secrets in Google Secret Manager, on the local API server; what the stand-in recorded of the rest."""

    def __init__(self, server: GoogleCloud) -> None:
        self._server, self._base = server, f"{server.address}/v1"
        self.environment, self.files = server.environment, (server.directory,)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = requests.request(method, f"{self._base}/{path}", json=body, timeout=30)
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()

    def value(self, id_: str) -> str | None:
        found = self._call("GET", f"{id_}/versions/latest:access")
        return found and base64.b64decode(found["payload"]["data"]).decode()

    def tags(self, id_: str) -> dict[str, str] | None:
        found = self._call("GET", id_)
        return found and found["labels"]

    def untag(self, id_: str, tag: str) -> None:
        kept = {k: v for k, v in (self.tags(id_) or {}).items() if k != tag}
        self._call("PATCH", f"{id_}?updateMask=labels", {"labels": kept})

    def rewrite(self, id_: str, value: str) -> None:
        data = base64.b64encode(value.encode()).decode()
        self._call("POST", f"{id_}:addVersion", {"payload": {"data": data}})

    def left(self) -> set[str]:
        secrets = self._call("GET", f"projects/{PROJECT}/secrets").get("secrets", [])
        with FileBackedObjects(self._server.state).open() as objects:
            there = [id_ for id_, o in objects.items() if not o.get("deleted")]
        # Beside a secret of the server, what the server lacks of it is recorded.
        recorded = {
            _google(i) for i in there if not re.fullmatch("projects/[^/]+/secrets/[^/]+", i)
        }
        return recorded | {f"secret {s['name'].rsplit('/', 1)[1]}" for s in secrets}


def _google(id_: str) -> str:
    """A recorded object in the words of the table; its id where there are none."""
    if found := re.fullmatch(r".*/locations/([^/]+)/keyRings/[^/]+(/cryptoKeys/[^/]+)?(/.*)?", id_):
        kind = "key's grant" if found[3] else "KMS key" if found[2] else "key ring"
        return f"{kind} in {found[1]}"
    if re.fullmatch(r"projects/[^/]+/services/.*", id_):
        return "service agent"
    enabled = re.fullmatch(r"[^/]+/([a-z]+)\.googleapis\.com", id_)
    return f"API {enabled[1]}" if enabled else id_


class KeyValue(Outside):
    """Secrets in a real Vault."""

    def __init__(self, server: Vault, engine: str) -> None:
        self._server, self._engine = server, engine
        self.environment = {"VAULT_ADDR": server.address, "VAULT_TOKEN": server.root_token}
        self.files = (server.directory,)

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        token = {"X-Vault-Token": self._server.root_token}
        answer = requests.request(
            method, f"{self._server.address}/v1/{path}", json=body, headers=token, timeout=30
        )
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        return answer.json()["data"] if answer.content else None

    def value(self, id_: str) -> str | None:
        found = self._call("GET", id_)
        return found and next(iter(found["data"].values()))

    def tags(self, id_: str) -> dict[str, str] | None:
        found = self._call("GET", id_.replace("/data/", "/metadata/", 1))
        return found and found["custom_metadata"]

    def untag(self, id_: str, tag: str) -> None:
        kept = {k: v for k, v in (self.tags(id_) or {}).items() if k != tag}
        self._call("POST", id_.replace("/data/", "/metadata/", 1), {"custom_metadata": kept})

    def rewrite(self, id_: str, value: str) -> None:
        self._call("POST", id_, {"data": {"value": value}})

    def left(self) -> set[str]:
        found = {f"engine {m}" for m in self._call("GET", "sys/mounts") if self._engine in m}
        found |= {f"log-in {m}" for m in self._call("GET", "sys/auth") if self._engine in m}
        policies = self._call("LIST", "sys/policies/acl")["keys"]
        found |= {f"policy {p}" for p in policies if self._engine in p}
        listed = self._call("LIST", f"{self._engine}-stack/metadata")
        return found | {f"secret {name}" for name in (listed or {}).get("keys", [])}


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _name(arn: str) -> str:
    return arn.split(":parameter/")[1]


def _recorded(uri: str, objects: Mapping[str, Any]) -> str:
    """The record of a secret, by its address."""
    named = (i for i, o in objects.items() if o.get("properties", {}).get("secretUri") == uri)
    return next(named, "")

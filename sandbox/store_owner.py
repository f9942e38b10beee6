"""Who keeps secrets in a secret manager beside the stack: the sandbox's administrator reads and changes them."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import ClientError

from sandbox.errors import SandboxError
from sandbox.services import AwsServer, GoogleCloud, Vault
from sandbox.vault_check import Client

Servers = tuple[Vault | None, AwsServer | None, GoogleCloud | None]
"""The sandbox's secret managers."""


@dataclass(frozen=True)
class Remote:
    """A value in a secret manager, as an ExternalSecret names it."""

    key: str
    field: str | None = None
    """Of a value with several fields."""
    version: str | None = None
    """None: the newest."""


class StoreOwner(Protocol):
    """Reads and writes whatever is in one secret manager."""

    def read(self, remote: Remote) -> str | None:
        """The value, secret; None where there is none."""
        ...

    def write(self, remote: Remote, value: str) -> None:
        """Makes the value the newest one."""
        ...

    def remove(self, remote: Remote) -> None:
        """Removes the secret with all its versions."""
        ...


def owner_of(provider: Mapping[str, Any], servers: Servers) -> StoreOwner | None:
    """The owner of what a SecretStore reads; None where the sandbox has no server of its kind.

    Args:
        provider: `spec.provider` of the SecretStore.
        servers: the sandbox's.
    """
    vault, aws, google = servers
    if (block := provider.get("vault")) and vault is not None:
        return VaultOwner(Client(block["server"], vault.root_token), block["path"])
    if (block := provider.get("aws")) and aws is not None:
        if block["service"] == "ParameterStore":
            return ParameterOwner(aws.client("ssm", block["region"]))
        return SecretsManagerOwner(aws.client("secretsmanager", block["region"]))
    if (block := provider.get("gcpsm")) and google is not None:
        return GoogleOwner(google, f"/v1/projects/{block['projectID']}/secrets")
    return None


@dataclass(frozen=True)
class VaultOwner:
    """Of a KV engine, version 2."""

    client: Client
    engine: str

    def read(self, remote: Remote) -> str | None:
        value = self._fields(remote).get(remote.field or "value")
        return None if value is None else str(value)

    def write(self, remote: Remote, value: str) -> None:
        fields = {**self._fields(remote), (remote.field or "value"): value}
        answer = self.client.call("POST", f"{self.engine}/data/{remote.key}", {"data": fields})
        answer.raise_for_status()

    def remove(self, remote: Remote) -> None:
        self.client.call("DELETE", f"{self.engine}/metadata/{remote.key}").raise_for_status()

    def _fields(self, remote: Remote) -> Mapping[str, Any]:
        version = f"?version={remote.version}" if remote.version else ""
        answer = self.client.call("GET", f"{self.engine}/data/{remote.key}{version}")
        return (answer.json()["data"]["data"] or {}) if answer.ok else {}


@dataclass(frozen=True)
class SecretsManagerOwner:
    """Of AWS Secrets Manager."""

    client: Any

    def read(self, remote: Remote) -> str | None:
        version = {"VersionId": remote.version.removeprefix("uuid/")} if remote.version else {}
        with contextlib.suppress(ClientError):
            text = self.client.get_secret_value(SecretId=remote.key, **version)["SecretString"]
            return _field(text, remote.field)
        return None

    def write(self, remote: Remote, value: str) -> None:
        text = value if remote.field is None else json.dumps({remote.field: value})
        try:
            self.client.put_secret_value(SecretId=remote.key, SecretString=text)
        except self.client.exceptions.ResourceNotFoundException:
            self.client.create_secret(Name=remote.key, SecretString=text)

    def remove(self, remote: Remote) -> None:
        self.client.delete_secret(SecretId=remote.key, ForceDeleteWithoutRecovery=True)


@dataclass(frozen=True)
class ParameterOwner:
    """Of AWS Systems Manager Parameter Store."""

    client: Any

    def read(self, remote: Remote) -> str | None:
        name = f"{remote.key}:{remote.version}" if remote.version else remote.key
        with contextlib.suppress(ClientError):
            text = self.client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
            return _field(text, remote.field)
        return None

    def write(self, remote: Remote, value: str) -> None:
        text = value if remote.field is None else json.dumps({remote.field: value})
        self.client.put_parameter(Name=remote.key, Value=text, Type="SecureString", Overwrite=True)

    def remove(self, remote: Remote) -> None:
        self.client.delete_parameter(Name=remote.key)


@dataclass(frozen=True)
class GoogleOwner:
    """Of Google Secret Manager."""

    server: GoogleCloud
    secrets: str
    """Path of the project's secrets."""

    def read(self, remote: Remote) -> str | None:
        version = remote.version or "latest"
        with contextlib.suppress(SandboxError):
            path = f"{self.secrets}/{remote.key}/versions/{version}:access"
            payload = self.server.call("GET", path).json()["payload"]
            return _field(base64.b64decode(payload["data"]).decode(), remote.field)
        return None

    def write(self, remote: Remote, value: str) -> None:
        text = value if remote.field is None else json.dumps({remote.field: value})
        with contextlib.suppress(SandboxError):  # It may be there already.
            replication = {"replication": {"automatic": {}}}
            self.server.call(
                "POST", self.secrets, params={"secretId": remote.key}, json=replication
            )
        payload = {"payload": {"data": base64.b64encode(text.encode()).decode()}}
        self.server.call("POST", f"{self.secrets}/{remote.key}:addVersion", json=payload)

    def remove(self, remote: Remote) -> None:
        self.server.call("DELETE", f"{self.secrets}/{remote.key}")


def _field(text: str, field: str | None) -> str | None:
    if field is None:
        return text
    try:
        value = json.loads(text)[field]
    except (ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else json.dumps(value)

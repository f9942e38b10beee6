"""What a killed update was creating, found on the sandbox's servers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.clouds import Clouds
from sandbox.services.aws import REGION
from sandbox.services.gcp import PROJECT

Inputs = Mapping[str, Any]


class Finder:
    """Asks the sandbox's servers for what the state does not know."""

    def __init__(self, deployment: Mapping[str, Any], clouds: Clouds, azure: Path) -> None:
        resources = deployment.get("resources") or ()
        self._known = {(resource["type"], resource.get("id")) for resource in resources}
        self._regions = {
            f"{resource['urn']}::{resource.get('id')}": (resource.get("inputs") or {}).get("region")
            for resource in resources
            if resource["type"] == "pulumi:providers:aws"
        }
        self._clouds, self._azure = clouds, azure

    def __call__(self, resource: Mapping[str, Any]) -> str | None:
        """The id of a resource that was being created; None where nothing can be there, or a second is none."""
        type_, inputs = resource["type"], (resource.get("inputs") or {})
        package = type_.partition(":")[0]
        if package == "kubernetes":
            return _object(inputs)
        if package == "vault":
            return _in_vault(type_, inputs)
        if package == "aws" and self._clouds.aws is not None:
            region = inputs.get("region") or self._regions.get(str(resource.get("provider")))
            return self._new(type_, self._in_aws(type_, inputs, region or REGION))
        if package == "gcp" and self._clouds.google is not None:
            return self._new(type_, self._in_google(type_, inputs))
        if package == "azure-native":
            return self._new(type_, self._in_azure(type_, inputs))
        return None

    def _new(self, type_: str, ids: Iterator[str]) -> str | None:
        return next((id_ for id_ in ids if (type_, id_) not in self._known), None)

    def _in_aws(self, type_: str, p: Inputs, region: str) -> Iterator[str]:
        server = self._clouds.aws
        assert server is not None
        match type_.rpartition(":")[2]:
            case "Role" | "Parameter" | "Alias":
                yield p["name"]
            case "Secret":
                yield from _secrets(server.client("secretsmanager", region), p["name"])
            case "SecretVersion":
                client = server.client("secretsmanager", region)
                listed = client.list_secret_version_ids(SecretId=p["secretId"])["Versions"]
                for version in listed:
                    # moto leaves the stage on older versions too; those are in the state.
                    if "AWSCURRENT" in version.get("VersionStages", ()):
                        yield f"{p['secretId']}|{version['VersionId']}"
            case "SecretRotation":
                # Asked for again, it would begin again.
                client = server.client("secretsmanager", region)
                # moto says by its function that there is a rotation, and keeps no schedule.
                if client.describe_secret(SecretId=p["secretId"]).get("RotationLambdaARN"):
                    yield p["secretId"]
            case "Key":
                yield from _keys(server.client("kms", region), p)
            case "PodIdentityAssociation":
                file = Path(server.environment["KESTRA_SANDBOX_POD_IDENTITIES"])
                every = json.loads(file.read_text()) if file.exists() else {}
                names = ("clusterName", "namespace", "serviceAccount")
                for id_, association in every.items():
                    if all(association[name] == p[name] for name in names):
                        yield id_

    def _in_google(self, type_: str, p: Inputs) -> Iterator[str]:
        from sandbox.providers.gcp.provider import RESOURCES
        from sandbox.providers.gcp.resource import Google, Recorded
        from sandbox.providers.gcp.secrets import GoogleSecret
        from sandbox.providers.runtime.file_backed_objects import FileBackedObjects

        server = self._clouds.google
        assert server is not None
        kind = RESOURCES.get(type_)
        if type_ == "gcp:secretmanager/secretVersion:SecretVersion":
            versions = server.call("GET", f"/v1/{p['secret']}/versions").json().get("versions", ())
            yield from (v["name"] for v in versions if v["state"] != "DESTROYED")
        elif isinstance(kind, Recorded | GoogleSecret):
            yield kind.id(Google(FileBackedObjects(server.state), PROJECT), dict(p))

    def _in_azure(self, type_: str, p: Inputs) -> Iterator[str]:
        from sandbox.providers.azure_native.provider import RESOURCES
        from sandbox.providers.runtime.errors import ProviderError
        from sandbox.providers.runtime.file_backed_objects import FileBackedObjects

        with FileBackedObjects(self._azure).open() as objects:
            ids = [item["id"] for item in objects.values() if "id" in item]
        for id_ in ids:
            try:
                parts = RESOURCES[type_].parse(id_)
            except (KeyError, ProviderError):
                continue
            if all(str(p.get(name)).lower() == part.lower() for name, part in parts.items()):
                yield id_


def _object(p: Inputs) -> str | None:
    metadata = p.get("metadata") or {}
    parts = [metadata.get("namespace"), metadata.get("name")]
    named = [part for part in parts if isinstance(part, str)]
    return "/".join(named) if metadata.get("name") in named else None


def _in_vault(type_: str, p: Inputs) -> str | None:
    """What Vault refuses to make twice, and what it would make another version of."""
    match type_.rpartition(":")[2]:
        case "Mount" | "AuthBackend" | "Audit":
            id_ = p.get("path") or p.get("type")
        case "SecretV2":
            id_ = f"{p['mount']}/data/{p['name']}" if _are_texts(p, "mount", "name") else None
        case _:
            return None
    return id_ if isinstance(id_, str) else None


def _are_texts(p: Inputs, *names: str) -> bool:
    return all(isinstance(p.get(name), str) for name in names)


def _secrets(client: Any, name: str) -> Iterator[str]:
    try:
        secret = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        return
    if not secret.get("DeletedDate"):
        yield secret["ARN"]


def _keys(client: Any, p: Inputs) -> Iterator[str]:
    """Keys that nobody else can have made: with this description and these tags."""
    ids: Sequence[str] = [
        key["KeyId"]
        for page in client.get_paginator("list_keys").paginate()
        for key in page["Keys"]
    ]
    for id_ in ids:
        about = client.describe_key(KeyId=id_)["KeyMetadata"]
        if about["KeyState"] != "Enabled" or about.get("Description") != p.get("description"):
            continue
        tags = client.list_resource_tags(KeyId=id_)["Tags"]
        if (p.get("tags") or {}).items() <= {t["TagKey"]: t["TagValue"] for t in tags}.items():
            yield id_

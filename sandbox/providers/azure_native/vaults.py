"""Vaults and their secrets. Both leave a name behind when they are deleted, until they are purged."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from sandbox.providers.azure_native.resource import (
    Azure,
    AzureError,
    AzureResource,
    Objects,
    part,
    require,
    same_place,
)
from sandbox.providers.runtime.file_backed_objects import stable_uuid
from sandbox.providers.runtime.values import Properties

_VAULTS = "/subscriptions/{subscription}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}"
_NAME = re.compile(r"[A-Za-z](?:-?[A-Za-z0-9])+")
_KEYS = ("enablePurgeProtection", "softDeleteRetentionInDays", "enableSoftDelete")


def deleted_vault(name: str) -> str:
    """Where a deleted vault is kept."""
    return f"deleted/vaults/{name}".lower()


def deleted_secret(vault: str, name: str) -> str:
    """Where a deleted secret is kept."""
    return f"deleted/vaults/{vault}/secrets/{name}".lower()


class Vault(AzureResource):
    """A key vault."""

    type = "Microsoft.KeyVault/vaults"
    path = _VAULTS
    api = "2024-11-01"
    named = "vaultName"
    place = "required"
    patterns: ClassVar[dict[str, str]] = {"vaultName": "^[a-zA-Z0-9-]{3,24}$"}
    unasked: ClassVar[Properties] = {"properties": {"publicNetworkAccess": "Enabled"}}

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        name, properties = p["vaultName"], p["properties"]
        if not _NAME.fullmatch(name):
            raise AzureError(
                400,
                "VaultNameNotValid",
                f"The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric "
                "characters. The name must begin with a letter, end with a letter or digit, and not contain "
                "consecutive hyphens. Follow this link for more information: "
                "https://go.microsoft.com/fwlink/?linkid=2147742",
            )
        days = properties.get("softDeleteRetentionInDays")
        if days is not None and not 7 <= days <= 90:
            raise AzureError(
                400,
                "BadRequest",
                'The property \\"softDeleteRetentionInDays\\" must be between 7 and 90.',
            )
        if properties.get("enableSoftDelete") is False:
            raise _irreversible("enableSoftDelete", "the soft delete")
        if properties.get("enablePurgeProtection") is False:
            raise _irreversible("enablePurgeProtection", "the purge protection")
        if before is not None:
            self._refuse_change(p, before)
        elif properties.get("createMode") == "recover":
            if deleted_vault(name) not in objects:
                raise AzureError(
                    404,
                    "DeletedVaultNotFound",
                    f"A deleted vault with the name '{name}' was not found.",
                )
        elif deleted_vault(name) in objects:
            raise AzureError(
                409,
                "ConflictError",
                "A vault with the same name already exists in deleted state. You need to either recover or "
                "purge existing key vault. Follow this link "
                "https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
            )
        elif any(
            o.get("type") == self.type and o["name"].lower() == name.lower()
            for o in objects.values()
        ):
            raise AzureError(
                409,
                "VaultAlreadyExists",
                f"The vault name '{name}' is already in use. Vault names are globally unique so it is "
                "possible that the name is already taken. If you are sure that the vault name was not taken "
                "then it is possible that a vault with the same name was recently deleted but not purged "
                "after being placed in a recoverable state. If the vault is in a recoverable state then the "
                "vault will need to be purged before reusing the name.",
            )

    def _refuse_change(self, p: Properties, before: Properties) -> None:
        same_place(before, p)
        old, new = before["properties"], p["properties"]
        if old.get("enablePurgeProtection") and new.get("enablePurgeProtection") is None:
            # A PUT without the property leaves it as it is.
            new["enablePurgeProtection"] = True
        days = new.get("softDeleteRetentionInDays")
        if days is not None and days != old["softDeleteRetentionInDays"]:
            raise AzureError(
                400,
                "BadRequest",
                'The property \\"softDeleteRetentionInDays\\" has been set already and it can\'t be '
                "modified.",
            )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        recovered = objects.pop(deleted_vault(p["vaultName"]), None) or {}
        objects.update(recovered.get("_secrets", {}))
        old = (before or recovered).get("properties", {})
        asked = {k: v for k, v in p["properties"].items() if k != "createMode" and v is not None}
        if acls := asked.get("networkAcls"):
            asked["networkAcls"] = {"ipRules": [], "virtualNetworkRules": [], **acls}
        filled = {
            "accessPolicies": [],
            "enabledForDeployment": False,
            "enableRbacAuthorization": False,
            "enableSoftDelete": True,
            "softDeleteRetentionInDays": 90,
            "publicNetworkAccess": "Enabled",
            "provisioningState": "Succeeded",
            "vaultUri": f"https://{p['vaultName'].lower()}.vault.azure.net/",
        }
        kept = {k: old[k] for k in _KEYS if k in old}
        return super().answer(a, objects, p, before) | {"properties": filled | kept | asked}

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        key = id_.lower()
        kept = objects.pop(key, None)
        if kept is None:
            return
        days = kept["properties"]["softDeleteRetentionInDays"]
        now = datetime.now(UTC)
        within = {k: o for k, o in objects.items() if k.startswith(f"{key}/")}
        for inner in within:
            del objects[inner]
        objects[deleted_vault(kept["name"])] = {
            "id": kept["id"],
            "properties": kept["properties"],
            "deletionDate": now.isoformat(),
            "scheduledPurgeDate": (now + timedelta(days=days)).isoformat(),
            "_secrets": within,
        }


class KeyVaultSecret(AzureResource):
    """A secret of a vault. Azure Resource Manager never gives its value back, and it is not kept here."""

    type = "Microsoft.KeyVault/vaults/secrets"
    path = _VAULTS + "/secrets/{secretName}"
    api = "2024-11-01"
    named = "secretName"
    has_system_data = False
    patterns: ClassVar[dict[str, str]] = {
        "vaultName": "^[a-zA-Z0-9-]{3,24}$",
        "secretName": "^[a-zA-Z0-9-]{1,127}$",
    }
    unasked: ClassVar[Properties] = {"properties": {"attributes": {"enabled": True}}}

    def refuse(self, a: Azure, objects: Objects, p: Properties, before: Properties | None) -> None:
        require(objects, self._vault(a, p))
        name = p["secretName"]
        if before is None and deleted_secret(p["vaultName"], name) in objects:
            raise AzureError(
                409,
                "Conflict",
                f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be "
                "reused; in this state, the secret can only be recovered or purged.",
            )

    def answer(
        self, a: Azure, objects: Objects, p: Properties, before: Properties | None
    ) -> Properties:
        # Every write is a new version, whatever it changed.
        number = (before or {}).get("_version", 0) + 1
        vault = require(objects, self._vault(a, p))
        uri = f"{vault['properties']['vaultUri']}secrets/{p['secretName']}"
        version = stable_uuid(uri, str(number)).replace("-", "")
        now = int(datetime.now(UTC).timestamp())
        asked = p["properties"]
        created = (before or {}).get("properties", {}).get("attributes", {}).get("created", now)
        attributes = {"enabled": True, "created": created, "updated": now}
        attributes |= {k: v for k, v in (asked.get("attributes") or {}).items() if v is not None}
        properties = {k: v for k, v in asked.items() if k not in ("value", "attributes")} | {
            "attributes": attributes,
            "secretUri": uri,
            "secretUriWithVersion": f"{uri}/{version}",
        }
        return super().answer(a, objects, p, before) | {
            "location": vault["location"],
            "properties": properties,
            "_version": number,
        }

    def remove(self, a: Azure, objects: Objects, id_: str) -> None:
        kept = objects.pop(id_.lower(), None)
        if kept is not None:
            objects[deleted_secret(part(id_, "vaults"), kept["name"])] = {"id": kept["id"]}

    def _vault(self, a: Azure, p: Properties) -> str:
        return _VAULTS.format_map({"subscription": a.subscription} | p)


def _irreversible(name: str, what: str) -> AzureError:
    return AzureError(
        400,
        "BadRequest",
        f'The property \\"{name}\\" cannot be set to false. Enabling {what} for a vault is an irreversible '
        "action.",
    )

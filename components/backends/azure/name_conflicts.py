"""What to do when a name in Azure is taken."""

from __future__ import annotations

import re
import shlex

from ...safeguards.failed_resource import ConflictHint, FailedResource


def _deleted_vault(failed: FailedResource) -> tuple[str, str, str]:
    name, group = failed.input_text("vaultName"), failed.input_text("resourceGroupName")
    setting = (
        "kestra:store.azure.recovery-vault-name"
        if "recovery" in failed.name
        else "kestra:secret.azure-key-vault.vault-name"
    )
    id_ = (
        f"$(az keyvault show --name {name} --resource-group {shlex.quote(group)}"
        " --query id --output tsv)"
    )
    return (
        f"The key vault {name} was deleted and can be recovered until its soft-delete time ends; until then Azure "
        "keeps its name.",
        f"az keyvault recover --name {name} && {failed.import_command(id_)}",
        f"az keyvault purge --name {name}, which destroys its secrets for good and is refused under purge "
        f"protection; or choose another name ({setting}).",
    )


def _deleted_azure_secret(failed: FailedResource) -> tuple[str, str, str]:
    vault, name = failed.input_text("vaultName"), failed.input_text("secretName")
    group = failed.input_text("resourceGroupName")
    id_ = (
        f"$(az keyvault show --name {vault} --resource-group {shlex.quote(group)}"
        f" --query id --output tsv)/secrets/{name}"
    )
    return (
        f"The secret {name} of key vault {vault} was deleted and can be recovered; until then its name is taken.",
        f"az keyvault secret recover --vault-name {vault} --name {name} && {failed.import_command(id_)}",
        f"az keyvault secret purge --vault-name {vault} --name {name}, which is refused under purge protection; or "
        "declare the secret under another name.",
    )


def _azure_there(failed: FailedResource) -> tuple[str, str, str]:
    match = re.search(r"already existing resource '([^']+)'", failed.message)
    id_ = match[1] if match else "RESOURCE-ID"
    return (
        "Azure has this resource already, and this stack did not make it (compare its tags first).",
        failed.import_command(id_),
        "choose another name in kestra:secret.azure-key-vault or kestra:store.azure; for a vault that is there and "
        "stays another owner's, set kestra:store.azure.create-vault to false.",
    )


def _foreign_vault(failed: FailedResource) -> tuple[str, str, str]:
    name = failed.input_text("vaultName")
    return (
        f"The vault name {name} is taken; names of key vaults are unique in all of Azure.",
        f"az keyvault list-deleted --query \"[?name=='{name}']\"   # shows whether it is yours, deleted; then az "
        f"keyvault recover --name {name} and run this again",
        "choose another name (kestra:secret.azure-key-vault.vault-name).",
    )


#: The first one that fits counts.
HINTS: tuple[ConflictHint, ...] = (
    ConflictHint(r"^azure-native:keyvault:Vault$", r"in deleted state", _deleted_vault),
    ConflictHint(r"^azure-native:keyvault:Vault$", r"VaultAlreadyExists", _foreign_vault),
    ConflictHint(
        r"^azure-native:keyvault:Secret$",
        r"deleted but recoverable|ObjectIsDeletedButRecoverable",
        _deleted_azure_secret,
    ),
    ConflictHint(r"^azure-native:", r"cannot create already existing resource", _azure_there),
)

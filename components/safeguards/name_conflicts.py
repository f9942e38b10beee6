"""What to do when a name is taken: a server's words to the commands that go on; pure.

Used by the program for every resource (`components/safeguards/error_hooks.py`), and by tools that show a failed update.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.kubernetes.cluster_apis import not_served


@dataclass(frozen=True)
class Failed:
    """A resource that failed."""

    urn: str
    inputs: Mapping[str, Any]
    """Its plain inputs; no secrets."""
    words: str
    """What the server said."""
    parent: str = ""
    """URN of the component that it belongs to."""
    operation: str = "create"
    """What failed: `create`, `update` or `delete`."""

    @property
    def type(self) -> str:
        """Its type."""
        return self.urn.split("::")[-2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """Its logical name."""
        return self.urn.split("::")[-1]

    def input_text(self, *path: str) -> str:
        """An input's text; empty where it is unknown or not set."""
        value: Any = self.inputs
        for step in path:
            value = value.get(step) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""

    def import_command(self, id_: str) -> str:
        """The command that takes an existing object over; `$(…)` in the id is the shell's."""
        if self.type.startswith("aws:") and (region := self.input_text("region")):
            # The provider's own way to name a region that is not its default.
            id_ = f"{id_}@{region}"
        id_ = f'"{id_}"' if "$(" in id_ else shlex.quote(id_)
        parent = ""
        if self.parent:
            name = self.parent.split("::")[-1]
            parent = f" --parent {shlex.quote(f'{name}={self.parent}')}"
        return (
            f"pulumi import {self.type} {shlex.quote(self.name)} {id_}{parent}"
            " --protect=false --generate-code=false --yes"
        )


@dataclass(frozen=True)
class Hint:
    """A row of the table."""

    types: str
    """Pattern of the resource types."""
    words: str
    """Pattern of what the server says."""
    says: Callable[[Failed], tuple[str, str, str]]
    """What is the matter; the way to go on with what is there; the other ways."""


OTHERWISE = "Otherwise:"
"""Stands in every way out, and so tells one from other words."""


def suggest_fix(failed: Failed) -> str:
    """What a person can do about a name that is taken; empty where nothing is known of it."""
    if failed.operation != "create":
        return ""
    if missing := not_served(failed.type, failed.words):
        return missing
    answer = answer_to(failed)
    if answer is None:
        return ""
    matter, command, otherwise = answer
    if any(part in failed.name for part in _COPIES):
        matter = f"{matter} {_EARLIER}"
    return f"{matter}\n  To go on with what is there:\n    {command}\n  {OTHERWISE} {otherwise}"


def answer_to(failed: Failed) -> tuple[str, str, str] | None:
    """What is the matter, the way to go on with what is there, and the other ways; None where nothing is known."""
    for row in TABLE:
        if re.search(row.types, failed.type) and re.search(row.words, failed.words, re.IGNORECASE):
            return row.says(failed)
    return None


#: Parts of the logical names of what holds the copy of the encryption key.
_COPIES = ("encryption-key", "stack-engine", "recovery-vault")
_EARLIER = (
    "It may hold the encryption key of an earlier installation: read it first, and give that key as "
    "kestra:encryption.secret-key if Kestra's database is the earlier one."
)

_TAG = "compare the tags first, it may be another stack's"


def _vault_path(failed: Failed) -> tuple[str, str, str]:
    path = failed.input_text("path") or failed.input_text("type")
    noun, setting = {
        "vault:index/mount:Mount": ("secrets engine", "kestra:secret.vault.root-engine"),
        "vault:index/authBackend:AuthBackend": (
            "auth method",
            "kestra:secret.vault.kubernetes.path or .app-role.path",
        ),
    }.get(failed.type, ("audit device", "kestra:deployment.namespace"))
    own = (
        " To use an engine that another owner keeps, set kestra:identity.vault.mount-engine to false."
        if noun == "secrets engine"
        else ""
    )
    return (
        f"Vault has a {noun} at {path} already, and this stack did not make it.",
        failed.import_command(path),
        f"choose another path ({setting}).{own}",
    )


def _pending_secret(failed: Failed) -> tuple[str, str, str]:
    name = failed.input_text("name")
    region = _region(failed)
    restore = f"aws secretsmanager restore-secret --secret-id {shlex.quote(name)}{region}"
    return (
        f"The secret {name} was deleted and waits for its recovery window to end; until then AWS keeps its name.",
        f"{restore} && {failed.import_command(_secret_arn(failed))}",
        f"aws secretsmanager delete-secret --secret-id {shlex.quote(name)}{region} --force-delete-without-recovery, "
        "which destroys its value for good; or another kestra:secret.aws-secret-manager.prefix.",
    )


def _secret_arn(failed: Failed) -> str:
    name = shlex.quote(failed.input_text("name"))
    return (
        f"$(aws secretsmanager describe-secret --secret-id {name}{_region(failed)}"
        " --query ARN --output text)"
    )


def _region(failed: Failed) -> str:
    region = failed.input_text("region")
    return f" --region {region}" if region else ""


def _secret_there(failed: Failed) -> tuple[str, str, str]:
    return (
        f"AWS has a secret {failed.input_text('name')} already, and this stack did not make it ({_TAG}).",
        failed.import_command(_secret_arn(failed)),
        _renamed(failed, "kestra:secret.aws-secret-manager.prefix"),
    )


def _renamed(failed: Failed, prefix: str) -> str:
    # The copy of the key is named after the namespace and by no prefix.
    setting = "kestra:deployment.namespace" if "encryption-key" in failed.name else prefix
    return f"choose another name ({setting})."


def _by_name(
    noun: str, setting: str, key: str = "name"
) -> Callable[[Failed], tuple[str, str, str]]:
    def says(failed: Failed) -> tuple[str, str, str]:
        id_ = failed.input_text(key)
        return (
            f"There is {noun} {id_} already, and this stack did not make it ({_TAG}).",
            failed.import_command(id_),
            _renamed(failed, setting),
        )

    return says


def _deleted_vault(failed: Failed) -> tuple[str, str, str]:
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


def _deleted_azure_secret(failed: Failed) -> tuple[str, str, str]:
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


def _azure_there(failed: Failed) -> tuple[str, str, str]:
    found = re.search(r"already existing resource '([^']+)'", failed.words)
    id_ = found[1] if found else "RESOURCE-ID"
    return (
        "Azure has this resource already, and this stack did not make it (compare its tags first).",
        failed.import_command(id_),
        "choose another name in kestra:secret.azure-key-vault or kestra:store.azure; for a vault that is there and "
        "stays another owner's, set kestra:store.azure.create-vault to false.",
    )


def _foreign_vault(failed: Failed) -> tuple[str, str, str]:
    name = failed.input_text("vaultName")
    return (
        f"The vault name {name} is taken; names of key vaults are unique in all of Azure.",
        f"az keyvault list-deleted --query \"[?name=='{name}']\"   # shows whether it is yours, deleted; then az "
        f"keyvault recover --name {name} and run this again",
        "choose another name (kestra:secret.azure-key-vault.vault-name).",
    )


def _google(noun: str, id_: str, setting: str) -> Callable[[Failed], tuple[str, str, str]]:
    def says(failed: Failed) -> tuple[str, str, str]:
        keys = {k: v for k, v in failed.inputs.items() if isinstance(v, str)}
        full = id_.format_map(_Missing(keys))
        kept = (
            " Google never deletes one."
            if "KeyRing" in failed.type or "CryptoKey" in failed.type
            else ""
        )
        return (
            f"Google Cloud has {noun} {full} already, and this stack did not make it (compare its labels first).{kept}",
            failed.import_command(full),
            _renamed(failed, setting),
        )

    return says


class _Missing(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return key.upper()


def _kubernetes(failed: Failed) -> tuple[str, str, str]:
    name, namespace = (
        failed.input_text("metadata", "name"),
        failed.input_text("metadata", "namespace"),
    )
    kind = failed.type.rpartition(":")[2]
    id_ = f"{namespace}/{name}" if namespace else name
    own = (
        " To use a namespace that another owner keeps, set kestra:deployment.create-namespace to false."
        if kind == "Namespace"
        else ""
    )
    return (
        f"Kubernetes has a {kind} {id_} already, and this stack did not make it (compare its labels first).",
        failed.import_command(id_),
        f"choose another namespace (kestra:deployment.namespace), or remove what is there.{own}",
    )


_GOOGLE_409 = r"Error 409|already exists"
_PREFIX = "kestra:secret.{}.prefix"

#: First match counts.
TABLE: tuple[Hint, ...] = (
    Hint(r"^vault:", r"path is already in use|already in use at|path already in use", _vault_path),
    Hint(r"secretsmanager/secret:", r"scheduled for deletion", _pending_secret),
    Hint(r"secretsmanager/secret:", r"ResourceExists|already exists", _secret_there),
    Hint(
        r"^aws:ssm/parameter:",
        r"ParameterAlreadyExists|already exists",
        _by_name("a parameter", "kestra:secret.aws-ssm-parameter-store.filter-on-prefix.prefix"),
    ),
    Hint(
        r"^aws:kms/alias:", r"AlreadyExists", _by_name("a KMS alias", "kestra:deployment.namespace")
    ),
    Hint(
        r"^aws:iam/role:",
        r"EntityAlreadyExists",
        _by_name("an IAM role", "kestra:identity.aws.role-name"),
    ),
    Hint(r"^azure-native:keyvault:Vault$", r"in deleted state", _deleted_vault),
    Hint(r"^azure-native:keyvault:Vault$", r"VaultAlreadyExists", _foreign_vault),
    Hint(
        r"^azure-native:keyvault:Secret$",
        r"deleted but recoverable|ObjectIsDeletedButRecoverable",
        _deleted_azure_secret,
    ),
    Hint(r"^azure-native:", r"cannot create already existing resource", _azure_there),
    Hint(
        r"^gcp:secretmanager/secret:",
        _GOOGLE_409,
        _google(
            "a secret",
            "projects/{project}/secrets/{secretId}",
            "kestra:secret.google-secret-manager.filter-on-prefix.prefix",
        ),
    ),
    Hint(
        r"^gcp:kms/keyRing:",
        _GOOGLE_409,
        _google(
            "a key ring",
            "projects/{project}/locations/{location}/keyRings/{name}",
            "kestra:deployment.namespace",
        ),
    ),
    Hint(
        r"^gcp:kms/cryptoKey:",
        _GOOGLE_409,
        _google("a key", "{keyRing}/cryptoKeys/{name}", "kestra:deployment.namespace"),
    ),
    Hint(
        r"^gcp:serviceaccount/account:",
        _GOOGLE_409,
        _google(
            "a service account",
            "projects/{project}/serviceAccounts/{accountId}@{project}.iam.gserviceaccount.com",
            "kestra:identity.gcp",
        ),
    ),
    Hint(r"^kubernetes:", r'"[^"]+" already exists|field conflict', _kubernetes),
)

"""The sandbox's copy of the project and of a stack file, with the addresses of its own servers."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from components.stack_encryption import (
    decrypted,
    encrypted,
    key_of,
    new_salt,
    opens,
    passphrase_at_hand,
)
from sandbox.clouds import managers, store_of_open_source
from sandbox.encryption import encrypt_secrets
from sandbox.errors import SandboxError
from sandbox.services import ControlPlane, Vault
from sandbox.services.process import private
from sandbox.state import ROOT

_ENCRYPTION = ("encryptionsalt", "secretsprovider", "encryptedkey")


def write_workspace(
    source: Path,
    copy: Path,
    overlay: Callable[[dict[str, Any]], None],
    passphrase: Callable[[], str],
) -> list[str]:
    """Copies project and stack file, and encrypts the secrets that the file holds in clear.

    The tracked files are never changed: what the engine adds (the salt of the encryption) is kept in
    the copy.

    Args:
        source: the stack file.
        copy: its copy, in a folder of the copied project.
        overlay: changes the copied configuration.
        passphrase: gives the passphrase of the copy.

    Returns:
        The values that were encrypted.

    Raises:
        SandboxError: when the file holds values that only somebody else's key opens.
    """
    copy.parent.mkdir(parents=True, exist_ok=True)
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    private(copy.parents[1] / "Pulumi.yaml", yaml.safe_dump(project, sort_keys=False))
    document = yaml.safe_load(source.read_text()) or {}
    config = document.setdefault("config", {})
    refuse_encrypted(source.stem.removeprefix("Pulumi."), document, copy)
    theirs = key_of_caller(document)
    for key in _ENCRYPTION:
        document.pop(key, None)
    with contextlib.suppress(OSError):
        before = yaml.safe_load(copy.read_text()) or {}
        document |= {key: before[key] for key in _ENCRYPTION if key in before}
    overlay(config)
    values = [] if theirs is None else encrypt_anew(document, theirs, passphrase)
    values += encrypt_secrets(document, passphrase)
    private(copy, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
    return values


def key_of_caller(document: Mapping[str, Any]) -> bytes | None:
    """The key of a stack file's encrypted values, where the caller's environment has its passphrase."""
    salt = document.get("encryptionsalt")
    try:
        theirs = passphrase_at_hand(os.environ)
    except (OSError, ValueError):
        return None
    if theirs is None or not isinstance(salt, str) or not opens(theirs, salt):
        return None
    return key_of(theirs, salt.split(":")[1])


def encrypt_anew(
    document: dict[str, Any], theirs: bytes, passphrase: Callable[[], str]
) -> list[str]:
    """Encrypts the values that another key encrypted with the copy's own one; returns them.

    Args:
        document: the copy; changed. It gets an `encryptionsalt` when it has none.
        theirs: the key that the values are encrypted with.
        passphrase: gives the passphrase of the copy.
    """
    values: list[str] = []

    def anew(node: Any) -> Any:
        if isinstance(node, dict):
            if set(node) == {"secure"}:
                value = decrypted(theirs, node["secure"]).decode()
                values.append(value)
                return encrypted(value, passphrase(), document["encryptionsalt"])
            return {name: anew(item) for name, item in node.items()}
        return [anew(item) for item in node] if isinstance(node, list) else node

    if _has_encrypted(document["config"]):
        document.setdefault("encryptionsalt", new_salt(passphrase()))
    document["config"] = anew(document["config"])
    return values


def use_own_cluster(config: dict[str, Any]) -> None:
    """Leaves out the stack file's kubeconfig: the engine has that of the sandbox's Kubernetes API.

    Args:
        config: of the stack file; changed where it names a cluster.
    """
    deployment = config.get("kestra:deployment")
    if isinstance(deployment, Mapping) and "kubeconfig" in deployment:
        config["kestra:deployment"] = {n: v for n, v in deployment.items() if n != "kubeconfig"}


def use_own_vault(config: dict[str, Any], stack: str, plane: ControlPlane, vault: Vault) -> None:
    """Puts the addresses of the sandbox's Vault and Kubernetes API in place of the stack file's.

    Args:
        config: of the stack file; changed where it uses Vault.
        stack: the stack's name.
        plane: the Kubernetes API that Vault asks.
        vault: the server.
    """
    blocks = [block for block in managers(config) if block.get("type") == "vault"]
    if store := store_of_open_source(config, "vault"):
        blocks.append(store)
    if not blocks:
        return
    for block in blocks:
        block["vault"] = {
            **(block.get("vault") or {}),
            "address": plane.reached_by_pods(vault.address),
        }
    deployment = config.get("kestra:deployment")
    if isinstance(deployment, dict) and str(deployment.get("enabled")).lower() == "false":
        # A stack of secrets alone has nobody who logs in.
        return
    identity = dict(config.get("kestra:identity") or {})
    identity["vault"] = {
        **(identity.get("vault") or {}),
        "kubernetes-host": plane.url,
        "kubernetes-ca-certificate": plane.ca_file.read_text(),
    }
    if identity["vault"].get("audit-file"):
        # The stacks share one Vault, which takes a file for one device only.
        identity["vault"]["audit-file"] = str(vault.audit_file(stack))
    config["kestra:identity"] = identity


def refuse_encrypted(stack: str, document: Mapping[str, object], copy: Path) -> None:
    """Says so when a stack file needs a key that the sandbox does not have.

    Args:
        stack: the stack's name.
        document: the stack file.
        copy: the sandbox's copy of it; what was encrypted with the sandbox's own key is welcome, and what the
            caller's passphrase opens.

    Raises:
        SandboxError: when there is a `secure:` value of another key.
    """
    own: object = None
    with contextlib.suppress(OSError):
        own = (yaml.safe_load(copy.read_text()) or {}).get("encryptionsalt")
    is_ours = own is not None and document.get("encryptionsalt") == own
    if is_ours or key_of_caller(document) is not None:
        return
    if _has_encrypted(document.get("config")):
        raise SandboxError(
            f"Pulumi.{stack}.yaml holds encrypted values (secure:), and the sandbox has none of your keys."
            " Set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase; or copy the file, leave those values out to have"
            " them generated, and bring the copy up."
        )


def _has_encrypted(value: object) -> bool:
    if isinstance(value, dict):
        return set(value) == {"secure"} or any(_has_encrypted(v) for v in value.values())
    return isinstance(value, list) and any(_has_encrypted(v) for v in value)

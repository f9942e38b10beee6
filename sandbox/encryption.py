"""The secrets of a stack: encrypted in its file before Pulumi keeps a copy of it, and read from its state."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cryptography.exceptions import InvalidTag
from pulumi.runtime import rpc

from components.stack_encryption import decrypted, encrypted, key_of, new_salt
from components.validation.sensitive import in_clear


def encrypt_secrets(document: dict[str, Any], passphrase: Callable[[], str]) -> list[str]:
    """Encrypts the sensitive values that a stack file holds in clear: Pulumi keeps a copy of the file in its history.

    Args:
        document: the stack file; changed. It gets an `encryptionsalt` when it has none.
        passphrase: gives the passphrase of the stack.

    Returns:
        The values.
    """
    values: list[str] = []
    # Aliases of YAML, and what the caller still uses, are each their own here.
    config = document["config"] = copy.deepcopy(document["config"])
    names = {key.removeprefix("kestra:"): key for key in config if isinstance(key, str)}
    for (first, *path, last), value in list(in_clear({n: config[k] for n, k in names.items()})):
        if "encryptionsalt" not in document:
            document["encryptionsalt"] = new_salt(passphrase())
        block = config[names[str(first)]]
        for name in path:
            block = block[name]
        block[last] = encrypted(value, passphrase(), document["encryptionsalt"])
        values.append(value)
    return values


def secrets_of(state: Mapping[str, Any], passphrase: str) -> Iterator[Any]:
    """The secret values of a deployment, as `State.latest` gives it.

    Args:
        state: the deployment; one of another secrets provider gives nothing.
        passphrase: of the stack; what it does not open gives nothing.
    """
    provider = state.get("secrets_providers") or {}
    if provider.get("type") != "passphrase":
        return
    key = key_of(passphrase, provider["state"]["salt"].split(":")[1])
    for sealed in _sealed([state.get("resources"), state.get("pending_operations")]):
        with contextlib.suppress(InvalidTag):
            yield json.loads(decrypted(key, sealed))


def _sealed(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _sealed(item)
    elif isinstance(value, Mapping):
        if rpc.is_rpc_secret(value):
            if isinstance(sealed := value.get("ciphertext"), str):
                yield sealed
            return
        for item in value.values():
            yield from _sealed(item)

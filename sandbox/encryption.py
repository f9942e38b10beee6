"""Values encrypted as Pulumi's passphrase provider does it, without a command line that would show them.

`pulumi config set --secret` takes a value from its arguments or asks a person for it, one value a process; a stack file
can hold hundreds. Format and numbers: Pulumi 3.259, sdk/go/common/resource/config/crypt.go and
pkg/secrets/passphrase/manager.go.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from components.validation.sensitive import in_clear

_ITERATIONS = 1_000_000
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - the mark of one
"""Key and value by which a state says that something is a secret (sdk/go/common/resource/sig)."""
_CHECK = "pulumi"
"""What Pulumi encrypts beside the salt, to recognise a wrong passphrase."""


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
        block = config[names[first]]
        for name in path:
            block = block[name]
        block[last] = encrypted(value, passphrase(), document["encryptionsalt"])
        values.append(value)
    return values


def new_salt(passphrase: str) -> str:
    """An `encryptionsalt` for a stack that has none."""
    salt = base64.b64encode(os.urandom(8)).decode()
    return f"v1:{salt}:{_seal(key_of(passphrase, salt), _CHECK)}"


def encrypted(value: str, passphrase: str, salt: str) -> dict[str, str]:
    """The value as a stack file holds it: `secure: …`.

    Args:
        value: the value.
        passphrase: of the stack.
        salt: its `encryptionsalt`.
    """
    return {"secure": _seal(key_of(passphrase, salt.split(":")[1]), value)}


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
            yield json.loads(_open(key, sealed))


def _sealed(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _sealed(item)
    elif isinstance(value, Mapping):
        if value.get(_SIGNATURE) == _SECRET:
            if isinstance(sealed := value.get("ciphertext"), str):
                yield sealed
            return
        for item in value.values():
            yield from _sealed(item)


@cache
def key_of(passphrase: str, salt: str) -> bytes:
    """The key of a stack's secrets.

    Args:
        passphrase: of the stack.
        salt: the second part of its `encryptionsalt`.
    """
    return hashlib.pbkdf2_hmac(
        "sha256", passphrase.encode(), base64.b64decode(salt), _ITERATIONS, 32
    )


def _open(key: bytes, sealed: str) -> bytes:
    nonce, text = (base64.b64decode(part) for part in sealed.removeprefix("v1:").split(":"))
    return AESGCM(key).decrypt(nonce, text, None)


def _seal(key: bytes, value: str) -> str:
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, value.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

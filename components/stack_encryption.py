"""Values encrypted as Pulumi's passphrase provider does it, without a command line that would show them.

`pulumi config set --secret` takes a value from its arguments or asks a person for it, one value a process; a stack file
can hold hundreds. Format and numbers: Pulumi 3.259, sdk/go/common/resource/config/crypt.go and
pkg/secrets/passphrase/manager.go.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_ITERATIONS = 1_000_000
_CHECK = "pulumi"
"""What Pulumi encrypts beside the salt, to recognise a wrong passphrase."""


def passphrase_at_hand(environment: Mapping[str, str]) -> str | None:
    """The passphrase of Pulumi's variables, in its own order; an empty one protects nothing and counts as none.

    Raises:
        OSError: where the file that a variable names cannot be read.
        ValueError: where that file is no text.
    """
    if text := environment.get("PULUMI_CONFIG_PASSPHRASE"):
        return text
    if file := environment.get("PULUMI_CONFIG_PASSPHRASE_FILE"):
        return Path(file).read_text(encoding="utf-8").strip() or None
    return None


def new_salt(passphrase: str) -> str:
    """An `encryptionsalt` for a stack that has none."""
    salt = base64.b64encode(os.urandom(8)).decode()
    return f"v1:{salt}:{_seal(key_of(passphrase, salt), _CHECK)}"


def opens(passphrase: str, salt: str) -> bool:
    """Whether this is the passphrase of an `encryptionsalt`; not for a text that is none."""
    try:
        _, own, check = salt.split(":", 2)
        return decrypted(key_of(passphrase, own), check) == _CHECK.encode()
    except (ValueError, binascii.Error, InvalidTag):
        return False


def encrypted(value: str, passphrase: str, salt: str) -> dict[str, str]:
    """The value as a stack file holds it: `secure: …`.

    Args:
        value: the value.
        passphrase: of the stack.
        salt: its `encryptionsalt`.
    """
    return {"secure": _seal(key_of(passphrase, salt.split(":")[1]), value)}


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


def decrypted(key: bytes, sealed: str) -> bytes:
    """What `v1:<nonce>:<text>` holds.

    Args:
        key: of the stack (`key_of`).
        sealed: the text of `secure:`.

    Raises:
        InvalidTag: where the key is another's.
    """
    nonce, text = (base64.b64decode(part) for part in sealed.removeprefix("v1:").split(":"))
    return AESGCM(key).decrypt(nonce, text, None)


def _seal(key: bytes, value: str) -> str:
    nonce = os.urandom(12)
    sealed = AESGCM(key).encrypt(nonce, value.encode(), None)
    return f"v1:{base64.b64encode(nonce).decode()}:{base64.b64encode(sealed).decode()}"

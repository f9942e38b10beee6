"""Values that the stack provides itself: generated once, kept as Pulumi secrets."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping

import pulumi
import pulumi_random as random

from .backends.registry import data_keys
from .registration_tokens import registration_token
from .settings.declared import SPECIAL, DeclaredSecret
from .settings.worker_channel import is_token_key

ENCRYPTION_KEY = "encryption.secret-key"


class GeneratedSecrets(pulumi.ComponentResource):
    """Secrets that nobody has to think up.

    - The encryption key is 32 bytes made of a random password, protected, and kept when the stack is destroyed.
    - Passwords satisfy Kestra's rules: 32 characters with lower-case, upper-case and digits.
    - Keys of Kestra's internal stores are 48 characters, protected, and never the encryption key.
    - A changed `rotation` makes another value of that one name; the encryption key and the keys of the internal
      stores have none.
    - Every value is a secret output.

    Example:
        >>> GeneratedSecrets("generated", needed=["encryption.secret-key"], declared={})  # doctest: +SKIP
    """

    values: dict[str, pulumi.Output[str]]
    """Settings path (`encryption.secret-key`) to value."""
    declared: dict[str, pulumi.Output[str]]
    """Name of a declared secret to value."""

    def __init__(
        self,
        name: str,
        needed: Iterable[str],
        declared: dict[str, DeclaredSecret],
        opts: pulumi.ResourceOptions | None = None,
        rotation: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("kestra:generated:GeneratedSecrets", name, None, opts)
        self._rotation = rotation or {}
        self.values = {key: self._value(name, key) for key in needed}
        self.declared = {
            secret: self._password(
                f"{name}-declared-{secret}",
                settings.generate.length,
                special=settings.generate.special,
                rotation=settings.generate.rotation,
            )
            for secret, settings in declared.items()
            if settings.generate is not None and not settings.is_external
        }
        # Not the values: the state would hold every secret once more.
        self.register_outputs({})

    def _value(self, name: str, key: str) -> pulumi.Output[str]:
        logical = f"{name}-{key.replace('.', '-')}"
        if key == ENCRYPTION_KEY:
            # Not RandomBytes: the provider uses the bytes themselves as the resource's id, which the state
            # keeps in clear. 64 letters and digits are more than 256 bits; their hash is a key.
            return self._password(logical, 64, kept=True).apply(key_from)
        if is_token_key(key):
            return self._password(logical, 64).apply(registration_token)
        if key in data_keys():
            return self._password(logical, 48, kept=True)
        return self._password(logical, 32, rotation=self._rotation.get(key))

    def _password(
        self,
        logical: str,
        length: int,
        *,
        special: bool = False,
        kept: bool = False,
        rotation: str | None = None,
    ) -> pulumi.Output[str]:
        password = random.RandomPassword(
            logical,
            length=length,
            special=special,
            override_special=SPECIAL if special else None,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            min_special=1 if special else None,
            keepers=keepers(rotation),
            opts=pulumi.ResourceOptions(
                parent=self, protect=kept or None, retain_on_delete=kept or None
            ),
        )
        return pulumi.Output.secret(password.result)


def keepers(rotation: str | None) -> dict[str, str] | None:
    """What makes another value when it changes; None, as of old, where nothing was ever rotated."""
    return None if rotation is None else {"rotation": rotation}


def key_from(password: str) -> str:
    """Base64 of the 32 bytes of a long random password's hash."""
    return base64.b64encode(hashlib.sha256(password.encode()).digest()).decode()


def base64_text(text: str) -> str:
    """Text as base64, as open-source Kestra reads `SECRET_<NAME>`."""
    return base64.b64encode(text.encode()).decode()

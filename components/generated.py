"""Values that the stack provides itself: generated once, kept as Pulumi secrets."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import pulumi
import pulumi_random as random

from components.settings.declared import DeclaredSecret

ENCRYPTION_KEY = "encryption.secret-key"


class GeneratedSecrets(pulumi.ComponentResource):
    """Secrets that nobody has to think up.

    - The encryption key is 32 random bytes, protected, and kept when the stack is destroyed.
    - Passwords satisfy Kestra's rules: 32 characters with lower-case, upper-case and digits.
    - Keys of Kestra's internal stores are 44 characters and never the encryption key.
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
    ) -> None:
        super().__init__("kestra:generated:GeneratedSecrets", name, None, opts)
        self.values = {key: self._value(name, key) for key in needed}
        self.declared = {
            secret: self._password(
                f"{name}-{secret.lower().replace('_', '-')}",
                settings.generate.length,
                special=settings.generate.special,
            )
            for secret, settings in declared.items()
            if settings.generate is not None
        }
        self.register_outputs({"values": self.values, "declared": self.declared})

    def _value(self, name: str, key: str) -> pulumi.Output[str]:
        logical = f"{name}-{key.replace('.', '-')}"
        if key == ENCRYPTION_KEY:
            return self._bytes(logical, protect=True, retain_on_delete=True)
        if key in ("secret.jdbc.secret", "secret.elasticsearch.secret"):
            return self._bytes(logical, protect=True, retain_on_delete=True)
        return self._password(logical, 32, special=False)

    def _bytes(self, logical: str, *, protect: bool, retain_on_delete: bool) -> pulumi.Output[str]:
        options = pulumi.ResourceOptions(
            parent=self, protect=protect, retain_on_delete=retain_on_delete
        )
        return pulumi.Output.secret(random.RandomBytes(logical, length=32, opts=options).base64)

    def _password(self, logical: str, length: int, *, special: bool) -> pulumi.Output[str]:
        password = random.RandomPassword(
            logical,
            length=length,
            special=special,
            override_special="-_.~" if special else None,
            min_lower=1,
            min_upper=1,
            min_numeric=1,
            min_special=1 if special else None,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.secret(password.result)


def base64_text(text: str) -> str:
    """Text as base64, as open-source Kestra reads `SECRET_<NAME>`."""
    return base64.b64encode(text.encode()).decode()

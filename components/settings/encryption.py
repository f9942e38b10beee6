"""`kestra.encryption`: the key that encrypts SECRET inputs and outputs at rest."""

from __future__ import annotations

from .base import SOURCE_PROJECT, Fingerprint, Model, ProjectBool, Secret, key


class Encryption(Model):
    """Encryption of sensitive inputs and outputs."""

    secret_key: Secret | None = key(
        None,
        "Base64 of exactly 32 random bytes (AES-256-GCM), the same on every component. Absent: generated "
        "once, protected, kept when the stack is destroyed. Losing it loses every stored SECRET value.",
        unit="base64 of 32 bytes",
        source="Kestra EncryptionService; configuration/security-and-secrets, Encryption",
    )
    existing: ProjectBool = key(
        False,
        "Whether Kestra has encrypted data with this key already. Then the key has to be given, none is generated in "
        "its place, and 16 or 24 bytes (AES-128, AES-192) or the key of the internal secret store are warnings "
        "(docs/rotation.md).",
        source=SOURCE_PROJECT,
    )
    external: ProjectBool = key(
        False,
        "Whether the key stays out of Pulumi's state: `python -m components secret generate encryption.secret-key` "
        "makes it in the secret manager, and pods take it from the Secret `kestra-encryption-key`, which `secret copy "
        "encryption.secret-key --to-cluster` writes (docs/external-values.md).",
        source=SOURCE_PROJECT,
    )
    fingerprint: Fingerprint | None = key(
        None,
        "The first 8 hexadecimal digits of the SHA-256 of an external key, as the command prints them: what the guard "
        "knows it by.",
        source=SOURCE_PROJECT,
    )

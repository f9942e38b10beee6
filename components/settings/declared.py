"""`declared-secrets`: the secrets that this stack itself provides to flows."""

from __future__ import annotations

from components.settings.base import OURS, Flag, Model, Secret, Whole, key


class Generate(Model):
    """A value that the stack generates once and keeps."""

    length: Whole = key(32, "Characters.", unit="characters", ge=16, le=256, source=OURS)
    special: Flag = key(False, "Whether special characters occur.", source=OURS)


class DeclaredSecret(Model):
    """One secret."""

    namespace: str = key(
        text="Kestra namespace that it belongs to.",
        pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$",
        max_length=150,
        source=OURS + "; Kestra namespace rules",
    )
    tenant: str = key(
        "main", "Kestra tenant.", pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=63, source=OURS
    )
    value: Secret | None = key(
        None, "The value, set with `pulumi config set --path --secret`.", source=OURS
    )
    generate: Generate | None = key(None, "Generate the value instead.", source=OURS)
    description: str | None = key(None, "What it is for.", max_length=500, source=OURS)
    tags: dict[str, str] = key({}, "Tags of this secret.", source=OURS)

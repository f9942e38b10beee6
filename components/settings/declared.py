"""`declared-secrets`: the secrets that this stack itself provides to flows."""

from __future__ import annotations

from typing import Literal

from .base import (
    SOURCE_PROJECT,
    Model,
    ProjectBool,
    RotationToken,
    Secret,
    StrictInt,
    Title,
    VersionName,
    key,
)
from .store import AWS, AZURE, ESO, GCP
from .teams import KESTRA_NAMESPACE, KESTRA_TENANT

VAULT = "Vault documentation, password policies"
SPECIAL = "-_.~"
"""The special characters of generated values, which stand in addresses without an escape."""


class Generate(Model):
    """A value that nobody has to think up: the stack generates it once and keeps it, or a command does."""

    length: StrictInt = key(
        32, "Characters.", unit="characters", ge=16, le=256, source=SOURCE_PROJECT
    )
    special: ProjectBool = key(False, "Whether special characters occur.", source=SOURCE_PROJECT)
    rotation: RotationToken | None = key(
        None,
        "Any text; another text makes another value (docs/rotation.md).",
        source=SOURCE_PROJECT,
    )
    keep_from_state: ProjectBool = key(
        False,
        "Whether the value stays out of Pulumi's state: `python -m components secret generate` makes it and puts it "
        "into the secret manager, and the stack keeps its place only, as of an external one (docs/external-values.md).",
        source=SOURCE_PROJECT,
    )
    password_policy: str | None = key(
        None,
        "With keep-from-state: name of the password policy by which Vault makes the value, in place of length and "
        "special.",
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_./-]*$",
        max_length=200,
        source=VAULT,
    )


class Rotation(Model):
    """Rotation by a Lambda function of one's own (AWS Secrets Manager)."""

    lambda_arn: str = key(
        text="ARN of the function.",
        pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:.+$",
        source=AWS,
    )
    schedule: str = key(
        "rate(30 days)",
        "When: `rate(…)` or `cron(…)`.",
        pattern=r"^(rate|cron)\([^()]+\)$",
        source=AWS,
    )


class ExistingSecret(Model):
    """A secret that others made and rotate, for flows of open-source Kestra. Exactly one of `name`,
    `kubernetes-secret` and `file`."""

    name: str | None = key(
        None,
        "Its name in the secret manager of kestra:store.type: in Vault the path below kestra:store.vault.mount, in AWS "
        "a name or an ARN.",
        min_length=1,
        max_length=2048,
        source=SOURCE_PROJECT,
    )
    value_property: Title | None = key(
        None,
        "With name: field of its value (Vault: `value` when absent; elsewhere a field of a JSON text, the whole text "
        "when absent).",
        source=ESO,
        alias="property",
    )
    version: VersionName | None = key(
        None,
        "With name: the version to stay at (absent: the newest, read anew every kestra:store.refresh-interval).",
        source=ESO,
    )
    kubernetes_secret: str | None = key(
        None,
        "Name of a plain Kubernetes Secret in Kestra's namespace, for example one that Sealed Secrets makes.",
        pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$",
        source=SOURCE_PROJECT,
    )
    data_key: str | None = key(
        None,
        "With kubernetes-secret: the key in it.",
        pattern=r"^[A-Za-z0-9._-]{1,253}$",
        source=SOURCE_PROJECT,
        alias="key",
    )
    file: str | None = key(
        None,
        "Path of a file in Kestra's containers, for example of a CSI volume (kestra:deployment.extra-volumes).",
        pattern=r"^/[A-Za-z0-9._/-]+$",
        source=SOURCE_PROJECT,
    )
    encoding: Literal["plain", "base64"] = key(
        "plain",
        "base64 where the value is encoded already as Kestra reads SECRET_<NAME>, besides what Kubernetes itself "
        "encodes. Else it is encoded on the way.",
        source="Kestra documentation, secrets in open source",
    )


class DeclaredSecret(Model):
    """One secret."""

    namespace: str = key(
        "",
        "Kestra namespace that it belongs to; required in the Enterprise Edition. In open source a secret has none: "
        "flows of every namespace read it.",
        pattern=KESTRA_NAMESPACE,
        max_length=150,
        source=SOURCE_PROJECT + "; Kestra namespace rules",
    )
    tenant: str = key(
        "main",
        "Kestra tenant.",
        pattern=KESTRA_TENANT,
        max_length=63,
        source=SOURCE_PROJECT,
    )
    value: Secret | None = key(
        None, "The value, set with `pulumi config set --path --secret`.", source=SOURCE_PROJECT
    )
    generate: Generate | None = key(None, "Generate the value instead.", source=SOURCE_PROJECT)
    existing: ExistingSecret | None = key(
        None,
        "Open source: a secret that others made and rotate. Flows read it; nothing of it is in Pulumi's state.",
        source=SOURCE_PROJECT,
    )
    external: ProjectBool = key(
        False,
        "Whether a person or a pipeline puts the value into the secret manager, with `python -m components secret "
        "set NAME` for instance: the stack makes and keeps its place, and never sees the value "
        "(docs/external-values.md).",
        source=SOURCE_PROJECT,
    )
    description: str | None = key(None, "What it is for.", max_length=500, source=SOURCE_PROJECT)
    tags: dict[str, str] = key({}, "Tags of this secret.", source=SOURCE_PROJECT)
    content_type: str | None = key(
        None,
        "Kind of content (Azure Key Vault; absent: text/plain).",
        max_length=255,
        source=AZURE,
    )
    expires: str | None = key(
        None,
        "When it expires, for example 2027-01-31T00:00:00Z (Azure Key Vault: for people and alerts, "
        "reads go on).",
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$",
        source=AZURE,
    )
    rotation: Rotation | None = key(None, "Rotation (AWS Secrets Manager).", source=AWS)
    version_aliases: dict[str, StrictInt] = key(
        {},
        "Alias to number of a version that exists (Google Secret Manager). A secret with aliases keeps its old "
        "versions when its value changes.",
        source=GCP,
    )

    @property
    def is_external(self) -> bool:
        """Whether the stack never has its value: another puts it into the secret manager."""
        return self.external or bool(self.generate and self.generate.keep_from_state)

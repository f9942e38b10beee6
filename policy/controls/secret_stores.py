"""Every secret store: the public, protection from loss, and secrets in Pulumi itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.documents import statements
from ..core.model import Context, Finding, Problem, Resource, Stack, control
from ..core.values import (
    UNKNOWN,
    Sealed,
    Undecided,
    check_each,
    leaves,
)
from ..pods import WORKLOADS
from ..secret_types import (
    AWS_POLICY,
    AWS_SECRET,
    KEY_VAULT,
    KEY_VAULT_SECRET,
    PROTECT_SETTING,
)


@control(
    "ks-secret-stores-05",
    "No secret is for everybody",
    "critical",
    risk="A policy for every principal gives the secret to any account of the world.",
    steps=("Name the principals.", "Set blockPublicPolicy: true on the SecretPolicy."),
    setting="kestra:identity",
    types=(AWS_SECRET, AWS_POLICY, "gcp:secretmanager/secretIamMember:SecretIamMember"),
)
def not_public(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type.startswith("gcp:"):
        if resource.get_path("member") in ("allUsers", "allAuthenticatedUsers"):
            yield Problem("is for all users", "named members", "member")
        return
    if resource.type == AWS_POLICY and resource.get_path("blockPublicPolicy") is not True:
        yield Problem("may become public", "blockPublicPolicy: true", "blockPublicPolicy")
    for statement in statements(resource, "policy"):
        if statement.allows and statement.is_public and not statement.condition:
            yield Problem("allows every principal", "named principals", "policy")


#: Type to the properties that hold secret values.
VALUES: Mapping[str, tuple[str, ...]] = {
    "aws:secretsmanager/secretVersion:SecretVersion": ("secretString", "secretBinary"),
    "aws:ssm/parameter:Parameter": ("value",),
    KEY_VAULT_SECRET: ("properties.value",),
    "gcp:secretmanager/secretVersion:SecretVersion": ("secretData",),
    "vault:kv/secretV2:SecretV2": ("dataJson",),
    "vault:kv/secret:Secret": ("dataJson",),
    "vault:generic/secret:Secret": ("dataJson",),
    "kubernetes:core/v1:Secret": ("data", "stringData"),
    # Databases, where their provider's SDK does not mark it already.
    "aws:rds/instance:Instance": ("password",),
    "aws:rds/cluster:Cluster": ("masterPassword",),
    "azure-native:dbforpostgresql:Server": ("administratorLoginPassword",),
    "gcp:sql/user:User": ("password",),
}


@control(
    "ks-secret-stores-14",
    "Values of secrets are Pulumi secrets",
    "critical",
    risk="A value that Pulumi does not know as secret stands in clear in its state, its plan and its logs.",
    steps=(
        "Read it with config.require_secret, or wrap it in pulumi.Output.secret.",
        "Change the value: it has been in the state.",
    ),
    setting="pulumi config set --secret --path kestra:…",
    types=tuple(VALUES),
)
def marked_values(resource: Resource, _: Context) -> Iterator[Finding]:
    if (
        resource.type == "aws:ssm/parameter:Parameter"
        and resource.get_path("type") != "SecureString"
    ):
        return
    for path in VALUES[resource.type]:
        for inner, value in leaves(resource.get_path(path), path):
            if value is UNKNOWN:
                yield Undecided(inner)
            elif value not in (None, "") and not isinstance(value, Sealed):
                yield Problem("has a value in clear", "a Pulumi secret", inner)


_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "kubernetes:core/v1:ConfigMap": ("data",),
    "kubernetes:helm.sh/v3:Release": ("values",),
    "kubernetes:helm.sh/v4:Chart": ("values",),
    "pulumi:pulumi:Stack": ("",),
    **dict.fromkeys(WORKLOADS, ("spec",)),
}


def _worth_hiding(text: Any) -> bool:
    """Whether a secret value is so particular that finding it elsewhere is no accident."""
    if text is UNKNOWN:
        return False
    mixed = any(c.isdigit() for c in text) and any(c.isalpha() for c in text)
    return len(text) >= 12 and mixed and not re.search(r"@|://|\s", text)


@control(
    "ks-secret-stores-15",
    "No secret of the stack stands anywhere in clear",
    "critical",
    risk="A secret that is also in a ConfigMap, in Helm values or in an output is a secret for nobody.",
    steps=(
        "Refer to the Secret from there, or make the output a secret.",
        "Change the value.",
    ),
    setting="use ${NAME} in the settings and give the value in a Secret",
)
def nowhere_in_clear(stack: Stack, _: Context) -> Iterator[Finding]:
    sealed = {
        value.value
        for resource in stack.resources
        for _, value in leaves(resource.props)
        if isinstance(value, Sealed) and _worth_hiding(value.value)
    }
    sealed |= {base64.b64encode(text.encode()).decode() for text in sealed}

    def check(carrier: Resource) -> Iterator[Finding]:
        for path in _CARRIERS[carrier.type]:
            properties = carrier.get_path(path) if path else carrier.props
            for inner, value in leaves(properties, path):
                if value is UNKNOWN:
                    yield Undecided(inner)
                elif isinstance(value, str) and any(text in value for text in sealed):
                    yield Problem("holds a secret in clear", "a reference to it", inner, carrier)

    # What a chart makes has no value of its own.
    yield from check_each([c for c in stack.of(*_CARRIERS) if c.origin is None], check)


_KEPT = (
    "aws:kms/key:Key",
    KEY_VAULT,
    "gcp:kms/cryptoKey:CryptoKey",
    "vault:kv/secretBackendV2:SecretBackendV2",
    # What holds Kestra's files.
    "aws:s3/bucket:Bucket",
    "azure-native:storage:StorageAccount",
    "gcp:storage/bucket:Bucket",
)


@control(
    "ks-secret-stores-16",
    "Stores, keys and Kestra's encryption key are protected in production",
    "high",
    risk="Without its encryption key Kestra can never again read what it encrypted.",
    steps=("Set protect: true in the resource's options.",),
    setting=PROTECT_SETTING,
    types=(
        *_KEPT,
        "vault:index/mount:Mount",
        "vault:kv/secretV2:SecretV2",
        "random:index/randomPassword:RandomPassword",
        "random:index/randomBytes:RandomBytes",
    ),
)
def protected(resource: Resource, context: Context) -> Iterator[Finding]:
    if not context.is_production or resource.protect:
        return
    is_kept = resource.type in _KEPT or (
        resource.type == "vault:index/mount:Mount" and resource.get_path("type") in ("kv", "kv-v2")
    )
    if is_kept or re.search(r"encryption", resource.name, re.IGNORECASE):
        yield Problem("is not protected", "protect: true", "the option protect")

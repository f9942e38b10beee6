"""Secret stores: what protects the secrets at rest, from loss, from the public, and in Pulumi itself."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping

from policy.core.documents import statements
from policy.core.model import Context, Finding, Problem, Resource, Stack, cis, control, fsbp
from policy.core.values import (
    UNKNOWN,
    Sealed,
    Undecided,
    as_list,
    check_each,
    get_path,
    leaves,
    number,
    reveal,
)
from policy.pods import WORKLOADS

AWS_SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - types, here and below
AWS_ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
AWS_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
KEY_VAULT = "azure-native:keyvault:Vault"
KEY_VAULT_SECRET = "azure-native:keyvault:Secret"  # noqa: S105
KEY_VAULT_KEY = "azure-native:keyvault:Key"
GCP_SECRET = "gcp:secretmanager/secret:Secret"  # noqa: S105
_PROTECT = "kestra:tags.environment (production protects)"
_NOT_ROTATED = ("none", "external", "manual", "never")


def _stays(secret: Resource, tags: str) -> bool:
    """Whether a secret must not change by itself: it says so, or it is Kestra's encryption key.

    Kestra has one key and no way to encrypt anew: another key makes everything unreadable.
    """
    said = str(secret.get_path(f"{tags}.rotation") or "").lower() in _NOT_ROTATED
    return said or re.search("encryption", secret.name, re.IGNORECASE) is not None


@control(
    "ks-secret-stores-01",
    "AWS secrets have a key of the customer",
    "medium",
    risk="With AWS's own key nobody can withdraw access to the secrets, or see who decrypted them.",
    steps=("Create a KMS key and name it in kmsKeyId.",),
    setting="kestra:secret.aws-secret-manager and kestra:identity",
    types=(AWS_SECRET,),
)
def customer_key(secret: Resource, _: Context) -> Iterator[Finding]:
    key = secret.get_path("kmsKeyId")
    if not key or str(key).endswith("alias/aws/secretsmanager"):
        yield Problem("is encrypted with AWS's key", "a KMS key of the stack", "kmsKeyId")


@control(
    "ks-secret-stores-02",
    "AWS secrets can be recovered",
    "medium",
    risk="A secret that is deleted at once is lost at once, with everything that was opened by it.",
    steps=("Set recoveryWindowInDays to 7 or more (30 in production).",),
    setting=_PROTECT,
    types=(AWS_SECRET,),
)
def recoverable(secret: Resource, context: Context) -> Iterator[Finding]:
    days = number(secret.get_path("recoveryWindowInDays"))
    if days is None or days >= 7 or (days == 0 and context.environment == "development"):
        return
    yield Problem(f"can be recovered for {days:.0f} days", "7 or more", "recoveryWindowInDays")


@control(
    "ks-secret-stores-03",
    "AWS secrets rotate, or say why not",
    "medium",
    risk="A secret that never changes stays open to everybody who ever saw it.",
    steps=(
        "Add a SecretRotation.",
        "Where another system rotates it, or it must not rotate, set the tag rotation to external or none.",
    ),
    setting="kestra:declared-secrets.<name>.tags.rotation",
    frameworks=fsbp("SecretsManager.1"),
)
def rotates(stack: Stack, _: Context) -> Iterator[Finding]:
    rotations = stack.of(AWS_ROTATION)

    def judge(secret: Resource) -> Iterator[Finding]:
        if _stays(secret, "tags"):
            return
        if any(r.refers_to(secret, "secretId") for r in rotations):
            return
        own = {
            reveal(secret.props.get(n))
            for n in ("arn", "id", "name")
            if secret.props.get(n) is not UNKNOWN
        }
        if any(reveal(r.get_path("secretId")) in own - {None} for r in rotations):
            return
        expected = "a SecretRotation, or the tag rotation: external or none"
        yield Problem("does not rotate", expected, "tags.rotation", secret)

    yield from check_each(stack.of(AWS_SECRET), judge)


@control(
    "ks-secret-stores-04",
    "Rotation comes often enough",
    "low",
    risk="The longer a secret lives, the longer a copy of it is worth something.",
    steps=("Set automaticallyAfterDays to the configured days (default 90) or less.",),
    setting="maximumRotationDays of the pack's configuration",
    types=(AWS_ROTATION,),
    frameworks=fsbp("SecretsManager.4"),
)
def rotates_often(rotation: Resource, context: Context) -> Iterator[Finding]:
    days = number(rotation.get_path("rotationRules.automaticallyAfterDays"))
    said = re.fullmatch(
        r"rate\((\d+) days?\)", str(rotation.get_path("rotationRules.scheduleExpression") or "")
    )
    days = days if days is not None or not said else float(said[1])
    most = context.options.maximum_rotation_days
    if days is not None and days > most:
        yield Problem(f"rotates every {days:.0f} days", f"{most:.0f} or less", "rotationRules")


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
    for found in statements(resource, "policy"):
        if found.allows and found.is_public and not found.condition:
            yield Problem("allows every principal", "named principals", "policy")


@control(
    "ks-secret-stores-06",
    "Key Vaults cannot be purged",
    "high",
    risk="A vault that can be purged can be emptied for good, by mistake or by extortion.",
    steps=(
        "Set enablePurgeProtection and enableSoftDelete to true.",
        "Set softDeleteRetentionInDays to 90 in production.",
    ),
    setting=_PROTECT,
    types=(KEY_VAULT,),
    frameworks=cis("Azure", v1_5="8.5", v2_0="8.5", v2_1="8.5", v3_0="3.3.5", v4_0="9.3.5"),
)
def no_purge(vault: Resource, context: Context) -> Iterator[Finding]:
    if context.environment == "development":
        return
    if vault.get_path("properties.enablePurgeProtection") is not True:
        yield Problem("can be purged", "true", "properties.enablePurgeProtection")
    if vault.get_path("properties.enableSoftDelete") is False:
        yield Problem("deletes at once", "true", "properties.enableSoftDelete")
    days = number(vault.get_path("properties.softDeleteRetentionInDays"))
    if context.is_production and days is not None and days < 90:
        where = "properties.softDeleteRetentionInDays"
        yield Problem(f"keeps what is deleted {days:.0f} days", "90", where)


@control(
    "ks-secret-stores-07",
    "Key Vaults use roles",
    "medium",
    risk="Access policies give all secrets of a vault at once, and who may change the vault may add one.",
    steps=("Set enableRbacAuthorization: true and remove accessPolicies.",),
    setting="kestra:secret.azure-key-vault",
    types=(KEY_VAULT,),
    frameworks=cis(
        "Azure", v1_5="8.6", v2_0="8.6", v2_1="8.6", v3_0="3.3.6", v4_0="9.3.6", v5_0="8.3.6"
    ),
)
def role_access(vault: Resource, _: Context) -> Iterator[Finding]:
    if vault.get_path("properties.enableRbacAuthorization") is not True:
        yield Problem("uses access policies", "true", "properties.enableRbacAuthorization")
    if as_list(vault.get_path("properties.accessPolicies")):
        yield Problem("has access policies", "role assignments", "properties.accessPolicies")


@control(
    "ks-secret-stores-08",
    "Key Vaults are not on the internet",
    "high",
    risk="A vault that anyone can reach needs one stolen token only.",
    steps=("Set publicNetworkAccess: Disabled and networkAcls.defaultAction: Deny.",),
    setting="kestra:secret.azure-key-vault",
    types=(KEY_VAULT,),
    frameworks=cis(
        "Azure", v1_5="8.7", v2_0="8.7", v2_1="8.7", v3_0="3.3.7", v4_0="9.3.8", v5_0="8.3.8"
    ),
)
def not_on_the_internet(vault: Resource, _: Context) -> Iterator[Finding]:
    access = str(vault.get_path("properties.publicNetworkAccess") or "enabled").lower()
    if access != "disabled":
        yield Problem("is on the internet", "Disabled", "properties.publicNetworkAccess")
    if vault.get_path("properties.networkAcls.defaultAction") != "Deny":
        yield Problem("lets every network in", "Deny", "properties.networkAcls.defaultAction")


@control(
    "ks-secret-stores-09",
    "Key Vaults have a private endpoint",
    "medium",
    risk="Without a private endpoint the way to a closed vault is opened for somebody, sooner or later.",
    steps=(
        "Add a PrivateEndpoint to the vault, or name private-endpoints in managedElsewhere.",
        "A closed vault that nobody reads until the day of a recovery has the tag private-endpoint: none.",
    ),
    setting="managedElsewhere of the pack's configuration",
)
def private_endpoint(stack: Stack, context: Context) -> Iterator[Finding]:
    if (
        context.environment == "development"
        or "private-endpoints" in context.options.managed_elsewhere
    ):
        return
    yield from check_each(stack.of(KEY_VAULT), lambda v: _endpoint(stack, v))


def _endpoint(stack: Stack, vault: Resource) -> Iterator[Finding]:
    connections = "privateLinkServiceConnections"
    closed = vault.get_path("properties.publicNetworkAccess") == "Disabled"
    if closed and vault.get_path("tags.private-endpoint") == "none":
        return
    for endpoint in stack.of("azure-native:network:PrivateEndpoint"):
        if endpoint.refers_to(vault, connections):
            return
        for connection in as_list(endpoint.get_path(connections)):
            linked = get_path(connection, "privateLinkServiceId")
            if linked and linked == vault.get_path("id"):
                return
    where = "the stack's PrivateEndpoints"
    yield Problem("has no private endpoint", "a PrivateEndpoint to it", where, vault)


@control(
    "ks-secret-stores-10",
    "Secrets and keys of a Key Vault end",
    "low",
    risk="What never ends is never renewed, and works for whoever kept a copy.",
    steps=(
        "Set properties.attributes.expires (seconds since 1970).",
        "Where another system renews it, or it must not end, set the tag rotation to external or none.",
    ),
    setting="kestra:declared-secrets",
    types=(KEY_VAULT_SECRET, KEY_VAULT_KEY),
    frameworks=tuple(
        rule
        for position in range(1, 5)
        for rule in cis(
            "Azure",
            v1_5=f"8.{position}",
            v2_0=f"8.{position}",
            v2_1=f"8.{position}",
            v3_0=f"3.3.{position}",
            v4_0=f"9.3.{position}",
            v5_0=f"8.3.{position}",
        )
    ),
)
def expires(item: Resource, _: Context) -> Iterator[Finding]:
    if not item.get_path("properties.attributes.expires") and not _stays(item, "tags"):
        yield Problem("never expires", "an expiry date", "properties.attributes.expires")


@control(
    "ks-secret-stores-11",
    "Key Vaults write an audit log",
    "high",
    risk="Without the audit log nobody can say who read a secret.",
    steps=(
        "Add a DiagnosticSetting with AuditEvent (or the group audit), or name key-vault-diagnostics in managedElsewhere.",
    ),
    setting="managedElsewhere of the pack's configuration",
    frameworks=cis(
        "Azure",
        v1_3="5.1.5",
        v2_0="5.1.5",
        v2_1="5.1.4",
        v3_0="6.1.4",
        v4_0="7.1.1.4",
        v5_0="6.1.1.4",
    ),
)
def audited(stack: Stack, context: Context) -> Iterator[Finding]:
    if "key-vault-diagnostics" in context.options.managed_elsewhere:
        return
    settings = stack.of("azure-native:monitor:DiagnosticSetting")

    def is_audit(setting: Resource) -> bool:
        return any(
            get_path(log, "enabled") is not False
            and (
                get_path(log, "category") == "AuditEvent"
                or get_path(log, "categoryGroup") in ("audit", "allLogs")
            )
            for log in as_list(setting.get_path("logs"))
        )

    def judge(vault: Resource) -> Iterator[Finding]:
        for setting in settings:
            of_it = setting.refers_to(vault, "resourceUri") or (
                setting.get_path("resourceUri") == vault.get_path("id")
            )
            if of_it and is_audit(setting):
                return
        expected = "a DiagnosticSetting with AuditEvent"
        yield Problem("has no audit log", expected, "the stack's DiagnosticSettings", vault)

    yield from check_each(stack.of(KEY_VAULT), judge)


@control(
    "ks-secret-stores-12",
    "Google secrets are encrypted with a key of the customer, or stay in named regions",
    "medium",
    risk="Automatic replication without an own key puts copies anywhere, and nobody can withdraw access.",
    steps=(
        "Set replication.userManaged with regions, or customerManagedEncryption.",
        "In production set customerManagedEncryption in both forms.",
    ),
    setting="kestra:secret.google-secret-manager",
    types=(GCP_SECRET,),
)
def known_places(secret: Resource, context: Context) -> Iterator[Finding]:
    replicas = as_list(secret.get_path("replication.userManaged.replicas"))
    path = "customerManagedEncryption"
    own = [get_path(r, f"{path}.kmsKeyName") for r in replicas]
    encrypted = all(own) if own else bool(secret.get_path(f"replication.auto.{path}.kmsKeyName"))
    if not encrypted and (context.is_production or not replicas):
        where = "each replica's" if replicas else "replication.auto's"
        yield Problem("has no key of the customer", "a KMS key", f"{where} {path}")


@control(
    "ks-secret-stores-13",
    "Google secrets rotate or end, and old versions go",
    "low",
    risk="Old versions of a secret that are destroyed by nobody stay readable.",
    steps=(
        "Set rotation, expireTime or ttl, or the label rotation to external or none.",
        "Set versionDestroyTtl.",
    ),
    setting="kestra:declared-secrets",
    types=(GCP_SECRET,),
)
def old_versions_go(secret: Resource, _: Context) -> Iterator[Finding]:
    ends = (
        secret.get_path("rotation.rotationPeriod")
        or secret.get_path("expireTime")
        or secret.get_path("ttl")
    )
    if not ends and not _stays(secret, "labels"):
        yield Problem("neither rotates nor ends", "rotation, expireTime or ttl", "rotation")
    if not secret.get_path("versionDestroyTtl"):
        yield Problem("destroys versions at once", "a time to go back", "versionDestroyTtl")


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
    if not resource.is_marked:
        raise Undecided("whether values are secret")
    for path in VALUES[resource.type]:
        for inner, value in leaves(resource.get_path(path), path):
            if value is UNKNOWN:
                yield Undecided(inner)
            elif value not in (None, "") and not isinstance(value, Sealed):
                yield Problem("has a value in clear", "a Pulumi secret", inner)


_CARRIERS: Mapping[str, tuple[str, ...]] = {
    "kubernetes:core/v1:ConfigMap": ("data",),
    "kubernetes:helm.sh/v3:Release": ("values",),
    "pulumi:pulumi:Stack": ("",),
    **dict.fromkeys(WORKLOADS, ("spec",)),
}


def _worth_hiding(text: str) -> bool:
    """Whether a secret value is so particular that finding it elsewhere is no accident."""
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
    if not all(r.is_marked for r in stack.resources):
        raise Undecided("whether values are secret")
    sealed = {
        value.value
        for resource in stack.resources
        for _, value in leaves(resource.props)
        if isinstance(value, Sealed) and _worth_hiding(value.value)
    }
    sealed |= {base64.b64encode(text.encode()).decode() for text in sealed}

    def judge(carrier: Resource) -> Iterator[Finding]:
        for path in _CARRIERS[carrier.type]:
            found = carrier.get_path(path) if path else carrier.props
            for inner, value in leaves(found, path):
                if value is UNKNOWN:
                    yield Undecided(inner)
                elif isinstance(value, str) and any(text in value for text in sealed):
                    yield Problem("holds a secret in clear", "a reference to it", inner, carrier)

    yield from check_each(stack.of(*_CARRIERS), judge)


_KEPT = (
    "aws:kms/key:Key",
    KEY_VAULT,
    "gcp:kms/cryptoKey:CryptoKey",
    "vault:kv/secretBackendV2:SecretBackendV2",
)


@control(
    "ks-secret-stores-16",
    "Stores, keys and Kestra's encryption key are protected in production",
    "high",
    risk="Without its encryption key Kestra can never again read what it encrypted.",
    steps=("Set protect: true in the resource's options.",),
    setting=_PROTECT,
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

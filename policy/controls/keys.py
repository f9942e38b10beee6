"""Keys: that they change, that they cannot be lost, and who may use them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..core.documents import statements
from ..core.model import Context, Finding, Problem, Resource, Stack, cis, control, fsbp
from ..core.values import UNKNOWN, Undecided, as_list, get_path, number

AWS_KEY = "aws:kms/key:Key"
AWS_KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
GCP_KEY = "gcp:kms/cryptoKey:CryptoKey"
GCP_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
_KEY_SETTING = "kestra:secret (the store's key)"


def _is_symmetric(key: Resource) -> bool:
    usage = key.get_path("keyUsage") or "ENCRYPT_DECRYPT"
    spec = key.get_path("customerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    return usage == "ENCRYPT_DECRYPT" and spec == "SYMMETRIC_DEFAULT"


def rotate(_: Resource, __: Context) -> Mapping[str, Any]:
    """Rotation on: nothing has to change with it, old material stays."""
    return {"enableKeyRotation": True}


@control(
    "ks-keys-01",
    "KMS keys rotate",
    "medium",
    risk="One key for ever makes everything that was ever encrypted hang on one material.",
    steps=("Set enableKeyRotation: true.", "In production the pack sets it itself."),
    setting=_KEY_SETTING,
    types=(AWS_KEY,),
    frameworks=cis(
        "AWS", v1_2="2.8", v1_3="3.8", v2_0="3.8", v3_0="3.6", v4_0="3.6", v5_0="3.6", v6_0="4.6"
    ),
    remedy=rotate,
)
def key_rotation(key: Resource, _: Context) -> Iterator[Finding]:
    if _is_symmetric(key) and key.get_path("enableKeyRotation") is not True:
        yield Problem("does not rotate", "true", "enableKeyRotation")


@control(
    "ks-keys-02",
    "KMS keys can be rescued",
    "high",
    risk="A key that is deleted soon, or whose policy locks everybody out, takes every secret with it.",
    steps=(
        "Set deletionWindowInDays to 14 or more (30 in production).",
        "Remove bypassPolicyLockoutSafetyCheck.",
    ),
    setting="kestra:tags.environment",
    types=(AWS_KEY, AWS_KEY_POLICY),
)
def key_deletion_window(key: Resource, context: Context) -> Iterator[Finding]:
    least = 30 if context.is_production else 14
    days = number(key.get_path("deletionWindowInDays"))
    if days is not None and days < least:
        actual = f"is deleted after {days:.0f} days"
        yield Problem(actual, f"{least} or more", "deletionWindowInDays")
    if key.get_path("bypassPolicyLockoutSafetyCheck"):
        where = "bypassPolicyLockoutSafetyCheck"
        yield Problem("skips the check against locking out", "no bypass", where)


@control(
    "ks-keys-03",
    "Key policies name who may do what",
    "critical",
    risk="Who may use a key may read everything under it, and who may do everything may delete it.",
    steps=(
        "Name the principals, or add a condition (kms:CallerAccount, kms:ViaService).",
        "Give kms:* to the account's root or to keyAdministrators only.",
    ),
    setting="keyAdministrators of the pack's configuration",
    types=(AWS_KEY, AWS_KEY_POLICY),
    frameworks=fsbp("KMS.5"),
)
def key_policy(key: Resource, context: Context) -> Iterator[Finding]:
    for statement in statements(key, "policy"):
        if not statement.allows:
            continue
        if statement.is_public and not statement.condition:
            yield Problem("allows every principal", "named principals or a condition", "policy")
        for principal in statement.principals if "kms:*" in statement.actions else ():
            name = principal.removeprefix("AWS:")
            is_root = re.fullmatch(r"arn:[\w-]+:iam::\d+:root|\d{12}", name)
            if not is_root and name not in ("*", *context.options.key_administrators):
                yield Problem(f"gives kms:* to {name}", "the actions that it needs", "policy")


@control(
    "ks-keys-04",
    "Google KMS keys rotate within 90 days and are for named members",
    "medium",
    risk="An old key opens years of data, and a public one opens it to everybody.",
    steps=(
        "Set rotationPeriod to 7776000s or less.",
        "Remove allUsers and allAuthenticatedUsers.",
        "Use purpose ENCRYPT_DECRYPT with GOOGLE_SYMMETRIC_ENCRYPTION.",
    ),
    setting=_KEY_SETTING,
    types=(GCP_KEY, GCP_MEMBER, "gcp:kms/cryptoKeyIAMBinding:CryptoKeyIAMBinding"),
    frameworks=(
        *cis("Google Cloud", v1_2="1.10", v2_0="1.10", v3_0="1.10", v4_0="1.10"),
        *cis("Google Cloud", v4_0="1.9"),
    ),
)
def google_keys(resource: Resource, _: Context) -> Iterator[Finding]:
    if resource.type != GCP_KEY:
        members = [*as_list(resource.get_path("member")), *as_list(resource.get_path("members"))]
        if {"allUsers", "allAuthenticatedUsers"} & set(members):
            yield Problem("is for all users", "named members", "members")
        return
    if (resource.get_path("purpose") or "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        yield Problem("is no key for encryption", "ENCRYPT_DECRYPT", "purpose")
        return
    algorithm = resource.get_path("versionTemplate.algorithm") or "GOOGLE_SYMMETRIC_ENCRYPTION"
    if algorithm not in ("GOOGLE_SYMMETRIC_ENCRYPTION", "AES_256_GCM"):
        expected = "GOOGLE_SYMMETRIC_ENCRYPTION"
        yield Problem(f"has algorithm {algorithm}", expected, "versionTemplate.algorithm")
    period = number(str(resource.get_path("rotationPeriod") or "").removesuffix("s"))
    if period is None or period > 90 * 86400:
        actual = "does not rotate" if period is None else f"rotates every {period / 86400:.0f} days"
        yield Problem(actual, "7776000s or less", "rotationPeriod")


@control(
    "ks-keys-05",
    "Key Vault keys rotate",
    "medium",
    risk="A key that nobody turns over stays as good for a thief as on the first day.",
    steps=(
        "Add rotationPolicy with a lifetime action of type rotate.",
        "Where requireHsm is configured, use the premium SKU.",
    ),
    setting=_KEY_SETTING,
    types=("azure-native:keyvault:Key", "azure-native:keyvault:Vault"),
    frameworks=cis(
        "Azure", v1_5="8.8", v2_0="8.8", v2_1="8.8", v3_0="3.3.8", v4_0="9.3.9", v5_0="8.3.9"
    ),
)
def vault_key_rotation(resource: Resource, context: Context) -> Iterator[Finding]:
    if resource.type.endswith(":Vault"):
        sku = str(resource.get_path("properties.sku.name") or "").lower()
        if context.options.require_hsm and context.is_production and sku != "premium":
            yield Problem(f"has SKU {sku or 'none'}", "premium", "properties.sku.name")
        return
    actions = as_list(resource.get_path("properties.rotationPolicy.lifetimeActions"))
    if not any(str(get_path(a, "action.type")).lower() == "rotate" for a in actions):
        yield Problem("does not rotate", "a rotation policy", "properties.rotationPolicy")


_ADMINISTERS = re.compile(
    r"kms:(create|enable|disable|put|update|revoke|schedule|delete|cancel|tag|untag)", re.IGNORECASE
)
_USES = re.compile(r"kms:(decrypt|encrypt|reencrypt|generatedatakey)", re.IGNORECASE)


@control(
    "ks-keys-06",
    "Who administers a key does not use it",
    "medium",
    risk="One principal that may both use and delete a key can take the secrets and burn the house.",
    steps=("Give administration and use to different principals.",),
    setting="kestra:identity",
    frameworks=cis("Google Cloud", v4_0="1.11"),
)
def separate_duties(stack: Stack, _: Context) -> Iterator[Finding]:
    for key in stack.of(AWS_KEY, AWS_KEY_POLICY):
        if key.props.get("policy") is UNKNOWN:
            yield Undecided("policy")
            continue
        admins: set[str] = set()
        users: set[str] = set()
        for statement in statements(key, "policy"):
            named = {p for p in statement.principals if not p.endswith((":root", "*"))}
            if statement.allows and any(_ADMINISTERS.match(a) for a in statement.actions):
                admins |= named
            if statement.allows and any(_USES.match(a) for a in statement.actions):
                users |= named
        for both in sorted(admins & users):
            yield Problem(f"{both} administers and uses it", "two principals", "policy", key)
    members: dict[Any, set[str]] = {}
    for grant in stack.of(GCP_MEMBER):
        whose = (grant.get_path("cryptoKeyId"), grant.get_path("member"))
        members.setdefault(whose, set()).add(str(grant.get_path("role")))
        roles = members[whose]
        if "roles/cloudkms.admin" in roles and any("rypter" in r for r in roles):
            yield Problem("its member administers and uses the key", "two members", "role", grant)

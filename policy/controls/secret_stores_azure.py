"""Key Vaults: purge protection, roles, networks, expiry and audit."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.model import Context, Finding, Problem, Resource, Stack, cis, control
from ..core.values import (
    as_list,
    check_each,
    get_path,
    number,
)
from ..secret_types import (
    KEY_VAULT,
    KEY_VAULT_KEY,
    KEY_VAULT_SECRET,
    PROTECT_SETTING,
    stays,
)


@control(
    "ks-secret-stores-06",
    "Key Vaults cannot be purged",
    "high",
    risk="A vault that can be purged can be emptied for good, by mistake or by extortion.",
    steps=(
        "Set enablePurgeProtection and enableSoftDelete to true.",
        "Set softDeleteRetentionInDays to 90 in production.",
    ),
    setting=PROTECT_SETTING,
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
    if not item.get_path("properties.attributes.expires") and not stays(item, "tags"):
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

    def check(vault: Resource) -> Iterator[Finding]:
        for setting in settings:
            of_it = setting.refers_to(vault, "resourceUri") or (
                setting.get_path("resourceUri") == vault.get_path("id")
            )
            if of_it and is_audit(setting):
                return
        expected = "a DiagnosticSetting with AuditEvent"
        yield Problem("has no audit log", expected, "the stack's DiagnosticSettings", vault)

    yield from check_each(stack.of(KEY_VAULT), check)

"""How a key vault is made: its properties, and what of the declared secrets goes into it."""

from __future__ import annotations

import ipaddress

import pulumi
from pulumi_azure_native import keyvault

from ...settings import Settings
from ...settings.declared import DeclaredSecret
from ...settings.store import AzureStore
from .external_values import TEXT, unix_seconds

SHORT, LONG = 7, 90


def vault_properties(
    settings: Settings, block: AzureStore, tenant: pulumi.Input[str], *, public: bool
) -> keyvault.VaultPropertiesArgs:
    """A vault that only roles open, reached as the settings say.

    - No Azure service passes the network rules (`bypass` None): Kestra needs none, and Resource Manager writes
      the stack's secrets without passing them.
    - Purge protection is left out where it is off: Key Vault takes no `false`.
    """
    development = settings.tags.environment == "development"
    purge = (not development) if block.purge_protection is None else block.purge_protection
    days = block.soft_delete_days or (SHORT if development else LONG)
    return keyvault.VaultPropertiesArgs(
        tenant_id=tenant,
        sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName(block.sku)),
        access_policies=[],
        enable_rbac_authorization=True,
        enable_soft_delete=True,
        soft_delete_retention_in_days=days,
        enable_purge_protection=True if purge else None,
        enabled_for_deployment=False,
        enabled_for_disk_encryption=False,
        enabled_for_template_deployment=False,
        public_network_access="Enabled" if public else "Disabled",
        network_acls=keyvault.NetworkRuleSetArgs(
            bypass="None",
            default_action="Deny",
            ip_rules=[
                # As Azure writes an address, so that a refresh finds no difference.
                keyvault.IPRuleArgs(value=ipaddress.IPv4Network(address).with_prefixlen)
                for address in (block.allowed_addresses if public else ())
            ],
            virtual_network_rules=[
                keyvault.VirtualNetworkRuleArgs(id=subnet)
                for subnet in (block.allowed_subnet_ids if public else ())
            ],
        ),
    )


def secret_properties(
    value: pulumi.Input[str], declared: DeclaredSecret | None = None
) -> keyvault.SecretPropertiesArgs:
    """A secret's value with its content type (text/plain) and, where set, its expiry."""
    expires = declared.expires if declared else None
    return keyvault.SecretPropertiesArgs(
        value=pulumi.Output.secret(value),
        content_type=(declared and declared.content_type) or TEXT,
        attributes=keyvault.SecretAttributesArgs(
            enabled=True, expires=unix_seconds(expires) if expires else None
        ),
    )

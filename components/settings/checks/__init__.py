"""What the models cannot say: relations between keys, versions, editions, and values that Kestra misreads."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from components.settings import tag_rules, visibility
from components.settings.checks import (
    advisories,
    aws,
    azure,
    beside,
    clear_secrets,
    declared,
    deployment,
    endpoints,
    gcp,
    heap,
    keys,
    rotation,
    secret,
    security,
    server,
    store,
    values,
    vault,
)
from components.settings.checks.gcp import gcp_account_id
from components.settings.checks.secret import vault_method, vault_methods
from components.settings.findings import Finding
from components.settings.model import Settings
from components.validation import flow_variables, java_options, variable_rules

__all__ = ["CHECKS", "check_all", "gcp_account_id", "vault_method", "vault_methods"]

CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    keys.encryption_key,
    security.editions,
    secret.secret_manager,
    secret.aws,
    secret.azure,
    secret.vault,
    vault.paths,
    vault.shared_engine,
    vault.lives,
    keys.internal_key,
    secret.prefixes,
    secret.cache,
    secret.isolation,
    declared.declared_secrets,
    declared.where,
    declared.only_here,
    rotation.rotation,
    visibility.check,
    store.blocks,
    aws.provisioned,
    azure.store,
    azure.secrets,
    azure.identity,
    gcp.identity,
    gcp.store,
    gcp.aliases,
    beside.also,
    server.basic_auth,
    endpoints.check,
    server.liveness,
    server.ignored,
    security.super_admin,
    security.default_role,
    security.password_rules,
    deployment.platform,
    deployment.deployment,
    heap.check,
    deployment.production,
    advisories.known_holes,
    values.empty_secrets,
    values.addresses,
    variable_rules.environment,
    flow_variables.shown_to_flows,
    java_options.options,
    java_options.arguments,
    values.placeholders,
    clear_secrets.variables,
    tag_rules.check,
)


def check_all(settings: Settings) -> Iterator[Finding]:
    """Everything that the checks find, in the order of the settings."""
    for check in CHECKS:
        yield from check(settings)

"""What the models cannot say: relations between keys, versions, editions, and values that Kestra misreads."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

from ...backends.registry import configured_backends
from ...settings.findings import Finding
from ...settings.model import Settings
from ...settings.open_source_store import store_place, store_text
from ...storage import rules as storage_rules
from ..schema import Loc
from ..unknown_values import Watch, without_entries
from . import (
    advisories,
    catalogue_rules,
    clear_secrets,
    clients,
    database,
    declared,
    deployment,
    edge,
    endpoints,
    existing_secrets,
    external_secrets,
    extra_variables,
    file_paths,
    flow_variables,
    heap,
    java_options,
    keys,
    migration,
    placeholders,
    pod_security,
    pods,
    rotation,
    scaling,
    secret,
    secret_naming,
    secrets_alone,
    security,
    server,
    store,
    tags,
    task_runner,
    teams,
    values,
    variable_rules,
    web_server,
    worker_channel,
    worker_groups,
)


def _of_backends(settings: Settings) -> Iterator[Finding]:
    """Checks of the chosen secret manager, and of those whose block is there without being chosen."""
    for backend in configured_backends(settings):
        of_identity = () if settings.is_secrets_alone else backend.identity_rules
        for rule in (*backend.setting_rules, *of_identity):
            yield from rule(settings)


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    catalogue_rules.keys_of_the_catalogue,
    catalogue_rules.additional,
    keys.encryption_key,
    keys.external_key,
    security.editions,
    secret.secret_manager,
    _of_backends,
    keys.internal_key,
    secret.prefixes,
    secret.cache,
    secret.isolation,
    declared.declared_secrets,
    declared.external,
    declared.where,
    declared.only_here,
    rotation.rotation,
    secret_naming.declared_names,
    store.blocks,
    teams.check,
    external_secrets.edition,
    external_secrets.without_type,
    external_secrets.blocks,
    external_secrets.identity,
    external_secrets.limits,
    existing_secrets.check,
    migration.secondary_store,
    server.basic_auth,
    endpoints.check,
    server.liveness,
    server.ignored,
    security.super_admin,
    security.default_role,
    security.password_rules,
    clients.address,
    clients.queues_of_2,
    clients.licence,
    clients.addresses_of_one_kestra,
    deployment.platform,
    database.authority,
    database.checked,
    database.authorities,
    storage_rules.check,
    deployment.deployment,
    web_server.check,
    edge.check,
    scaling.check,
    heap.check,
    deployment.production,
    advisories.known_holes,
    values.empty_secrets,
    values.addresses,
    variable_rules.environment,
    flow_variables.setting,
    flow_variables.shown_to_flows,
    java_options.options,
    java_options.arguments,
    placeholders.provided,
    placeholders.misread,
    placeholders.log_in_of_endpoints,
    clear_secrets.variables,
    clear_secrets.free_texts,
    extra_variables.names,
    extra_variables.prefixes,
    extra_variables.in_clear,
    extra_variables.shown_to_flows,
    pods.check,
    pod_security.check,
    worker_groups.check,
    worker_channel.check,
    task_runner.check,
    file_paths.check,
    tags.check,
)


#: Those that hold for a stack of secrets alone; the others are about Kestra.
CHECKS_OF_SECRETS_ALONE: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    secrets_alone.check,
    secret.secret_manager,
    _of_backends,
    secret.prefixes,
    declared.declared_secrets,
    declared.external,
    declared.where,
    declared.only_here,
    secret_naming.declared_names,
    store.blocks,
    teams.check,
    external_secrets.edition,
    external_secrets.without_type,
    external_secrets.blocks,
    migration.secondary_store,
    deployment.production,
    tags.check,
)


def check_all(settings: Settings, unknown: Sequence[Loc] = ()) -> Iterator[Finding]:
    """Everything that the checks find, in the order of the settings.

    Args:
        settings: the settings.
        unknown: places whose values nobody knows yet. A check that looks at one of them says only what it also says
            without the entry (of `declared-secrets`, of `datasources` …) that the place is in.
    """
    watch = Watch(settings, unknown) if unknown else None
    others = Watch(*without_entries(settings, unknown)) if unknown else None
    for check in CHECKS_OF_SECRETS_ALONE if settings.is_secrets_alone else CHECKS:
        if watch is None or others is None:
            findings: Collection[Finding] = list(check(settings))
        else:
            findings, is_unsure = watch.reads(check)
            if is_unsure:
                certain, is_unsure = others.reads(check)
                findings = [one for one in findings if not is_unsure and one in certain]
        for finding in findings:
            yield _as_written(settings, finding)


def _as_written(settings: Settings, finding: Finding) -> Finding:
    """What a backend found, at the keys of `kestra:store` where the stack file has those."""
    place = store_place(settings, finding.loc)
    if place == finding.loc:
        return finding
    texts = (store_text(settings, text) for text in (finding.message, finding.rule, finding.fix))
    message, rule, fix = texts
    return replace(finding, loc=place, message=message, rule=rule, fix=fix)

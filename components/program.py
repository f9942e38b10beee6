"""The whole program: settings, secrets, store, identity, Kestra, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from . import tags
from .backends.answers import UnansweredError
from .backends.external_values import Versions, current_versions
from .backends.interface import Identity, Store, StoreArgs
from .backends.registry import (
    backend_of,
    create_identity,
    create_store,
    is_provisioned,
)
from .generated_secrets import ENCRYPTION_KEY, GeneratedSecrets
from .kubernetes.cluster_reader import cluster_reader
from .kubernetes.deployment import Kestra, KestraArgs
from .registrations import Registrations
from .rendering.configuration import (
    Configuration,
    GeneratedValueRef,
    render,
)
from .rendering.web_server import WebServer
from .rendering.worker_channel import generated_keys
from .safeguards.change_guard import Guard, watched
from .safeguards.error_hooks import register_error_hook
from .safeguards.failed_rollout import RolloutWatch
from .safeguards.hints import suggest_vault_address
from .sdk_packages import missing_packages
from .secret_outputs import (
    MANAGEMENT_PASSWORD as MANAGEMENT_PASSWORD,
)
from .secret_outputs import (
    channel,
    encryption_key,
    environment,
    given_secrets,
    keys_held,
    management_password,
    secret_output,
)
from .settings import Settings, SettingsError
from .stack_config import config_values, read_config
from .stack_outputs import read_outputs
from .storage.interface import StorageAccess
from .storage.registry import create_storage
from .team_grants import key_for_teams, team_block
from .validation import Loaded, load_stack


def deploy(project: Path | None = None, asks: Callable[[Settings], bool] = lambda _: True) -> None:
    """Builds the stack from Pulumi's configuration.

    Args:
        project: folder of `Pulumi.yaml`, for an inline program that runs in another one.
        asks: whether the secret managers of these settings are asked for the versions of external secrets.

    Raises:
        pulumi.RunError: with the report of every problem, or the packages that are missing, before anything is
            registered.
    """
    loaded = read_settings(project)
    for warning in loaded.warnings:
        pulumi.log.warn(warning.line())
    if missing := missing_packages(loaded.settings):
        raise pulumi.RunError(missing)
    if advice := suggest_vault_address(loaded.settings, pulumi.Config("vault").get("address")):
        pulumi.log.warn(advice)
    versions = read_versions(loaded.settings) if asks(loaded.settings) else {}
    registrations = Registrations()
    registrations.follow()
    cluster = cluster_reader(loaded.settings)
    register_error_hook(cluster)
    rollouts = RolloutWatch(cluster)
    rollouts.follow()
    build(loaded.settings, watched(loaded.settings), versions)

    async def finish() -> None:
        await registrations.answered()
        await rollouts.end()

    pulumi.run(finish)


def read_settings(project: Path | None = None) -> Loaded:
    """The checked settings of the current stack, and the warnings that `python -m components check` gives.

    Args:
        project: folder of `Pulumi.yaml`, for an inline program that runs in another one.

    Raises:
        pulumi.RunError: with the report of every problem.
    """
    try:
        source = f"Pulumi.{pulumi.get_stack()}.yaml"
        document, config = read_config(project), config_values()
        return load_stack(document, source=source, config=config, read=read_outputs)
    except SettingsError as error:
        raise pulumi.RunError(error.report()) from None


def read_versions(settings: Settings, says: Callable[[str], str] = str) -> Versions:
    """The versions of the external secrets; warns of each that flows cannot read yet.

    Args:
        settings: the stack's settings.
        says: what it makes of a warning, which names settings.

    Raises:
        pulumi.RunError: a secret manager cannot be asked.
    """
    try:
        versions = current_versions(settings, _option)
    except UnansweredError as error:
        raise pulumi.RunError(str(error)) from None
    for type_, of_manager in versions.items():
        for name, version in of_manager.items():
            if version.fault:
                words = (
                    f"{_who_cannot_read(name)} in {type_}: {version.fault}. Put a value there with `python -m "
                    f"components secret {_command(settings, name)}`."
                )
                pulumi.log.warn(says(words))
    return versions


def _who_cannot_read(name: str) -> str:
    if name == ENCRYPTION_KEY:
        return f"kestra:{name}: nobody could recover it"
    return f"kestra:declared-secrets.{name}: flows cannot read it"


def _command(settings: Settings, name: str) -> str:
    is_made = name == ENCRYPTION_KEY or settings.declared_secrets[name].generate is not None
    return f"{'generate' if is_made else 'set'} {name} --stack {pulumi.get_stack()}"


def _option(name: str) -> str | None:
    """An option of a provider in the stack's configuration."""
    provider, _, key = name.partition(":")
    return pulumi.Config(provider).get(key)


@dataclass(frozen=True)
class Provisioned:
    """What Kestra is given: its configuration, its secrets, where they lie, and who it is there."""

    configuration: Configuration
    generated: GeneratedSecrets
    secrets: Mapping[str, pulumi.Output[str]]
    """Declared secret to its value."""
    store: Store
    identity: Identity
    guard: Guard
    second: Store | None = None
    """The store beside it, while the stack moves."""
    storage: StorageAccess | None = None
    """The bucket that Kestra's pods use by their identity; None where others gave them one."""

    @property
    def values(self) -> dict[str, pulumi.Output[str]]:
        """What the stack itself made, settings path to value."""
        return {
            **self.generated.values,
            **self.store.environment,
            **self.identity.environment,
        }


@dataclass(frozen=True)
class Scope:
    """Where the resources of a stack are: at its root, as in this project's own program, or in a component."""

    name: str = ""
    """Of the component; the logical names of its resources begin with it."""
    parent: pulumi.Resource | None = None
    cluster: pulumi.ProviderResource | None = None
    """The provider of the cluster that the settings name; None: the default one."""

    def logical(self, part: str) -> str:
        """The logical name of a part."""
        return f"{self.name}-{part}" if self.name else part

    def options(self, *others: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
        """The options of a part, with further ones."""
        merged = pulumi.ResourceOptions(
            parent=self.parent, providers=[self.cluster] if self.cluster else None
        )
        for other in others:
            merged = pulumi.ResourceOptions.merge(merged, other)
        return merged


def with_cluster(settings: Settings, scope: Scope = Scope()) -> Scope:
    """The scope with a provider for the cluster of `kestra:deployment.kubeconfig`, where the settings name one."""
    kubeconfig = settings.deployment.kubeconfig
    if kubeconfig is None:
        return scope
    provider = kubernetes.Provider(
        scope.logical("cluster"),
        kubeconfig=secret_output(kubeconfig),
        opts=pulumi.ResourceOptions(parent=scope.parent),
    )
    return replace(scope, cluster=provider)


def provision(
    settings: Settings,
    guarding: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
    scope: Scope = Scope(),
) -> Provisioned:
    """Registers the secrets, their store and the identity that reads them.

    Args:
        settings: the stack's settings.
        guarding: options of the guard, `components.safeguards.change_guard.watched()` for one that refuses.
        versions: of the external secrets, by secret manager; None where nobody is asked.
        scope: what the resources are a part of.
    """
    configuration = render(settings)
    generated = generate(settings, needed_values(settings, configuration), scope)
    secrets = given_secrets(settings) | generated.declared
    key = encryption_key(settings, generated)
    guard = guard_keys(settings, generated, guarding, scope)
    after = scope.options(guard.passed)
    store, second = create_stores(settings, secrets, key, after, versions, scope)
    identity = create_identity(scope.logical("identity"), settings, store, after)
    # Where External Secrets reads the store, Kestra's own service account is nobody there.
    own = Identity() if settings.uses_external_secrets else identity
    storage = create_storage(scope.logical("storage"), settings, own, after)
    return Provisioned(configuration, generated, secrets, store, identity, guard, second, storage)


def needed_values(settings: Settings, configuration: Configuration) -> list[str]:
    """Settings paths of the values that a stack needs and neither settings nor a store provide, sorted."""
    needed = {s.key for s in configuration.environment.values() if isinstance(s, GeneratedValueRef)}
    needed |= set(generated_keys(settings))
    return sorted(key for key in needed if not is_provisioned(key))


def generate(settings: Settings, needed: list[str], scope: Scope) -> GeneratedSecrets:
    """Registers the values that the stack makes: those of these settings paths, and of declared secrets."""
    return GeneratedSecrets(
        scope.logical("generated"),
        needed,
        dict(settings.declared_secrets),
        scope.options(),
        rotation=settings.rotation,
    )


def guard_keys(
    settings: Settings,
    generated: GeneratedSecrets,
    guarding: pulumi.ResourceOptions | None,
    scope: Scope,
) -> Guard:
    """Registers the guard of what cannot be had back."""
    keys = keys_held(settings, generated)
    return Guard(scope.logical("guard"), settings, keys, scope.options(guarding))


def build(
    settings: Settings,
    guarding: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
) -> None:
    """Registers the stack's resources and exports its outputs; for the arguments see `provision()`."""
    if settings.is_secrets_alone:
        outputs = provide_secrets(settings, guarding, versions)
    else:
        scope = with_cluster(settings)
        resources = provision(settings, guarding, versions, scope)
        outputs = deploy_kestra("kestra", settings, resources, scope)
    for name, value in outputs.items():
        pulumi.export(name, value)


def provide_secrets(
    settings: Settings,
    guarding: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
    scope: Scope = Scope(),
) -> dict[str, Any]:
    """Registers the secrets of a stack of secrets alone; returns its outputs. For the arguments see `provision()`.

    No key of Kestra's and no copy of one, no identity and no permission: those are of the stack whose Kestra reads the
    secrets, and nobody grants access to them but that stack.
    """
    generated = generate(settings, [], scope)
    secrets = given_secrets(settings) | generated.declared
    guard = guard_keys(settings, generated, guarding, scope)
    after = scope.options(guard.passed)
    store, second = create_stores(settings, secrets, None, after, versions, scope)
    return {
        "secretIds": store.secret_ids,
        **({} if second is None else {"alsoSecretIds": second.secret_ids}),
        "versionIds": store.version_ids,
        "tags": tags.convention(settings.tags),
        "team": team_block(settings, getattr(store, "key_arn", None)),
        "generated": pulumi.Output.secret(_named(generated)),
    }


def deploy_kestra(
    name: str, settings: Settings, resources: Provisioned, scope: Scope = Scope()
) -> dict[str, Any]:
    """Registers Kestra's own resources; returns the outputs of the stack.

    Args:
        name: the logical name of `Kestra`.
        settings: the stack's settings.
        resources: what it is given.
        scope: what the resources are a part of.
    """
    configuration, store, identity = resources.configuration, resources.store, resources.identity
    provided = resources.values
    kestra = Kestra(
        name,
        KestraArgs(
            settings,
            configuration.yaml(),
            environment(settings, configuration, provided),
            identity,
            {} if settings.is_enterprise or settings.uses_external_secrets else resources.secrets,
            store.version_ids,
            [store] if isinstance(store, pulumi.Resource) else [],
            management_password(settings, provided),
            WebServer.of(configuration.document, settings),
            channel=channel(settings, provided),
            storage_identity=resources.storage.identity if resources.storage else Identity(),
        ),
        scope.options(resources.guard.passed),
    )
    second = resources.second
    return {
        "endpoint": kestra.endpoint,
        "namespace": kestra.namespace,
        "serviceAccount": kestra.service_account,
        "principal": identity.principal,
        "deployments": kestra.deployments,
        "configMap": kestra.config_map,
        "secret": kestra.secret,
        "secretIds": store.secret_ids,
        **({} if second is None else {"alsoSecretIds": second.secret_ids}),
        "versionIds": store.version_ids,
        **key_for_teams(settings, store),
        **_of_storage(resources.storage),
        "configuration": configuration.yaml(),
        "tags": tags.convention(settings.tags),
        "generated": pulumi.Output.secret({**provided, **_named(resources.generated)}),
    }


def _of_storage(storage: StorageAccess | None) -> dict[str, Any]:
    if storage is None:
        return {}
    return {"bucket": storage.bucket, "storagePrincipal": storage.identity.principal}


def create_stores(
    settings: Settings,
    secrets: Mapping[str, pulumi.Input[str]],
    encryption_key: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
    scope: Scope = Scope(),
) -> tuple[Store, Store | None]:
    """The store that Kestra reads, and the second one while the stack moves.

    Args:
        settings: the stack's settings.
        secrets: name of a declared secret to its value (secret).
        encryption_key: the key for both to keep (secret), if the stack has it.
        opts: options of both.
        versions: of the external secrets, by secret manager.
        scope: what they are a part of.
    """

    def create(view: Settings) -> Store:
        numbers = {n: v.number for n, v in (versions or {}).get(backend_of(view).type, {}).items()}
        args = StoreArgs(view, secrets, encryption_key, numbers)
        return create_store(scope.logical("store"), args, opts)

    # Under the same name, so that the day the two change places replaces nothing.
    first = create(settings)
    return first, create(settings.secondary) if settings.secondary else None


def _named(generated: GeneratedSecrets) -> dict[str, pulumi.Output[str]]:
    return {f"declared-secrets.{name}": value for name, value in generated.declared.items()}

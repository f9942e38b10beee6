"""The whole program: settings, secrets, store, identity, Kestra, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pydantic import SecretStr

from components import tags
from components.backends.answers import UnansweredError
from components.backends.external_values import Versions, current_versions
from components.backends.interface import Identity, Store, StoreArgs
from components.backends.registry import (
    backend_of,
    create_identity,
    create_store,
    is_provisioned,
)
from components.generated_secrets import ENCRYPTION_KEY, GeneratedSecrets
from components.kubernetes.cluster_reader import READER
from components.kubernetes.deployment import Kestra, KestraArgs
from components.kubernetes.pod_additions import secret_values
from components.registrations import Registrations
from components.rendering.configuration import (
    Configuration,
    GeneratedValueRef,
    ProvidedValue,
    render,
)
from components.rendering.web_server import WebServer
from components.rendering.worker_channel import generated_keys, seeded_groups
from components.safeguards.change_guard import Guard, watched
from components.safeguards.error_hooks import register_error_hook
from components.safeguards.failed_rollout import RolloutWatch
from components.safeguards.hints import suggest_vault_address
from components.sdk_packages import missing_packages
from components.settings import Settings, SettingsError
from components.settings.external_key import has_external_key
from components.settings.placeholders import is_placeholder
from components.settings.secret import InternalStore
from components.settings.worker_channel import STORE_PASSWORD, token_key
from components.stack_config import config_keys, read_config
from components.storage.interface import StorageAccess
from components.storage.registry import create_storage
from components.validation import Loaded, load_stack

MANAGEMENT_PASSWORD = "endpoints.all.basic-auth.password"  # noqa: S105 - a key, not a value


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
    cluster = READER.get()()
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
        return load_stack(read_config(project), source=source, keys=config_keys())
    except SettingsError as error:
        raise pulumi.RunError(error.report()) from None


def read_versions(settings: Settings) -> Versions:
    """The versions of the external secrets; warns of each that flows cannot read yet.

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
                pulumi.log.warn(
                    f"{_who_cannot_read(name)} in {type_}: {version.fault}. Put a value there with `python -m "
                    f"components secret {_command(settings, name)}`."
                )
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


def provision(
    settings: Settings,
    guarding: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
) -> Provisioned:
    """Registers the secrets, their store and the identity that reads them.

    Args:
        settings: the stack's settings.
        guarding: options of the guard, `components.safeguards.change_guard.watched()` for one that refuses.
        versions: of the external secrets, by secret manager; None where nobody is asked.
    """
    configuration = render(settings)
    needed = {s.key for s in configuration.environment.values() if isinstance(s, GeneratedValueRef)}
    needed |= set(generated_keys(settings))
    generated = GeneratedSecrets(
        "generated",
        sorted(key for key in needed if not is_provisioned(key)),
        dict(settings.declared_secrets),
        rotation=settings.rotation,
    )
    secrets = _declared(settings) | generated.declared
    encryption_key = _encryption_key(settings, generated)
    guard = Guard("guard", settings, _keys_held(settings, generated), guarding)
    after = guard.passed
    store, second = create_stores(settings, secrets, encryption_key, after, versions)
    identity = create_identity("identity", settings, store, after)
    # Where External Secrets reads the store, Kestra's own service account is nobody there.
    own = Identity() if settings.uses_external_secrets else identity
    storage = create_storage("storage", settings, own, after)
    return Provisioned(configuration, generated, secrets, store, identity, guard, second, storage)


def build(
    settings: Settings,
    guarding: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
) -> None:
    """Registers the stack's resources and exports its outputs; for the arguments see `provision()`."""
    resources = provision(settings, guarding, versions)
    configuration, store, identity = resources.configuration, resources.store, resources.identity
    provided = resources.values
    kestra = Kestra(
        "kestra",
        KestraArgs(
            settings,
            configuration.yaml(),
            _environment(settings, configuration, provided),
            identity,
            {} if settings.is_enterprise or settings.uses_external_secrets else resources.secrets,
            store.version_ids,
            [store] if isinstance(store, pulumi.Resource) else [],
            _management_password(settings, provided),
            WebServer.of(configuration.document, settings),
            channel=_channel(settings, provided),
            storage_identity=resources.storage.identity if resources.storage else Identity(),
        ),
        resources.guard.passed,
    )
    pulumi.export("endpoint", kestra.endpoint)
    pulumi.export("namespace", kestra.namespace)
    pulumi.export("serviceAccount", kestra.service_account)
    pulumi.export("principal", identity.principal)
    pulumi.export("deployments", kestra.deployments)
    pulumi.export("configMap", kestra.config_map)
    pulumi.export("secret", kestra.secret)
    pulumi.export("secretIds", store.secret_ids)
    if resources.second is not None:
        pulumi.export("alsoSecretIds", resources.second.secret_ids)
    pulumi.export("versionIds", store.version_ids)
    if resources.storage is not None:
        pulumi.export("bucket", resources.storage.bucket)
        pulumi.export("storagePrincipal", resources.storage.identity.principal)
    pulumi.export("configuration", configuration.yaml())
    pulumi.export("tags", tags.convention(settings.tags))
    pulumi.export("generated", pulumi.Output.secret({**provided, **_named(resources.generated)}))


def create_stores(
    settings: Settings,
    secrets: Mapping[str, pulumi.Input[str]],
    encryption_key: pulumi.Input[str] | None,
    opts: pulumi.ResourceOptions | None = None,
    versions: Versions | None = None,
) -> tuple[Store, Store | None]:
    """The store that Kestra reads, and the second one while the stack moves.

    Args:
        settings: the stack's settings.
        secrets: name of a declared secret to its value (secret).
        encryption_key: the key for both to keep (secret), if the stack has it.
        opts: options of both.
        versions: of the external secrets, by secret manager.
    """

    def create(view: Settings) -> Store:
        numbers = {n: v.number for n, v in (versions or {}).get(backend_of(view).type, {}).items()}
        return create_store("store", StoreArgs(view, secrets, encryption_key, numbers), opts)

    # Under the same name, so that the day the two change places replaces nothing.
    first = create(settings)
    return first, create(settings.secondary) if settings.secondary else None


def _named(generated: GeneratedSecrets) -> dict[str, pulumi.Output[str]]:
    return {f"declared-secrets.{name}": value for name, value in generated.declared.items()}


def _declared(settings: Settings) -> dict[str, pulumi.Output[str]]:
    """Given values of declared secrets."""
    return {
        name: _secret(secret.value)
        for name, secret in settings.declared_secrets.items()
        if secret.value is not None
    }


def _environment(
    settings: Settings, configuration: Configuration, provided: Mapping[str, pulumi.Output[str]]
) -> dict[str, pulumi.Output[str]]:
    """Variables of the placeholders, and the encrypted ones of the settings."""
    variables = settings.deployment.secret_environment | secret_values(settings)
    return {name: _secret(value) for name, value in variables.items()} | {
        name: _secret(source.value) if isinstance(source, ProvidedValue) else provided[source.key]
        for name, source in configuration.environment.items()
    }


def _encryption_key(settings: Settings, generated: GeneratedSecrets) -> pulumi.Output[str] | None:
    """The key for the store to keep; None where only Kestra's environment has it."""
    secret_key = settings.encryption.secret_key
    if secret_key is None:
        return generated.values[ENCRYPTION_KEY]
    return None if is_placeholder(secret_key.get_secret_value()) else _secret(secret_key)


def _keys_held(settings: Settings, generated: GeneratedSecrets) -> dict[str, pulumi.Output[str]]:
    """Keys without which Kestra could not read what it stored, a placeholder's own text included."""
    secret_key = settings.encryption.secret_key
    keys: dict[str, pulumi.Output[str]] = {}
    if not has_external_key(settings):
        # Of an external one the settings say the fingerprint.
        own = _secret(secret_key) if secret_key else generated.values[ENCRYPTION_KEY]
        keys["encryptionKey"] = own
    if path := backend_of(settings).data_key:
        block = settings.secret and settings.secret.backend
        own = block.secret if isinstance(block, InternalStore) else None
        keys["internalKey"] = _secret(own) if own else generated.values[path]
    return keys


def _channel(
    settings: Settings, provided: Mapping[str, pulumi.Output[str]]
) -> dict[str, pulumi.Output[str]]:
    """What workers and controllers need besides Kestra's file, made or given."""
    keys = [*generated_keys(settings), *([STORE_PASSWORD] if settings.grpc_tls else [])]
    tokens = {group: settings.registration_groups[group] for group in seeded_groups(settings)}
    of_settings = {token_key(group): _secret(token) for group, token in tokens.items() if token}
    return {key: provided[key] for key in keys} | of_settings


def _management_password(
    settings: Settings, provided: Mapping[str, pulumi.Output[str]]
) -> pulumi.Output[str] | None:
    everything = settings.endpoints.all
    if everything is None or everything.basic_auth is None:
        return None
    password = everything.basic_auth.password
    if password is not None:
        return _secret(password)
    return provided[MANAGEMENT_PASSWORD]


def _secret(value: SecretStr) -> pulumi.Output[str]:
    """The one place where a given value becomes a Pulumi secret."""
    return pulumi.Output.secret(value.get_secret_value())

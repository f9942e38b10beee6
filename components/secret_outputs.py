"""Values of the settings as outputs of Pulumi: where each secret leaves the settings."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi.output import UNKNOWN
from pydantic import SecretStr

from .backends.registry import backend_of
from .generated_secrets import ENCRYPTION_KEY, GeneratedSecrets
from .kubernetes.pod_additions import secret_values
from .rendering.configuration import Configuration, GeneratedValueRef, ProvidedValue
from .rendering.leaves import literal
from .rendering.worker_channel import generated_keys, seeded_groups
from .settings import Settings
from .settings.base import OPAQUE, PendingSecret
from .settings.external_key import has_external_key
from .settings.placeholders import is_placeholder
from .settings.secret import InternalStore
from .settings.worker_channel import STORE_PASSWORD, token_key

MANAGEMENT_PASSWORD = "endpoints.all.basic-auth.password"  # noqa: S105 - a key, not a value


def given_secrets(settings: Settings) -> dict[str, pulumi.Output[str]]:
    """Declared secret to its value, for those whose value stands in the settings."""
    return {
        name: secret_output(secret.value)
        for name, secret in settings.declared_secrets.items()
        if secret.value is not None
    }


def environment(
    settings: Settings, configuration: Configuration, provided: Mapping[str, pulumi.Output[str]]
) -> dict[str, pulumi.Output[str]]:
    """Variables of the placeholders, and the encrypted ones of the settings."""
    return provided_values(settings, configuration) | {
        name: provided[source.key]
        for name, source in configuration.environment.items()
        if isinstance(source, GeneratedValueRef)
    }


def provided_values(
    settings: Settings, configuration: Configuration
) -> dict[str, pulumi.Output[str]]:
    """The variables of the pods whose values stand in the settings, each a secret."""
    variables = settings.deployment.secret_environment | secret_values(settings)
    placeholders = configuration.environment.items()
    return {name: secret_output(value) for name, value in variables.items()} | {
        # Micronaut resolves `${NAME}` in a value; what is known already is ready for it.
        name: secret_output(one.value).apply(literal)
        if isinstance(one.value, PendingSecret)
        else secret_output(one.value)
        for name, one in placeholders
        if isinstance(one, ProvidedValue)
    }


def encryption_key(settings: Settings, generated: GeneratedSecrets) -> pulumi.Output[str] | None:
    """The key for the store to keep; None where only Kestra's environment has it."""
    secret_key = settings.encryption.secret_key
    if secret_key is None:
        return generated.values.get(ENCRYPTION_KEY)
    return None if is_placeholder(secret_key.get_secret_value()) else secret_output(secret_key)


def keys_held(settings: Settings, generated: GeneratedSecrets) -> dict[str, pulumi.Output[str]]:
    """Keys without which Kestra could not read what it stored, a placeholder's own text included."""
    secret_key = settings.encryption.secret_key
    keys: dict[str, pulumi.Output[str]] = {}
    if not has_external_key(settings):
        # Of an external one the settings say the fingerprint.
        own = secret_output(secret_key) if secret_key else generated.values.get(ENCRYPTION_KEY)
        keys |= {"encryptionKey": own} if own is not None else {}
    if path := backend_of(settings).data_key:
        block = settings.secret and settings.secret.backend
        own = block.secret if isinstance(block, InternalStore) else None
        kept = secret_output(own) if own else generated.values.get(path)
        keys |= {"internalKey": kept} if kept is not None else {}
    return keys


def management_password(
    settings: Settings, provided: Mapping[str, pulumi.Output[str]]
) -> pulumi.Output[str] | None:
    everything = settings.endpoints.all
    if everything is None or everything.basic_auth is None:
        return None
    password = everything.basic_auth.password
    if password is not None:
        return secret_output(password)
    return provided[MANAGEMENT_PASSWORD]


def secret_output(value: SecretStr) -> pulumi.Output[str]:
    """The one place where a given value becomes a Pulumi secret."""
    if isinstance(value, PendingSecret):
        return pulumi.Output.secret(value.output)
    text = value.get_secret_value()
    if OPAQUE in text and pulumi.runtime.is_dry_run():
        # An argument of a component that is not known before the update.
        return pulumi.Output.secret(UNKNOWN).apply(str)
    return pulumi.Output.secret(text)


def channel(
    settings: Settings, provided: Mapping[str, pulumi.Output[str]]
) -> dict[str, pulumi.Output[str]]:
    """What workers and controllers need besides Kestra's file, by settings path.

    Args:
        settings: the stack's settings.
        provided: what the stack itself made, by settings path.
    """
    keys = [*generated_keys(settings), *([STORE_PASSWORD] if settings.grpc_tls else [])]
    tokens = {group: settings.registration_groups[group] for group in seeded_groups(settings)}
    own = {token_key(group): secret_output(token) for group, token in tokens.items() if token}
    return {key: provided[key] for key in keys} | own

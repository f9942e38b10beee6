"""Values that never enter the state: which version a secret manager has in force, and how a command writes one.

A backend's `ExternalValues` talks to its manager's API as whoever runs the command or the update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from ..settings.declared import Generate
from ..settings.external_key import has_external_key
from ..settings.model import Settings
from .answers import CurrentVersion, UnansweredError

if TYPE_CHECKING:
    import pulumi

    from .interface import StoreArgs

ENCRYPTION_KEY = "encryption.secret-key"
NO_PLACE = "it has no place yet: `pulumi up` makes it"
NO_VALUE = "it has no value yet"

Option = Callable[[str], str | None]
"""The value of a provider's option in the stack's configuration: `aws:region`; None where it has none."""


class ExternalValues(Protocol):
    """The declared secrets of one stack in one secret manager, by their names in the settings.

    Each method raises `UnansweredError` when the manager cannot be asked or refuses.
    """

    def version(self, name: str) -> CurrentVersion:
        """The version in force; of one without a value the number is empty, and `fault` says why."""
        ...

    def write(self, name: str, value: str) -> CurrentVersion:
        """Puts a value in force, as a new version.

        Args:
            name: of a declared secret.
            value: what flows read. Secret.
        """
        ...

    def read(self, name: str) -> str:
        """The value in force. Secret."""
        ...

    def random(self, generate: Generate) -> str | None:
        """A value as the settings want it that the manager itself makes; None where it makes none. Secret."""
        ...


def no_option(name: str) -> str | None:
    """The options of a stack that sets none."""
    return None


def external_names(settings: Settings) -> list[str]:
    """The declared secrets whose values others put into the secret manager."""
    return [name for name, secret in settings.declared_secrets.items() if secret.is_external]


def values_by_others(settings: Settings) -> list[str]:
    """All that others put into the secret manager: the external secrets, and the encryption key where it is one."""
    return [*external_names(settings), *([ENCRYPTION_KEY] if has_external_key(settings) else [])]


def keeps_key(args: StoreArgs) -> bool:
    """Whether a store has the encryption key, or its place, beside the secrets."""
    return args.encryption_key is not None or has_external_key(args.settings)


def record_version(args: StoreArgs, name: str, versions: dict[str, pulumi.Output[str]]) -> None:
    """Notes the version of an external secret that is in force, among those of a store; nothing while there is none."""
    import pulumi

    if version := args.external_versions.get(name):
        versions[name] = pulumi.Output.from_input(version)


def views(settings: Settings) -> list[Settings]:
    """The settings of each secret manager: the first one, and the second one while the stack moves."""
    return [settings, *([settings.secondary] if settings.secondary else [])]


Versions = Mapping[str, Mapping[str, CurrentVersion]]
"""Type of a secret manager to the versions of its external secrets that are in force."""


def current_versions(settings: Settings, option: Option = no_option) -> Versions:
    """The version of each external secret that is in force in each manager of the stack.

    Args:
        settings: of the stack.
        option: of its providers.

    Raises:
        UnansweredError: a manager cannot be asked.
    """
    from .registry import backend_of

    versions: dict[str, dict[str, CurrentVersion]] = {}
    names = values_by_others(settings)
    for view in views(settings) if names else []:
        backend = backend_of(view)
        values = backend.external_values(view, option)
        if values is None:
            continue
        try:
            versions[backend.type] = {name: values.version(name) for name in names}
        except UnansweredError as error:
            raise UnansweredError(
                f"The versions of the external secrets in {backend.title} cannot be read: {error}"
            ) from None
    return versions

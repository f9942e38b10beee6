"""A secret manager as External Secrets Operator reads it, for open-source Kestra (`kestra:store.type`)."""

from __future__ import annotations

from typing import Any

from ..settings.declared import DeclaredSecret
from ..settings.model import Settings
from .login import Identity


class ReadByExternalSecrets:
    """What the operator's objects say of a manager."""

    def secret_store(self, settings: Settings, identity: Identity) -> dict[str, Any]:
        """`spec.provider` of the SecretStore by which the operator reads the manager.

        Args:
            settings: the stack's settings.
            identity: as whom; `Settings.store_account` is its service account.

        Raises:
            NotImplementedError: for a manager that `kestra:store.type` does not name.
        """
        raise NotImplementedError(type(self).__name__)

    def remote_field(self, declared: DeclaredSecret) -> str | None:
        """The field of a secret's value; None for the whole."""
        return declared.existing.value_property if declared.existing else None

    def remote_version(self, version: str) -> str:
        """A version's id, as the store has it, in the form by which the operator asks for it."""
        return version

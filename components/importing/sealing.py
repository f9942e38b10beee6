"""Secrets of a draft: encrypted where a passphrase is at hand, else left out and to be set."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from ..stack_encryption import encrypted, new_salt, opens, passphrase_at_hand
from .bound_keys import bound_places
from .conversion import Conversion
from .draft import Place, Sealed, Value
from .readers import ImportRefused

#: Keys of a stack file beside `config` that say how its secrets are encrypted.
HEADER = ("encryptionsalt", "secretsprovider", "encryptedkey")


@dataclass(frozen=True)
class Seal:
    """How the secrets of the stack file are encrypted."""

    header: Mapping[str, str]
    """What stands in the file beside `config`."""
    passphrase: str | None = field(default=None, repr=False)
    why_not: str = ""
    """Why nothing can be encrypted, for the report."""

    def encrypted(self, value: str) -> dict[str, str]:
        """A value as the stack file holds it."""
        assert self.passphrase is not None
        return encrypted(value, self.passphrase, self.header["encryptionsalt"])


def find_seal(existing: Path | None, environment: Mapping[str, str] | None = None) -> Seal:
    """The seal for a stack file.

    Args:
        existing: a stack file whose secrets the new one's are to be encrypted like; None: there is none.
        environment: of the process (default: `os.environ`).

    Raises:
        ImportRefused: where the passphrase is not that of the existing file.
    """
    passphrase = _passphrase(os.environ if environment is None else environment)
    header = header_of(existing)
    if "encryptedkey" in header or (
        "secretsprovider" in header and not header["secretsprovider"].startswith("passphrase")
    ):
        why = f"{existing} uses another secrets provider than a passphrase, which only Pulumi asks"
        return Seal(header, why_not=why)
    if passphrase is None:
        why = "neither PULUMI_CONFIG_PASSPHRASE nor PULUMI_CONFIG_PASSPHRASE_FILE is set"
        return Seal(header, why_not=why)
    if "encryptionsalt" not in header:
        return Seal({**header, "encryptionsalt": new_salt(passphrase)}, passphrase)
    if not opens(passphrase, header["encryptionsalt"]):
        raise ImportRefused(
            f"PULUMI_CONFIG_PASSPHRASE is not the passphrase of {existing}; nothing was written."
        )
    return Seal(header, passphrase)


def header_of(file: Path | None) -> dict[str, str]:
    """What a stack file says of its encryption; nothing for one that cannot be read."""
    if file is None:
        return {}
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    document = document if isinstance(document, dict) else {}
    return {key: document[key] for key in HEADER if isinstance(document.get(key), str)}


def _passphrase(environment: Mapping[str, str]) -> str | None:
    try:
        return passphrase_at_hand(environment)
    except (OSError, ValueError):
        raise ImportRefused(
            "The file of PULUMI_CONFIG_PASSPHRASE_FILE cannot be read; nothing was written."
        ) from None


def seal_secrets(c: Conversion, seal: Seal) -> None:
    """Encrypts each secret leaf, or leaves it out and names the command that sets it."""
    for place, value in list(c.draft.leaves()):
        if not value.is_secret or c.draft.at(*place) is not value:
            continue
        if seal.passphrase is not None:
            sealed = Sealed(seal.encrypted(str(value.value))["secure"])
            c.draft.put(place, Value(sealed, value.origin, value.comment, is_secret=True))
        elif isinstance(place[-1], int):
            _ask_list(c, place[:-1])
        else:
            why = "a secret; " + (
                "data is bound to it: give it the same one (`existing: true` stands beside it)"
                if place in bound_places()
                else "its value is not written without a passphrase"
            )
            c.ask(place, f"{why}{_from(c, value)}", secret=True)
            c.draft.remove(*place)


def _ask_list(c: Conversion, place: Place) -> None:
    """A list that holds secrets is given as a whole, so that its order stays."""
    for inner, value in list(c.draft.leaves(*place)):
        c.ask(inner, f"an item of a list with secrets{_from(c, value)}", secret=value.is_secret)
    c.draft.remove(*place)


def _from(c: Conversion, value: Value) -> str:
    return f" ({c.where(value.origin)})" if value.origin else ""

"""The settings of Acorn."""

from __future__ import annotations

from components.settings.base import SOURCE_PROJECT, Model, Secret, StrictInt, key
from components.settings.managers import MANAGER, FlatManager


class AcornBlock(FlatManager):
    """`kestra:secret.acorn`."""

    address: str = key(text="Address of the server.", pattern=r"^https://[^\s/]+", source=MANAGER)
    shelf: str = key("kestra", "Where its secrets lie.", min_length=1, source=MANAGER)
    token: Secret | None = key(None, "The token. Absent: one is made.", source=MANAGER)


class AcornShelf(Model):
    """`kestra:store.acorn`."""

    copies: StrictInt = key(1, "Copies of each secret.", ge=1, le=9, source=SOURCE_PROJECT)


class AcornIdentity(Model):
    """`kestra:identity.acorn`."""

    team: str = key("platform", "The team that owns the token.", source=SOURCE_PROJECT)

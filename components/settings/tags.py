"""`tags`: the convention that every resource carries."""

from __future__ import annotations

from typing import Literal

from .base import SOURCE_PROJECT, Model, key


class TagSettings(Model):
    """Tags of every resource, translated for each cloud (`components/tags.py`)."""

    application: str = key(
        "kestra", "Application.", min_length=1, max_length=63, source=SOURCE_PROJECT
    )
    environment: Literal["development", "staging", "production"] = key(
        "development", "Environment; decides protection and retention.", source=SOURCE_PROJECT
    )
    owner: str | None = key(
        None,
        "Team that answers for it; required in production.",
        min_length=1,
        source=SOURCE_PROJECT,
    )
    data_class: Literal["public", "internal", "confidential", "restricted"] = key(
        "confidential", "Class of the data.", source=SOURCE_PROJECT
    )
    additional: dict[str, str] = key({}, "The project's own tags.", source=SOURCE_PROJECT)

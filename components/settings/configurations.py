"""`kestra.configurations`: what happens to configuration files after the start."""

from __future__ import annotations

from .base import Model, StrictBool, key


class Configurations(Model):
    """Configuration files."""

    delete_files_on_start: StrictBool = key(
        False,
        "Kestra deletes the files that it was configured from once it has started, so that tasks cannot "
        "read them. The deployment then gives each container start a writable copy in memory.",
        source="Kestra DeleteConfigurationApplicationListeners; security-and-secrets, Delete configuration files",
    )

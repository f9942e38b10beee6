"""Kestra's security and secrets as Pulumi components.

Installed, this package is `kestra_pulumi` (docs/package.md):

    from kestra_pulumi import KestraStack
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .package.components import (
        KestraConfiguration,
        KestraDeployment,
        KestraIdentity,
        KestraStack,
        SecretStore,
        TagConvention,
    )

__version__ = "0.1.0"
"""The version of this project; a release adds its states to the tests (docs/upgrade.md)."""

COMMAND = f"python -m {__name__}"
"""How the command line of this package is called; installed, its name is another one."""

__all__ = [
    "KestraConfiguration",
    "KestraDeployment",
    "KestraIdentity",
    "KestraStack",
    "SecretStore",
    "TagConvention",
]


def __getattr__(name: str) -> Any:
    # Loaded when it is asked for: the checks of stack files need no SDK.
    if name in __all__:
        from .package.components import COMPONENTS

        return COMPONENTS[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

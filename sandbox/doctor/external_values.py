"""Which external secrets have no value yet. Reads versions only, and asks the caller's own secret managers on request."""

from __future__ import annotations

from collections.abc import Iterator

from components.backends.answers import UnansweredError
from components.backends.external_values import Option, current_versions
from components.settings import Settings
from sandbox.doctor.machine import Check


def examine_external_values(settings: Settings, option: Option, *, own: bool) -> Iterator[Check]:
    """One check for each secret that others write, in each manager.

    Args:
        settings: the stack's settings.
        option: of the stack's providers.
        own: whether the caller's own managers are asked; without it nothing is.
    """
    if not own:
        return
    try:
        versions = current_versions(settings, option)
    except UnansweredError as error:
        yield Check("external secrets", str(error), None)
        return
    for type_, of_manager in versions.items():
        for name, version in of_manager.items():
            state = f"{type_}: {version.fault or f'version {version.number}'}"
            remedy = "`python -m components secret list` and `set` (docs/external-values.md)"
            yield Check(name, state, not version.fault, remedy)

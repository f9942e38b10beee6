"""How an operation of a provider fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.providers.runtime.values import Properties


class ProviderError(Exception):
    """What went wrong, in the server's own words; shown as the resource's error."""


class NotReadyError(ProviderError):
    """The object exists but is not ready: the engine records it and fails the step.

    Args:
        message: what is shown.
        id_: the object's id.
        outputs: what the state is to hold of it.
        reasons: shown one by one (default: the message).
        inputs: what a refresh is to hold as its inputs.
    """

    def __init__(
        self,
        message: str,
        id_: str,
        outputs: Properties,
        reasons: Sequence[str] = (),
        inputs: Properties | None = None,
    ) -> None:
        super().__init__(message)
        self.id, self.outputs, self.inputs = id_, outputs, inputs or {}
        self.reasons = list(reasons) or [message]


class PartiallyCreated(ProviderError):
    """An object was created, and what followed failed: it exists. `outputs` have no marks of secrets."""

    def __init__(self, message: str, id_: str, outputs: Properties) -> None:
        super().__init__(message)
        self.id, self.outputs = id_, outputs


def finish_create(
    id_: str, outputs: Properties, rest: Callable[[], Properties | None]
) -> Properties:
    """Does the rest of a creation, and returns the object's outputs.

    Args:
        id_: of the object that was just created.
        outputs: what is known of it so far; write-only inputs are left out of the state.
        rest: gives the outputs, or None when the object is not there.

    Raises:
        PartiallyCreated: when the rest fails.
    """
    try:
        result = rest()
    except ProviderError as error:
        known = {k: v for k, v in outputs.items() if not k.endswith("Wo")}
        raise PartiallyCreated(str(error), id_, known) from None
    if result is None:
        raise ProviderError(f"{id_} is not there after it was written")
    return result

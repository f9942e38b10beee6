"""The outputs of other stacks, as the engine of the running program reads them."""

from __future__ import annotations

import pulumi

from .validation.stack_outputs import StackOutputs, UnreadStackError

_READ = "pulumi:pulumi:readStackOutputs"


def read_outputs(stack: str) -> StackOutputs:
    """The outputs of a stack, by the engine of the running program; no resource is registered.

    A resource `StackReference` would keep every output of the other stack in the state of this one.

    Args:
        stack: as Pulumi names it.

    Raises:
        UnreadStackError: the backend does not have it, or does not answer.
    """
    try:
        answer = pulumi.runtime.invoke(_READ, {"name": stack}).value
    except Exception as error:
        raise _unread(str(error), stack) from None
    return StackOutputs(
        answer.get("outputs") or {}, frozenset(answer.get("secretOutputNames") or ())
    )


def _unread(said: str, stack: str) -> UnreadStackError:
    if "unknown stack" in said or "no stack named" in said:
        return UnreadStackError(
            "which this backend does not have",
            "write its name as `pulumi stack ls --all` prints it; both stacks are in one backend (`pulumi whoami -v`)",
        )
    words = " ".join(said.rpartition("returned an error: ")[2].split())[-300:].rstrip(".")
    return UnreadStackError(
        f"which cannot be read: {words}", f"try `pulumi stack output --stack {stack}`"
    )

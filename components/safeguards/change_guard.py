"""The guard: refuses an update that would lose what cannot be had back, with what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pulumi

from ..settings import Settings
from .irreversible_changes import fingerprint, refusal, snapshot


class Guard(pulumi.ComponentResource):
    """What the stack has that cannot be had back, written down in its state.

    - Keys as fingerprints, stores by where they are, declared secrets by name: no secret, and no resource outside.
    - With `watched()` among its options, an update or preview that would replace a key, a store or its KMS key, or
      leave declared secrets behind, is refused before anything that comes after the guard is touched. Outside
      development; the way through is `kestra:deployment.accept`.
    - Protected with the stack, so that what it knows outlives `pulumi destroy --exclude-protected`.

    Example:
        >>> Guard("guard", settings, {"encryptionKey": key})  # doctest: +SKIP
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        keys: Mapping[str, pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        known = {fact: pulumi.Output.unsecret(key.apply(fingerprint)) for fact, key in keys.items()}
        protected = pulumi.ResourceOptions(protect=settings.protect or None)
        super().__init__(
            "kestra:guard:Guard",
            name,
            {**snapshot(settings), **known},
            pulumi.ResourceOptions.merge(protected, opts),
        )
        self.register_outputs({})

    @property
    def passed(self) -> pulumi.ResourceOptions:
        """Options of what comes after: it begins when the guard has let the update pass."""
        # A component among `depends_on` stands for its children, and this one has none.
        return pulumi.ResourceOptions(depends_on=self.urn.apply(lambda _: list[pulumi.Resource]()))


def watched(
    settings: Settings, name: str = "kestra-guard", says: Callable[[str], str] = str
) -> pulumi.ResourceOptions:
    """Options of a guard that refuses; for a real engine only, as mocks know no hooks.

    Args:
        settings: of the guard.
        name: of the hook; the engine knows each name once in an update.
        says: what it makes of the refusal, which names settings.
    """

    def compare(args: pulumi.ResourceHookArgs) -> None:
        before, after = _plain(args.old_inputs or {}), _plain(args.new_inputs or {})
        # A state of before the guard has nothing to compare with.
        if message := refusal(before, after, settings.deployment.accept):
            raise pulumi.RunError(says(message))

    hook = pulumi.ResourceHook(name, compare, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[hook]))


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs without internal ones."""
    return {name: value for name, value in inputs.items() if not name.startswith("__")}

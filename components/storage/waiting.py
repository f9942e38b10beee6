"""The service account of Kestra's pods waits for what it is to use."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi


def known_after(
    value: pulumi.Input[str], resources: Sequence[pulumi.Resource]
) -> pulumi.Output[str]:
    """A value that is known when the resources are there."""
    ids = [one.id for one in resources if isinstance(one, pulumi.CustomResource)]
    return pulumi.Output.all(value, *ids).apply(lambda known: str(known[0]))

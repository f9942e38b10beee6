"""Keeps a program running, and with it the server of its hooks, until the engine has answered every registration.

The SDK (pulumi 3.259, `wait_for_rpcs`) ends the program at the first registration that cannot be sent because it needs
a resource that failed. The engine still works on other resources then. When one of them fails too, its error hook is
asked for at a server that has ended, and "connection refused" takes the place of the provider's own words.
"""

from __future__ import annotations

import asyncio

import pulumi


class Registrations:
    """The resources that a program registers."""

    def __init__(self) -> None:
        self._unanswered: list[pulumi.Resource] = []

    def follow(self) -> None:
        """Notes every resource that is registered from here on."""
        pulumi.runtime.register_stack_transformation(self._note)

    def _note(self, args: pulumi.ResourceTransformationArgs) -> None:
        self._unanswered.append(args.resource)

    async def answered(self) -> None:
        """Returns when the engine has answered for every resource, also for those that failed; for `pulumi.run`.

        An update of many resources is faster with it. The SDK waits for what has not begun by its outputs: for all of
        them, again after each, which takes the square of their number (docs/benchmarks.md).
        """
        while self._unanswered:
            resources, self._unanswered = self._unanswered, []
            answers = (resource.urn.future() for resource in resources)
            # What failed is reported by the SDK and the engine.
            await asyncio.gather(*answers, return_exceptions=True)

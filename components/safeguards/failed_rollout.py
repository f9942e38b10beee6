"""Says what the pods say, where a Deployment was not ready in time, and what a rollout waits for meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pulumi

from ..kubernetes.cluster_reader import ClusterReader, UnreadClusterError
from ..kubernetes.rollout_report import (
    READ_LINES,
    commands_for,
    progress,
    report,
    secret_names,
    wanted_logs,
)
from ..kubernetes.rollout_state import Rollout
from ..redaction.secrets import Redaction

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
FIRST_SECONDS, PAUSE_SECONDS = 4, 5
"""Seconds after which what is waited for is said, and between two looks."""
REDACTION: ContextVar[Redaction | None] = ContextVar("redaction", default=None)
"""The secret values of the running program; None: it learns its own."""
WAITED = "timed out waiting"
"""What Pulumi's Kubernetes provider says where an object was not ready in time."""


def learn_secrets() -> Redaction:
    """What takes the program's secret values out of texts; it learns those that are registered from here on."""
    redaction = REDACTION.get()
    if redaction is None:
        redaction = Redaction()
        redaction.follow()
    return redaction


def explain(
    words: str, inputs: Mapping[str, Any], reader: ClusterReader, redaction: Redaction
) -> str:
    """What the pods of a Deployment say that was not ready in time; empty for every other failure.

    Args:
        words: what the provider said.
        inputs: of the resource that failed.
        reader: reads the cluster.
        redaction: knows the stack's secret values; gets those of the Secrets that the pods refer to.
    """
    if WAITED not in words or inputs.get("kind") != "Deployment":
        return ""
    metadata = _part(inputs, "metadata")
    name, namespace = metadata.get("name"), metadata.get("namespace")
    commands = commands_for(
        namespace, _part(_part(_part(inputs, "spec"), "selector"), "matchLabels")
    )
    try:
        rollout = Rollout.of(str(name), reader.objects(str(namespace)))
        if rollout is None:
            return _unread("the Deployment is gone", commands)
        if rollout.is_done:
            return "The pods are ready by now. Run the same command again: it goes on from here."
        logs = _logs(rollout, str(namespace), reader, redaction)
        return report(rollout, logs, redaction.text, commands)
    except UnreadClusterError as error:
        return _unread(str(error), commands)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # A cluster says it in another way than the ones that are known; that is no reason to say nothing.
        return _unread(f"the answer is not understood: {type(error).__name__}", commands)


def _logs(
    rollout: Rollout, namespace: str, reader: ClusterReader, redaction: Redaction
) -> dict[Any, str]:
    """The logs to show; none where the values that they may quote cannot be read."""
    try:
        redaction.add(reader.secret_values(namespace, secret_names(rollout)))
        return {
            problem: reader.log(
                namespace,
                problem.pod,
                problem.container,
                previous=problem.log == "previous",
                lines=READ_LINES,
            )
            for problem in wanted_logs(rollout)
        }
    except UnreadClusterError:
        return {}


def _unread(why: str, commands: list[str]) -> str:
    shown = "".join(f"\n  {command}" for command in commands)
    return f"The new pods are not ready. These say what they wait for ({why}):{shown}"


@dataclass(frozen=True)
class _Waiting:
    """A Deployment that the engine has not answered for yet."""

    metadata: asyncio.Future[Any]
    """Its inputs; a namespace that the stack makes is not known before it is there."""
    answer: asyncio.Future[None]

    @property
    def place(self) -> tuple[str, str] | None:
        """Namespace and name; None while they are not known."""
        known = self.metadata.result() if self.metadata.done() else None
        if not isinstance(known, Mapping) or not known.get("namespace") or not known.get("name"):
            return None
        return str(known["namespace"]), str(known["name"])


class RolloutWatch:
    """Says every few seconds what the program's Deployments wait for, while the engine waits for them."""

    def __init__(self, reader: ClusterReader) -> None:
        self._reader = reader
        self._waiting: list[_Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Notes every Deployment that is registered from here on. A preview waits for none."""
        if not pulumi.runtime.is_dry_run():
            pulumi.runtime.register_stack_transformation(self.note)

    async def end(self) -> None:
        """Ends it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def note(self, args: pulumi.ResourceTransformationArgs) -> None:
        """Notes a Deployment; a transformation."""
        if args.type_ != DEPLOYMENT:
            return
        metadata = pulumi.Output.from_input(args.props["metadata"])
        known = asyncio.ensure_future(_result(metadata.future))
        # The resource has no URN before it is registered, which is after this.
        answer = asyncio.ensure_future(_result(lambda: args.resource.urn.future()))
        self._waiting.append(_Waiting(known, answer))
        self._task = self._task or asyncio.ensure_future(self._run())

    async def _run(self) -> None:
        await asyncio.sleep(FIRST_SECONDS)
        # An aid: whatever keeps it from its work is no failure of the update.
        with contextlib.suppress(Exception):
            while waiting := [one for one in self._waiting if not one.answer.done()]:
                places = [one.place for one in waiting]
                words = await asyncio.to_thread(self._look, [at for at in places if at])
                if words:
                    pulumi.log.info(words, ephemeral=True)
                await asyncio.wait([one.answer for one in waiting], timeout=PAUSE_SECONDS)

    def _look(self, places: Sequence[tuple[str, str]]) -> str:
        objects = {space: self._reader.objects(space) for space in {at[0] for at in places}}
        rollouts = ((name, Rollout.of(name, objects[space])) for space, name in places)
        return progress((name, rollout) for name, rollout in rollouts if rollout)


async def _result(future: Callable[[], Awaitable[Any]]) -> Any:
    """What comes of it; None where it fails, which the engine and the SDK say."""
    with contextlib.suppress(Exception):
        return await future()
    return None


def _part(inputs: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    # What is secret, or not known yet, is an output in a hook.
    part = inputs.get(name)
    return part if isinstance(part, Mapping) else {}

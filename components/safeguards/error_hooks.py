"""Says what to do beside a server's refusal, for everybody who runs `pulumi up`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

import grpc
import pulumi
from pulumi.runtime.settings import SETTINGS

from ..kubernetes.cluster_reader import READER, ClusterReader
from ..kubernetes.operator_hints import explain_not_ready
from ..kubernetes.scaling import still_autoscaled
from ..redaction.secrets import Redaction
from . import name_conflicts
from .failed_resource import FailedResource
from .failed_rollout import explain, learn_secrets
from .hints import suggest_fixes


def suggest_fix(failed: FailedResource) -> str:
    """What a person can do about a failure; empty where nothing is known of it."""
    return name_conflicts.suggest_fix(failed) or next(iter(suggest_fixes([failed.message])), "")


HOOK = "kestra-way-out"

ANSWER: ContextVar[Callable[[FailedResource], str]] = ContextVar("answer", default=suggest_fix)
"""What the program answers a failure with; the sandbox has its own."""


def register_error_hook(reader: ClusterReader | None = None) -> None:
    """Has every resource of the stack that fails, from here on, say what can be done (`ANSWER`), each advice once.

    Of a Deployment that is not ready in time it says what its pods say. The hook runs only when a resource fails, and
    asks for no second try. For a real engine only, as mocks know no hooks.

    Args:
        reader: reads the cluster (default: that of `READER`).
    """
    suppress_log_errors_after_engine_exit()
    redaction = learn_secrets()
    pulumi.runtime.register_stack_transformation(
        error_hook(HOOK, reader or READER.get()(), redaction)
    )


def error_hook(
    hook_name: str,
    cluster: ClusterReader,
    redaction: Redaction,
    says: Callable[[str], str] = str,
) -> pulumi.ResourceTransformation:
    """A transformation that gives every resource the hook of `register_error_hook()`.

    Args:
        hook_name: the engine knows each name once in an update.
        cluster: reads the cluster.
        redaction: knows the secret values of the resources.
        says: what it makes of an advice, which names settings.
    """
    answer = ANSWER.get()
    parents: dict[tuple[str, str, str], str] = {}
    suggested = set[str]()

    async def suggest(args: pulumi.ErrorHookArgs) -> bool:
        if not args.errors:
            return False
        start, chain, name = _parts(args.urn)
        of_parent, _, type_ = chain.rpartition("$")
        parent = parents.get((of_parent.rpartition("$")[2], type_, name))
        failed = FailedResource(
            args.urn,
            _plain(args.new_inputs or {}),
            args.errors[0],
            f"{start}::{of_parent}::{parent}" if parent else "",
            args.failed_operation,
        )
        inputs = args.new_inputs or {}
        advice = (
            still_autoscaled(failed.message)
            or await asyncio.to_thread(explain, failed.message, inputs, cluster, redaction)
            or explain_not_ready(failed.message, inputs)
            or answer(failed)
        )
        if advice and advice not in suggested:
            suggested.add(advice)
            pulumi.log.error(f"{name}: {says(advice)}")
        return False

    hook = pulumi.ErrorHook(hook_name, suggest)

    def bind(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if not isinstance(args.resource, pulumi.CustomResource):
            return None
        parent = args.opts.parent
        if parent is not None:
            key = (parent.pulumi_resource_type, args.type_, args.name)
            parents[key] = parent.pulumi_resource_name
        opts = pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(on_error=[hook]))
        )
        return pulumi.ResourceTransformationResult(args.props, opts)

    return bind


class LateLogTolerantEngine:
    """The engine's client, for which a log line that comes after the engine's end is no error.

    The SDK (3.259) sends each debug line to the engine. When an update fails while other resources are under way, the
    server for hooks keeps the program alive a moment longer than the engine, and each line would fail the program.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def Log(self, request: Any) -> None:
        """Sends a line, where the engine still runs."""
        with contextlib.suppress(grpc.RpcError):
            self._engine.Log(request)


def suppress_log_errors_after_engine_exit() -> None:
    """Keeps the SDK's own log lines from failing the program when the engine has ended before it."""
    # The SDK's own type of its properties is none that a checker understands.
    sdk: Any = SETTINGS
    if sdk.engine is not None:
        sdk.engine = LateLogTolerantEngine(sdk.engine)


def _parts(urn: str) -> tuple[str, str, str]:
    start, chain, name = urn.rsplit("::", 2)
    return start, chain, name


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs without secrets, which are outputs here."""
    return {name: value for name, value in inputs.items() if not isinstance(value, pulumi.Output)}

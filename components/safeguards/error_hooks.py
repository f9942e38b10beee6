"""Says what to do beside a server's refusal, for everybody who runs `pulumi up`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import grpc
import pulumi
from pulumi.runtime.settings import SETTINGS

from components.kubernetes.scaling import still_autoscaled
from components.safeguards.failed_resource import FailedResource
from components.safeguards.name_conflicts import SUGGEST_FIX


def register_name_conflict_hook() -> None:
    """Has every resource of the stack, from here on, answer a taken name with a fix (`name_conflicts.SUGGEST_FIX`).

    The hook runs only when a resource fails, and asks for no second try. For a real engine only, as mocks know no
    hooks.
    """
    suppress_log_errors_after_engine_exit()
    suggest_fix = SUGGEST_FIX.get()
    parents: dict[tuple[str, str, str], str] = {}

    def report(args: pulumi.ErrorHookArgs) -> bool:
        if args.errors and (advice := still_autoscaled(args.errors[0])):
            pulumi.log.error(f"{_parts(args.urn)[2]}: {advice}")
            return False
        if args.failed_operation != "create" or not args.errors:
            return False
        start, chain, name = _parts(args.urn)
        of_parent, _, type_ = chain.rpartition("$")
        parent = parents.get((of_parent.rpartition("$")[2], type_, name))
        advice = suggest_fix(
            FailedResource(
                args.urn,
                _plain(args.new_inputs or {}),
                args.errors[0],
                f"{start}::{of_parent}::{parent}" if parent else "",
            )
        )
        if advice:
            pulumi.log.error(f"{name}: {advice}")
        return False

    hook = pulumi.ErrorHook("kestra-way-out", report)

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

    pulumi.runtime.register_stack_transformation(bind)


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

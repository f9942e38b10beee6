"""Says what to do beside a server's refusal, for everybody who runs `pulumi up`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import grpc
import pulumi
from pulumi.runtime.settings import get_engine

from components.kubernetes.rollout import explain_timeout
from components.kubernetes.scaling import still_autoscaled
from components.safeguards.name_conflicts import ANSWER, Failed


def watch() -> None:
    """Has every resource of the stack, from here on, answer a taken name with the way out (`components.safeguards.name_conflicts.ANSWER`).

    The hook runs only when a resource fails, and asks for no second try. For a real engine only, as mocks know no
    hooks.
    """
    _bear_the_end()
    answer = ANSWER.get()
    parents: dict[tuple[str, str, str], str] = {}

    def told(args: pulumi.ErrorHookArgs) -> bool:
        if args.errors and (advice := still_autoscaled(args.errors[0])):
            pulumi.log.error(f"{_parts(args.urn)[2]}: {advice}")
            return False
        if args.errors and (advice := explain_timeout(args.errors[0], args.new_inputs or {})):
            pulumi.log.error(f"{_parts(args.urn)[2]}: {advice}")
            return False
        if args.failed_operation != "create" or not args.errors:
            return False
        start, chain, name = _parts(args.urn)
        of_parent, _, type_ = chain.rpartition("$")
        parent = parents.get((of_parent.rpartition("$")[2], type_, name))
        advice = answer(
            Failed(
                args.urn,
                _plain(args.new_inputs or {}),
                args.errors[0],
                f"{start}::{of_parent}::{parent}" if parent else "",
            )
        )
        if advice:
            pulumi.log.error(f"{name}: {advice}")
        return False

    hook = pulumi.ErrorHook("kestra-way-out", told)

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


def _bear_the_end() -> None:
    """Keeps the SDK's own messages from failing the program when the engine has ended before it.

    The SDK (3.259) sends each debug line to the engine. When an update fails while other resources are under way, the
    server for hooks keeps the program alive a moment longer than the engine, and each line would be an error.
    """
    engine: Any = get_engine()
    if engine is None:
        return
    log = engine.Log

    def tell(request: Any) -> None:
        with contextlib.suppress(grpc.RpcError):
            log(request)

    engine.Log = tell


def _parts(urn: str) -> tuple[str, str, str]:
    start, chain, name = urn.rsplit("::", 2)
    return start, chain, name


def _plain(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs without secrets, which are outputs here."""
    return {name: value for name, value in inputs.items() if not isinstance(value, pulumi.Output)}

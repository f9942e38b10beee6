"""The provider plugin that serves the components: what `PulumiPlugin.yaml` names runs it.

`pulumi.provider` has the server. What it hands on are outputs, though, which no program can wait for while it
registers resources; so the arguments are read from the request itself, where each value says whether it is known and
whether it is a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import grpc
import grpc.aio
import pulumi
from pulumi.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.resource import DependencyResource
from pulumi.runtime.proto import provider_pb2_grpc

from .. import __version__
from .component import check_request
from .components import COMPONENTS
from .failures import explained
from .schema import argument_names, package_schema
from .values import Value, read_values

_LIMIT = 400 * 1024 * 1024
_OPTIONS = [
    (f"grpc.max_{name}", _LIMIT)
    for name in ("receive_message_length", "send_message_length", "metadata_size")
]

_VALUES: ContextVar[Mapping[str, Value]] = ContextVar("values")
"""The arguments of the component that is being made."""


class PackageProvider(Provider):
    """Makes the components."""

    def __init__(self) -> None:
        super().__init__(__version__, json.dumps(package_schema()))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Any,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """A component, once its arguments are checked.

        Raises:
            pulumi.RunError: with the report of every problem, before anything is registered.
        """
        component = COMPONENTS.get(resource_type.rpartition(":")[2])
        if component is None:
            raise pulumi.RunError(f"This package has no component {resource_type}.")
        values = _VALUES.get()
        request = check_request(component, name, values, takes=argument_names(component))
        depends_on = [DependencyResource(urn) for urn in sorted(_dependencies(values))]
        providers = (options and options.providers) or {}
        has_own_cluster = "kubernetes" in providers
        source = f"{component.token()} {name}"
        own = explained(source, request, has_own_cluster=has_own_cluster)
        own.depends_on = depends_on
        resource = component(name, request, pulumi.ResourceOptions.merge(options, own))
        return ConstructResult(resource.urn, dict(resource.outputs))


def _dependencies(values: Mapping[str, Value]) -> set[str]:
    """The resources that the arguments come from."""
    return {urn for value in values.values() for urn in value.all_dependencies()}


class _Servicer(ProviderServicer):
    async def Construct(self, request: Any, context: Any) -> Any:
        values = read_values(request.inputs)
        for name, dependencies in request.inputDependencies.items():
            if name in values:
                both = values[name].dependencies.union(dependencies.urns)
                values[name] = replace(values[name], dependencies=both)
        _VALUES.set(values)
        # The SDK fails at outputs without dependencies, as other languages write them (pulumi 3.259).
        request.ClearField("inputs")
        request.ClearField("inputDependencies")
        try:
            return await super().Construct(request, context)
        except pulumi.RunError as error:
            # The report alone; an error of another kind comes with its traceback.
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))


def serve(engine: str) -> None:
    """Serves the components to the engine at an address, until the engine ends it."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(engine))


async def _serve(engine: str) -> None:
    server = grpc.aio.server(options=_OPTIONS)
    servicer = _Servicer(PackageProvider(), [engine], engine_address=engine)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    sys.stdout.buffer.write(f"{port}\n".encode())
    sys.stdout.buffer.flush()
    await server.wait_for_termination()

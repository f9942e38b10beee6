"""The provider protocol, served over gRPC.

A threaded servicer of its own instead of the SDK's experimental one: that one awaits each call on
one event loop and cannot return the state of an object that exists but did not get ready.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from sandbox.providers.ending import end_silently
from sandbox.providers.kubernetes import VERSION
from sandbox.providers.kubernetes.client import ApiError, Unreachable
from sandbox.providers.kubernetes.diff import Change, PathChange
from sandbox.providers.kubernetes.engine import EngineLog
from sandbox.providers.kubernetes.outcomes import Autonaming, InitFailed, ResourceError
from sandbox.providers.kubernetes.resources import Resources
from sandbox.providers.kubernetes.settings import ProviderSettings, read
from sandbox.providers.kubernetes.values import UNKNOWN, from_struct, reveal, to_struct
from sandbox.providers.quoting import quiet, unexpected

WORKERS = 128
"""Calls served at once; most of them wait for an object to become ready."""
_MESSAGE_LIMIT = 400 * 1024 * 1024

_KINDS = {
    (Change.ADD, False): provider_pb2.PropertyDiff.ADD,
    (Change.ADD, True): provider_pb2.PropertyDiff.ADD_REPLACE,
    (Change.DELETE, False): provider_pb2.PropertyDiff.DELETE,
    (Change.DELETE, True): provider_pb2.PropertyDiff.DELETE_REPLACE,
    (Change.UPDATE, False): provider_pb2.PropertyDiff.UPDATE,
    (Change.UPDATE, True): provider_pb2.PropertyDiff.UPDATE_REPLACE,
}


def _property_diff(change: PathChange) -> provider_pb2.PropertyDiff:
    kind = _KINDS[(change.change, change.replaces)]
    return provider_pb2.PropertyDiff(kind=kind, inputDiff=change.input_only)


def _fail(context: grpc.ServicerContext, error: Exception) -> NoReturn:
    """Ends a call with an error; the state of an unfinished object travels in the details."""
    text = str(error)
    if isinstance(error, InitFailed):
        detail = any_pb2.Any()
        detail.Pack(
            provider_pb2.ErrorResourceInitFailed(
                id=error.identity,
                properties=to_struct(error.state),
                reasons=error.reasons,
                inputs=to_struct(error.inputs),
            )
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=text)
        status.details.append(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(grpc.StatusCode.UNKNOWN, text)
    raise AssertionError("unreachable")


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """One provider process; configured once, then called for many resources at once."""

    def __init__(self, engine_address: str) -> None:
        self._log = EngineLog(engine_address)
        self._resources: Resources | None = None

    def _run(self, context: grpc.ServicerContext, work: Callable[[Resources], Any]) -> Any:
        if self._resources is None:
            self._resources = Resources(ProviderSettings(), self._log)
        try:
            return work(self._resources)
        except (ResourceError, ApiError, Unreachable, ValueError) as error:
            _fail(context, error)
        except Exception as error:
            _fail(context, ResourceError(unexpected(error)))

    def Handshake(self, request: Any, context: Any) -> Any:
        if request.engine_address:
            self._log = EngineLog(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True, supports_autonaming_configuration=True
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=VERSION)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Attach(self, request: Any, context: Any) -> Any:
        self._log = EngineLog(request.address)
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        old, new = reveal(from_struct(request.olds)), reveal(from_struct(request.news))
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        if not changed:
            return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)
        replaces = [k for k in ("kubeconfig", "context", "cluster") if new.get(k) is UNKNOWN]
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME,
            diffs=changed,
            replaces=replaces,
        )

    def Configure(self, request: Any, context: Any) -> Any:
        self._resources = Resources(read(dict(request.variables)), self._log)
        return provider_pb2.ConfigureResponse(
            acceptSecrets=True,
            supportsPreview=True,
            supports_autonaming_configuration=True,
        )

    def Invoke(self, request: Any, context: Any) -> Any:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, f"Unknown Invoke type '{request.tok}'")

    def Check(self, request: Any, context: Any) -> Any:
        modes = provider_pb2.CheckRequest.AutonamingOptions
        asked = request.autonaming if request.HasField("autonaming") else None
        autonaming = Autonaming(
            proposed=asked.proposed_name if asked else "",
            disabled=bool(asked) and asked.mode == modes.DISABLE,
        )
        inputs = self._run(
            context,
            lambda resources: resources.check(
                request.urn,
                from_struct(request.olds),
                from_struct(request.news),
                request.randomSeed,
                autonaming,
            ),
        )
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    def Diff(self, request: Any, context: Any) -> Any:
        found = self._run(
            context,
            lambda resources: resources.diff(
                request.urn,
                from_struct(request.olds),
                from_struct(request.news),
                list(request.ignoreChanges),
            ),
        )
        answers = provider_pb2.DiffResponse
        return answers(
            changes=answers.DIFF_SOME if found.changes else answers.DIFF_NONE,
            replaces=found.replaces,
            deleteBeforeReplace=found.delete_before_replace,
            detailedDiff={path: _property_diff(change) for path, change in found.changes.items()},
            hasDetailedDiff=True,
        )

    def Create(self, request: Any, context: Any) -> Any:
        identity, state = self._run(
            context,
            lambda resources: resources.create(
                request.urn,
                from_struct(request.properties),
                request.timeout,
                request.preview,
            ),
        )
        return provider_pb2.CreateResponse(id=identity, properties=to_struct(state))

    def Read(self, request: Any, context: Any) -> Any:
        identity, state, inputs = self._run(
            context,
            lambda resources: resources.read(
                request.urn,
                request.id,
                from_struct(request.properties),
                from_struct(request.inputs),
            ),
        )
        return provider_pb2.ReadResponse(
            id=identity, properties=to_struct(state), inputs=to_struct(inputs)
        )

    def Update(self, request: Any, context: Any) -> Any:
        state = self._run(
            context,
            lambda resources: resources.update(
                request.urn,
                request.id,
                from_struct(request.olds),
                from_struct(request.news),
                request.timeout,
                list(request.ignoreChanges),
                request.preview,
            ),
        )
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    def Delete(self, request: Any, context: Any) -> Any:
        self._run(
            context,
            lambda resources: resources.delete(
                request.urn,
                request.id,
                from_struct(request.properties),
                request.timeout,
            ),
        )
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        if self._resources:
            self._resources.cancel()
        return empty_pb2.Empty()


def serve(engine_address: str) -> None:
    """Serves until the process is ended; prints the port for the engine."""
    quiet()
    limits = [
        ("grpc.max_receive_message_length", _MESSAGE_LIMIT),
        ("grpc.max_send_message_length", _MESSAGE_LIMIT),
        ("grpc.max_metadata_size", _MESSAGE_LIMIT),
    ]
    end_silently()
    server = grpc.server(ThreadPoolExecutor(WORKERS), options=limits)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(engine_address), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()

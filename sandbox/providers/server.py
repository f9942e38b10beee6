"""The provider protocol over gRPC: one thread a request, so that a slow resource holds up no other."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, runtime_checkable

import grpc
from google.protobuf import empty_pb2
from google.rpc import status_pb2
from pulumi.runtime.proto import (
    engine_pb2,
    engine_pb2_grpc,
    errors_pb2,  # noqa: F401 - registers the messages of error details
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
)

from sandbox.providers.asking import OutOfTime, within
from sandbox.providers.ending import end_silently
from sandbox.providers.quoting import quiet, unexpected
from sandbox.providers.values import marshal, plain, unmarshal

_LIMIT = 400 * 1024 * 1024
_WORKERS = 128


class ProviderError(Exception):
    """What went wrong, in the server's own words; shown as the resource's error."""


class NotReadyError(ProviderError):
    """The object exists but is not ready: the engine records it and fails the step."""

    def __init__(self, reasons: list[str], id_: str, outputs: dict[str, Any]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons, self.id, self.outputs = reasons, id_, outputs


class Begun(ProviderError):
    """An object was made, and what followed failed: it exists. A provider raises what `kept` gives."""

    def __init__(self, message: str, id_: str, outputs: dict[str, Any]) -> None:
        super().__init__(message)
        self.id, self.outputs = id_, outputs

    def kept(self, mark: Callable[[dict[str, Any]], dict[str, Any]]) -> NotReadyError:
        """The error with which the engine records it and goes on with it the next time, as official plugins do.

        Args:
            mark: marks the secrets of the outputs.
        """
        outputs = {k: v for k, v in self.outputs.items() if not k.endswith("Wo")}
        return NotReadyError([str(self)], self.id, mark(outputs))


def begun(
    id_: str, outputs: dict[str, Any], rest: Callable[[], dict[str, Any] | None]
) -> dict[str, Any]:
    """The outputs of an object that was just made, by doing the rest of its creation.

    Raises:
        Begun: when the rest fails.
    """
    try:
        found = rest()
    except ProviderError as error:
        raise Begun(str(error), id_, outputs) from None
    if found is None:
        raise ProviderError(f"{id_} is not there after it was written")
    return found


class Plugin(Protocol):
    """A provider. Properties may hold `Secret` and `UNKNOWN`."""

    version: str

    def configure(self, config: dict[str, Any], engine: Engine) -> None: ...
    def check(
        self, type_: str, name: str, olds: dict[str, Any], news: dict[str, Any], seed: bytes
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]: ...
    def diff(
        self, type_: str, old_inputs: dict[str, Any], olds: dict[str, Any], news: dict[str, Any]
    ) -> Diff: ...
    def create(
        self, type_: str, news: dict[str, Any], preview: bool, timeout: float
    ) -> tuple[str, dict[str, Any]]: ...
    def read(
        self, type_: str, id_: str, inputs: dict[str, Any], olds: dict[str, Any]
    ) -> tuple[str, dict[str, Any], dict[str, Any]] | None: ...
    def update(
        self,
        type_: str,
        id_: str,
        old_inputs: dict[str, Any],
        olds: dict[str, Any],
        news: dict[str, Any],
        preview: bool,
        timeout: float,
    ) -> dict[str, Any]: ...
    def delete(self, type_: str, id_: str, olds: dict[str, Any], timeout: float) -> None: ...


@runtime_checkable
class WithFunctions(Protocol):
    """A provider that has functions beside its resources."""

    def invoke(self, token: str, args: dict[str, Any]) -> dict[str, Any]: ...


class Diff:
    """What an update would change."""

    def __init__(
        self, changed: set[str], replacing: set[str] | None = None, *, delete_first: bool = False
    ) -> None:
        self.changed, self.replacing = changed, replacing or set()
        self.delete_first = delete_first


class Engine:
    """Messages to the engine, shown at their resource."""

    def __init__(self, address: str) -> None:
        self._stub = None
        if address:
            channel = grpc.insecure_channel(address)
            self._stub = engine_pb2_grpc.EngineStub(channel)

    def status(self, urn: str, message: str) -> None:
        """Progress of a resource; replaced by the next one."""
        self._log(urn, message, engine_pb2.INFO, ephemeral=True)

    def warn(self, urn: str, message: str) -> None:
        """A warning that stays."""
        self._log(urn, message, engine_pb2.WARNING, ephemeral=False)

    def _log(self, urn: str, message: str, severity: Any, *, ephemeral: bool) -> None:
        if self._stub is None:
            return
        with contextlib.suppress(grpc.RpcError):  # the engine may be ending
            self._stub.Log(
                engine_pb2.LogRequest(
                    severity=severity, message=message, urn=urn, ephemeral=ephemeral
                )
            )


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Turns requests into calls of a plugin."""

    def __init__(self, plugin: Plugin, engine: Engine) -> None:
        self._plugin, self._engine = plugin, engine
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._plugin.version)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds, news = unmarshal(request.olds), unmarshal(request.news)
        changed = sorted(k for k in olds.keys() | news.keys() if olds.get(k) != news.get(k))
        kind = provider_pb2.DiffResponse
        return kind(changes=kind.DIFF_SOME if changed else kind.DIFF_NONE, diffs=changed)

    def Configure(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            self._plugin.configure(plain(unmarshal(request.args)), self._engine)
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True, supportsPreview=True, acceptResources=False, acceptOutputs=False
            )

        return self._guarded(context, act)

    def Check(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, name = _type_and_name(request.urn)
            inputs, failures = self._plugin.check(
                type_, name, unmarshal(request.olds), unmarshal(request.news), request.randomSeed
            )
            return provider_pb2.CheckResponse(
                inputs=marshal(inputs),
                failures=[provider_pb2.CheckFailure(property=p, reason=r) for p, r in failures],
            )

        return self._guarded(context, act)

    def Diff(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, _ = _type_and_name(request.urn)
            diff = self._plugin.diff(
                type_,
                unmarshal(request.old_inputs),
                unmarshal(request.olds),
                unmarshal(request.news),
            )
            ignored = {path.split(".")[0].split("[")[0] for path in request.ignoreChanges}
            changed, replacing = diff.changed - ignored, diff.replacing - ignored
            kinds = provider_pb2.PropertyDiff
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME
                if changed
                else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=sorted(changed),
                replaces=sorted(replacing),
                deleteBeforeReplace=bool(replacing) and diff.delete_first,
                detailedDiff={
                    path: kinds(kind=kinds.UPDATE_REPLACE if path in replacing else kinds.UPDATE)
                    for path in changed
                },
                hasDetailedDiff=True,
            )

        return self._guarded(context, act)

    def Create(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, _ = _type_and_name(request.urn)
            id_, outputs = self._plugin.create(
                type_,
                unmarshal(request.properties) | {_URN: request.urn},
                request.preview,
                request.timeout,
            )
            return provider_pb2.CreateResponse(id=id_, properties=marshal(outputs))

        return self._guarded(context, act, request.timeout)

    def Read(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, _ = _type_and_name(request.urn)
            found = self._plugin.read(
                type_, request.id, unmarshal(request.inputs), unmarshal(request.properties)
            )
            if found is None:
                return provider_pb2.ReadResponse()
            id_, inputs, outputs = found
            return provider_pb2.ReadResponse(
                id=id_, inputs=marshal(inputs), properties=marshal(outputs)
            )

        return self._guarded(context, act, 0)

    def Update(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, _ = _type_and_name(request.urn)
            outputs = self._plugin.update(
                type_,
                request.id,
                unmarshal(request.old_inputs),
                unmarshal(request.olds),
                unmarshal(request.news) | {_URN: request.urn},
                request.preview,
                request.timeout,
            )
            return provider_pb2.UpdateResponse(properties=marshal(outputs))

        return self._guarded(context, act, request.timeout)

    def Delete(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            type_, _ = _type_and_name(request.urn)
            olds = unmarshal(request.properties) | {_URN: request.urn}
            self._plugin.delete(type_, request.id, olds, request.timeout)
            return empty_pb2.Empty()

        return self._guarded(context, act, request.timeout)

    def Invoke(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            if not isinstance(self._plugin, WithFunctions):
                raise ProviderError(
                    f"{request.tok} is not known to this stand-in; install the official plugin to use it"
                )
            found = self._plugin.invoke(request.tok, unmarshal(request.args))
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(marshal(found))
            return response

        return self._guarded(context, act, 0)

    def _guarded(
        self,
        context: grpc.ServicerContext,
        act: Any,
        seconds: float | None = None,
    ) -> Any:
        """Runs a request; one that asks a server ends after some seconds (0: as long as usual)."""
        try:
            return act() if seconds is None else within(self._pool, seconds, act)
        except OutOfTime as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except NotReadyError as error:
            message = str(error)
            detail = provider_pb2.ErrorResourceInitFailed(
                id=error.id, properties=marshal(error.outputs), reasons=error.reasons
            )
            status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
            status.details.add().Pack(detail)
            context.set_trailing_metadata(
                (("grpc-status-details-bin", status.SerializeToString()),)
            )
            context.abort(grpc.StatusCode.UNKNOWN, message)
        except ProviderError as error:
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            context.abort(grpc.StatusCode.UNKNOWN, unexpected(error))
        return None


_URN = "__urn"


def take_urn(properties: dict[str, Any]) -> str:
    """Removes and gives the resource's name in the engine."""
    return properties.pop(_URN, "")


def _type_and_name(urn: str) -> tuple[str, str]:
    parts = urn.split("::")
    return parts[2].split("$")[-1], "::".join(parts[3:])


def serve(plugin: Plugin) -> None:
    """Serves the plugin until the engine ends it. Prints the port, as the engine expects."""
    quiet()
    end_silently()
    server = grpc.server(
        ThreadPoolExecutor(max_workers=_WORKERS),
        options=[
            ("grpc.max_receive_message_length", _LIMIT),
            ("grpc.max_send_message_length", _LIMIT),
        ],
    )
    engine = Engine(sys.argv[1] if len(sys.argv) > 1 else "")
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Servicer(plugin, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()

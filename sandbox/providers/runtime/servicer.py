"""The provider protocol over gRPC: one thread a request, so that a slow resource holds up no other.

The servicers of Pulumi's SDK do not serve: `pulumi.provider` has components only, and `pulumi.provider.experimental`
knows no unknown values, no old inputs, no time limits, and no state of an object that exists but is not ready.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import (
    errors_pb2,  # noqa: F401 - registers the messages of error details
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    status_pb2,
)

from sandbox.providers.runtime.errors import NotReadyError, ProviderError
from sandbox.providers.runtime.provider import Autonaming, Diff, Engine, Provider, Urn
from sandbox.providers.runtime.redaction import describe_internal_error, silence_client_logs
from sandbox.providers.runtime.retry import DeadlineExceeded, run_with_deadline
from sandbox.providers.runtime.values import UNKNOWN, marshal, plain, unmarshal

_LIMIT = 400 * 1024 * 1024
_OPTIONS = [
    (f"grpc.max_{name}", _LIMIT)
    for name in ("receive_message_length", "send_message_length", "metadata_size")
]
_WORKERS = 128


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """Turns requests into calls of a provider."""

    def __init__(self, provider: Provider, engine: Engine) -> None:
        self._provider, self._engine = provider, engine
        self._pool = ThreadPoolExecutor(max_workers=_WORKERS)

    def Handshake(self, request: Any, context: Any) -> Any:
        if request.engine_address:
            self._engine = Engine(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(
            accept_secrets=True,
            supports_autonaming_configuration=self._provider.supports_autonaming,
        )

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._provider.version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def Attach(self, request: Any, context: Any) -> Any:
        self._engine = Engine(request.address)
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> Any:
        self._provider.cancel()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        olds, news = plain(unmarshal(request.olds)), plain(unmarshal(request.news))
        changed = {k for k in olds.keys() | news.keys() if olds.get(k) != news.get(k)}
        replacing = [k for k in self._provider.replaced_by if news.get(k) is UNKNOWN]
        kind = provider_pb2.DiffResponse
        return kind(
            changes=kind.DIFF_SOME if changed else kind.DIFF_NONE,
            diffs=sorted(changed),
            replaces=replacing if changed else [],
        )

    def Configure(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            self._provider.configure(plain(unmarshal(request.args)), self._engine)
            return provider_pb2.ConfigureResponse(
                acceptSecrets=True,
                supportsPreview=True,
                supports_autonaming_configuration=self._provider.supports_autonaming,
            )

        return _answered(context, act)

    def Check(self, request: Any, context: Any) -> Any:
        modes = provider_pb2.CheckRequest.AutonamingOptions

        def act() -> Any:
            checked = self._provider.check(
                Urn(request.urn),
                unmarshal(request.olds),
                unmarshal(request.news),
                request.randomSeed,
                Autonaming(
                    request.autonaming.proposed_name, request.autonaming.mode == modes.DISABLE
                ),
            )
            failures = [
                provider_pb2.CheckFailure(property=p, reason=r) for p, r in checked.failures
            ]
            return provider_pb2.CheckResponse(inputs=marshal(checked.inputs), failures=failures)

        return _answered(context, act)

    def Diff(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            return _diff_response(
                self._provider.diff(
                    Urn(request.urn),
                    unmarshal(request.old_inputs),
                    unmarshal(request.olds),
                    unmarshal(request.news),
                    list(request.ignoreChanges),
                )
            )

        return _answered(context, act)

    def Create(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            id_, outputs = self._provider.create(
                Urn(request.urn), unmarshal(request.properties), request.preview, request.timeout
            )
            return provider_pb2.CreateResponse(id=id_, properties=marshal(outputs))

        return self._operation(context, act, request.timeout)

    def Read(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            read = self._provider.read(
                Urn(request.urn),
                request.id,
                unmarshal(request.inputs),
                unmarshal(request.properties),
            )
            if read is None:
                return provider_pb2.ReadResponse()
            return provider_pb2.ReadResponse(
                id=read.id, inputs=marshal(read.inputs), properties=marshal(read.outputs)
            )

        return self._operation(context, act)

    def Update(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            outputs = self._provider.update(
                Urn(request.urn),
                request.id,
                unmarshal(request.old_inputs),
                unmarshal(request.olds),
                unmarshal(request.news),
                request.preview,
                request.timeout,
                list(request.ignoreChanges),
            )
            return provider_pb2.UpdateResponse(properties=marshal(outputs))

        return self._operation(context, act, request.timeout)

    def Delete(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            olds = unmarshal(request.properties)
            self._provider.delete(Urn(request.urn), request.id, olds, request.timeout)
            return empty_pb2.Empty()

        return self._operation(context, act, request.timeout)

    def Invoke(self, request: Any, context: Any) -> Any:
        def act() -> Any:
            outputs = self._provider.invoke(request.tok, plain(unmarshal(request.args)))
            response = provider_pb2.InvokeResponse()
            getattr(response, "return").CopyFrom(marshal(outputs))
            return response

        return self._operation(context, act)

    def _operation(
        self, context: grpc.ServicerContext, act: Callable[[], Any], seconds: float = 0
    ) -> Any:
        """Answers a request that asks a server, which ends after some seconds (0: as long as usual)."""
        if self._provider.ends_by_itself:
            return _answered(context, act)
        return _answered(context, lambda: run_with_deadline(self._pool, seconds, act))


def _answered(context: grpc.ServicerContext, act: Callable[[], Any]) -> Any:
    """Answers a request; an error is in the provider's words, or says where the stand-in failed."""
    try:
        return act()
    except NotReadyError as error:
        message = str(error)
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.id,
            properties=marshal(error.outputs),
            inputs=marshal(error.inputs),
            reasons=error.reasons,
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
        status.details.add().Pack(detail)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    except (ProviderError, DeadlineExceeded) as error:
        message = str(error)
    except Exception as error:
        message = describe_internal_error(error)
    return context.abort(grpc.StatusCode.UNKNOWN, message)


def _diff_response(diff: Diff) -> Any:
    kinds, answer = provider_pb2.PropertyDiff, provider_pb2.DiffResponse
    return answer(
        changes=answer.DIFF_SOME if diff.changes else answer.DIFF_NONE,
        diffs=sorted(diff.changed),
        replaces=sorted(diff.replacing),
        deleteBeforeReplace=bool(diff.replacing) and diff.delete_first,
        detailedDiff={
            path: kinds(
                kind=kinds.Kind.Value(change.change.value + "_REPLACE" * change.replaces),
                inputDiff=change.input_only,
            )
            for path, change in diff.changes.items()
        },
        hasDetailedDiff=True,
    )


def serve(provider: Provider) -> None:
    """Serves a provider until the engine ends it. Prints the port, as the engine expects.

    The engine interrupts a plugin when all is over, and takes a traceback, or an end that comes late, for a defect:
    the process ends at once, also while a request waits for a server.
    """
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    silence_client_logs()
    addresses = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    servicer = Servicer(provider, Engine(addresses[0] if addresses else ""))
    server = grpc.server(ThreadPoolExecutor(max_workers=_WORKERS), options=_OPTIONS)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()

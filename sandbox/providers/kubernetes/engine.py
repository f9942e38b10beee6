"""Messages to the engine: warnings for the record, and the status line beside a resource."""

from __future__ import annotations

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc


class EngineLog:
    """The engine's log. Losing a message never fails an operation."""

    def __init__(self, address: str) -> None:
        self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address)) if address else None

    def status(self, urn: str, text: str) -> None:
        """Shows a passing message beside the resource."""
        self._send(urn, text, engine_pb2.INFO, ephemeral=True)

    def warn(self, urn: str, text: str) -> None:
        """Records a warning for the resource."""
        self._send(urn, text, engine_pb2.WARNING, ephemeral=False)

    def _send(
        self,
        urn: str,
        text: str,
        severity: engine_pb2.LogSeverity.ValueType,
        ephemeral: bool,
    ) -> None:
        if self._stub is None:
            return
        message = engine_pb2.LogRequest(
            severity=severity, message=text, urn=urn, ephemeral=ephemeral
        )
        try:
            self._stub.Log(message, timeout=5)
        except grpc.RpcError:
            return

"""Engines one after another in one process: what one left behind does not hold for the next."""

from __future__ import annotations

import socket
import subprocess
import sys

import grpc
import pytest
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

_SERVER = """
import sys
from concurrent.futures import ThreadPoolExecutor
import grpc
server = grpc.server(ThreadPoolExecutor(1))
server.add_insecure_port(sys.argv[1])
server.start()
print("up", flush=True)
server.wait_for_termination()
"""


def _ask(channel: grpc.Channel) -> grpc.StatusCode:
    with pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary("/nobody/knows")(b"", timeout=30)
    assert isinstance(refused.value, grpc.Call)
    return refused.value.code()


def test_an_engine_at_the_port_of_one_that_ended_is_asked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with grpc.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS) as ended:
        assert _ask(ended) == grpc.StatusCode.UNAVAILABLE
        server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, address], stdout=subprocess.PIPE, text=True
        )
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == "up\n"
            with grpc.insecure_channel(address, options=_GRPC_CHANNEL_OPTIONS) as new:
                assert _ask(new) == grpc.StatusCode.UNIMPLEMENTED
        finally:
            server.kill()
            server.wait()

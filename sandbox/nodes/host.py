"""The process that a real node is to the machine: it starts the namespaces and carries connections into them and out.

It ends the namespaces with itself, by whatever signal. Nothing is added to the machine's own network: pods reach chosen
ports of the machine's loopback address at the node's address, and the API server reaches pods and kubelet by
HTTP CONNECT over a Unix socket (see "Konnectivity" in the documentation of Kubernetes).
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import psutil

from sandbox.nodes import ADDRESS

EGRESS_SOCKET = "egress.sock"
"""In the folder where the API server and this process run: a longer path may be too long for a socket."""
PORTS = "ports-of-pods"
"""The file that names the ports of the machine that pods reach; read again after SIGHUP."""
_LOOPBACK = "127.0.0.1"
_NEW_NETWORK = 0x40000000
_CHUNK = 1 << 16
_SECONDS = 30


class Links:
    """Connections between the machine and the namespace of a node.

    Args:
        namespace: an open file of the network namespace.
        ports: the file of the ports.
    """

    def __init__(self, namespace: int, ports: Path) -> None:
        self._namespace, self._ports = namespace, ports
        self._servers: dict[int, asyncio.Server] = {}

    async def start(self) -> None:
        """Listens: inside for pods, outside for the API server."""
        Path(EGRESS_SOCKET).unlink(missing_ok=True)
        self._egress = await asyncio.start_unix_server(self._inwards, EGRESS_SOCKET)
        await self.read_ports()

    async def read_ports(self) -> None:
        """Opens the ports that the file names and that are not open yet."""
        for port in map(int, self._ports.read_text().split()):
            if port not in self._servers:
                listening = self._inside(partial(socket.create_server, (ADDRESS, port)))
                self._servers[port] = await asyncio.start_server(
                    partial(self._outwards, port), sock=listening
                )

    def _inside(self, make: Callable[[], socket.socket]) -> socket.socket:
        """A socket of the namespace: it stays there, whoever uses it."""

        def enter() -> socket.socket:
            if ctypes.CDLL(None, use_errno=True).setns(self._namespace, _NEW_NETWORK):
                raise OSError(ctypes.get_errno(), "the namespace cannot be entered")
            return make()

        # Only this thread enters, and ends there.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()

    async def _outwards(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            server = await asyncio.open_connection(_LOOPBACK, port)
        except OSError:
            writer.close()
            return
        await _relay((reader, writer), server)

    async def _inwards(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            host, _, port = request.split()[1].rpartition(":")
            target = self._inside(partial(socket.socket, socket.AF_INET, socket.SOCK_STREAM))
            target.setblocking(False)
            async with asyncio.timeout(_SECONDS):
                await asyncio.get_running_loop().sock_connect(target, (host, int(port)))
            server = await asyncio.open_connection(sock=target)
        except (OSError, ValueError, IndexError, EOFError, asyncio.LimitOverrunError) as error:
            writer.write(f"HTTP/1.1 502 {type(error).__name__}\r\n\r\n".encode())
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await _relay((reader, writer), server)


async def _relay(
    one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    """Carries bytes both ways until both sides have ended."""
    try:
        await asyncio.gather(_pump(one[0], other[1]), _pump(other[0], one[1]))
    finally:
        one[1].close()
        other[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                writer.write(data)
                await writer.drain()
    finally:
        # Also after a broken connection: the other side would wait for more.
        with contextlib.suppress(OSError, RuntimeError):
            writer.write_eof()


async def run(config: Path) -> int:
    """Runs the node until it ends; the exit code is that of its process 1.

    Args:
        config: the file for `sandbox.nodes.machine`.
    """
    # Until somebody can act upon it, it must not end the node.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    waiting, ready = os.pipe()
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
               "--mount-proc", "--propagation", "private", sys.executable, "-m", "sandbox.nodes.machine",
               str(config), str(ready)]  # fmt: skip
    node = await asyncio.create_subprocess_exec(*command, pass_fds=(ready,))
    os.close(ready)
    if await asyncio.to_thread(os.read, waiting, 1):
        children = psutil.Process(node.pid).children()
        namespace = os.open(f"/proc/{children[0].pid}/ns/net", os.O_RDONLY)
        links = Links(namespace, config.with_name(PORTS))
        reading: set[asyncio.Task[None]] = set()

        def read_again() -> None:
            task = asyncio.ensure_future(links.read_ports())
            reading.add(task)
            task.add_done_callback(reading.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, read_again)
        await links.start()
    return await node.wait()


if __name__ == "__main__":
    sys.exit(asyncio.run(run(Path(sys.argv[1]))))

"""A network that takes its time: passes bytes on to a server, what comes back after a delay.

    python -m benchmarks.latency 127.0.0.1:3306 5

prints the port that it listens at, and runs until it is ended. Every round trip takes the delay longer; how much passes
at a time is not limited.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Bytes that are on their way at a time, in one direction of one connection.
_PIECE = 1 << 16
_PIECES = 256
_READY_SECONDS = 10.0

Piece = tuple[float, bytes]


@contextmanager
def delayed(host: str, port: int, milliseconds: float) -> Iterator[int]:
    """The port on 127.0.0.1 at which a server is so far away; in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.latency", f"{host}:{port}", str(milliseconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait(_READY_SECONDS)


async def serve(host: str, port: int, seconds: float) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection(host, port)
        async with asyncio.TaskGroup() as group:
            group.create_task(_pass_on(reader, there_writer, 0.0))
            group.create_task(_pass_on(there_reader, writer, seconds))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    pieces: asyncio.Queue[Piece | None] = asyncio.Queue(_PIECES)
    async with asyncio.TaskGroup() as group:
        group.create_task(_receive(reader, pieces, seconds))
        group.create_task(_send(pieces, writer))


async def _receive(reader: asyncio.StreamReader, pieces: asyncio.Queue[Piece | None], seconds: float) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(_PIECE):
            await pieces.put((time.monotonic() + seconds, piece))
    await pieces.put(None)


async def _send(pieces: asyncio.Queue[Piece | None], writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while found := await pieces.get():
            due, piece = found
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
            writer.write(piece)
            await writer.drain()
    # Whoever reads here learns that there is no more; the other direction ends by itself.
    with suppress(ConnectionError, OSError):
        writer.close()
        await writer.wait_closed()


def main(address: str, milliseconds: str) -> None:
    host, port = address.rsplit(":", 1)
    asyncio.run(serve(host, int(port), float(milliseconds) / 1000))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""A network that holds back what it is told to, between a client and a server on 127.0.0.1."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes on, until a piece with `marker` comes from a client: that one waits for `release`."""

    def __init__(self, port: int, marker: bytes) -> None:
        self._to = port
        self._marker = marker
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.held = threading.Event()
        self._released = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def release(self) -> None:
        self._released.set()

    def close(self) -> None:
        self.release()
        self._listener.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._pump, args=(client, server, self._marker), daemon=True).start()
                threading.Thread(target=self._pump, args=(server, client, None), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, marker: bytes | None) -> None:
        with suppress(OSError), source, sink:
            while piece := source.recv(1 << 20):
                if marker is not None and marker in piece and not self._released.is_set():
                    self.held.set()
                    self._released.wait()
                sink.sendall(piece)


@contextmanager
def proxy(port: int, marker: bytes) -> Iterator[Proxy]:
    between = Proxy(port, marker)
    try:
        yield between
    finally:
        between.close()

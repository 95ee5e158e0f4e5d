"""Redis and Memcached from the system's packages, each on a free port of 127.0.0.1, without files or a service."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable

from dev.servers import packages
from dev.servers.model import Unavailable
from dev.servers.process import Folder, Process, free_port


class LocalRedis(Process):
    """A Redis that forgets everything when it ends.

    Raises:
        Unavailable: it can't be started; holds the end of its log.
    """

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.found = program
        command = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        super().__init__(command, Folder("redis"), lambda: _expect(self.port, b"PING\r\n", b"+PONG"))
        _start(self)


class LocalMemcached(Process):
    """A Memcached.

    Raises:
        Unavailable: it can't be started; holds the end of its log.
    """

    def __init__(self, program: str) -> None:
        self.port = free_port()
        self.url = f"memcached://127.0.0.1:{self.port}"
        self.found = program
        # Root must say as whom it runs; as anybody else this changes nothing.
        command = [
            program,
            "-p",
            str(self.port),
            "-l",
            "127.0.0.1",
            "-U",
            "0",
            "-m",
            "64",
            "-c",
            "2048",
            "-u",
            "nobody",
        ]
        super().__init__(command, Folder("memcached"), lambda: _expect(self.port, b"version\r\n", b"VERSION"))
        _start(self)


def redis(say: Callable[[str], None]) -> LocalRedis:
    """A private Redis. Raises Unavailable."""
    return LocalRedis(_program("redis-server", "redis-server", say))


def memcached(say: Callable[[str], None]) -> LocalMemcached:
    """A private Memcached. Raises Unavailable."""
    return LocalMemcached(_program("memcached", "memcached", say))


def _program(name: str, package: str, say: Callable[[str], None]) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if found is None:
        packages.install((package,), say)
        found = shutil.which(name)
    if found is None:
        raise Unavailable(f"{package} was installed, but there is no {name} in the PATH")
    return found


def _start(server: Process) -> None:
    try:
        server.start()
    except BaseException:
        server.stop()
        raise


def _expect(port: int, said: bytes, answer: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
        connection.sendall(said)
        if not connection.recv(64).startswith(answer):
            raise RuntimeError("another kind of server answers")

"""A private MongoDB server, a replica set of one, from the mongod installed on this machine."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from pymongo.errors import OperationFailure

from dev.servers.model import Unavailable
from dev.servers.probe import connect_mongodb
from dev.servers.process import Folder, Process, free_port

REPLICA_SET = "rs0"
_PLACES = "/usr/bin:/usr/local/bin:/opt/homebrew/bin:/usr/sbin:/usr/local/sbin"


def find_mongod() -> str:
    """Raises Unavailable when there is none in the PATH or the usual places."""
    program = shutil.which("mongod") or shutil.which("mongod", path=_PLACES)
    if program is None:
        raise Unavailable("no mongod on this machine")
    return program


def become_primary(url: str, member: str) -> None:
    """Makes the server a replica set of one, so that majority writes and transactions work; repeatable.

    Args:
        url: of the server, with directConnection.
        member: host and port under which the server reaches itself.

    Raises:
        RuntimeError: it isn't a primary yet: try again.
        PyMongoError: it doesn't answer.
    """
    with connect_mongodb(url, timeout=0.5) as client:
        try:
            client.admin.command({"replSetInitiate": {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]}})
        except OperationFailure as problem:
            if problem.code != 23:  # AlreadyInitialized
                raise
        if not client.admin.command("hello").get("isWritablePrimary"):
            raise RuntimeError("the replica set has no primary yet")


class LocalMongod(Process):
    """A replica set of one on a free port of 127.0.0.1.

    Args:
        program: path of mongod.
        arguments: further ones for it.

    Raises:
        Unavailable: it can't be started; holds the end of its log.
    """

    def __init__(self, program: str, arguments: Sequence[str] = ()) -> None:
        folder = Folder("mongod")
        self.port = free_port()
        self.url = f"mongodb://127.0.0.1:{self.port}/?directConnection=true"
        self.found = program
        data = folder.path / "data"
        data.mkdir()
        command = [program, "--dbpath", str(data), "--port", str(self.port), "--bind_ip", "127.0.0.1"]
        command += ["--replSet", REPLICA_SET, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.5", *arguments]
        super().__init__(command, folder, lambda: become_primary(self.url, f"127.0.0.1:{self.port}"))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise

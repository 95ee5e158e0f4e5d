"""Private MongoDB servers from the mongod installed on this machine: a replica set of one, or one with an election."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress

from pymongo.errors import OperationFailure, PyMongoError

from dev.servers.model import Unavailable
from dev.servers.probe import connect_mongodb
from dev.servers.process import START_SECONDS, Folder, Process, free_port

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
        command = [*_command(program, folder, self.port), *arguments]
        super().__init__(command, folder, lambda: become_primary(self.url, f"127.0.0.1:{self.port}"))
        try:
            self.start()
        except BaseException:
            self.stop()
            raise


class Member(Process):
    """One server of a replica set that somebody else initiates."""

    def __init__(self, program: str) -> None:
        folder = Folder("mongod")
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        super().__init__(_command(program, folder, self.port), folder, self._answers_at_all)

    def _answers_at_all(self) -> None:
        with connect_mongodb(f"mongodb://{self.host}/?directConnection=true", timeout=0.5) as client:
            client.admin.command("ping")


class ReplicaSet:
    """A replica set of several servers, whose primary can be disturbed; elections take about two seconds.

    Raises:
        Unavailable: it can't be started.
    """

    def __init__(self, program: str, members: int = 3) -> None:
        self._members: list[Member] = []
        try:
            for _ in range(members):
                self._members.append(Member(program))
                self._members[-1].start()
            hosts = [{"_id": number, "host": member.host} for number, member in enumerate(self._members)]
            config = {"_id": REPLICA_SET, "members": hosts, "settings": {"electionTimeoutMillis": 2000}}
            with connect_mongodb(f"mongodb://{self._members[0].host}/?directConnection=true") as client:
                client.admin.command({"replSetInitiate": config})
            self.primary(START_SECONDS)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """With all members and without a database."""
        return f"mongodb://{','.join(member.host for member in self._members)}/?replicaSet={REPLICA_SET}"

    def primary(self, seconds: float = 30.0) -> Member:
        """Who is primary now; waits for an election.

        Raises:
            Unavailable: nobody is elected.
        """
        with connect_mongodb(self.url, timeout=seconds) as client:
            try:
                hello = client.admin.command("hello")
            except PyMongoError as problem:
                raise Unavailable(f"the replica set has no primary: {problem}") from problem
        return next(member for member in self._members if member.host == hello["me"])

    def step_down(self) -> None:
        """The primary gives way to another one, and may become it again soon."""
        with connect_mongodb(self.url) as client, suppress(PyMongoError):
            client.admin.command({"replSetStepDown": 5, "secondaryCatchUpPeriodSecs": 2, "force": True})

    def stop(self) -> None:
        """Ends all servers and removes their folders."""
        for member in self._members:
            member.stop()


def _command(program: str, folder: Folder, port: int) -> list[str]:
    data = folder.path / "data"
    data.mkdir()
    command = [program, "--dbpath", str(data), "--port", str(port), "--bind_ip", "127.0.0.1"]
    return [*command, "--replSet", REPLICA_SET, "--nounixsocket", "--wiredTigerCacheSizeGB", "0.5"]

"""One MySQL and one MongoDB server, each started when first asked for and stopped at the end."""

from __future__ import annotations

import sys
from types import TracebackType

from dev.servers import discover
from dev.servers.discover import MONGODB_VARIABLE, MYSQL_VARIABLE, Say, StandIn
from dev.servers.model import Server
from dev.servers.probe import Identity, identify_mongodb, identify_mysql
from dev.servers.secantus import Secantus


def to_stderr(line: str) -> None:
    """Says a line to the user, out of the way of a command's output."""
    print(f"servers: {line}", file=sys.stderr, flush=True)


class Session:
    """The servers of one test run, demo or benchmark. Use it as a context manager, or call `close`."""

    def __init__(self, say: Say = to_stderr, stand_in: StandIn = Secantus) -> None:
        self._say = say
        self._stand_in = stand_in
        self._said: set[str] = set()
        self._mysql: Server | None = None
        self._mongodb: Server | None = None

    def say(self, line: str) -> None:
        """Says a line to the user, once: private servers are looked for in the same places again."""
        if line not in self._said:
            self._said.add(line)
            self._say(line)

    def mysql(self) -> Server:
        """The MySQL or MariaDB server. Raises Unavailable."""
        if self._mysql is None:
            self._mysql = discover.mysql(self.say)
        return self._mysql

    def mongodb(self) -> Server:
        """The MongoDB server or stand-in. Raises Unavailable."""
        if self._mongodb is None:
            self._mongodb = discover.mongodb(self.say, stand_in=self._stand_in)
        return self._mongodb

    def mysql_identity(self) -> Identity:
        """Product and version of the MySQL server."""
        return identify_mysql(self.mysql().url)

    def mongodb_identity(self) -> Identity:
        """Product and version of the MongoDB server."""
        return identify_mongodb(self.mongodb().url)

    def describe_mysql(self) -> str:
        """Who the MySQL server is and how it was found, for people."""
        return f"{self.mysql_identity()}, {self.mysql().found}"

    def describe_mongodb(self) -> str:
        """Who the MongoDB server is and how it was found, for people."""
        return f"{self.mongodb_identity()}, {self.mongodb().found}"

    def started(self) -> list[str]:
        """Descriptions of the servers that somebody asked for so far, for people."""
        found = []
        if self._mysql is not None:
            found.append(f"MySQL: {self.describe_mysql()}")
        if self._mongodb is not None:
            found.append(f"MongoDB: {self.describe_mongodb()}")
        return found

    def variables(self) -> dict[str, str]:
        """Environment variables that make another process use these servers; starts both."""
        return {MYSQL_VARIABLE: self.mysql().url, MONGODB_VARIABLE: self.mongodb().url}

    def close(self) -> None:
        """Stops what was started."""
        running = [server for server in (self._mysql, self._mongodb) if server is not None]
        self._mysql = self._mongodb = None
        for server in running:
            server.stop()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

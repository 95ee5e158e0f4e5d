"""The connection to a MongoDB database, with the guarantees migrator relies on whatever the URL says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, TypeVar

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from migrator.target.mongo.connection.failure import retried, translated
from migrator.target.url import MongoUrl
from migrator.waits import SILENT_WAITS, Waits

T = TypeVar("T")
Document = dict[str, Any]

# How long a write may wait for the majority before it counts as a transient error and is tried again.
WRITE_MILLISECONDS = 60_000
# The driver's own 30 seconds are long for a person who mistyped a host; an election takes less than 10.
_SELECT_MILLISECONDS = 10_000
# A person sits in front of a command that begins.
_GREET_MILLISECONDS = 2_500
# Of every transaction; reads in it see one moment that a majority has.
TRANSACTION: Mapping[str, Any] = {
    "read_concern": ReadConcern("snapshot"),
    "write_concern": WriteConcern("majority", wtimeout=WRITE_MILLISECONDS),
    "read_preference": ReadPreference.PRIMARY,
}
# After that a server gives a transaction up (transactionLifetimeLimitSeconds, and a look around every half of it).
TRANSACTION_SECONDS = 90.0


class Session:
    """One process's connections; opened when first used.

    Writes are acknowledged by a majority, and so journaled by it (writeConcernMajorityJournalDefault); reads go to the
    primary and see what a majority has (rule 5, edge case 50).
    """

    def __init__(self, url: MongoUrl, retry_seconds: float | None = None, waits: Waits = SILENT_WAITS) -> None:
        """
        Args:
            waits: hears of servers that are waited for.
        """
        self.url = url
        self._retry_seconds = retry_seconds
        self._waits = waits
        self._answers: dict[Callable[[Session], Any], Any] = {}

    @cached_property
    def client(self) -> MongoClient[Document]:
        options: dict[str, Any] = {"appname": "migrator", "tz_aware": True}
        if not _sets_selection(self.url):
            options["serverSelectionTimeoutMS"] = _SELECT_MILLISECONDS
        return MongoClient(self.url.uri, **options)

    def require_reachable(self) -> None:
        """
        Raises:
            TargetError, TargetUnavailable: when no server answers within a few seconds, with a primary or without.
        """
        options: dict[str, Any] = {} if _sets_selection(self.url) else {"serverSelectionTimeoutMS": _GREET_MILLISECONDS}
        with translated(self.url.address), MongoClient[Document](self.url.uri, appname="migrator", **options) as client:
            client.admin.command("ping", read_preference=ReadPreference.NEAREST)

    @cached_property
    def max_document_bytes(self) -> int:
        """What the server takes; 16 MiB since MongoDB 1.8."""
        return int(self.client.admin.command("hello")["maxBsonObjectSize"])

    @property
    def database(self) -> Database[Document]:
        return self.client.get_database(
            self.url.database,
            write_concern=WriteConcern("majority", wtimeout=WRITE_MILLISECONDS),
            read_concern=ReadConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )

    def cached(self, question: Callable[[Session], T]) -> T:
        """The answer to what doesn't change while the server is the same; asked once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: T = self._answers[question]
        return answer

    def once(self, work: Callable[[], T]) -> T:
        """`work`'s result; the driver's errors become TargetError or TargetUnavailable."""
        with translated(self.url.address):
            return work()

    def retried(self, work: Callable[[], T], more_seconds: float = 0.0) -> T:
        """As `once`, with transient errors tried again for a while and `more_seconds`. `work` must be repeatable."""
        return retried(lambda: self.once(work), self._retry_seconds, more_seconds, self._waits)

    def close(self) -> None:
        if "client" in self.__dict__:
            self.client.close()


def _sets_selection(url: MongoUrl) -> bool:
    """Whether the user's URL says how long a server may be looked for."""
    return "serverselectiontimeoutms" in url.uri.lower()

"""Transactions that are open, and the collections that they have touched: MongoDB lets no DDL pass them.

https://www.mongodb.com/docs/manual/core/transactions-production-consideration/
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

LIFETIME = 60.0
"""Seconds after which MongoDB ends a transaction by itself (transactionLifetimeLimitSeconds)."""
_ENDS = ("commitTransaction", "abortTransaction")


@dataclass
class _Open:
    number: int
    begun: float
    touched: set[tuple[str, str]] = field(default_factory=set)


class Transactions:
    """Of one server, by the session that has them."""

    def __init__(self) -> None:
        self._open: dict[bytes, _Open] = {}
        self._changed = threading.Condition()

    def asked(self, name: str, body: Mapping[str, Any]) -> None:
        """A command is about to be sent."""
        if body.get("autocommit") is not False or name in _ENDS:
            return
        session, number = _session(body), int(body["txnNumber"])
        with self._changed:
            found = self._open.get(session)
            if found is None or found.number != number:
                found = self._open[session] = _Open(number, time.monotonic())
                self._changed.notify_all()
            if isinstance(body.get(name), str):
                found.touched.add((body["$db"], body[name]))

    def answered(self, name: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """What the server says ends a transaction: its end, and any error in it."""
        if name == "killAllSessions" and not body[name]:
            self.clear()
        elif name in ("killSessions", "endSessions"):
            self._end(bytes(each["id"]) for each in body[name])
        elif body.get("autocommit") is False and (name in _ENDS or not answer.get("ok") or answer.get("writeErrors")):
            self._end([_session(body)])

    def refused(self, body: Mapping[str, Any]) -> None:
        """A write in a transaction was answered with an error."""
        if body.get("autocommit") is False:
            self._end([_session(body)])

    def clear(self) -> None:
        """All of them have ended, as after a restart."""
        with self._changed:
            self._open.clear()
            self._changed.notify_all()

    def wait_for(self, database: str, collections: set[str] | None, body: Mapping[str, Any], seconds: float) -> bytes:
        """Waits until no transaction of another session holds any of these collections (None: any of the database).

        Returns:
            b"", or the session of a transaction that has outlived `LIFETIME` and is to be killed.

        Raises:
            TimeoutError: when one still does after `seconds`.
        """
        mine, deadline = _session(body), time.monotonic() + seconds
        with self._changed:
            while held := self._holder(database, collections, mine):
                session, one = held
                now = time.monotonic()
                if now >= one.begun + LIFETIME:
                    del self._open[session]
                    return session
                if now >= deadline:
                    raise TimeoutError
                self._changed.wait(min(one.begun + LIFETIME, deadline) - now)
        return b""

    def _holder(self, database: str, collections: set[str] | None, mine: bytes) -> tuple[bytes, _Open] | None:
        for session, one in self._open.items():
            if session != mine and any(
                where == database and (collections is None or name in collections) for where, name in one.touched
            ):
                return session, one
        return None

    def _end(self, sessions: Iterable[bytes]) -> None:
        with self._changed:
            for each in sessions:
                self._open.pop(each, None)
            self._changed.notify_all()


def _session(body: Mapping[str, Any]) -> bytes:
    found = body.get("lsid")
    return bytes(found["id"]) if found else b""

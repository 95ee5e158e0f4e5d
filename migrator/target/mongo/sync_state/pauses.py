"""Pauses that apply asks sync for, as documents of `_migrator_sync` (premise C)."""

from __future__ import annotations

from typing import Any

from pymongo.collection import Collection

from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.sync_state.scope_documents import SYNC


class MongoPauses:
    """Implements migrator.ports.sync_state.Pauses."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def ask(self, collection: str, run: str) -> None:
        change = {"$set": {"kind": "pause", "run": run}}
        self._session.retried(lambda: self._pauses.update_one({"_id": _id(collection)}, change, upsert=True))

    def withdraw(self, collection: str, run: str) -> None:
        self._session.retried(lambda: self._pauses.delete_one({"_id": _id(collection), "run": run}))

    def asked(self) -> dict[str, str]:
        found = self._session.retried(lambda: list(self._pauses.find({"kind": "pause"})))
        return {each["_id"]["pause"]: each["run"] for each in found}

    @property
    def _pauses(self) -> Collection[dict[str, Any]]:
        return self._session.database[SYNC]


def _id(collection: str) -> dict[str, str]:
    return {"pause": collection}

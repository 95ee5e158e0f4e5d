"""The documents of `_migrator_sync`, one a scope: its position, its tables, its renewed mapping."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as Documents

from migrator.model.change.events import KnownTables, Scope
from migrator.model.mapping.tree import Collection
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.scopes import of_scope

SYNC = "_migrator_sync"

# Says that a document of `_migrator_sync` is a scope's.
_KIND = "position"


class ScopeDocuments:
    """Reads see what a majority has; writes go through the guard."""

    def __init__(self, session: Session, guard: WriteGuard) -> None:
        self._session = session
        self._guard = guard

    def find(self, scope: Scope) -> Mapping[str, Any]:
        """Empty where there is none."""
        return self._session.retried(lambda: self._documents.find_one({"_id": of_scope(scope)})) or {}

    def having(self, scopes: Iterable[Scope], field: str) -> dict[Scope, Any]:
        """The values of a field, of those scopes whose documents have it."""
        wanted = {"_id": {"$in": [of_scope(scope) for scope in scopes]}, field: {"$exists": True}}
        found = self._session.retried(lambda: list(self._documents.find(wanted, {field: 1})))
        return {_scope(each): each[field] for each in found}

    def scopes(self) -> set[Scope]:
        """All that have a document."""
        found = self._session.retried(lambda: list(self._documents.find({"kind": _KIND}, {"_id": 1})))
        return set(map(_scope, found))

    def renewed(self, scope: Scope) -> Collection | None:
        """The mapping with the columns of its last renewal, None where there was none."""
        found = self.find(scope)
        if "renewed" not in found:
            return None
        return from_json(Collection, zlib.decompress(found["renewed"]), where=f"{SYNC}, {scope.collection}")

    def lost(self, scope: Scope) -> str:
        """Why a scope can't be followed, "" when it can."""
        return str(self.find(scope).get("lost", ""))

    def change(self, fields: Mapping[Scope, Mapping[str, Any]]) -> None:
        """Sets fields of the scopes' documents, and makes those that are missing."""

        def work(session: ClientSession | None) -> None:
            self.change_within(fields, session)

        if fields:
            guarded(self._guard, work)

    def change_within(self, fields: Mapping[Scope, Mapping[str, Any]], session: ClientSession | None) -> None:
        """As `change`, within a work that a guard runs."""
        updates = [
            UpdateOne({"_id": of_scope(scope)}, {"$set": {"kind": _KIND, **each}}, upsert=True)
            for scope, each in fields.items()
        ]
        if updates:
            self._documents.bulk_write(updates, ordered=False, session=session)

    def forget(self, scope: Scope) -> None:
        self._session.retried(lambda: self._documents.delete_one({"_id": of_scope(scope)}))

    @property
    def _documents(self) -> Documents[dict[str, Any]]:
        return self._session.database[SYNC]


def packed(stored: Collection | KnownTables) -> bytes:
    """How a large value is stored in a scope's document."""
    return zlib.compress(to_json(stored).encode())


def _scope(document: Mapping[str, Any]) -> Scope:
    return Scope(document["_id"]["run"], document["_id"]["collection"])

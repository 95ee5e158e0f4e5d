"""Small facts that sync stores, as documents of `_migrator_sync`: positions, pauses, a counter, the last report."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as Documents

from migrator.model.change.events import KnownTables, Scope, SyncReport, TableName
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo import counter
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.scopes import of_scope

SYNC = "_migrator_sync"

_REPORT = "report"
_MARKS = "marks"


class SyncNotes:
    """Reads see what a majority has; positions go through the guard."""

    def __init__(self, session: Session, guard: WriteGuard) -> None:
        self._session = session
        self._guard = guard

    def positions(self, scopes: Iterable[Scope]) -> dict[Scope, Position]:
        """Of those scopes that have one."""
        wanted = {"_id": {"$in": [of_scope(scope) for scope in scopes]}, "position": {"$exists": True}}
        found = self._session.retried(lambda: list(self._notes.find(wanted)))
        return {
            Scope(each["_id"]["run"], each["_id"]["collection"]): from_json(Position, each["position"], where=SYNC)
            for each in found
        }

    def at(self, scopes: Iterable[Scope], position: Position, known: Mapping[Scope, KnownTables]) -> list[UpdateOne]:
        """What notes where these stand, and what the tables of some look like from there on."""
        place = {"kind": "position", "position": to_json(position)}

        def change(scope: Scope) -> dict[str, Any]:
            tables = {"tables": zlib.compress(to_json(known[scope]).encode())} if scope in known else {}
            return {"$set": {**place, **tables}}

        return [UpdateOne({"_id": of_scope(scope)}, change(scope), upsert=True) for scope in scopes]

    def known_tables(self, scopes: Iterable[Scope]) -> dict[Scope, KnownTables]:
        """Of those scopes for which they are kept."""
        wanted = {"_id": {"$in": [of_scope(scope) for scope in scopes]}, "tables": {"$exists": True}}
        found = self._session.retried(lambda: list(self._notes.find(wanted)))
        return {
            Scope(each["_id"]["run"], each["_id"]["collection"]): from_json(
                KnownTables, zlib.decompress(each["tables"]), where=SYNC
            )
            for each in found
        }

    def renewed(self, scope: Scope) -> Collection | None:
        """The mapping with the columns of its last renewal, None where there was none."""
        found = self._session.retried(lambda: self._notes.find_one({"_id": of_scope(scope)})) or {}
        if "renewed" not in found:
            return None
        return from_json(Collection, zlib.decompress(found["renewed"]), where=f"{SYNC}, {scope.collection}")

    def renewing(self, scope: Scope, collection: Collection) -> UpdateOne:
        """What notes a renewal."""
        change = {"$set": {"kind": "position", "renewed": zlib.compress(to_json(collection).encode())}}
        return UpdateOne({"_id": of_scope(scope)}, change, upsert=True)

    def update(self, updates: Sequence[UpdateOne], session: ClientSession | None) -> None:
        """Part of a work that a guard runs."""
        if updates:
            self._notes.bulk_write(updates, ordered=False, session=session)

    def note_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        """These can't be followed from where they stand."""
        change = {"$set": {"kind": "position", "lost": reason}}
        self._write([UpdateOne({"_id": of_scope(scope)}, change, upsert=True) for scope in scopes])

    def lost(self, scope: Scope) -> str:
        """Why a scope can't be followed, "" when it can."""
        found = self._session.retried(lambda: self._notes.find_one({"_id": of_scope(scope)})) or {}
        return str(found.get("lost", ""))

    def scopes(self) -> set[Scope]:
        """All that have a document."""
        found = self._session.retried(lambda: list(self._notes.find({"kind": "position"}, {"_id": 1})))
        return {Scope(each["_id"]["run"], each["_id"]["collection"]) for each in found}

    def forget(self, scope: Scope) -> None:
        self._session.retried(lambda: self._notes.delete_one({"_id": of_scope(scope)}))

    def forget_run(self, run: str) -> None:
        self._session.retried(lambda: self._notes.delete_many({"kind": "position", "_id.run": run}))

    def tracked_tables(self, scope: Scope) -> dict[TableName, tuple[str, ...]]:
        """By table the columns that are remembered of every row."""
        found = self._session.retried(lambda: self._notes.find_one({"_id": of_scope(scope)})) or {}
        return {(each["schema"], each["table"]): tuple(each["columns"]) for each in found.get("tracked", [])}

    def note_tracked_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        """Adds to those that are noted."""
        known = {**self.tracked_tables(scope), **tables}
        listed = [
            {"schema": schema, "table": table, "columns": list(columns)} for (schema, table), columns in known.items()
        ]
        change = {"$set": {"kind": "position", "tracked": listed}}
        self._write([UpdateOne({"_id": of_scope(scope)}, change, upsert=True)])

    def take_marks(self, count: int) -> int:
        """The first of `count` numbers that are above all taken before."""
        return counter.take(self._session, SYNC, _MARKS, count)

    def ask_pause(self, collection: str, run: str) -> None:
        change = {"$set": {"kind": "pause", "run": run}}
        self._session.retried(lambda: self._notes.update_one({"_id": _pause_id(collection)}, change, upsert=True))

    def withdraw_pause(self, collection: str, run: str) -> None:
        self._session.retried(lambda: self._notes.delete_one({"_id": _pause_id(collection), "run": run}))

    def pauses(self) -> dict[str, str]:
        """Collection -> run."""
        found = self._session.retried(lambda: list(self._notes.find({"kind": "pause"})))
        return {each["_id"]["pause"]: each["run"] for each in found}

    def report(self, report: SyncReport) -> None:
        change = {"$set": {"kind": "report", "report": to_json(report)}, "$currentDate": {"noted": True}}
        # Of whoever reports last: one that lost its lease may still say so.
        self._session.retried(lambda: self._notes.update_one({"_id": _REPORT}, change, upsert=True))

    def last_report(self) -> SyncReport | None:
        found = self.noted_report()
        return None if found is None else found[0]

    def noted_report(self) -> tuple[SyncReport, datetime | None] | None:
        """The last report, and when it was noted, by the target's clock; None for that where an earlier version did."""
        found = self._session.retried(lambda: self._notes.find_one({"_id": _REPORT}))
        if found is None:
            return None
        return from_json(SyncReport, found["report"], where=f"{SYNC}, {_REPORT}"), found.get("noted")

    def _write(self, updates: list[UpdateOne]) -> None:
        def work(session: ClientSession | None) -> None:
            self.update(updates, session)

        if updates:
            guarded(self._guard, work)

    @property
    def _notes(self) -> Documents[dict[str, Any]]:
        return self._session.database[SYNC]


def _pause_id(collection: str) -> dict[str, str]:
    return {"pause": collection}

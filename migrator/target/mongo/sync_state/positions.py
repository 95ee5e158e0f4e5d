"""Where each collection stands in the log, saved together with the tracked rows of that moment (rule 5)."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.client_session import ClientSession

from migrator.model.change.events import KnownTables, Scope, TrackedChange
from migrator.model.change.position import Position
from migrator.model.serialize import from_json, to_json
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.scope_documents import SYNC, ScopeDocuments, packed
from migrator.target.mongo.sync_state.tracked import MongoTrackedRows


class MongoPositions:
    """Implements migrator.ports.sync_state.Positions."""

    def __init__(self, guard: WriteGuard, documents: ScopeDocuments, tracked: MongoTrackedRows) -> None:
        self._guard = guard
        self._documents = documents
        self._tracked = tracked

    def load(self, scopes: Iterable[Scope]) -> dict[Scope, Position]:
        found = self._documents.having(scopes, "position")
        return {scope: from_json(Position, each, where=SYNC) for scope, each in found.items()}

    def save(
        self,
        scopes: Iterable[Scope],
        position: Position,
        tracked: Sequence[TrackedChange] = (),
        known: Mapping[Scope, KnownTables] | None = None,
    ) -> None:
        if not self._tracked.fit(tracked):
            for each in tracked:
                self._tracked.put(each.scope, each.rows)
                self._tracked.remove(each.scope, each.table, each.gone)
            tracked = ()
        self._tracked.prepare(tracked)
        fields = {scope: _fields(position, (known or {}).get(scope)) for scope in scopes}

        def work(session: ClientSession | None) -> None:
            self._tracked.change(tracked, session)
            self._documents.change_within(fields, session)

        if tracked or fields:
            guarded(self._guard, work)

    def known_tables(self, scopes: Iterable[Scope]) -> dict[Scope, KnownTables]:
        found = self._documents.having(scopes, "tables")
        return {scope: from_json(KnownTables, zlib.decompress(each), where=SYNC) for scope, each in found.items()}

    def mark_lost(self, scopes: Iterable[Scope], reason: str) -> None:
        self._documents.change({scope: {"lost": reason} for scope in scopes})


def _fields(position: Position, tables: KnownTables | None) -> dict[str, Any]:
    return {"position": to_json(position), **({} if tables is None else {"tables": packed(tables)})}

"""Rows that silent cascades may change (premise B): a collection for each scope and table.

A server allows 64 indexes on a collection, and dropping a collection is quick however many rows it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import chain, groupby
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection

from migrator.model.change.events import Scope, TableName, TrackedChange, TrackedRow
from migrator.model.plan.chunk import Key
from migrator.model.slices import slices
from migrator.target.mongo.connection.session import Session
from migrator.target.mongo.copy_state.ensure import ensure_collection
from migrator.target.mongo.leases.write_guard import WriteGuard, guarded
from migrator.target.mongo.sync_state.scope_documents import ScopeDocuments
from migrator.target.mongo.writing import bulk
from migrator.target.mongo.writing.entries import BATCH, BATCH_BYTES, entry_id, put, put_over

PREFIX = "_migrator_tracked_"

# Values that one query asks for.
_ASKED = 1000


class MongoTrackedRows:
    """Implements migrator.ports.sync_state.TrackedRows. Values are bytes, and compare byte for byte."""

    def __init__(self, session: Session, guard: WriteGuard, scopes: ScopeDocuments) -> None:
        self._session = session
        self._guard = guard
        self._scopes = scopes
        self._indexed: set[tuple[str, tuple[str, ...]]] = set()
        self._made: set[str] = set()

    def put(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        for name, batch in _batches(scope, rows):
            self._put(name, batch)

    def load(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """As `put`, much faster for rows that are not there; their indexes are built when the first is looked for."""
        for name, batch in _batches(scope, rows):
            self._make(name)
            if self._guard.run(partial(self._insert, name, batch)):
                self._put(name, batch)

    def fit(self, changes: Sequence[TrackedChange]) -> bool:
        """Whether one transaction can make all of them."""
        count = sum(len(each.rows) + len(each.gone) for each in changes)
        size = sum(map(_size, chain.from_iterable(each.rows for each in changes)))
        return count <= BATCH and size <= BATCH_BYTES

    def prepare(self, changes: Iterable[TrackedChange]) -> None:
        """Makes what `change` needs and no transaction can make."""
        for each in changes:
            if each.rows:
                self._index_all(_collection(each.scope, each.table), each.rows[0])

    def change(self, changes: Iterable[TrackedChange], session: ClientSession | None) -> None:
        """Makes them in their order, new rows before dropped ones: one whose key changes is always there."""
        for each in changes:
            rows = self._session.database[_collection(each.scope, each.table)]
            if each.rows:
                _replace_different(rows, _documents(each.rows), session)
            if each.gone:
                rows.delete_many(_of_keys(each.gone), session=session)

    def remove(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        for some in bulk.batches(keys, BATCH, BATCH_BYTES, lambda key: sum(map(len, key))):
            self._guard.run(partial(self._delete, _collection(scope, table), _of_keys(some)))

    def remove_table(self, scope: Scope, table: TableName) -> None:
        # Dropping a collection can't be part of a transaction, and so would pass by the guard.
        rows = self._session.database[_collection(scope, table)]
        while some := self._session.retried(lambda: [each["_id"] for each in rows.find({}, {"_id": 1}).limit(BATCH)]):
            self._guard.run(partial(self._delete, rows.name, {"_id": {"$in": some}}))

    def tables(self, scope: Scope) -> dict[TableName, tuple[str, ...]]:
        found = self._scopes.find(scope).get("tracked", [])
        return {(each["schema"], each["table"]): tuple(each["columns"]) for each in found}

    def add_tables(self, scope: Scope, tables: Mapping[TableName, Sequence[str]]) -> None:
        known = {**self.tables(scope), **tables}
        listed = [
            {"schema": schema, "table": table, "columns": list(columns)} for (schema, table), columns in known.items()
        ]
        self._scopes.change({scope: {"tracked": listed}})

    def find(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        name = _collection(scope, table)
        self._index(name, [tuple(columns)])
        found: list[TrackedRow] = []
        for some in slices(values, _ASKED):
            left = limit - len(found)
            if left < 1:
                break
            wanted = _any_of(columns, some)
            found += self._session.retried(partial(self._find, name, table, wanted, left))
        return found

    def names(self) -> set[str]:
        """Of all collections that there are."""
        names = self._session.retried(self._session.database.list_collection_names)
        return {name for name in names if name.startswith(PREFIX)}

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            self._session.retried(partial(self._session.database.drop_collection, name))
            self._indexed = {each for each in self._indexed if each[0] != name}
            self._made.discard(name)

    def _put(self, name: str, rows: Sequence[TrackedRow]) -> None:
        self._index_all(name, rows[0])
        made = _documents(rows)

        def work(session: ClientSession | None) -> None:
            put(self._session.database[name], made, _replacement, session)

        guarded(self._guard, work)

    def _index_all(self, name: str, row: TrackedRow) -> None:
        """What most foreign keys ask for. An index of several columns comes when it is asked for."""
        self._index(name, [(column,) for column in row.values])

    def _make(self, name: str) -> None:
        """Not every server makes a collection within a transaction."""
        if name not in self._made:
            self._session.retried(lambda: ensure_collection(self._session, name))
            self._made.add(name)

    def _insert(self, name: str, rows: Sequence[TrackedRow], session: ClientSession | None) -> dict[int, bulk.Failure]:
        made = [_document(entry_id(*row.key), row) for row in rows]
        where = f"{self._session.url.address}, {name}"
        return bulk.outcome(
            where, lambda: self._session.database[name].insert_many(made, ordered=False, session=session)
        )

    def _index(self, name: str, wanted: Sequence[tuple[str, ...]]) -> None:
        missing = [columns for columns in wanted if (name, columns) not in self._indexed]
        if not missing:
            return
        models = [
            IndexModel([(_field(column), ASCENDING) for column in columns], name=_digest("\0".join(columns)))
            for columns in missing
        ]
        self._session.retried(lambda: self._session.database[name].create_indexes(models))
        self._indexed.update((name, columns) for columns in missing)

    def _find(self, name: str, table: TableName, wanted: Mapping[str, Any], limit: int) -> list[TrackedRow]:
        return [_row(table, each) for each in self._session.database[name].find(wanted, batch_size=limit).limit(limit)]

    def _delete(self, name: str, wanted: Mapping[str, Any], session: ClientSession | None) -> dict[int, bulk.Failure]:
        self._session.database[name].delete_many(wanted, session=session)
        return {}


def names_of(names: Iterable[str], runs: Iterable[str], scopes: Iterable[Scope]) -> set[str]:
    """Those of `names` that are collections of these runs, or of these scopes of others."""
    prefixes = (*(f"{PREFIX}{run}_" for run in runs), *map(_prefix, scopes))
    return {name for name in names if name.startswith(prefixes)}


def _batches(scope: Scope, rows: Sequence[TrackedRow]) -> Iterator[tuple[str, list[TrackedRow]]]:
    """Rows by the collection that they go to, few enough for one write."""
    for table, some in groupby(sorted(rows, key=lambda row: row.table), key=lambda row: row.table):
        for batch in bulk.batches(some, BATCH, BATCH_BYTES, _size):
            yield _collection(scope, table), batch


def _prefix(scope: Scope) -> str:
    return f"{PREFIX}{scope.run}_{_digest(scope.collection)}_"


def _collection(scope: Scope, table: TableName) -> str:
    return _prefix(scope) + _digest(".".join(map(_escaped, table)))


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


@lru_cache(1024)
def _escaped(name: str) -> str:
    """As the name of a field, which has neither a dot nor a leading `$`."""
    return name.replace("%", "%25").replace(".", "%2E").replace("$", "%24")


def _field(column: str) -> str:
    return f"values.{_escaped(column)}"


def _document(name: bytes, row: TrackedRow) -> dict[str, Any]:
    # bytes are BSON's binary (subtype 0) by themselves: rows are many, and a Binary around each value is slow to make.
    return {"_id": name, "key": row.key, "values": {_escaped(column): value for column, value in row.values.items()}}


def _documents(rows: Iterable[TrackedRow]) -> dict[bytes, dict[str, Any]]:
    """By `_id`; of several times the same row the last counts."""
    names = {entry_id(*row.key): row for row in rows}
    return {name: _document(name, row) for name, row in names.items()}


def _of_keys(keys: Iterable[Key]) -> dict[str, Any]:
    return {"_id": {"$in": [entry_id(*key) for key in keys]}}


def _replacement(document: dict[str, Any]) -> ReplaceOne[dict[str, Any]]:
    return ReplaceOne({"_id": document["_id"]}, document, upsert=True)


def _replace_different(
    rows: Collection[dict[str, Any]], documents: dict[bytes, dict[str, Any]], session: ClientSession | None
) -> None:
    """As `put`, but leaves rows alone that are there as they should be: most updates change nothing that is tracked."""
    wanted = {"_id": {"$in": list(documents)}}
    found = rows.find(wanted, {"values": 1}, batch_size=len(documents) + 1, session=session)
    there = {bytes(each["_id"]): each["values"] for each in found}
    different = {
        name: document for name, document in documents.items() if name not in there or there[name] != document["values"]
    }
    put_over(there, rows, different, _replacement, session)


def _row(table: TableName, found: Mapping[str, Any]) -> TrackedRow:
    values = {_unescaped(name): None if value is None else bytes(value) for name, value in found["values"].items()}
    return TrackedRow(table, tuple(bytes(part) for part in found["key"]), values)


def _unescaped(name: str) -> str:
    return name.replace("%24", "$").replace("%2E", ".").replace("%25", "%")


def _any_of(columns: Sequence[str], values: Sequence[Key]) -> dict[str, Any]:
    if len(columns) == 1:
        return {_field(columns[0]): {"$in": [value for (value,) in values]}}
    fields = [_field(column) for column in columns]
    return {"$or": [dict(zip(fields, value, strict=True)) for value in values]}


def _size(row: TrackedRow) -> int:
    return sum(map(len, row.key)) + sum(len(value or b"") + len(name) for name, value in row.values.items()) + 100

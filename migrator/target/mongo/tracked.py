"""Rows that silent cascades may change (DESIGN premise B): two collections for each scope and table.

What a snapshot showed is in pages (`pages.py`), what was written since in documents of its own; each row is in one
place. A server allows 64 indexes on a collection, and dropping a collection is quick however many rows it holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, islice
from typing import Any

from pymongo import ASCENDING, IndexModel, ReplaceOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.errors import OperationFailure

from migrator.model.change import Scope, TableName, TrackedRow
from migrator.model.chunk import Key
from migrator.target.mongo import bulk
from migrator.target.mongo.entries import BATCH, BATCH_BYTES, column_of, entry_id, field_of, put
from migrator.target.mongo.fence import Guard
from migrator.target.mongo.pages import PAGE_BYTES, PAGE_ROWS, left_by, page, rows_with
from migrator.target.mongo.session import Session

PREFIX = "_migrator_tracked_"

# Values that one query asks for.
_ASKED = 1000
_NAMESPACE_EXISTS = 48
# In place of the columns of an index: that of the rows in a page.
_OF_IDS: tuple[str, ...] = ()


class TrackedRows:
    """Values are bytes, and compare byte for byte."""

    def __init__(self, session: Session, guard: Guard) -> None:
        self._session = session
        self._guard = guard
        self._indexed: set[tuple[str, tuple[str, ...]]] = set()
        self._made: set[str] = set()
        # By collection of pages whether it has any. Nobody else fills them while this process may write (premise C).
        self._paged: dict[str, bool] = {}

    def put(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        for name, batch in _batches(scope, rows):
            self._put(name, batch)

    def load(self, scope: Scope, rows: Sequence[TrackedRow]) -> None:
        """As `put`, much faster, for tables of which only rows of the same snapshot are there.

        The same call again changes nothing. Indexes are built when the first row is looked for.
        """
        for name, batch in _batches(scope, rows):
            packed = [page(some) for some in bulk.batches(batch, PAGE_ROWS, PAGE_BYTES, _size)]
            self._make(_pages(name))
            if self._guard.run(partial(self._insert, _pages(name), packed)):
                self._guard.run(partial(self._replace, _pages(name), {each["_id"]: each for each in packed}))
            self._paged[_pages(name)] = True

    def remove(self, scope: Scope, table: TableName, keys: Sequence[Key]) -> None:
        name = _collection(scope, table)
        self._make(name)
        for some in bulk.batches(keys, BATCH, BATCH_BYTES, lambda key: sum(map(len, key))):
            ids = [entry_id(*key) for key in some]
            self._index_pages(name, ())

            def work(session: ClientSession | None, ids: list[bytes] = ids) -> dict[int, bulk.Failure]:
                self._delete(name, {"_id": {"$in": ids}}, session)
                return self._leave_pages(name, ids, session)

            self._guard.run(work)

    def remove_table(self, scope: Scope, table: TableName) -> None:
        name = _collection(scope, table)
        for each in (name, _pages(name)):
            self._empty(each)
        self._paged[_pages(name)] = False

    def find(
        self, scope: Scope, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        name = _collection(scope, table)
        self._index(name, [tuple(columns)])
        self._index_pages(name, columns)
        found: list[TrackedRow] = []
        for start in range(0, len(values), _ASKED):
            some = values[start : start + _ASKED]
            for find in (self._find, self._find_in_pages):
                left = limit - len(found)
                if left > 0:
                    found += self._session.steadily(partial(find, name, table, columns, some, left))
        return found

    def names(self) -> set[str]:
        """Of all collections that there are."""
        names = self._session.steadily(self._session.database.list_collection_names)
        return {name for name in names if name.startswith(PREFIX)}

    def drop(self, names: Iterable[str]) -> None:
        for name in names:
            self._session.steadily(partial(self._session.database.drop_collection, name))
            self._indexed = {each for each in self._indexed if each[0] != name}
            self._made.discard(name)
            self._paged.pop(name, None)

    def _put(self, name: str, rows: Sequence[TrackedRow]) -> None:
        # What most foreign keys ask for. An index of several columns comes when it is asked for.
        self._index(name, [(column,) for column in rows[0].values])
        self._index_pages(name, ())
        documents = {entry_id(*row.key): row for row in rows}
        made = {each: _document(each, row) for each, row in documents.items()}

        def work(session: ClientSession | None) -> dict[int, bulk.Failure]:
            # In this order: without transactions a crash may come in between, and no row may be in neither place.
            self._replace(name, made, session)
            return self._leave_pages(name, list(made), session)

        self._guard.run(work)

    def _make(self, name: str) -> None:
        """Not every server makes a collection within a transaction, or deletes from one that isn't there."""

        def make() -> None:
            try:
                self._session.database.create_collection(name, check_exists=False)
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise

        if name not in self._made:
            self._session.steadily(make)
            self._made.add(name)

    def _insert(
        self, name: str, made: Sequence[dict[str, Any]], session: ClientSession | None
    ) -> dict[int, bulk.Failure]:
        where = f"{self._session.url.address}, {name}"
        return bulk.outcome(
            where, lambda: self._session.database[name].insert_many(made, ordered=False, session=session)
        )

    def _replace(
        self, name: str, made: Mapping[bytes, dict[str, Any]], session: ClientSession | None
    ) -> dict[int, bulk.Failure]:
        put(self._session.database[name], made, _replacement, session)
        return {}

    def _has_pages(self, name: str) -> bool:
        pages = _pages(name)
        if pages not in self._paged:
            first = self._session.steadily(lambda: self._session.database[pages].find_one({}, {"_id": 1}))
            self._paged[pages] = first is not None
        return self._paged[pages]

    def _index_pages(self, name: str, columns: Sequence[str]) -> None:
        """No index can have two lists of a document, so it is one for each column."""
        if self._has_pages(name):
            self._index(_pages(name), [_OF_IDS, *((column,) for column in columns)])

    def _leave_pages(self, name: str, ids: Sequence[bytes], session: ClientSession | None) -> dict[int, bulk.Failure]:
        if not self._has_pages(name):
            return {}
        pages, gone = self._session.database[_pages(name)], set(ids)
        found = pages.find({"ids": {"$in": ids}}, {"ids": 1, "columns": 1}, session=session)
        updates = [UpdateOne({"_id": each["_id"]}, left_by(each, gone)) for each in found]
        if updates:
            pages.bulk_write(updates, ordered=False, session=session)
        return {}

    def _empty(self, name: str) -> None:
        # Dropping a collection can't be part of a transaction, and so would pass by the guard.
        rows = self._session.database[name]
        while some := self._session.steadily(lambda: [each["_id"] for each in rows.find({}, {"_id": 1}).limit(BATCH)]):
            self._guard.run(partial(self._delete, name, {"_id": {"$in": some}}))

    def _index(self, name: str, wanted: Sequence[tuple[str, ...]]) -> None:
        missing = [columns for columns in wanted if (name, columns) not in self._indexed]
        if not missing:
            return
        models = [
            IndexModel(
                [(field, ASCENDING) for field in map(_field, columns)] or "ids", name=_digest("\0".join(columns))
            )
            for columns in missing
        ]
        self._session.steadily(lambda: self._session.database[name].create_indexes(models))
        self._indexed.update((name, columns) for columns in missing)

    def _find(
        self, name: str, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        found = self._session.database[name].find(_any_of(columns, values)).limit(limit)
        return [_row(table, each) for each in found]

    def _find_in_pages(
        self, name: str, table: TableName, columns: Sequence[str], values: Sequence[Key], limit: int
    ) -> list[TrackedRow]:
        if not self._has_pages(name):
            return []
        wanted = set(values)
        with self._session.database[_pages(name)].find(_any_of(columns, values)) as pages:
            rows = (row for each in pages for row in rows_with(each, table, columns, wanted))
            return list(islice(rows, limit))

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
    return _prefix(scope) + _digest(".".join(map(field_of, table)))


def _pages(name: str) -> str:
    return f"{name}_pages"


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _field(column: str) -> str:
    return f"values.{field_of(column)}"


def _document(name: bytes, row: TrackedRow) -> dict[str, Any]:
    # bytes are BSON's binary (subtype 0) by themselves: rows are many, and a Binary around each value is slow to make.
    return {"_id": name, "key": row.key, "values": {field_of(column): value for column, value in row.values.items()}}


def _replacement(document: dict[str, Any]) -> ReplaceOne[dict[str, Any]]:
    return ReplaceOne({"_id": document["_id"]}, document, upsert=True)


def _row(table: TableName, found: Mapping[str, Any]) -> TrackedRow:
    values = {column_of(name): None if value is None else bytes(value) for name, value in found["values"].items()}
    return TrackedRow(table, tuple(bytes(part) for part in found["key"]), values)


def _any_of(columns: Sequence[str], values: Sequence[Key]) -> dict[str, Any]:
    if len(columns) == 1:
        return {_field(columns[0]): {"$in": [value for (value,) in values]}}
    fields = [_field(column) for column in columns]
    return {"$or": [dict(zip(fields, value, strict=True)) for value in values]}


def _size(row: TrackedRow) -> int:
    return sum(map(len, row.key)) + sum(len(value or b"") + len(name) for name, value in row.values.items()) + 100

"""From changed rows to references: the documents that a row was part of before its change, and is part of after it.

Only root keys collapse, never row images: every image of every event is followed (edge case 48). Conditions and limits
of the mapping are ignored, since a row that is not in a document now can come in by the same event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrator.changes.table_uses import TableUse, table_uses
from migrator.model.change.events import DocumentRef, RefKind, RowChange, Rows, TableName, Values, Watch
from migrator.model.mapping.tree import Collection
from migrator.model.plan.chunk import Key


@dataclass(frozen=True, slots=True)
class _WatchedUse:
    """One use of a watched table in the mapping, and the positions of its columns in a row event."""

    node: str
    kind: RefKind
    positions: tuple[int, ...]


class Resolver:
    """The ways of one collection, looked up once."""

    def __init__(self, collection: Collection, watches: Mapping[TableName, Watch]) -> None:
        self.collection = collection
        self._uses: dict[TableName, tuple[_WatchedUse, ...]] = {}
        for each in table_uses(collection):
            way = _watched_use(each, watches[each.table])
            known = self._uses.get(each.table, ())
            if way not in known:
                self._uses[each.table] = (*known, way)

    def document_refs(self, rows: Rows) -> Iterator[DocumentRef]:
        """Where the rows lead; the same reference may come several times."""
        ways = self._uses.get(rows.table)
        if ways is None:
            return
        for change in rows.changes:
            for way in ways:
                yield from _changed_values(way, change)

    def everything(self) -> tuple[DocumentRef, ...]:
        """See `everything`."""
        return everything(self.collection)

    def emptied(self, table: TableName) -> tuple[DocumentRef, ...]:
        """What a table without rows leaves to be done.

        Of the root's: every document that the target has goes, and so does what was recorded of those that could not be
        made. Of an embedded one: every root row, also those without a document, since the row that had it rejected is
        gone.
        """
        documents, rejected, rows = self.everything()
        root = self.collection.root
        is_root = table == (root.schema, root.table)
        is_embedded = any(
            table == (node.schema, node.table)
            or (node.link is not None and table == (node.link.schema, node.link.table))
            for child in root.children
            for node in child.walk()
        )
        return (*((documents, rejected) if is_root else ()), *((rows,) if is_embedded else ()))


def everything(collection: Collection) -> tuple[DocumentRef, ...]:
    """Every document that there is or could be. The rows come last: they note again what is rejected."""
    root = collection.root.id
    return DocumentRef(root, "documents", ()), DocumentRef(root, "rejected", ()), DocumentRef(root, "rows", ())


def _watched_use(standing: TableUse, watch: Watch) -> _WatchedUse:
    return _WatchedUse(standing.node.id, standing.kind, tuple(watch.columns.index(name) for name in standing.columns))


def _changed_values(way: _WatchedUse, change: RowChange) -> Iterator[DocumentRef]:
    before = _values(way, change.before)
    after = _values(way, change.after)
    if before is not None:
        yield DocumentRef(way.node, way.kind, before)
    if after is not None and after != before:
        yield DocumentRef(way.node, way.kind, after)


def _values(way: _WatchedUse, image: Values | None) -> Key | None:
    """The values that lead on, None when there is no row, or a NULL among them (edge case 23)."""
    if image is None:
        return None
    found = tuple(value for at in way.positions if (value := image[at]) is not None)
    return found if len(found) == len(way.positions) else None


def distinct(refs: Iterable[DocumentRef]) -> list[DocumentRef]:
    """Each once, in order."""
    return list(dict.fromkeys(refs))

"""Keeps the tracked rows in step with the log, and brings to light what cascades did without an event (premise B).

The order of writes is what survives a crash: the documents are noted as dirty before the remembered rows that led to
them are changed, deepest rows first; the parent's event comes again after a crash, and finds what was left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from migrator.changes.cascades import Cascade, Cascades, Tracked
from migrator.changes.folding import OTHERS, folded, is_folded
from migrator.model.change import RowChange, Rows, Scope, TableName, TrackedRow, Values, Watch
from migrator.model.chunk import Key
from migrator.run.sync_ports import SyncState

_AT_ONCE = 500
# Rows that wait in memory to be written (DESIGN rule 7).
_UNWRITTEN = 5000
# Marks the folded twin of a text column among a tracked row's values.
_FOLDED = "~"
# Behind the key of a row that is remembered a second time, as it may be.
_GUESS = b"perhaps"

# Takes changes that no event told of; returns when what they concern is noted durably.
Emit = Callable[[Rows], None]


@dataclass(frozen=True, slots=True)
class _Memory:
    """How one table's rows are remembered."""

    tracked: Tracked
    watch: Watch

    @property
    def is_computed(self) -> bool:
        """Whether the server computes any of what is remembered from other columns of the row."""
        return any(self.watch.table.by_name[name].generated for name in self.tracked.columns)

    def row(self, image: Values) -> TrackedRow:
        found = dict(zip(self.watch.columns, image, strict=True))
        values = {name: found[name] for name in self.tracked.columns}
        return TrackedRow(self.tracked.table, _key(found, self.tracked.key), values)

    def own(self, row: TrackedRow) -> TrackedRow:
        """The row with the columns that are remembered."""
        if len(row.values) == len(self.tracked.columns):
            return row
        return TrackedRow(row.table, row.key, {name: row.values[name] for name in self.tracked.columns})

    def is_certain(self, row: TrackedRow, columns: Sequence[str], keys: Collection[Key]) -> bool:
        """Whether a row is known to hold one of `keys`."""
        held = tuple(row.values[name] for name in columns)
        return held in keys and len(row.key) == len(self.tracked.key)

    def guess(self, row: TrackedRow, image: Values) -> TrackedRow:
        """The row as it may be now, beside what is remembered of it."""
        values = dict(zip(self.watch.columns, image, strict=True))
        key = (*row.key[: len(self.tracked.key)], _GUESS)
        return TrackedRow(row.table, key, {name: values[name] for name in self.tracked.columns})

    def image(self, values: Mapping[str, bytes | None]) -> Values:
        """As of a row event: what isn't remembered is of no use to anybody either."""
        return tuple(values.get(name) for name in self.watch.columns)


class Tracker:
    """The tracked rows of one collection."""

    def __init__(
        self, scope: Scope, cascades: Cascades, watches: Mapping[TableName, Watch], state: SyncState, emit: Emit
    ) -> None:
        self._scope = scope
        self._cascades = cascades
        self._state = state
        self._emit = emit
        self._watches = watches
        self._memories = {each.table: _Memory(each, watches[each.table]) for each in cascades.tables}
        # By table the last image of each row that is not written yet, None for a row that is gone.
        self._latest: dict[TableName, dict[Key, TrackedRow | None]] = {}
        # Tables whose rows a change may concern in ways that only the source can tell: to be remembered anew, and all
        # documents looked at, before the position behind the change is saved.
        self.doubtful: set[TableName] = set()
        self._busy: set[tuple[TableName, Key]] = set()
        # Whether something of the transaction at hand was taken in.
        self._is_touched = False

    def follow(self, rows: Rows) -> None:
        """Takes in the events of some rows, in the order of the log; see `flush`."""
        cascades = self._cascades.of_parent(rows.table) if rows.cascades else ()
        for cascade in cascades:
            self._walk_events(cascade, rows)
        memory = self._memories.get(rows.table)
        if memory is not None:
            self._remember(memory, rows)
        if cascades or memory is not None:
            self._is_touched = True

    def committed(self) -> None:
        """A transaction has come to its end."""
        self._is_touched = False

    def undone(self) -> None:
        """Rows of the transaction at hand were rolled back: what was made of them can't be told from what was there."""
        if self._is_touched:
            self.doubtful.update(self._memories)

    def flush(self) -> None:
        """Writes what was taken in; to be called before the position behind it is saved."""
        for table, latest in self._latest.items():
            gone = [key for key, row in latest.items() if row is None]
            if gone:
                self._state.drop_tracked(self._scope, table, gone)
            kept = [row for row in latest.values() if row is not None]
            if kept:
                self._state.put_tracked(self._scope, kept)
        self._latest.clear()

    def truncated(self, table: TableName) -> None:
        """A table was emptied; tables with children that cascade can't be."""
        if table in self._memories:
            self._latest.pop(table, None)
            self._state.drop_tracked_table(self._scope, table)

    def load(self, rows: Sequence[TrackedRow]) -> None:
        """Remembers rows of one table as a snapshot shows them; they may have columns that are of no use here."""
        memory = self._memories[rows[0].table]
        self._state.load_tracked(self._scope, [self._with_folded(memory.own(row)) for row in rows])

    def _remember(self, memory: _Memory, rows: Rows) -> None:
        """The last image of each row counts; a row whose key has changed is remembered under the new one."""
        latest = self._latest.setdefault(rows.table, {})
        for change in rows.changes:
            if change.before is not None:
                latest[memory.row(change.before).key] = None
            if change.after is not None:
                row = memory.row(change.after)
                latest[row.key] = self._with_folded(row)
        if len(latest) > _UNWRITTEN:
            self.flush()

    def _walk_events(self, cascade: Cascade, rows: Rows, *, sure: bool = True) -> None:
        columns = self._watches[rows.table].columns
        gone: dict[Key, None] = {}
        for change in rows.changes:
            before = _parent_key(cascade, columns, change.before)
            after = _parent_key(cascade, columns, change.after)
            if before is None or before == after:
                continue
            if change.after is None:
                gone[before] = None
            else:
                # Keys may follow each other (1 to 2, 2 to 3): one at a time, in order.
                self._walk(cascade, [before], after, sure=sure)
        if gone:
            self._walk(cascade, list(gone), None, sure=sure)

    def _walk(self, cascade: Cascade, keys: Sequence[Key], now: Key | None, *, sure: bool) -> None:
        """The rows of the child that held any of `keys`: the parent is gone (`now` None) or has another key.

        Text that is not equal byte for byte may be by the collation, or may not: such rows are taken for changed, so
        that their documents are looked at, and what is remembered of them stays.
        """
        rule = cascade.key.on_delete if now is None else cascade.key.on_update
        if rule not in ("CASCADE", "SET NULL", "SET DEFAULT"):
            return
        memory = self._memories[cascade.child]
        self.flush()
        names, wanted = self._lookup(cascade, keys)
        exactly = set(keys)
        guessed: set[Key] = set()
        limit = _AT_ONCE
        while True:
            found = self._state.tracked(self._scope, cascade.child, names, wanted, limit)
            rows = [row for row in found if (row.table, row.key) not in self._busy and row.key not in guessed]
            certain = [row for row in rows if sure and memory.is_certain(row, cascade.key.columns, exactly)]
            if certain:
                self._change(cascade, memory, certain, rule, now)
            if len(certain) < len(rows):
                others = [row for row in rows if row not in certain]
                guessed.update(row.key for row in others)
                self._guess(cascade, memory, others, rule, now)
            if len(found) < limit:
                return
            # A page full of rows that stay as they are would come again and again.
            limit = limit if certain else limit * 2

    def _change(
        self, cascade: Cascade, memory: _Memory, rows: Sequence[TrackedRow], rule: str, now: Key | None
    ) -> None:
        hidden = self._hide(cascade, memory, rows, rule, now, sure=True)
        self._remember(memory, hidden)
        self.flush()

    def _guess(self, cascade: Cascade, memory: _Memory, rows: Sequence[TrackedRow], rule: str, now: Key | None) -> None:
        """As `_change`, for rows that perhaps didn't change: under a new foreign key they are remembered besides."""
        hidden = self._hide(cascade, memory, rows, rule, now, sure=False)
        if rule == "CASCADE" and now is not None:
            images = [(row, change.after) for row, change in zip(rows, hidden.changes, strict=True)]
            self._state.put_tracked(
                self._scope,
                [self._with_folded(memory.guess(row, image)) for row, image in images if image is not None],
            )

    def _hide(
        self, cascade: Cascade, memory: _Memory, rows: Sequence[TrackedRow], rule: str, now: Key | None, *, sure: bool
    ) -> Rows:
        """Brings to light what the cascade made of `rows`, and of the rows below them."""
        changes = []
        for row in rows:
            after: Mapping[str, bytes | None] | None = None
            if rule != "CASCADE" or now is not None:
                new = now if rule == "CASCADE" else None
                parts: Sequence[bytes | None] = new if new is not None else [None] * len(cascade.key.columns)
                after = {**row.values, **dict(zip(cascade.key.columns, parts, strict=True))}
            changes.append(RowChange(memory.image(row.values), None if after is None else memory.image(after)))
        if memory.is_computed and any(change.after is not None for change in changes):
            # What the server computed anew from the key is in no image.
            self.doubtful.add(cascade.child)
        hidden = Rows(cascade.child, tuple(changes))
        self._emit(hidden)
        busy = {(row.table, row.key) for row in rows}
        self._busy |= busy
        try:
            for deeper in self._cascades.of_parent(cascade.child):
                self._walk_events(deeper, hidden, sure=sure)
        finally:
            self._busy -= busy
        return hidden

    def _lookup(self, cascade: Cascade, keys: Sequence[Key]) -> tuple[list[str], list[Key]]:
        """The columns to look in and the values to look for; text as far as its collation may find it equal."""
        table = self._watches[cascade.child].table
        fold = [is_folded(table.by_name[name]) for name in cascade.key.columns]
        names = [name + _FOLDED if text else name for name, text in zip(cascade.key.columns, fold, strict=True)]
        wanted: dict[Key, None] = {}
        for key in keys:
            parts = [(folded(part), OTHERS) if text else (part,) for part, text in zip(key, fold, strict=True)]
            if (OTHERS, OTHERS) in parts:
                # It may be equal to any text: only the source knows.
                self.doubtful.add(cascade.child)
            wanted.update(dict.fromkeys(product(*parts)))
        return names, list(wanted)

    def _with_folded(self, row: TrackedRow) -> TrackedRow:
        table = self._watches[row.table].table
        twins = {
            name + _FOLDED: None if value is None else folded(value)
            for name, value in row.values.items()
            if is_folded(table.by_name[name])
        }
        return TrackedRow(row.table, row.key, {**row.values, **twins}) if twins else row


def _key(values: Mapping[str, bytes | None], names: Sequence[str]) -> Key:
    found = tuple(value for name in names if (value := values[name]) is not None)
    if len(found) != len(names):
        raise AssertionError(f"a key of NOT NULL columns {names} holds NULL")
    return found


def _parent_key(cascade: Cascade, columns: Sequence[str], image: Values | None) -> Key | None:
    """What children refer to; None for no row, or where a part is NULL: nothing refers to that."""
    if image is None:
        return None
    found = tuple(value for name in cascade.key.parent_columns if (value := image[columns.index(name)]) is not None)
    return found if len(found) == len(cascade.key.parent_columns) else None

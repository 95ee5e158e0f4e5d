"""Keeps the tracked rows in step with the log, and finds out what cascades did without an event (premise B).

Events are collected, and walked through once for a batch, in the order of the log: in memory, over rows that one query
for each level of the cascades has read. What that changes is written once, after the documents that it led to.

The order of writes makes a crash harmless: documents are written or recorded as dirty before the tracked rows that led
to them are changed, deepest rows first; the parent's event comes again after a crash, and finds what was left. Where
the server has transactions, the tracked rows of a batch and its position are saved in one transaction.

A cascade that reaches more rows than fit into memory is walked through in pages. Each of them is recorded and written
before the next is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, product
from typing import Protocol

from migrator.changes.cascades import FOLDED, Cascade, Cascades, TrackedTable
from migrator.changes.folding import OTHERS, folded, is_folded, is_stripped
from migrator.model.change.events import RowChange, Rows, Scope, TableName, TrackedChange, TrackedRow, Values, Watch
from migrator.model.plan.chunk import Key
from migrator.model.schema.tables import Column
from migrator.ports.sync_state import TrackedRows
from migrator.sync.cascades.overlay import Overlay, TooManyRows

# Rows of a page, where a cascade reaches too many for one walk in memory.
_AT_ONCE = 500
# Changed rows in memory, after which they are written before the next event is walked through (rule 7).
_UNWRITTEN = 10_000
# The suffix of the key of a second, uncertain version of a tracked row.
_GUESS = b"perhaps"

_ACTIONS = ("CASCADE", "SET NULL", "SET DEFAULT")

# Receives changes that have no event in the log.
Emit = Callable[[Rows], None]
# Returns when everything that was emitted is recorded durably, and doubts about tables are, too.
Secure = Callable[[], None]


@dataclass(frozen=True, slots=True)
class _TableTracker:
    """How one table's rows are tracked."""

    tracked: TrackedTable
    watch: Watch

    @property
    def is_computed(self) -> bool:
        """Whether the server computes any of the tracked values from other columns of the row."""
        return any(self.watch.table.by_name[name].generated for name in self.tracked.columns)

    def row(self, image: Values) -> TrackedRow:
        found = dict(zip(self.watch.columns, image, strict=True))
        values = {name: found[name] for name in self.tracked.columns}
        return TrackedRow(self.tracked.table, _key(found, self.tracked.key), values)

    def own(self, row: TrackedRow) -> TrackedRow:
        """The row with the tracked columns."""
        if len(row.values) == len(self.tracked.columns):
            return row
        return TrackedRow(row.table, row.key, {name: row.values[name] for name in self.tracked.columns})

    def is_certain(self, row: TrackedRow, columns: Sequence[str], keys: Collection[Key]) -> bool:
        """Whether a row is known to hold one of `keys`."""
        held = tuple(row.values[name] for name in columns)
        return held in keys and len(row.key) == len(self.tracked.key)

    def guess(self, row: TrackedRow, image: Values) -> TrackedRow:
        """The row as it may be now, in addition to what is recorded of it."""
        values = dict(zip(self.watch.columns, image, strict=True))
        key = (*row.key[: len(self.tracked.key)], _GUESS)
        return TrackedRow(row.table, key, {name: values[name] for name in self.tracked.columns})

    def image(self, values: Mapping[str, bytes | None]) -> Values:
        """As of a row event: a row that isn't tracked is of no use to anybody either."""
        return tuple(values.get(name) for name in self.watch.columns)


@dataclass(frozen=True, slots=True)
class _CascadeStep:
    """A cascade that is walked through since rows of its parent are gone, or have another key."""

    cascade: Cascade
    is_gone: bool

    @property
    def rule(self) -> str:
        return self.cascade.key.on_delete if self.is_gone else self.cascade.key.on_update

    def below(self, deeper: Cascade) -> _CascadeStep | None:
        """What this one sets off of a cascade whose parent is the child of this one."""
        if self.is_gone and self.rule == "CASCADE":
            step = _CascadeStep(deeper, is_gone=True)
        elif set(self.cascade.key.columns) & set(deeper.key.parent_columns):
            step = _CascadeStep(deeper, is_gone=False)
        else:
            return None
        return step if step.rule in _ACTIONS else None


class _RowLookup(Protocol):
    """How rows are looked up while events are walked through, and what follows each change of theirs."""

    def pages(self, table: TableName, columns: tuple[str, ...], values: Sequence[Key]) -> Iterator[list[TrackedRow]]:
        """The rows that hold any of `values`, a page at a time; `settle` is called before the next one is asked for."""
        ...

    def settle(self) -> None:
        """Rows were changed, after what they led to was emitted."""
        ...


class _MemoryLookup:
    """One page, whatever its size; raises TooManyRows when memory doesn't hold it."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def pages(self, table: TableName, columns: tuple[str, ...], values: Sequence[Key]) -> Iterator[list[TrackedRow]]:
        yield self._overlay.find(table, columns, values)

    def settle(self) -> None:
        """Everything is written at the end of the batch."""


class _PagedLookup:
    """Small pages of the state itself, to which each change is written at once."""

    def __init__(self, scope: Scope, stored: TrackedRows, write: Callable[[], None]) -> None:
        self._scope = scope
        self._stored = stored
        self._write = write

    def pages(self, table: TableName, columns: tuple[str, ...], values: Sequence[Key]) -> Iterator[list[TrackedRow]]:
        self.settle()
        limit = _AT_ONCE
        seen: set[Key] = set()
        while True:
            found = self._stored.find(self._scope, table, columns, values, limit)
            fresh = [row for row in found if row.key not in seen]
            if fresh:
                yield fresh
            if len(found) < limit:
                return
            seen = {row.key for row in found}
            if 2 * len(fresh) <= len(found):
                # A page full of rows that stay as they are would come again and again.
                limit *= 2

    def settle(self) -> None:
        self._write()


class Tracker:
    """The tracked rows of one collection."""

    def __init__(
        self,
        scope: Scope,
        cascades: Cascades,
        watches: Mapping[TableName, Watch],
        stored: TrackedRows,
        emit: Emit,
        secure: Secure,
    ) -> None:
        self._scope = scope
        self._cascades = cascades
        self._stored = stored
        self._emit = emit
        self._secure = secure
        self._watches = watches
        self._tables = {each.table: _TableTracker(each, watches[each.table]) for each in cascades.tables}
        self._order = _deepest_first(cascades)
        self._overlay = Overlay(scope, stored)
        self._in_memory, self._paged = _MemoryLookup(self._overlay), _PagedLookup(scope, stored, self._make_room)
        self._walk_by: _RowLookup = self._in_memory
        # Events that were not walked through yet.
        self._events: deque[Rows] = deque()
        # Tables whose rows a change may concern in ways that only the source can tell: to be recorded again, and all
        # documents checked, before the position after the change is saved.
        self.uncertain: set[TableName] = set()
        self._busy: set[tuple[TableName, Key]] = set()
        # Whether something of the transaction at hand was taken in.
        self._is_touched = False

    @property
    def unwritten(self) -> int:
        """How many tracked rows are changed in memory only."""
        return self._overlay.unwritten

    def follow(self, rows: Rows) -> int:
        """Collects the events of some rows, in the order of the log, for `resolve`; how many matter here."""
        if rows.table not in self._tables and not (rows.cascades and self._cascades.of_parent(rows.table)):
            return 0
        self._events.append(rows)
        self._is_touched = True
        return len(rows.changes)

    def committed(self) -> None:
        """A transaction has come to its end."""
        self._is_touched = False

    def rolled_back(self) -> None:
        """Rows of the transaction at hand were rolled back: what was made of them can't be told from what was there."""
        if self._is_touched:
            self.uncertain.update(self._tables)

    def resolve(self) -> None:
        """Walks through the collected events: emits what cascades changed, and changes the tracked rows in memory.

        May be called again after an error. What is emitted has to be done, or durably recorded, before `changes` are
        written.
        """
        ahead = len(self._events)
        while self._events:
            some = min(ahead, len(self._events))
            self._prefetch(some)
            if self._take_those_that_fit(some) == some:
                ahead *= 4
            elif some > 1 or self._overlay.unwritten:
                self._make_room()
                ahead = max(1, some // 4)
            else:
                # This event alone reaches too many rows, with all memory at its disposal.
                self._take_in_pages()
        self._overlay.forget_read()

    def changes(self) -> list[TrackedChange]:
        """What is to be written of the tracked rows, in this order."""
        return sorted(self._overlay.changes(), key=lambda change: self._order[change.table])

    def written(self) -> None:
        """All `changes` are in the state."""
        self._overlay.clear()

    def flush(self) -> None:
        """Walks through the events and writes what they changed, without a position; the emitted is secured first."""
        self.resolve()
        self._make_room()

    def discard(self) -> None:
        """Forgets what is not written: the events come again, or the tables are read again."""
        self._events.clear()
        self._overlay.clear()
        self._is_touched = False

    def truncated(self, table: TableName) -> None:
        """A table was emptied; tables with children that cascade can't be. What came before has to be written."""
        if table in self._tables:
            self._stored.remove_table(self._scope, table)

    def load(self, rows: Sequence[TrackedRow]) -> None:
        """Remembers rows of one table as a snapshot shows them; they may have columns that are of no use here."""
        tracked = self._tables[rows[0].table]
        self._stored.load(self._scope, [self._with_folded(tracked.own(row)) for row in rows])

    # --- walking through the events of a batch ---

    def _take_those_that_fit(self, some: int) -> int:
        """Walks through `some` events in memory, as far as that goes; how many."""
        for taken in range(some):
            if self._overlay.unwritten > _UNWRITTEN:
                return taken
            self._overlay.savepoint()
            try:
                self._take(self._events[0])
            except BaseException as error:
                # Keys that follow each other must not be walked through a second time from the middle.
                self._overlay.roll_back()
                if isinstance(error, TooManyRows):
                    return taken
                raise
            self._events.popleft()
        return some

    def _take_in_pages(self) -> None:
        self._overlay.forget_read()
        self._walk_by = self._paged
        try:
            self._take(self._events[0])
        finally:
            self._walk_by = self._in_memory
        self._events.popleft()

    def _make_room(self) -> None:
        """Writes what is changed, so that nothing has to be kept in memory. Rows go before keys: a row whose key has
        changed is never without a trace."""
        self._secure()
        for change in self.changes():
            if change.rows:
                self._stored.put(self._scope, change.rows)
            if change.gone:
                self._stored.remove(self._scope, change.table, change.gone)
        self._overlay.clear()

    def _take(self, rows: Rows) -> None:
        for cascade in self._cascades.of_parent(rows.table) if rows.cascades else ():
            self._walk_events(cascade, rows)
        tracked = self._tables.get(rows.table)
        if tracked is not None:
            self._track(tracked, rows)

    def _prefetch(self, some: int) -> None:
        """Reads with one query for each cascade and level what `some` events are going to ask for. What is missing, or
        too much, is read when it is asked for."""
        wanted: dict[_CascadeStep, dict[Key, None]] = {}
        for rows in islice(self._events, some):
            for cascade in self._cascades.of_parent(rows.table) if rows.cascades else ():
                for step, key in _first_steps(cascade, self._watches[rows.table].columns, rows):
                    wanted.setdefault(step, {})[key] = None
        with suppress(TooManyRows):
            self._read_levels(wanted)

    def _read_levels(self, wanted: dict[_CascadeStep, dict[Key, None]]) -> None:
        asked: set[tuple[_CascadeStep, Key]] = set()
        while wanted:
            deeper: dict[_CascadeStep, dict[Key, None]] = {}
            for step, some in wanted.items():
                keys = [key for key in some if (step, key) not in asked]
                asked.update((step, key) for key in keys)
                steps = [below for below in map(step.below, self._cascades.of_parent(step.cascade.child)) if below]
                for row in self._overlay.find(step.cascade.child, *self._lookup(step.cascade, keys)):
                    for below in steps:
                        values = [row.values[name] for name in below.cascade.key.parent_columns]
                        key = tuple(value for value in values if value is not None)
                        if len(key) == len(values):
                            deeper.setdefault(below, {})[key] = None
            wanted = deeper

    # --- one event ---

    def _track(self, tracked: _TableTracker, rows: Rows) -> None:
        """The last image of each row counts; a row whose key has changed is tracked under the new one."""
        for change in rows.changes:
            if change.before is not None:
                self._overlay.drop(rows.table, tracked.row(change.before).key)
            if change.after is not None:
                self._overlay.put(self._with_folded(tracked.row(change.after)))

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

        Text that differs in bytes may be equal by the collation. Such rows are treated as changed, so that their
        documents are rebuilt; their tracked values stay.
        """
        rule = cascade.key.on_delete if now is None else cascade.key.on_update
        if rule not in _ACTIONS:
            return
        tracked = self._tables[cascade.child]
        self._mark_uncertain(cascade, keys)
        names, wanted = self._lookup(cascade, keys)
        exactly = set(keys)
        guessed: set[Key] = set()
        for found in self._walk_by.pages(cascade.child, names, wanted):
            rows = [row for row in found if (row.table, row.key) not in self._busy and row.key not in guessed]
            certain: list[TrackedRow] = []
            others: list[TrackedRow] = []
            for row in rows:
                is_certain = sure and tracked.is_certain(row, cascade.key.columns, exactly)
                (certain if is_certain else others).append(row)
            if certain:
                hidden = self._apply_cascade(cascade, tracked, certain, rule, now, sure=True)
                self._track(tracked, hidden)
            if others:
                guessed.update(row.key for row in others)
                self._guess(cascade, tracked, others, rule, now)
            self._walk_by.settle()

    def _guess(
        self, cascade: Cascade, tracked: _TableTracker, rows: Sequence[TrackedRow], rule: str, now: Key | None
    ) -> None:
        """For rows that perhaps didn't change: under a new foreign key they are recorded too."""
        hidden = self._apply_cascade(cascade, tracked, rows, rule, now, sure=False)
        if rule == "CASCADE" and now is not None:
            for row, change in zip(rows, hidden.changes, strict=True):
                if change.after is not None:
                    self._overlay.put(self._with_folded(tracked.guess(row, change.after)))

    def _apply_cascade(
        self,
        cascade: Cascade,
        tracked: _TableTracker,
        rows: Sequence[TrackedRow],
        rule: str,
        now: Key | None,
        *,
        sure: bool,
    ) -> Rows:
        """Brings to light what the cascade made of `rows`, and of the rows below them."""
        changes = []
        for row in rows:
            after: Mapping[str, bytes | None] | None = None
            if rule != "CASCADE" or now is not None:
                new = now if rule == "CASCADE" else None
                parts: Sequence[bytes | None] = new if new is not None else [None] * len(cascade.key.columns)
                after = {**row.values, **dict(zip(cascade.key.columns, parts, strict=True))}
            changes.append(RowChange(tracked.image(row.values), None if after is None else tracked.image(after)))
        if tracked.is_computed and any(change.after is not None for change in changes):
            # What the server computed from the changed key is in no image.
            self.uncertain.add(cascade.child)
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

    def _lookup(self, cascade: Cascade, keys: Iterable[Key]) -> tuple[tuple[str, ...], list[Key]]:
        """The columns to look in and the values to look for; text as far as its collation may find it equal."""
        columns = self._columns(cascade)
        names = tuple(one.name + FOLDED if is_folded(one) else one.name for one in columns)
        wanted: dict[Key, None] = {}
        for key in keys:
            parts = [_wanted(one, part) for one, part in zip(columns, key, strict=True)]
            wanted.update(dict.fromkeys(product(*parts)))
        return names, list(wanted)

    def _mark_uncertain(self, cascade: Cascade, keys: Iterable[Key]) -> None:
        """A key that may be equal to any text: which rows held it, only the source knows."""
        columns = self._columns(cascade)
        if any(OTHERS in _wanted(one, part)[:1] for key in keys for one, part in zip(columns, key, strict=True)):
            self.uncertain.add(cascade.child)

    def _columns(self, cascade: Cascade) -> list[Column]:
        table = self._watches[cascade.child].table
        return [table.by_name[name] for name in cascade.key.columns]

    def _with_folded(self, row: TrackedRow) -> TrackedRow:
        table = self._watches[row.table].table
        twins = {
            name + FOLDED: None if value is None else folded(table.by_name[name], value)
            for name, value in row.values.items()
            if is_folded(table.by_name[name])
        }
        return TrackedRow(row.table, row.key, {**row.values, **twins}) if twins else row


def _wanted(column: Column, value: bytes) -> tuple[bytes, ...]:
    """What a tracked row that may hold a key's value has, folded where the column is."""
    if not is_folded(column):
        return (value,)
    found = folded(column, value)
    return (found,) if is_stripped(column) else (found, OTHERS)


def _first_steps(cascade: Cascade, columns: Sequence[str], rows: Rows) -> Iterator[tuple[_CascadeStep, Key]]:
    """What the changes of parents' rows set off, and the keys that their children are looked up by."""
    for change in rows.changes:
        before = _parent_key(cascade, columns, change.before)
        step = _CascadeStep(cascade, is_gone=change.after is None)
        if before is not None and step.rule in _ACTIONS and before != _parent_key(cascade, columns, change.after):
            yield step, before


def _deepest_first(cascades: Cascades) -> dict[TableName, int]:
    """By tracked table its place: children before their parents, as far as there is no cycle."""
    order: dict[TableName, int] = {}
    begun: set[TableName] = set()

    def visit(table: TableName) -> None:
        if table in begun:
            return
        begun.add(table)
        for cascade in cascades.of_parent(table):
            visit(cascade.child)
        order[table] = len(order)

    for each in cascades.tables:
        visit(each.table)
    return order


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

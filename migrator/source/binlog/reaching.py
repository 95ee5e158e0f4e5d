"""Whether a statement that names some tables can have changed rows of watched ones: directly, by a trigger or by a
cascade. Pure but for what the catalog looks up.

Where anything is hidden (a view, a stored routine, a table that keeps its rows elsewhere), the answer is that it may.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from typing import Protocol

from migrator.model.change import TableName, Watch
from migrator.source.binlog.catalog import Thing, Trigger
from migrator.source.binlog.identifiers import lexical_of_names, tables_named

# Engines whose tables hold their own rows, in the server or nowhere.
_OWN_ROWS = frozenset(
    (
        *("innodb", "myisam", "aria", "memory", "archive", "csv", "blackhole", "rocksdb", "tokudb", "ndbcluster"),
        *("columnstore", "performance_schema", "information_schema"),
    )
)
_MOST_NAMES = 2000


class Definitions(Protocol):
    """What is known of tables in any database; see catalog.Catalog."""

    @property
    def cascades_fire_triggers(self) -> bool: ...

    def folded(self, name: TableName) -> TableName: ...

    def things(self, names: Iterable[TableName]) -> list[Thing]: ...

    def triggers(self, table: TableName) -> list[Trigger]: ...

    def parents(self, table: TableName) -> set[TableName]: ...

    def children(self, table: TableName) -> set[TableName]: ...


def way_to_watched(names: Collection[TableName], watches: Collection[Watch], known: Definitions) -> str:
    """How a statement that names these may have changed rows of a watched table, as a sentence; "" when it can't."""
    watched = {known.folded(watch.name) for watch in watches}
    named = next((name for name in names if known.folded(name) in watched), None)
    if named is not None:
        return f"it names {shown(named)}"
    if len(names) > _MOST_NAMES:
        return f"it has {len(names)} names"
    above = _above(watches, known)
    seen: set[TableName] = set()
    waiting = deque((name, "") for name in _sorted(names))
    while waiting:
        # All that is known of one way, at once.
        some = {known.folded(name): way for name, way in waiting if known.folded(name) not in seen}
        waiting.clear()
        seen |= some.keys()
        for thing in known.things(some):
            name = known.folded(thing.name)
            way = some.get(name, "")
            if name in watched:
                return f"{way}{shown(thing.name)} is named"
            reason = _is_opaque(thing)
            if reason:
                return f"{way}{reason}"
            if name in above:
                return f"{way}foreign keys cascade from {shown(thing.name)} to {shown(above[name])}"
            for trigger in known.triggers(thing.name):
                found = _names_in(trigger)
                step = f"{way}the trigger {shown((trigger.database, trigger.name))} of {shown(thing.name)}: "
                if found is None:
                    return f"{step}it can't be told which tables it names"
                waiting += ((one, step) for one in _sorted(found))
            if known.cascades_fire_triggers:
                step = f"{way}a cascade from {shown(thing.name)}: "
                waiting += ((one, step) for one in _sorted(known.children(thing.name)))
    return ""


def shown(name: TableName) -> str:
    return ".".join(name)


def _above(watches: Iterable[Watch], known: Definitions) -> dict[TableName, TableName]:
    """The tables from which cascades lead to watched ones, each with one of those."""
    found: dict[TableName, TableName] = {}
    waiting = deque(
        ((key.parent_schema, key.parent_table), watch.name)
        for watch in watches
        for key in watch.table.foreign_keys
        if key.cascades
    )
    while waiting:
        parent, reached = waiting.popleft()
        if known.folded(parent) not in found:
            found[known.folded(parent)] = reached
            waiting += ((one, reached) for one in _sorted(known.parents(parent)))
    return found


def _is_opaque(thing: Thing) -> str:
    """Why it can't be told what writing to it, or calling it, changes."""
    if thing.kind == "ROUTINE":
        return f"{shown(thing.name)} is a stored routine"
    if thing.kind == "VIEW":
        return f"{shown(thing.name)} is a view"
    if thing.kind == "SEQUENCE" or thing.kind == "SYSTEM VIEW" or thing.engine.lower() in _OWN_ROWS:
        return ""
    return f"{shown(thing.name)} is a table of the engine {thing.engine or 'unknown'}"


def _names_in(trigger: Trigger) -> frozenset[TableName] | None:
    mode = lexical_of_names(trigger.sql_mode)
    return None if mode is None else tables_named(trigger.body, trigger.database, mode)


def _sorted(names: Iterable[TableName]) -> list[TableName]:
    """So that of several ways always the same is told."""
    return sorted(names)

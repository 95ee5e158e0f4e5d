"""Whether a statement that names some tables can have changed rows of watched ones: directly, by a trigger or by a
cascade. Pure but for what the catalog looks up.

Where anything is hidden (a view, a stored routine, a table that keeps its rows elsewhere), the answer is that it may.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from migrator.model.change.events import TableName, Watch
from migrator.source.binlog.events.packets import Query
from migrator.source.binlog.statements import statement_kinds
from migrator.source.binlog.statements.identifiers import lexical_of_names, names_of, tables_named
from migrator.source.binlog.statements.server_catalog import NamedObject, Trigger

# Engines whose tables hold their own rows, in the server or nowhere.
_OWN_ROWS = frozenset(
    (
        *("innodb", "myisam", "aria", "memory", "archive", "csv", "blackhole", "rocksdb", "tokudb", "ndbcluster"),
        *("columnstore", "performance_schema", "information_schema"),
    )
)
_MOST_NAMES = 2000


class DefinitionLookup(Protocol):
    """What is known of tables in any database; see catalog.Catalog."""

    @property
    def cascades_fire_triggers(self) -> bool: ...

    def folded(self, name: TableName) -> TableName: ...

    def things(self, names: Iterable[TableName]) -> list[NamedObject]: ...

    def triggers(self, table: TableName) -> list[Trigger]: ...

    def parents(self, table: TableName) -> set[TableName]: ...

    def children(self, table: TableName) -> set[TableName]: ...


@dataclass(frozen=True, slots=True)
class TableSearch:
    """Attributes:
    way: how the statement may have changed rows of a watched table, as a sentence; "" when it can't.
    names: all that was looked up on the way, whether or not it is there, folded.
    """

    way: str
    names: frozenset[TableName]


def looked_for(names: Collection[TableName], watches: Collection[Watch], known: DefinitionLookup) -> TableSearch:
    """Looks for a way from what a statement names to a watched table."""
    watched = {known.folded(watch.name) for watch in watches}
    above = _above(watches, known)
    seen = {*watched, *above}
    way = _way(names, watched, above, known, seen)
    return TableSearch(way, frozenset(seen))


def may_concern(removal: Query, search: TableSearch, known: DefinitionLookup) -> bool:
    """Whether a statement that removed definitions may have removed a part of a way, after which none was found.

    What is left of a way was looked up, and so was the name of the first thing on it that is missing; the trigger of a
    table has another name, and stands in the table's database. Only a key by which a cascade leads down from a table
    is known by nothing but the child, which may be anywhere.
    """
    names = names_of(removal)
    if names is None or (known.cascades_fire_triggers and not statement_kinds.is_of_trigger(removal.text)):
        return True
    databases = {database for database, _ in search.names}
    for database, name in map(known.folded, names):
        is_trigger_there = database in databases and statement_kinds.is_of_trigger(removal.text)
        if (database, name) in search.names or name in databases or is_trigger_there:
            return True
    return False


def _way(
    names: Collection[TableName],
    watched: Collection[TableName],
    above: Mapping[TableName, TableName],
    known: DefinitionLookup,
    seen: set[TableName],
) -> str:
    """The way; what is looked up is added to `seen`."""
    named = next((name for name in names if known.folded(name) in watched), None)
    if named is not None:
        return f"it names {shown(named)}"
    if len(names) > _MOST_NAMES:
        return f"it has {len(names)} names"
    waiting = deque((name, "") for name in _sorted(names))
    done: set[TableName] = set()
    while waiting:
        some = {known.folded(name): way for name, way in waiting if known.folded(name) not in done}
        waiting.clear()
        done.update(some)
        seen.update(some)
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
                    return f"{step}it can't be determined which tables it names"
                waiting += ((one, step) for one in _sorted(found))
            if known.cascades_fire_triggers:
                step = f"{way}a cascade from {shown(thing.name)}: "
                waiting += ((one, step) for one in _sorted(known.children(thing.name)))
    return ""


def shown(name: TableName) -> str:
    return ".".join(name)


def _above(watches: Iterable[Watch], known: DefinitionLookup) -> dict[TableName, TableName]:
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


def _is_opaque(thing: NamedObject) -> str:
    """Why it can't be determined what writing to it, or calling it, changes."""
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

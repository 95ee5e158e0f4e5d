"""What a history must know of a database to write to it: columns, keys, and which columns name which rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.oracle.catalog import Catalog, Column
from tests.oracle.documents import Oracle
from tests.oracle.session import Session


@dataclass(frozen=True)
class Link:
    """`columns` of `table` hold values of `parent_columns` of `parent`.

    Attributes:
        guarded: by a foreign key; else only a mapping joins them.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    guarded: bool


@dataclass(frozen=True)
class Table:
    """A table; names are without the schema.

    Attributes:
        columns: that can be written.
        generated: that the server computes.
        key: of the primary key, or empty.
        unique: column lists of all unique keys, the primary one included.
        counter: the AUTO_INCREMENT column.
        parents: foreign keys first, the wider before the narrower.
        referred: whether a foreign key refers to it.
    """

    name: str
    columns: tuple[Column, ...]
    generated: tuple[Column, ...]
    key: tuple[str, ...]
    unique: tuple[tuple[str, ...], ...]
    counter: str | None
    parents: tuple[Link, ...]
    children: tuple[Link, ...]
    referred: bool

    def column(self, name: str) -> Column:
        return next(column for column in (*self.columns, *self.generated) if column.name == name)

    def writable(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)


@dataclass(frozen=True)
class Shape:
    """Tables by name, parents before their children."""

    tables: dict[str, Table]

    @property
    def links(self) -> list[Link]:
        return [link for table in self.tables.values() for link in table.parents]


def read_shape(url: str, oracle: Oracle) -> Shape:
    """The shape of the URL's database, with what only the oracle's mappings join."""
    with Session(url) as session:
        names = [
            row[0]
            for row in session.rows(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s"
                " AND TABLE_TYPE = 'BASE TABLE' ORDER BY TABLE_NAME",
                [session.database],
            )
        ]
        catalog = Catalog(session)
        read = {name: catalog.table(f"{session.database}.{name}") for name in names}
    links = [
        Link(name, tuple(key.columns), key.parent.split(".")[1], tuple(key.parent_columns), guarded=True)
        for name, table in read.items()
        for key in table.foreign_keys
    ]
    links += [link for link in _joins(oracle) if not any(_same(link, known) for known in links)]
    links = sorted(set(links), key=lambda link: (not link.guarded, -len(link.columns), link.table, link.columns))
    tables = {
        name: Table(
            name=name,
            columns=tuple(column for column in table.columns if not _generated(column)),
            generated=tuple(column for column in table.columns if _generated(column)),
            key=tuple(table.primary_key),
            unique=tuple(tuple(columns) for _, columns in sorted(table.unique)),
            counter=next((column.name for column in table.columns if "auto_increment" in column.extra.lower()), None),
            parents=tuple(link for link in links if link.table == name),
            children=tuple(link for link in links if link.parent == name),
            referred=any(link.guarded and link.parent == name for link in links),
        )
        for name, table in read.items()
    }
    return Shape({name: tables[name] for name in _parents_first(tables)})


def _generated(column: Column) -> bool:
    words = column.extra.upper()
    return "VIRTUAL" in words or "STORED" in words or "PERSISTENT" in words


def _joins(oracle: Oracle) -> Iterable[Link]:
    for collection in oracle.collections.values():
        for parent in collection.root.walk():
            for child in parent.children:
                above, below = _plain(parent.table.name), _plain(child.table.name)
                if child.link:
                    middle = _plain(child.link.table.name)
                    yield _link(middle, above, [(theirs, mine) for mine, theirs in child.link.to_parent])
                    yield _link(middle, below, child.link.to_child)
                elif child.parent_holds_key:
                    yield _link(above, below, child.join)
                else:
                    yield _link(below, above, [(theirs, mine) for mine, theirs in child.join])


def _link(table: str, parent: str, pairs: list[tuple[str, str]]) -> Link:
    return Link(table, tuple(mine for mine, _ in pairs), parent, tuple(theirs for _, theirs in pairs), guarded=False)


def _same(one: Link, other: Link) -> bool:
    """Whether they join the same columns, whichever side holds them."""
    pairs = set(zip(one.columns, one.parent_columns, strict=True))
    if (one.table, one.parent) == (other.table, other.parent):
        return pairs == set(zip(other.columns, other.parent_columns, strict=True))
    if (one.table, one.parent) == (other.parent, other.table):
        return pairs == set(zip(other.parent_columns, other.columns, strict=True))
    return False


def _plain(name: str) -> str:
    return name.split(".")[-1]


def _parents_first(tables: dict[str, Table]) -> list[str]:
    placed: list[str] = []
    waiting = sorted(tables)
    while waiting:
        ready = [
            name
            for name in waiting
            if all(link.parent in (*placed, name) for link in tables[name].parents if link.guarded)
        ]
        placed += ready
        waiting = [name for name in waiting if name not in ready]
    return placed

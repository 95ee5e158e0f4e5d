"""What the source's tables look like, as read from information_schema."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from json import dumps

# Database, table and column.
ColumnName = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, or the result of an SQL expression.

    Attributes:
        name: as declared; compare with `==` (MySQL resolves case for us in SQL).
        data_type: lower-case base type as in information_schema.COLUMNS.DATA_TYPE (`bigint`, `varchar`, `enum`).
            MariaDB's JSON is `longtext` there; reflection says `json` when the column carries its JSON_VALID check.
        column_type: the full type (`bigint(20) unsigned zerofill`).
        nullable: whether NULL is allowed.
        length: characters for text, bytes for binary, bits for BIT, else None.
        precision: digits of DECIMAL, else None.
        scale: decimals of DECIMAL, else None.
        fraction: digits of fractional seconds of TIME, DATETIME and TIMESTAMP, else None.
        charset: MySQL name of the character set for text, else None.
        collation: MySQL name of the collation for text, else None.
        members: of ENUM and SET in order of definition.
        generated: whether the column is computed by the server.
        invisible: whether `SELECT *` leaves it out.
        auto_increment: whether the server makes its values.
    """

    name: str
    data_type: str
    column_type: str
    nullable: bool
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    fraction: int | None = None
    charset: str | None = None
    collation: str | None = None
    members: tuple[str, ...] = ()
    generated: bool = False
    invisible: bool = False
    auto_increment: bool = False

    @property
    def unsigned(self) -> bool:
        return " unsigned" in self.column_type

    @property
    def zerofill(self) -> bool:
        return " zerofill" in self.column_type


@dataclass(frozen=True, slots=True)
class Index:
    """An index; `columns` leaves out functional parts, `whole` says that no part is a prefix or an expression."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    whole: bool = True


_CASCADING = ("CASCADE", "SET NULL", "SET DEFAULT")


def is_cascading(on_delete: str, on_update: str) -> bool:
    """Whether a foreign key with these rules changes the rows that hold it."""
    return on_delete in _CASCADING or on_update in _CASCADING


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`columns` of the table that holds it refer to `parent_columns` of the parent, pairwise."""

    name: str
    columns: tuple[str, ...]
    parent_schema: str
    parent_table: str
    parent_columns: tuple[str, ...]
    on_delete: str = "RESTRICT"
    on_update: str = "RESTRICT"

    @property
    def cascades(self) -> bool:
        """Whether rows that hold the key change when the row it names does."""
        return is_cascading(self.on_delete, self.on_update)


@dataclass(frozen=True)
class Table:
    """A base table or a view.

    `rows` and `bytes` are the server's own estimates (information_schema.TABLES), not counts.

    Attributes:
        denied_to: the account, quoted for a GRANT, that may read some of the columns only: the server hides all others,
            and the keys that they are part of. "" where the account may read the whole table.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    indexes: tuple[Index, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    engine: str = "InnoDB"
    is_view: bool = False
    rows: int = 0
    bytes: int = 0
    denied_to: str = ""

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"

    @cached_property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}

    @cached_property
    def unique_keys(self) -> tuple[tuple[str, ...], ...]:
        """The primary key first, then unique keys over NOT NULL columns, the shortest first: each names a row.

        Of keys with equally many columns the one with the lower index name comes first.
        """
        keys = [self.primary_key] if self.primary_key else []
        for index in sorted(self.indexes, key=lambda one: (len(one.columns), one.name.lower(), one.name)):
            whole = index.unique and index.whole and index.columns not in keys
            if whole and not any(self.by_name[name].nullable for name in index.columns):
                keys.append(index.columns)
        return tuple(keys)

    def is_unique(self, names: Iterable[str]) -> bool:
        """Whether at most one row can hold the same values in `names` (NULL aside)."""
        wanted = set(names)
        keys = [self.primary_key] if self.primary_key else []
        keys += [index.columns for index in self.indexes if index.unique and index.whole]
        return any(set(key) <= wanted for key in keys)


@dataclass(frozen=True)
class Schema:
    """Tables of one or several databases of a server.

    Attributes:
        default: the database of the source's URL.
        tables: those that were read, with all from which cascades lead to them.
        names: (database, name) of every table and view there is, also of those that were not read.
    """

    default: str
    tables: tuple[Table, ...]
    names: tuple[tuple[str, str], ...] = ()

    @cached_property
    def by_name(self) -> dict[tuple[str, str], Table]:
        return {(table.schema, table.name): table for table in self.tables}

    def table(self, schema: str, name: str) -> Table | None:
        return self.by_name.get((schema, name))


def fingerprint(tables: Iterable[Table]) -> str:
    """A hash of all that changes what documents look like: columns, keys, relations; not the estimates, nor whose
    account has read them."""
    parts = []
    for table in sorted(tables, key=lambda t: t.qualified):
        facts = asdict(table)
        for aside in ("rows", "bytes", "denied_to"):
            del facts[aside]
        parts.append(facts)
    return hashlib.sha256(dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

"""What the server says of tables, views, triggers and routines in any database, asked for by name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.sql.elements import TextClause

from migrator.model.change.events import TableName
from migrator.model.change.position import ServerIdentity
from migrator.model.schema.tables import is_cascading
from migrator.source.preflight.log_settings import is_on
from migrator.source.preflight.server_facts import read_grants

_DATABASES = "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA"
# Names only: the server opens no table for them.
_NAMES = text("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = :db")
_KINDS = (
    "SELECT TABLE_NAME, TABLE_TYPE, ENGINE FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = :db AND TABLE_NAME IN :names"
)
# Compared by the server: names of routines have no case, nor accents.
_ROUTINES = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = :db AND ROUTINE_NAME IN :names"
_TRIGGERS = text(
    "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, ACTION_STATEMENT, SQL_MODE, EVENT_OBJECT_TABLE"
    " FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = :db AND EVENT_OBJECT_TABLE = :name"
)
_PARENTS = text(
    "SELECT CONSTRAINT_NAME, TABLE_NAME, REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME"
    " FROM information_schema.KEY_COLUMN_USAGE"
    " WHERE TABLE_SCHEMA = :db AND TABLE_NAME = :name AND REFERENCED_TABLE_NAME IS NOT NULL"
)
_RULES = text(
    "SELECT CONSTRAINT_NAME, DELETE_RULE, UPDATE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS"
    " WHERE CONSTRAINT_SCHEMA = :db AND TABLE_NAME = :name"
)
_CHILDREN = text(
    "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE"
    " FROM information_schema.REFERENTIAL_CONSTRAINTS"
    " WHERE UNIQUE_CONSTRAINT_SCHEMA = :db AND REFERENCED_TABLE_NAME = :name"
)


@dataclass(frozen=True, slots=True)
class NamedObject:
    """What has a name in a database.

    Attributes:
        kind: as of information_schema.TABLES, or ROUTINE.
        engine: "" where there is none.
    """

    name: TableName
    kind: str
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Attributes:
    database: in which its statements find their tables.
    """

    database: str
    name: str
    body: str
    sql_mode: str


class ServerCatalog:
    """Names are as the server compares them: exactly, or without case where it keeps them so."""

    def __init__(self, connection: Connection, server: ServerIdentity) -> None:
        self._connection = connection
        self._server = server
        rows = connection.exec_driver_sql(
            "SHOW GLOBAL VARIABLES WHERE Variable_name IN"
            " ('lower_case_table_names', 'partial_revokes', 'enable_cascade_triggers')"
        )
        self._variables = {str(name).lower(): str(value) for name, value in rows}

    @property
    def cascades_fire_triggers(self) -> bool:
        """Whether some session may let cascades fire the triggers of the rows that they change (MySQL 9.7)."""
        return "enable_cascade_triggers" in self._variables

    @property
    def keeps_case(self) -> bool:
        """Whether names that differ in case are different tables."""
        return self._variables.get("lower_case_table_names", "0") == "0"

    def folded(self, name: TableName) -> TableName:
        if self.keeps_case:
            return name
        return name[0].lower(), name[1].lower()

    def sees_everything(self) -> bool:
        """Whether the account may know of all triggers, keys and routines in all databases: what it may not, the
        server doesn't mention."""
        grants = read_grants(
            self._connection, self._server, literal=is_on(self._variables.get("partial_revokes", "OFF"))
        )
        is_limited = any(grant.revoked for grant in grants.grants)
        return not is_limited and all(grants.everywhere(name) for name in ("SELECT", "TRIGGER"))

    def things(self, names: Iterable[TableName]) -> list[NamedObject]:
        """Those of `names` that there are, however many are not."""
        known = {self.folded((str(name), ""))[0]: str(name) for name in self._scalars(text(_DATABASES))}
        found: list[NamedObject] = []
        wanted = sorted({self.folded(name) for name in names if self.folded((name[0], ""))[0] in known})
        for folded, group in groupby(wanted, key=lambda name: name[0]):
            database, asked = known[folded], {name for _, name in group}
            bound = {"db": database, "names": sorted(asked)}
            routines = self._connection.execute(_among(_ROUTINES), bound).scalars()
            found += [NamedObject((database, str(routine)), "ROUTINE") for routine in routines]
            tables = [name for name in self._scalars(_NAMES, db=database) if self.folded((database, name))[1] in asked]
            found += self._kinds(database, tables)
        return found

    def _kinds(self, database: str, names: list[str]) -> list[NamedObject]:
        if not names:
            return []
        rows = self._connection.execute(_among(_KINDS), {"db": database, "names": names})
        found = {
            str(name): NamedObject((database, str(name)), str(kind), str(engine or "")) for name, kind, engine in rows
        }
        # What is gone meanwhile, or can't be opened, is nothing that is known.
        return [found.get(name, NamedObject((database, name), "UNKNOWN")) for name in names]

    def triggers(self, table: TableName) -> list[Trigger]:
        rows = self._connection.execute(_TRIGGERS, {"db": table[0], "name": table[1]})
        return [
            Trigger(str(database), str(name), str(body), str(mode))
            for database, name, body, mode, owner in rows
            if self.folded((table[0], str(owner))) == self.folded(table)
        ]

    def parents(self, table: TableName) -> set[TableName]:
        """The tables from which foreign keys cascade to `table`."""
        bound = {"db": table[0], "name": table[1]}
        rules = {str(name): (str(a), str(b)) for name, a, b in self._connection.execute(_RULES, bound)}
        return {
            (str(schema), str(parent))
            for name, owner, schema, parent in self._connection.execute(_PARENTS, bound)
            if self.folded((table[0], str(owner))) == self.folded(table)
            # A rule that isn't shown may be any.
            and is_cascading(*rules.get(str(name), ("CASCADE", "CASCADE")))
        }

    def children(self, table: TableName) -> set[TableName]:
        """The tables to which foreign keys cascade from `table`."""
        return {
            (str(schema), str(child))
            for schema, child, parent, a, b in self._connection.execute(_CHILDREN, {"db": table[0], "name": table[1]})
            if self.folded((table[0], str(parent))) == self.folded(table) and is_cascading(str(a), str(b))
        }

    def _scalars(self, statement: TextClause, **bound: str) -> list[str]:
        return [str(name) for name in self._connection.execute(statement, bound).scalars()]


def _among(query: str) -> TextClause:
    return text(query).bindparams(bindparam("names", expanding=True))

"""What a statement that changed definitions means for documents: nothing, all of them anew, or the end of sync.

What a table looks like is read from the schema, never worked out from the statement (EDGE_CASES 36). The statement's
text serves for one question only, and errs to the safe side: can it have changed values without row events? A table
whose name it doesn't mention is as it was.
https://dev.mysql.com/doc/refman/8.4/en/alter-table.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from migrator.model.change import TableName
from migrator.model.schema import Column, Schema
from migrator.model.tree import Collection, Field, Join, Node

# Statements that leave rows as they are, whatever they name.
_HARMLESS = re.compile(
    r"\s*(create\s+(or\s+replace\s+)?(definer\s*=\s*\S+\s+)?(sql\s+security\s+\w+\s+)?"
    r"(unique\s+index|fulltext\s+index|spatial\s+index|index|trigger|procedure|function|event|user|role|view|database"
    r"|schema|server|sequence)"
    r"|drop\s+(index|trigger|procedure|function|event|user|role|view|server|sequence)"
    r"|analyze|optimize|check|flush|grant|revoke|set|alter\s+(user|event|procedure|function|view|database|schema)"
    r"|rename\s+user)\b",
    re.IGNORECASE,
)
_ALTER = re.compile(r"\s*alter\s+table\b", re.IGNORECASE)
_COMMENTS = re.compile(r"^\s*(/\*(?![!M]).*?\*/\s*|--[^\n]*\n\s*|#[^\n]*\n\s*)+", re.DOTALL)


def misfits(collection: Collection, schema: Schema) -> list[str]:
    """Why the frozen mapping no longer fits the tables, one sentence each; empty when it does."""
    found = []
    for used in _used(collection):
        table = schema.by_name.get(used.table)
        if table is None:
            found.append(f"the table {'.'.join(used.table)} is gone")
            continue
        for column in (*used.keys, *used.values):
            now = table.by_name.get(column.name)
            if now is None:
                found.append(f"{table.qualified}.{column.name} is gone")
            elif not _same_values(column, now) or (column in used.keys and not _same_keys(column, now)):
                found.append(f"{table.qualified}.{column.name} was {_type(column, now)}, and is {_type(now, column)}")
    return list(dict.fromkeys(found))


def _type(column: Column, other: Column) -> str:
    """The type as it is declared, with what tells it from `other`."""
    if column.column_type != other.column_type:
        return column.column_type
    more = (("character set", column.charset, other.charset), ("collation", column.collation, other.collation))
    return " ".join([column.column_type, *(f"with {what} {mine}" for what, mine, theirs in more if mine != theirs)])


def rewrites(text: str, table: TableName) -> bool:
    """Whether a statement may have changed rows of a table without row events."""
    return _mentions(text, table[1]) and not is_harmless(text)


def is_harmless(text: str) -> bool:
    """Whether a statement leaves the values of all rows as they are."""
    bare = _COMMENTS.sub("", text)
    return bool(_HARMLESS.match(bare)) or _adds_only(bare)


def _mentions(text: str, name: str) -> bool:
    folded, wanted = text.lower(), name.lower()
    if not re.fullmatch(r"\w+", wanted):
        return wanted in folded or wanted.replace("`", "``") in folded
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", folded) is not None


def _adds_only(text: str) -> bool:
    """ALTER TABLE that adds columns, keys and constraints, or drops keys and constraints: other columns stay."""
    if not _ALTER.match(text):
        return False
    try:
        parsed = sqlglot.parse_one(text, read="mysql")
    except SqlglotError:
        return False
    if not isinstance(parsed, exp.Alter) or parsed.args.get("kind") != "TABLE":
        return False
    actions = parsed.args.get("actions") or []
    return bool(actions) and all(isinstance(action, (exp.ColumnDef, exp.AddConstraint)) for action in actions)


@dataclass(frozen=True, slots=True)
class _Used:
    """The columns of a table that a node needs: to find rows by, and to take values from."""

    table: TableName
    keys: Sequence[Column]
    values: Sequence[Column] = ()


def _used(collection: Collection) -> Iterator[_Used]:
    for node in collection.root.walk():
        yield _Used((node.schema, node.table), _keys(node), _values(node))
        if node.link is not None:
            linked = [field.column for field in _fields(node) if field.from_link and field.sql is None]
            joined = [*node.link.parent.child, *node.link.child.parent]
            yield _Used((node.link.schema, node.link.table), joined, linked)
        for child in node.children:
            join = child.parent_join()
            if join is not None:
                yield _Used((node.schema, node.table), join.parent)


def _keys(node: Node) -> list[Column]:
    join: Join | None = node.link.child if node.link is not None else node.join
    return [*node.key, *(join.child if join is not None else ())]


def _values(node: Node) -> list[Column]:
    columns = [field.column for field in _fields(node) if not field.from_link and field.sql is None]
    columns += [node.map_key] if node.map_key is not None else []
    columns += [node.variants.column] if node.variants is not None else []
    return columns


def _fields(node: Node) -> list[Field]:
    cases = node.variants.cases if node.variants is not None else ()
    return [*node.fields, *(field for _, fields in cases for field in fields)]


def _same_values(was: Column, now: Column) -> bool:
    """Whether values of the column still become the same BSON.

    More room for text, an ENUM's further members and another order of text change nothing.
    """
    facts = ("data_type", "unsigned", "zerofill", "precision", "scale", "fraction", "charset")
    if any(getattr(was, fact) != getattr(now, fact) for fact in facts):
        return False
    if was.members != now.members[: len(was.members)]:
        return False
    return was.length == now.length or was.data_type in ("varchar", "varbinary", "enum", "set")


def _same_keys(was: Column, now: Column) -> bool:
    """Whether rows are still found by the column's values as before.

    By its collation text is found equal; an ENUM is looked for by the number of its member, which the mapping was
    frozen with (MySQL 8.4 manual, 13.3.6).
    """
    return (was.collation, was.members) == (now.collation, now.members)

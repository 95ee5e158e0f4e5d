"""What a statement that changed definitions means for documents: nothing, all of them anew, or the end of sync.

What a table looks like is read from the schema, never worked out from the statement (EDGE_CASES 36). The statement's
text serves for one question only, and errs to the safe side: can it have changed values without row events? A table
whose name it doesn't mention is as it was.
https://dev.mysql.com/doc/refman/8.4/en/alter-table.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator

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
    for table_name, columns in _used(collection):
        table = schema.by_name.get(table_name)
        if table is None:
            found.append(f"the table {'.'.join(table_name)} is gone")
            continue
        for column in columns:
            now = table.by_name.get(column.name)
            if now is None:
                found.append(f"{table.qualified}.{column.name} is gone")
            elif not _same(column, now):
                found.append(f"{table.qualified}.{column.name} was {column.column_type}, and is {now.column_type}")
    return list(dict.fromkeys(found))


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


def _used(collection: Collection) -> Iterator[tuple[TableName, list[Column]]]:
    for node in collection.root.walk():
        yield (node.schema, node.table), _own(node)
        if node.link is not None:
            linked = [field.column for field in _fields(node) if field.from_link and field.sql is None]
            joined = [*node.link.parent.child, *node.link.child.parent]
            yield (node.link.schema, node.link.table), [*joined, *linked]
    for node in collection.root.walk():
        for child in node.children:
            join = child.parent_join()
            if join is not None:
                yield (node.schema, node.table), list(join.parent)


def _own(node: Node) -> list[Column]:
    columns = [*node.key, *(field.column for field in _fields(node) if not field.from_link and field.sql is None)]
    join: Join | None = node.link.child if node.link is not None else node.join
    columns += list(join.child) if join is not None else []
    columns += [node.map_key] if node.map_key is not None else []
    columns += [node.variants.column] if node.variants is not None else []
    return columns


def _fields(node: Node) -> list[Field]:
    cases = node.variants.cases if node.variants is not None else ()
    return [*node.fields, *(field for _, fields in cases for field in fields)]


def _same(was: Column, now: Column) -> bool:
    """Whether values of the column still become the same BSON.

    More room for text and an ENUM's further members change nothing.
    """
    facts = ("data_type", "unsigned", "zerofill", "precision", "scale", "fraction", "charset", "collation")
    if any(getattr(was, fact) != getattr(now, fact) for fact in facts):
        return False
    if was.members != now.members[: len(was.members)]:
        return False
    return was.length == now.length or was.data_type in ("varchar", "varbinary", "enum", "set")

"""What a logged statement is, by its text; what it did to definitions is read from the schema, not here. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum, auto

from migrator.model.change.events import TableName
from migrator.source.binlog.events.packets import Query

_SPACE = re.compile(r"(?:\s+|--\s[^\n]*(?:\n|$)|#[^\n]*(?:\n|$)|/\*(?!M?!).*?\*/)*", re.DOTALL)
# A comment that the server executes: its text counts.
_EXECUTED = re.compile(r"/\*M?!\d*(.*?)\*/", re.DOTALL)
_WORD = re.compile(r"\(*\s*(\w+)")
_NAME = r"(?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\"|[\w$]+)"
_TABLE = rf"(?:(?P<schema>{_NAME})\s*\.\s*)?(?P<table>{_NAME})"
_TRUNCATE = re.compile(rf"TRUNCATE\s+(?:TABLE\s+)?{_TABLE}", re.IGNORECASE)
_QUALIFIED = re.compile(_TABLE)
# Statements that put other rows in a table without a row event: the tables they name are emptied or exchanged.
_EXCHANGES = re.compile(
    r"DROP\s+TABLE|RENAME\s+TABLE|CREATE\s+OR\s+REPLACE\s+TABLE"
    r"|ALTER\s+(?:ONLINE\s+)?(?:IGNORE\s+)?TABLE\b.*\b(?:(?:TRUNCATE|DROP|EXCHANGE|CONVERT)\s+PARTITION|RENAME\s+(?!COLUMN|INDEX|KEY)"
    r"|(?:DISCARD|IMPORT)(?:\s+PARTITION\b.*)?\s+TABLESPACE|CONVERT\s+TABLE)",
    re.IGNORECASE | re.DOTALL,
)
_CREATE_SELECT = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_TABLE}.*\b(?:SELECT|TABLE|VALUES)\b",
    re.IGNORECASE | re.DOTALL,
)
# Statements after which a trigger, a key, a routine or a whole table may be gone.
_REMOVES = re.compile(
    r"DROP\b(?!\s+(?:TEMPORARY|INDEX|USER|ROLE|EVENT|SERVER)\b)"
    r"|ALTER\b(?!\s+(?:USER|EVENT|SERVER|INSTANCE|SEQUENCE)\b)"
    r"|RENAME\b(?!\s+USER\b)"
    r"|CREATE\b(?:\s|/\*.*?\*/)*OR\b(?!\s+REPLACE\s+(?:TEMPORARY|USER|ROLE|EVENT|SERVER)\b)",
    re.IGNORECASE | re.DOTALL,
)
_TRIGGER = re.compile(r"DROP\b(?:\s|/\*.*?\*/)*TRIGGER\b|CREATE\b[^(]*?\bTRIGGER\b", re.IGNORECASE | re.DOTALL)
# Such as change nothing that all sessions see of tables, triggers, keys and routines.
_KEEPS = re.compile(
    r"(?:CREATE(?:\s+OR\s+REPLACE)?|DROP)\s+(?:TEMPORARY|USER|ROLE|EVENT|SERVER)\b"
    r"|(?:ALTER|RENAME)\s+USER\b|(?:FLUSH|ANALYZE|OPTIMIZE|CHECK|GRANT|REVOKE|SET)\b",
    re.IGNORECASE,
)
_OPENS = re.compile(r"START\s+TRANSACTION\s*$", re.IGNORECASE)
_CHANGES_ROWS = frozenset(("INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH"))
_MAY_CALL = frozenset(("SELECT", "DO", "CALL", "EXECUTE"))


class Role(Enum):
    """What a statement means to who follows the log."""

    BEGIN = auto()
    COMMIT = auto()
    SAVEPOINT = auto()
    ROLLBACK = auto()
    ROLLBACK_TO = auto()
    XA_START = auto()
    XA_END = auto()
    XA_DECIDED = auto()
    ROWS = auto()
    CALL = auto()
    TRUNCATE = auto()
    OTHER = auto()


def bare(text: str) -> str:
    """A statement without the comments before and in it, except what the server executes of them."""
    text = _EXECUTED.sub(r" \1 ", text)
    start = _SPACE.match(text)
    return text[start.end() if start else 0 :]


def role(statement: str) -> Role:
    """Of a `bare` statement."""
    match = _WORD.match(statement)
    word = match[1].upper() if match else ""
    rest = statement[match.end() :].lstrip().upper() if match else ""
    match word:
        case "BEGIN":
            return Role.BEGIN
        case "START":
            return Role.BEGIN if rest.startswith("TRANSACTION") else Role.OTHER
        case "COMMIT":
            return Role.COMMIT
        case "ROLLBACK":
            return Role.ROLLBACK_TO if re.match(r"(?:WORK\s+)?TO\b", rest) else Role.ROLLBACK
        case "SAVEPOINT" | "RELEASE":
            return Role.SAVEPOINT
        case "XA":
            return _xa(rest)
        case "TRUNCATE":
            return Role.TRUNCATE
    if word in _CHANGES_ROWS:
        return Role.ROWS
    if word in _MAY_CALL:
        return Role.CALL
    return Role.OTHER


def _xa(rest: str) -> Role:
    if rest.startswith(("START", "BEGIN")):
        return Role.XA_START
    return Role.XA_END if rest.startswith("END") else Role.XA_DECIDED


def xid(statement: str) -> str:
    """Of an XA statement: what names its transaction."""
    return "".join(statement.split(None, 2)[2].upper().replace("ONE PHASE", "").split())


def opens_transaction(statement: str) -> bool:
    """CREATE TABLE ... START TRANSACTION: MySQL's CREATE TABLE ... SELECT, whose rows follow."""
    return _OPENS.search(statement) is not None


def filled(query: Query, tables: Collection[TableName]) -> list[TableName]:
    """The one of those tables that a CREATE TABLE ... SELECT makes, as far as the text tells."""
    match = _CREATE_SELECT.match(bare(query.text))
    return _named(match, query, tables) if match is not None else []


def mentioned(query: Query, tables: Collection[TableName]) -> list[TableName]:
    """Those tables whose names stand in the statement anywhere: too many rather than too few."""
    return [table for table in tables if _mentions(query.text, table[1])]


def _mentions(text: str, name: str) -> bool:
    written = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])", re.IGNORECASE)
    return any(written.search(text.replace(quote * 2, quote)) for quote in '`"')


def removes_definitions(text: str) -> bool:
    """Whether a statement may have removed or replaced tables, views, triggers, keys or routines."""
    return _REMOVES.match(bare(text)) is not None


def is_of_trigger(text: str) -> bool:
    """Whether a statement that removes definitions names a trigger, and not what the trigger belongs to."""
    return _TRIGGER.match(bare(text)) is not None


def keeps_definitions(text: str) -> bool:
    """Whether tables, views, triggers, keys and routines are surely the same after a statement."""
    return _KEEPS.match(bare(text)) is not None


def truncated(query: Query, tables: Collection[TableName]) -> list[TableName]:
    """Those tables that a TRUNCATE empties."""
    match = _TRUNCATE.match(bare(query.text))
    if match is None:
        return mentioned(query, tables)
    return _named(match, query, tables)


def exchanged(query: Query, tables: Collection[TableName]) -> list[TableName]:
    """Those tables that hold other rows after a statement on definitions: too many rather than too few."""
    statement = bare(query.text)
    if _EXCHANGES.match(statement) is None:
        return []
    found: list[TableName] = []
    for match in _QUALIFIED.finditer(statement):
        found += _named(match, query, tables)
    return list(dict.fromkeys(found))


def _named(match: re.Match[str], query: Query, tables: Collection[TableName]) -> list[TableName]:
    schema = _unquoted(match["schema"]) if match["schema"] else query.database
    name = (schema.lower(), _unquoted(match["table"]).lower())
    return [table for table in tables if (table[0].lower(), table[1].lower()) == name]


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in '`"' else name

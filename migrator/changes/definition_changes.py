"""What a statement on definitions can have done to rows, by its text. Pure.

What a table looks like is read from the schema, never derived from the statement (edge case 36). The statement's
text answers one question only, and errs on the safe side: which columns can have other values without row events?
A table whose name it doesn't mention is as it was.
https://dev.mysql.com/doc/refman/8.4/en/alter-table.html
https://mariadb.com/kb/en/alter-table/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from migrator.model.change.events import TableName

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
# A quoted name or text, or a comment.
_COMMENT = re.compile(
    r"`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\"|'(?:[^']|'')*'|(?P<comment>/\*.*?\*/|--\s[^\n]*|\#[^\n]*)", re.DOTALL
)
_EXECUTED_COMMENT = re.compile(r"/\*M?!")
_NAME = r"(?:`(?:[^`]|``)+`|\"(?:[^\"]|\"\")+\"|[\w$]+)"
_TABLE = rf"(?:{_NAME}\s*\.\s*)?({_NAME})"
_CREATE = re.compile(rf"\s*create\s+(?:temporary\s+)?table\s+(?:if\s+not\s+exists\s+)?{_TABLE}", re.IGNORECASE)
_ALTER = re.compile(
    rf"\s*alter\s+(?:online\s+)?table\s+(?:if\s+exists\s+)?{_TABLE}\s*(?:nowait\b|wait\s+\d+)?", re.IGNORECASE
)
# A quoted name (or text: double quotes mean either); a text; a word; a mark.
_TOKEN = re.compile(
    r"(?P<name>`(?:[^`]|``)*`|\"(?:[^\"]|\"\")*\")|(?P<text>'(?:[^']|'')*')|(?P<word>[\w$]+)|(?P<mark>\S)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class RewrittenColumns:
    """The columns of a table, in lower case, that a statement can have given other values in rows that stay.

    Attributes:
        defined: those that got a definition; their values are the old ones as far as that has room for them. None for
            every column.
        lost: those that went, came back under another name, or are computed in another way.
    """

    defined: frozenset[str] | None = frozenset()
    lost: frozenset[str] = frozenset()

    def __or__(self, other: RewrittenColumns) -> RewrittenColumns:
        defined = None if self.defined is None or other.defined is None else self.defined | other.defined
        return RewrittenColumns(defined, self.lost | other.lost)

    def defines(self, name: str) -> bool:
        return self.defined is None or name.lower() in self.defined


NOTHING = RewrittenColumns()
_EVERY_COLUMN = RewrittenColumns(None)


def rewrites(text: str, table: TableName) -> bool:
    """Whether a statement may have changed rows of a table without row events."""
    return rewritten_columns(text, table) != NOTHING


def rewritten_columns(text: str, table: TableName) -> RewrittenColumns | None:
    """What a statement can have changed in the rows of a table without row events; None for anything at all, rows that
    came and went included."""
    if not mentions(text, table):
        return NOTHING
    bare = _COMMENT.sub(lambda found: " " if found["comment"] else found[0], text)
    if _HARMLESS.match(bare):
        return NOTHING
    if _EXECUTED_COMMENT.search(text) or "\\" in text:
        # What the server makes of it depends on its version, or on the session's sql_mode.
        return None
    created = _CREATE.match(bare)
    if created is not None:
        return NOTHING if _unquoted(created[1]).lower() != table[1].lower() else None
    altered = _ALTER.match(bare)
    found = None if altered is None else _altered(bare[altered.end() :])
    if altered is None or found is None:
        return None
    # Another table's foreign key may name it.
    return found if _unquoted(altered[1]).lower() == table[1].lower() else NOTHING


def mentions(text: str, table: TableName) -> bool:
    """Whether the table's name stands in a statement anywhere, whatever it means there."""
    folded, wanted = text.lower(), table[1].lower()
    if not re.fullmatch(r"\w+", wanted):
        return wanted in folded or wanted.replace("`", "``") in folded
    return re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", folded) is not None


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in '`"' else name


@dataclass(frozen=True, slots=True)
class _Word:
    """A word, name or mark of a statement; `key` is it in capitals, "" where it is quoted."""

    text: str
    key: str


def _altered(text: str) -> RewrittenColumns | None:
    """What the actions of an ALTER TABLE touch, as `touched` has it."""
    found = NOTHING
    for action in _actions(text):
        one = _action(action) if action else None
        if one is None:
            return None
        found |= one
    return found


def _actions(text: str) -> list[list[_Word]]:
    """The words of each action; what stands in parentheses is left out, but for the parenthesis itself."""
    actions: list[list[_Word]] = [[]]
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token["mark"]
        depth -= mark == ")"
        if depth == 0 and mark == ",":
            actions.append([])
        elif depth == 0 and mark != ")":
            quoted = token["name"] is not None
            actions[-1].append(_Word(_unquoted(token[0]), "") if quoted else _Word(token[0], token[0].upper()))
        depth += mark == "("
    return actions


def _action(words: Sequence[_Word]) -> RewrittenColumns | None:
    if any(word.key in ("PARTITION", "PARTITIONING") for word in words):
        # At the end of an action, too.
        return None
    read = _ACTIONS.get(words[0].key)
    return read(words[1:]) if read is not None else _options(words)


def _add(words: Sequence[_Word]) -> RewrittenColumns | None:
    keys = [word.key for word in words]
    if keys[:1] in (["PERIOD"], ["SYSTEM"]):
        return None
    if "PRIMARY" in keys[:1] or (keys[:1] == ["CONSTRAINT"] and "PRIMARY" in keys[1:3]):
        # Its columns can't be NULL from now on.
        return _EVERY_COLUMN
    return NOTHING


def _drop(words: Sequence[_Word]) -> RewrittenColumns | None:
    key = words[0].key if words else ""
    if key in ("PERIOD", "SYSTEM"):
        return None
    if key in ("INDEX", "KEY", "PRIMARY", "FOREIGN", "CONSTRAINT", "CHECK"):
        return NOTHING
    return _lost(_names(words)[:1])


def _modify(words: Sequence[_Word]) -> RewrittenColumns | None:
    names = _names(words)
    if len(names) < 2:
        return None
    if any(word.key in ("GENERATED", "AS") for word in names[1:]):
        return _lost(names[:1])
    return RewrittenColumns(frozenset((names[0].text.lower(),)))


def _change(words: Sequence[_Word]) -> RewrittenColumns | None:
    names = _names(words)
    if len(names) < 3:
        return None
    if names[0].text.lower() != names[1].text.lower():
        return _lost(names[:2])
    return _modify(names[1:])


def _rename(words: Sequence[_Word]) -> RewrittenColumns | None:
    match [word.key for word in words[:1]]:
        case ["INDEX" | "KEY"]:
            return NOTHING
        case ["COLUMN"] if len(words) == 4:
            return _lost([words[1], words[3]])
    return None


def _convert(words: Sequence[_Word]) -> RewrittenColumns | None:
    return _EVERY_COLUMN if [word.key for word in words[:1]] == ["TO"] else None


def _nothing(words: Sequence[_Word]) -> RewrittenColumns | None:
    return NOTHING


def _lost(names: Sequence[_Word]) -> RewrittenColumns | None:
    return RewrittenColumns(lost=frozenset(name.text.lower() for name in names)) if names else None


def _names(words: Sequence[_Word]) -> Sequence[_Word]:
    """What comes after COLUMN and IF EXISTS."""
    if words and words[0].key == "COLUMN":
        words = words[1:]
    if [word.key for word in words[:2]] == ["IF", "EXISTS"]:
        words = words[2:]
    return words


_ACTIONS: Mapping[str, Callable[[Sequence[_Word]], RewrittenColumns | None]] = {
    "ADD": _add,
    "DROP": _drop,
    "MODIFY": _modify,
    "CHANGE": _change,
    "RENAME": _rename,
    "CONVERT": _convert,
    # Of a column its default and whether it is shown; of an index or constraint whether it counts.
    "ALTER": _nothing,
    "ENABLE": _nothing,
    "DISABLE": _nothing,
    "FORCE": _nothing,
}

# Of the table as a whole, with or without `=` in front of a value; what comes later holds for columns to come.
_OPTIONS = frozenset(
    (
        "ALGORITHM",
        "AUTO_INCREMENT",
        "AVG_ROW_LENGTH",
        "CHARSET",
        "CHECKSUM",
        "COLLATE",
        "COMMENT",
        "COMPRESSION",
        "DELAY_KEY_WRITE",
        "ENGINE",
        "KEY_BLOCK_SIZE",
        "LOCK",
        "MAX_ROWS",
        "MIN_ROWS",
        "PACK_KEYS",
        "PAGE_COMPRESSED",
        "ROW_FORMAT",
        "STATS_AUTO_RECALC",
        "STATS_PERSISTENT",
        "STATS_SAMPLE_PAGES",
    )
)
_KEEPING_ENGINES = frozenset(("INNODB", "MYISAM", "ARIA", "ROCKSDB"))


def _options(words: Sequence[_Word]) -> RewrittenColumns | None:
    """Options of the table, one or several; None where one may concern rows."""
    left = [word for word in words if word.key != "="]
    while left:
        if left[0].key == "DEFAULT":
            left.pop(0)
        if [word.key for word in left[:2]] == ["CHARACTER", "SET"]:
            left[:2] = [_Word("CHARSET", "CHARSET")]
        if len(left) < 2 or left[0].key not in _OPTIONS:
            return None
        if left[0].key == "ENGINE" and left[1].text.upper() not in _KEEPING_ENGINES:
            return None
        del left[:2]
    return NOTHING

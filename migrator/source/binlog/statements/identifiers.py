"""Which tables the text of a statement may name, each with its database: too many rather than too few. Pure.

A statement reaches a table by its name: `table` in the session's default database, or `database.table`. So every
identifier is taken for the name of a table, also where it is a column, an alias or a keyword; who asks looks up which
of them there are. That needs to tell identifiers from strings and comments, and nothing of the grammar.

https://dev.mysql.com/doc/refman/8.4/en/lexical-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from migrator.model.change.events import TableName
from migrator.source.binlog.events.packets import Query

# Collations of utf8mb3 and utf8mb4 by which the log names the character set of clients.
_UTF8 = frozenset((33, 45, 46, 83, 192, 224, 255))
# Of sql_mode as the log has it.
_ANSI_QUOTES, _ORACLE, _NO_BACKSLASH_ESCAPES = 1 << 2, 1 << 9, 1 << 20


@dataclass(frozen=True, slots=True)
class Lexical:
    """What of sql_mode changes how a statement is cut into words.

    Attributes:
        ansi_quotes: "..." is an identifier.
        backslashes: a backslash in a string stands before a character that is meant literally.
    """

    ansi_quotes: bool
    backslashes: bool


def lexical(sql_mode: int) -> Lexical | None:
    """Of the bits of sql_mode; None for Oracle's language, which has rules of its own."""
    if sql_mode & _ORACLE:
        return None
    return Lexical(bool(sql_mode & _ANSI_QUOTES), not sql_mode & _NO_BACKSLASH_ESCAPES)


def lexical_of_names(sql_mode: str) -> Lexical | None:
    """As `lexical`, of the list that the server prints."""
    names = sql_mode.upper().split(",")
    if "ORACLE" in names:
        return None
    return Lexical("ANSI_QUOTES" in names, "NO_BACKSLASH_ESCAPES" not in names)


def names_of(query: Query) -> frozenset[TableName] | None:
    """As `tables_named`, of a statement in the log; None also where its text can't be read."""
    if query.sql_mode is None:
        return None
    mode = lexical(query.sql_mode)
    # In some character sets a quote or a backslash is the second half of a letter.
    is_read = query.text.isascii() or (query.charset in _UTF8 and "\ufffd" not in query.text)
    if mode is None or not is_read or not query.database.isascii():
        return None
    return tables_named(query.text, query.database, mode)


def may_name(query: Query, tables: Collection[TableName]) -> bool:
    """Whether a statement may be about any of `tables`, or about a whole database of theirs. Upper and lower case are
    the same, whatever they are on the server: too many rather than too few."""
    names = names_of(query)
    if names is None:
        return True
    qualified = {(database.lower(), name.lower()) for database, name in names}
    words = {name for _, name in qualified}
    return any((database.lower(), name.lower()) in qualified or database.lower() in words for database, name in tables)


_SPACE = r"(?P<space>\s++|\#[^\n]*+|--(?=[\s\x00-\x1f]|\Z)[^\n]*+|/\*(?!M?!).*?\*/)"
_IDENTIFIER = r"(?P<quoted>`(?:[^`]++|``)*+`)|(?P<word>[\w$\x80-\U0010ffff]++)"
_STRING_WITH_ESCAPES = r"(?:'(?:[^'\\]++|''|\\.)*+')"
_STRING = r"(?:'(?:[^']++|'')*+')"
_DOUBLE_WITH_ESCAPES = r'(?:"(?:[^"\\]++|""|\\.)*+")'
_DOUBLE = r'(?:"(?:[^"]++|"")*+")'
# What can't be told where it ends, or whether the server executes it.
_OPEN = r"(?P<open>['\"`]|/\*)"
# Digits are a name only after a point.
_NUMBER = re.compile(r"\d+(?:e\d+)?|0x[0-9a-f]+|0b[01]+", re.ASCII | re.IGNORECASE)
_OTHER = r"(?P<other>.)"


def _tokens(mode: Lexical) -> re.Pattern[str]:
    single = _STRING_WITH_ESCAPES if mode.backslashes else _STRING
    if mode.ansi_quotes:
        double = rf"(?P<ansi>{_DOUBLE})|(?P<string>{single})"
    else:
        double = rf"(?P<string>{single}|{_DOUBLE_WITH_ESCAPES if mode.backslashes else _DOUBLE})"
    return re.compile("|".join((_SPACE, _IDENTIFIER, double, _OPEN, _OTHER)), re.ASCII | re.DOTALL)


_BY_MODE = {
    mode: _tokens(mode) for mode in (Lexical(ansi, escapes) for ansi in (False, True) for escapes in (False, True))
}


def tables_named(text: str, database: str, mode: Lexical) -> frozenset[TableName] | None:
    """Everything in a statement that may be the name of a table, a view or a routine, as it is written.

    Args:
        database: the default one, "" for none.

    Returns:
        None where that can't be told: a comment that only some servers execute, a string without an end.
    """
    found: set[TableName] = set()
    before, last = _NOTHING, _NOTHING
    waiting: TableName | None = None
    for token in _read(text, mode):
        if token is None:
            return None
        if waiting is not None and not token.is_point:
            # What a point follows is a database, or a table that is named elsewhere, too.
            found.add(waiting)
        waiting = None
        is_qualified = last.is_point and before.is_name
        if token.is_number and not is_qualified:
            token = replace(token, is_name=False)
        if token.is_name:
            if is_qualified:
                found.add((before.value, token.value))
            if last.is_point and not (is_qualified and (before.is_quoted or not last.is_spaced)):
                # In `FROM .name` it is a table of the default database.
                found.add((database, token.value))
            elif not last.is_point and last.value != "@":
                waiting = (database, token.value)
        before, last = last, token
    if waiting is not None:
        found.add(waiting)
    return frozenset(name for name in found if name[0])


@dataclass(frozen=True, slots=True)
class _Token:
    """Attributes:
    value: an identifier's name, a character of its own, "" for a string.
    is_spaced: it doesn't directly follow the one before it.
    """

    value: str
    is_name: bool
    is_quoted: bool
    is_spaced: bool

    @property
    def is_point(self) -> bool:
        return self.value == "." and not self.is_name

    @property
    def is_number(self) -> bool:
        return self.is_name and not self.is_quoted and _NUMBER.fullmatch(self.value) is not None


_NOTHING = _Token("", is_name=False, is_quoted=False, is_spaced=True)


def _read(text: str, mode: Lexical) -> Iterator[_Token | None]:
    """The tokens but for space and comments; None for what can't be told where it ends."""
    is_spaced = False
    for match in _BY_MODE[mode].finditer(text):
        kind = match.lastgroup
        if kind == "space":
            is_spaced = True
            continue
        is_quoted = kind in ("quoted", "ansi")
        if kind == "open":
            yield None
        elif is_quoted or kind == "word":
            yield _Token(_unquoted(match[0]), is_name=True, is_quoted=is_quoted, is_spaced=is_spaced)
        else:
            yield _Token(match[0] if kind == "other" else "", is_name=False, is_quoted=False, is_spaced=is_spaced)
        is_spaced = False


def _unquoted(name: str) -> str:
    quote = name[0]
    return name[1:-1].replace(quote * 2, quote) if quote in '`"' else name

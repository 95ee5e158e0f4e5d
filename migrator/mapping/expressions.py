"""Whether a piece of SQL depends on one row of one table only (premise D).

The text is parsed to judge it and never rewritten: what the user wrote is what the source gets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

import sqlglot
from sqlglot import Token, TokenType, exp
from sqlglot.errors import SqlglotError

from migrator.mapping.builtins import AGGREGATES, CHANGING_FUNCTIONS, CHANGING_WORDS, OPERATORS, ROW_FUNCTIONS
from migrator.mapping.suggest import did_you_mean, grant_reading, nearest
from migrator.model.schema.tables import Column, Table

_NAMES = frozenset((TokenType.VAR, TokenType.IDENTIFIER))
# Where sqlglot takes a bare word for a column although MySQL's grammar has a keyword there (GET_FORMAT's first
# argument).
_FORMAT_WORDS = frozenset(("DATE", "TIME", "DATETIME", "TIMESTAMP"))


def find_column(columns: Iterable[Column], name: str) -> Column | None:
    """The column of this name; MySQL compares column names without regard to case (manual, 11.2.3)."""
    folded = name.lower()
    return next((column for column in columns if column.name.lower() == folded), None)


def missing_column(table: Table, name: str) -> tuple[str, str]:
    """(what is wrong, what to do) where a table has no column of this name, as far as the account may see."""
    if table.denied_to:
        message = f"the account may not read the column `{name}` of {table.qualified}, if there is such a column"
        return message, grant_reading(table, (name,))
    return f"{table.qualified} has no column `{name}`", did_you_mean(
        name, [column.name for column in table.columns], what="its columns"
    )


def judge(text: str, table: Table) -> list[tuple[str, str]]:
    """(what is wrong, what to write instead) for every reason why `text` can't be used over a row of `table`."""
    try:
        tokens = sqlglot.tokenize(text, read="mysql")
    except SqlglotError:
        return [("this SQL can't be read: a quote or a comment has no end", "")]
    mistake = _not_one_expression(tokens, text)
    if mistake:
        return [mistake]
    try:
        tree = _parse(text)
    except SqlglotError as error:
        return [(_unreadable(error), "write one MySQL expression over the table's columns")]
    if isinstance(tree, exp.Alias | exp.Aliases | exp.Tuple | exp.Star):
        return [("this must be one SQL expression with one value", "")]
    return list(dict.fromkeys([*_impure_words(tokens), *_calls(tokens), *_impure_parts(tree), *_columns(tree, table)]))


def _parse(text: str) -> exp.Expr:
    # In parentheses REPLACE(…), INSERT(…) and TRUNCATE(…) are functions; at the start they would be statements.
    parsed = sqlglot.parse_one(f"SELECT ({text})", read="mysql", error_level=sqlglot.ErrorLevel.RAISE)
    found: exp.Expr = parsed.expressions[0]
    return found.this if isinstance(found, exp.Paren) else found


def _unreadable(error: SqlglotError) -> str:
    places = getattr(error, "errors", [])
    word = str(places[0].get("highlight") or "").strip() if places else ""
    return f"this SQL can't be read: something is wrong at `{word}`" if word else "this SQL can't be read"


def _not_one_expression(tokens: list[Token], text: str) -> tuple[str, str] | None:
    if not tokens:
        return "this must be one SQL expression", ""
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        return "this must be one SQL expression, without `;`", ""
    # MySQL executes /*! comments */, and a comment to the line's end would swallow what is put around the expression.
    if any(token.comments for token in tokens):
        return "comments in SQL are not allowed", "write the comment in the YAML, after a #"
    if "\0" in text:
        return "a NUL character is not allowed in SQL", ""
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth < 0:
            break
    return ("the parentheses don't match", "") if depth else None


def _impure_words(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    for number, token in enumerate(tokens):
        if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER) or _follows_dot(tokens, number):
            continue
        word = token.text.upper()
        called = number + 1 < len(tokens) and tokens[number + 1].token_type == TokenType.L_PAREN
        if word == "UNIX_TIMESTAMP" and called and tokens[number + 2].token_type != TokenType.R_PAREN:
            continue
        if word in CHANGING_WORDS or (called and word in CHANGING_FUNCTIONS):
            yield (
                f"{word}{'()' if called else ''} has another value in every session or at every moment",
                "a document may depend on its rows only: use a column, or compute the value in the application",
            )


def _calls(tokens: list[Token]) -> Iterator[tuple[str, str]]:
    """Functions that are not the server's own: stored ones can read other rows, whatever they are called."""
    for number, (token, after) in enumerate(pairwise(tokens)):
        if after.token_type != TokenType.L_PAREN or token.token_type not in _NAMES:
            continue
        word = token.text.upper()
        qualified = _follows_dot(tokens, number) or token.token_type == TokenType.IDENTIFIER
        if qualified or word not in ROW_FUNCTIONS | CHANGING_FUNCTIONS | AGGREGATES | OPERATORS:
            close = nearest(token.text, ROW_FUNCTIONS, cutoff=0.8)
            yield (
                f"{token.text}() is not a function of the server's own that depends on its arguments only",
                f"did you mean {close}?" if close and not qualified else "stored functions can read other rows",
            )
        elif word in AGGREGATES:
            yield f"{word}() reads other rows", "embed the rows with `many: true` instead"


def _follows_dot(tokens: list[Token], number: int) -> bool:
    return number > 0 and tokens[number - 1].token_type == TokenType.DOT


def _impure_parts(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    for node in tree.walk():
        match node:
            case exp.Query() | exp.Exists():
                yield "a subquery reads other rows", "embed the other table, or reference it"
            case exp.Window():
                yield "a window function reads other rows", "embed the rows with `many: true` instead"
            case exp.MatchAgainst():
                yield "MATCH … AGAINST depends on the other rows of its index", "use LIKE or REGEXP"
            case exp.Parameter() | exp.SessionParameter() | exp.PropertyEQ():
                yield "variables depend on the session", "write the value itself"
            case exp.Placeholder():
                yield "parameters have no value here", "write the value itself, in quotes where it is text"
            case exp.Star() if not isinstance(node.parent, exp.Func):
                yield "`*` is not a column", ""


def _columns(tree: exp.Expr, table: Table) -> Iterator[tuple[str, str]]:
    for node in tree.find_all(exp.Column):
        if isinstance(node.this, exp.Star) or _is_keyword(node):
            continue
        if node.db or (node.table and node.table != table.name):
            written = ".".join(part.name for part in node.parts)
            yield f"`{written}` is not in the table {table.name}", f"only columns of {table.name} can be used here"
        elif find_column(table.columns, node.name) is None and node.name.upper() not in CHANGING_WORDS:
            yield missing_column(table, node.name)


def _is_keyword(node: exp.Column) -> bool:
    call = node.parent
    if isinstance(call, exp.Anonymous) and call.name.upper() == "GET_FORMAT":
        return node.name.upper() in _FORMAT_WORDS
    return False

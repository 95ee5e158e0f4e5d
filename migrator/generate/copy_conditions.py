"""`where:` of a copy against its owner: the same rows, fewer, or more; and as a condition on stored rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

from migrator.model.mapping.tree import Field

Condition = dict[str, dict[str, Any]]

# Kinds whose stored values compare as the source compared them.
_COMPARABLE = frozenset(("int32", "int64", "double"))
_OPERATORS: dict[type[exp.Expr], str] = {exp.GT: "$gt", exp.GTE: "$gte", exp.LT: "$lt", exp.LTE: "$lte"}
_MIRRORED = {"$gt": "$lt", "$gte": "$lte", "$lt": "$gt", "$lte": "$gte"}


@dataclass(frozen=True, slots=True)
class Terms:
    """A condition's parts, all of which must hold; each in one spelling."""

    texts: frozenset[str]
    parts: tuple[exp.Expr, ...]

    def without(self, other: Terms) -> Terms:
        """Those that `other` doesn't say already."""
        parts = tuple(part for part in self.parts if _spelled(part) not in other.texts)
        return Terms(self.texts - other.texts, parts)


def terms(where: str | None) -> Terms:
    """The parts that AND joins."""
    if where is None:
        return Terms(frozenset(), ())
    parsed = sqlglot.parse_one(where, dialect="mysql")
    parts = tuple(_parts(parsed))
    return Terms(frozenset(_spelled(part) for part in parts), parts)


def _parts(node: exp.Expr) -> list[exp.Expr]:
    node = node.unnest()
    if isinstance(node, exp.And):
        return [*_parts(node.left), *_parts(node.right)]
    return [node]


def _spelled(part: exp.Expr) -> str:
    plain = part.copy()
    for column in plain.find_all(exp.Column):
        column.set("table", None)
    for identifier in plain.find_all(exp.Identifier):
        identifier.set("quoted", False)
        identifier.set("this", identifier.name.lower())
    return plain.sql(dialect="mysql")


def condition(where: Terms, field_of: Callable[[str], Field | None], path_of: Callable[[str], str]) -> Condition | None:
    """The condition over stored rows, None when it can't be said over them.

    Args:
        where: what must hold.
        field_of: the stored field of a column, None where it isn't stored.
        path_of: the dotted field of the same column.
    """
    made: Condition = {}
    for part in where.parts:
        found = _one(part, field_of)
        if found is None:
            return None
        column, operator, value = found
        inner = made.setdefault(path_of(column), {})
        if operator in inner:
            return None
        inner[operator] = value
    return made


def _one(part: exp.Expr, field_of: Callable[[str], Field | None]) -> tuple[str, str, Any] | None:
    negated = isinstance(part, exp.Not)
    inner = part.this.unnest() if negated else part
    if isinstance(inner, exp.Is) and isinstance(inner.expression, exp.Null):
        column = _column(inner.this, field_of, comparing=False)
        return None if column is None else (column, "$null", not negated)
    if isinstance(inner, exp.In) and not inner.args.get("query"):
        column = _column(inner.this, field_of)
        values = [_value(each, column, field_of) for each in inner.expressions]
        if column is None or any(value is None for value in values):
            return None
        return column, "$nin" if negated else "$in", values
    if negated:
        return None
    if isinstance(inner, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        left, right = inner.left, inner.right
        column = _column(left, field_of)
        other, mirrored = right, False
        if column is None:
            column, other, mirrored = _column(right, field_of), left, True
        value = _value(other, column, field_of)
        if column is None or value is None:
            return None
        if isinstance(inner, exp.EQ | exp.NEQ):
            return column, "$in" if isinstance(inner, exp.EQ) else "$nin", [value]
        operator = _OPERATORS[type(inner)]
        if isinstance(value, str):
            return None
        return column, _MIRRORED[operator] if mirrored else operator, value
    return None


def _column(node: exp.Expr, field_of: Callable[[str], Field | None], *, comparing: bool = True) -> str | None:
    if not isinstance(node, exp.Column):
        return None
    found = field_of(node.name)
    if found is None:
        return None
    exact = found.value.kind in _COMPARABLE or found.value.family == "enum" or _is_binary(found)
    return node.name if exact or not comparing else None


def _is_binary(field: Field) -> bool:
    collation = field.column.collation or ""
    return field.value.kind == "string" and field.value.family == "text" and collation.endswith("_bin")


def _value(node: exp.Expr, column: str | None, field_of: Callable[[str], Field | None]) -> Any:
    field = field_of(column) if column is not None else None
    if field is None:
        return None
    sign = 1
    if isinstance(node, exp.Neg):
        sign, node = -1, node.this
    if not isinstance(node, exp.Literal):
        return None
    if field.value.kind in ("int32", "int64"):
        return sign * int(node.name) if not node.is_string and node.name.isdigit() else None
    if field.value.kind == "double" or not node.is_string:
        return None
    if field.value.family == "enum":
        return next((member for member in field.column.members if member.lower() == node.name.lower()), None)
    return node.name


def implied(fewer: Terms, more: Terms, field_of: Callable[[str], Field | None]) -> bool:
    """Whether every row for which `fewer` holds fulfils `more` too, as far as that can be seen."""
    known = [found for part in fewer.parts if (found := _one(part, field_of)) is not None]
    for part in more.parts:
        if _spelled(part) in fewer.texts:
            continue
        wanted = _one(part, field_of)
        if wanted is None or not any(_implies(each, wanted) for each in known):
            return False
    return True


def _implies(one: tuple[str, str, Any], other: tuple[str, str, Any]) -> bool:
    if one[0].lower() != other[0].lower() or one[1] != "$in":
        return False
    match other[1]:
        case "$in":
            return all(value in other[2] for value in one[2])
        case "$nin":
            return not any(value in other[2] for value in one[2])
        case "$null":
            return other[2] is False
    return False

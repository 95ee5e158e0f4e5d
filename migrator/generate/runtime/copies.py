"""What of other collections stands in a document, as data, and the making of one copy from the row it copies.

A copy is a function of the row as it is stored now, never of what a write said: so making it again is harmless,
and the order in which writes are followed up does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any, Literal

from bson import Decimal128, Int64

from .codec import Document
from .keys import Key, comparable, keys_of
from .query import value_at

ABSENT: Any = object()
"""Stands for a field that is not there, where None would be null."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A field of a copy.

    Attributes:
        to: where it goes, dotted, in the copy.
        of: where it comes from, dotted, in the row; "" keeps what the copy has, since the row doesn't tell.
        omit: null is left out.
    """

    to: str
    of: str
    omit: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """A term of an array's order; `fold`: texts are compared without case, about as the source did."""

    of: str
    descending: bool = False
    fold: bool = False


@dataclass(frozen=True, slots=True)
class Copied:
    """Rows of another collection inside a document.

    Attributes:
        path: where it stands in its (sub-)document, dotted.
        shape: a sub-document, an array of them, an array of plain values, an object of plain values, one value that is
            computed of all rows.
        source: `documents`: rows are looked up by `on`. `members`: the copies' own keys name the rows; which rows
            there are, only the document knows. `inside`: rows stand at `rows` in the row that the parent copies.
        picks: in the copy's order.
        owner: collection of the rows; "" for `inside`.
        rows: where they stand in the owner's documents, dotted; "" for the documents themselves.
        on: pairs (dotted field of the parent, or of the copy for `members`; dotted field of the owner's document).
        where: MongoDB-like condition on a row: {field: {"$in": [...]}} and so on; see `matches`.
        order: of an array.
        limit: of an array, 0 for none.
        name: for `map`: the row's field that names the value.
        omit_null: a missing sub-document is left out.
        keep: the owner leaves rows out that are copied here: what it doesn't have is kept, unless it was deleted.
        key: for `keep` and kept picks: pairs (field of the copy, field of the row) that say whether it is the same row.
        parts: what is nested in the copy.
        function: for `value`: count, exists, sum, min, max or avg, of the only pick.
        kind: for `value`: the BSON type of the result: int32, int64, decimal128, double, bool, date.
        decimals: for `value`: of the result.
    """

    path: str
    shape: Literal["one", "many", "scalars", "map", "value"]
    source: Literal["documents", "members", "inside"]
    picks: tuple[Pick, ...]
    owner: str = ""
    rows: str = ""
    on: tuple[tuple[str, str], ...] = ()
    where: Mapping[str, Any] = field(default_factory=dict)
    order: tuple[Order, ...] = ()
    limit: int = 0
    name: str = ""
    omit_null: bool = False
    keep: bool = False
    key: tuple[tuple[str, str], ...] = ()
    parts: tuple[Copied, ...] = ()
    function: str = ""
    kind: str = ""
    decimals: int = 0


@dataclass(frozen=True, slots=True)
class Own:
    """A part of the document itself that holds copies further in."""

    path: str
    parts: tuple[Copied | Own, ...]


Tree = tuple[Copied | Own, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """A place where rows of a collection are copied to.

    Attributes:
        name: of the place: `orders:customer`.
        collection: whose documents hold the copies.
        rows: where the copied rows stand in the owner's documents; "" for the documents themselves.
        find: dotted fields of those documents that hold the rows' keys.
        keys: dotted fields of the owner's documents with the same.
        reads: dotted fields of the owner's documents that the copies depend on.
    """

    name: str
    collection: str
    rows: str
    find: tuple[str, ...]
    keys: tuple[str, ...]
    reads: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Copies:
    """All copying from and to one collection.

    Attributes:
        tree: what its documents copy of others.
        targets: where its rows are copied to.
        reads: fields of its documents that `tree` depends on or writes.
    """

    tree: Tree = ()
    targets: tuple[Target, ...] = ()
    reads: tuple[str, ...] = ()


NO_COPIES = Copies()


def split(path: str) -> list[str]:
    """The names of a dotted path; none for ""."""
    return path.split(".") if path else []


def overlap(one: str, other: str) -> bool:
    """Whether a change at one path changes what stands at the other."""
    a, b = split(one), split(other)
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


def put(document: Document, path: str, value: Any) -> None:
    """Sets a dotted path, opening sub-documents at the place of their first field."""
    *above, name = split(path)
    for part in above:
        document = document.setdefault(part, {})
    document[name] = value


def get(document: Any, path: str) -> Any:
    """The value at a dotted path without arrays, ABSENT when it isn't there."""
    for part in split(path):
        if not isinstance(document, dict) or part not in document:
            return ABSENT
        document = document[part]
    return document


def elements(document: Any, path: str) -> list[Document]:
    """The sub-documents at a path, through arrays, in order."""
    found = value_at(document, split(path))
    return [each for each in (found if isinstance(found, list) else [found]) if isinstance(each, dict)]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an owner, and the document that it stands in."""

    fields: Document
    document: Document


def rows_of(document: Document, rows: str) -> list[Row]:
    """The rows of a table in one of its owner's documents."""
    return [Row(each, document) for each in elements(document, rows)] if rows else [Row(document, document)]


def row_value(row: Row, path: str, rows: str) -> Any:
    """A field of the owner's document as it is for one row: `addresses.id` of this address, not of all."""
    if rows and path.startswith(f"{rows}."):
        return get(row.fields, path[len(rows) + 1 :])
    return get(row.document, path)


def row_key(row: Row, node: Copied) -> Key | None:
    """What `on` compares, None where a part is null."""
    values = tuple(row_value(row, theirs, node.rows) for _, theirs in node.on)
    return None if any(value is None or value is ABSENT for value in values) else comparable(values)


def parent_key(parent: Document, node: Copied) -> Key | None:
    """The same from the other side, as it is stored."""
    values = tuple(get(parent, mine) for mine, _ in node.on)
    return None if any(value is None or value is ABSENT for value in values) else values


def matches(row: Document, where: Mapping[str, Any]) -> bool:
    """Whether a condition holds for a row, as it did in SQL: a comparison with null never does."""
    for path, condition in where.items():
        value = get(row, path)
        value = None if value is ABSENT else comparable(value)
        for operator, wanted in condition.items():
            match operator:
                case "$in":
                    held = value is not None and value in [comparable(each) for each in wanted]
                case "$nin":
                    held = value is not None and value not in [comparable(each) for each in wanted]
                case "$null":
                    held = (value is None) == wanted
                case "$gt":
                    held = value is not None and value > wanted
                case "$gte":
                    held = value is not None and value >= wanted
                case "$lt":
                    held = value is not None and value < wanted
                case "$lte":
                    held = value is not None and value <= wanted
                case _:
                    raise ValueError(f"unknown operator {operator}")
            if not held:
                return False
    return True


def make(node: Copied, row: Row, before: Any) -> Document:
    """The copy of a row.

    Args:
        node: what is copied.
        row: as it is stored now.
        before: the copy as it stands there, or anything else.
    """
    same = isinstance(before, dict) and bool(node.key) and _same_row(node, row, before)
    made: Document = {}
    for pick in node.picks:
        if pick.of:
            value = get(row.fields, pick.of)
            value = None if value is ABSENT else value
        else:
            value = get(before, pick.to) if same else None
        if value is ABSENT or (value is None and pick.omit):
            # The sub-document of a dotted path stays, even when it is empty.
            above = pick.to.rpartition(".")[0]
            if above and get(made, above) is ABSENT:
                put(made, above, {})
            continue
        put(made, pick.to, value)
    for part in node.parts:
        inner = copies_of(part, rows_within(part, row), get(before, part.path) if same else ABSENT)
        if inner is not ABSENT:
            put(made, part.path, inner)
    return made


def rows_within(part: Copied, row: Row) -> list[Row]:
    """The rows of a nested copy: they stand in the row itself."""
    return [Row(each, row.document) for each in elements(row.fields, part.rows)]


def copies_of(node: Copied, rows: Sequence[Row], before: Any) -> Any:
    """What stands at a copy's place for these rows: a sub-document, an array, an object; ABSENT for nothing."""
    chosen = arranged(node, rows)
    if node.shape == "value":
        return computed(node, chosen)
    if node.shape == "one":
        if chosen:
            return make(node, chosen[0], before)
        return ABSENT if node.omit_null else None
    if node.shape == "many":
        there = {_identity(node, each): each for each in before} if isinstance(before, list) else {}
        return [make(node, row, there.get(_row_identity(node, row))) for row in chosen]
    (value,) = node.picks
    plain = [(row, get(row.fields, value.of)) for row in chosen]
    plain = [(row, None if found is ABSENT else found) for row, found in plain]
    plain = [(row, found) for row, found in plain if found is not None or not value.omit]
    if node.shape == "scalars":
        return [found for _, found in plain]
    return {str(row_value(row, node.name, node.rows)): found for row, found in plain}


def computed(node: Copied, rows: Sequence[Row]) -> Any:
    """A value of all rows, as the source computes it; None or ABSENT where that would be NULL."""
    if node.function == "exists":
        return len(rows) > 0
    if node.function == "count":
        return _number(node, Decimal(len(rows)))
    (pick,) = node.picks
    found = [get(row.fields, pick.of) for row in rows]
    values = [value for value in found if value is not None and value is not ABSENT]
    if not values:
        return ABSENT if pick.omit else None
    if node.function == "min":
        return min(values, key=comparable)
    if node.function == "max":
        return max(values, key=comparable)
    with localcontext() as context:
        context.prec = _DIGITS
        whole = sum((Decimal(str(value)) for value in values), Decimal(0))
        return _number(node, whole if node.function == "sum" else whole / len(values))


_DIGITS = 100


def _number(node: Copied, value: Decimal) -> Any:
    """A number as its BSON type, rounded half away from zero as MySQL rounds exact numbers."""
    value = value.quantize(Decimal(1).scaleb(-node.decimals), ROUND_HALF_UP)
    match node.kind:
        case "decimal128":
            return Decimal128(value)
        case "int64":
            return Int64(int(value))
        case "double":
            return float(value)
    return int(value)


def arranged(node: Copied, rows: Sequence[Row]) -> list[Row]:
    """The rows that count, in order, cut to the limit."""
    found = [row for row in rows if matches(row.fields, node.where)]
    for term in reversed(node.order):
        found.sort(key=lambda row, term=term: _sortable(get(row.fields, term.of), term.fold), reverse=term.descending)  # type: ignore[misc]
    return found[: node.limit] if node.limit else found


def _sortable(value: Any, fold: bool) -> tuple[bool, Any]:
    value = None if value is ABSENT else comparable(value)
    if isinstance(value, str) and fold:
        value = value.casefold()
    return (value is not None, 0 if value is None else value)


def _same_row(node: Copied, row: Row, before: Document) -> bool:
    return bool(_identity(node, before) == _row_identity(node, row))


def _identity(node: Copied, copy: Any) -> Any:
    return tuple(comparable(get(copy, mine)) for mine, _ in node.key)


def _row_identity(node: Copied, row: Row) -> Any:
    return tuple(comparable(row_value(row, theirs, node.rows)) for _, theirs in node.key)


def kept(node: Copied, parent: Document, before: Any) -> bool:
    """Whether what stands there is still of the row that the parent names, as far as it tells."""
    named = {theirs: comparable(get(parent, mine)) for mine, theirs in node.on}
    told = [(mine, named[theirs]) for mine, theirs in node.key if theirs in named]
    return isinstance(before, dict) and all(comparable(get(before, mine)) == wanted for mine, wanted in told)


def query_of(where: Mapping[str, Any]) -> Document:
    """A copy's condition as MongoDB asks it; comparisons with null never hold."""
    made: Document = {}
    for path, condition in where.items():
        inner = made.setdefault(path, {})
        for operator, wanted in condition.items():
            match operator:
                case "$null":
                    inner["$eq" if wanted else "$ne"] = None
                case "$nin":
                    inner["$nin"] = [*wanted, None]
                case _:
                    inner[operator] = wanted
    return made


def target_keys(document: Document | None, target: Target) -> list[Key]:
    """The keys by which documents hold copies of this document's rows."""
    return [] if document is None else list(keys_of(document, [split(path) for path in target.keys]))

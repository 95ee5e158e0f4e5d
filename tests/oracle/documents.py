"""Documents folded row by row. `RowByRow` asks once for every parent row, `Grouped` once for many parents."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import bson
from bson.errors import InvalidDocument

from tests.oracle import values
from tests.oracle.aggregates import Aggregate, compute
from tests.oracle.catalog import Catalog, Column, Table
from tests.oracle.mapping import Collection, Field, Node, read_folder
from tests.oracle.session import Session, identifier, name
from tests.oracle.values import Micros, Reject

MEGABYTES_16 = 16 * 1024 * 1024
RawKey = tuple[str, ...]
OMIT = object()


@dataclass(frozen=True)
class Row:
    """`key` names the row, `values` are raw and in the order of the node's fields."""

    key: RawKey
    values: tuple[str | None, ...]
    extra: tuple[str | None, ...]


@dataclass
class Expected:
    """What a collection should be.

    Attributes:
        documents: BSON by the `_id`'s own BSON.
        rejected: keys of the rejected documents as printed, one text per key column.
    """

    documents: dict[bytes, bytes] = field(default_factory=dict)
    rejected: set[tuple[str, ...]] = field(default_factory=set)


class Fetch(Protocol):
    def __call__(self, session: Session, node: Node, parent: Node, keys: Sequence[RawKey]) -> list[list[Row]]:
        """The rows of `node` for each of the parent rows named by `keys`."""
        ...


class Oracle:
    """Reads mappings and builds their documents from one snapshot."""

    def __init__(self, url: str, folder: Path, policies: dict[str, Any] | None = None) -> None:
        self._url = url
        with Session(url) as session:
            catalog = Catalog(session)
            found = read_folder(folder, catalog, session.database, policies or {})
        self.collections = {collection.name: collection for collection in found}

    def all_row_by_row(self, collection: str) -> Expected:
        """Every document, one SELECT per parent row and relation."""
        return self._build(collection, None, _row_by_row)

    def all_grouped(self, collection: str) -> Expected:
        """Every document, one SELECT per relation for some hundred parent rows, grouped by the parent's key."""
        return self._build(collection, None, _grouped)

    def sample_row_by_row(self, collection: str, count: int, seed: int) -> Expected:
        """`count` documents of rows picked by chance, built row by row."""
        return self._build(collection, (count, seed), _row_by_row)

    def count(self, collection: str) -> int:
        """How many root rows there are."""
        root = self.collections[collection].root
        with Session(self._url) as session:
            return int(
                session.rows(f"SELECT COUNT(*) FROM {_filtered(root.table, root.conditions, [])} AS oracle_root")[0][0]
            )

    def _build(self, name: str, sample: tuple[int, int] | None, fetch: Fetch) -> Expected:
        collection = self.collections[name]
        expected = Expected()
        with Session(self._url) as session:
            session.snapshot()
            rows = _roots(session, collection)
            if sample:
                count, seed = sample
                rows = random.Random(seed).sample(rows, min(count, len(rows)))
            for start in range(0, len(rows), 500):
                _fold_roots(session, collection, rows[start : start + 500], fetch, expected)
        return expected


def _fold_roots(session: Session, collection: Collection, rows: list[Row], fetch: Fetch, expected: Expected) -> None:
    root = collection.root
    for row, document in zip(rows, _fold(session, root, rows, fetch), strict=True):
        try:
            if isinstance(document, Reject):
                raise document
            if _levels(document) > 100:
                raise Reject("deeper than 100 levels")
            encoded = bson.encode(document)
            if len(encoded) > MEGABYTES_16:
                raise Reject("larger than 16 MB")
        except (Reject, InvalidDocument, UnicodeEncodeError):
            expected.rejected.add(_printed_key(root, row))
            continue
        if collection.keyless:
            # The key is a hash that only migrator knows: number the documents instead.
            expected.documents[bson.encode({"_id": len(expected.documents)})] = encoded
        else:
            expected.documents[bson.encode({"_id": document["_id"]})] = encoded


def _printed_key(root: Node, row: Row) -> tuple[str, ...]:
    columns = [root.table.column(column) for column in root.key]
    return tuple(values.printed(column, raw) for column, raw in zip(columns, row.key, strict=True))


def _levels(value: Any) -> int:
    """Every object and array is a level, the document itself too."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(_levels, value), default=0) if isinstance(value, list) else 0


# Folding: a list of rows to a list of documents (or the Reject that stands for one)


def _fold(session: Session, node: Node, rows: list[Row], fetch: Fetch) -> list[Any]:
    documents: list[Any] = [_own_fields(node, row) for row in rows]
    for child in node.children:
        if child.aggregate is not None:
            _compute(session, child, child.aggregate, node, rows, documents, fetch)
            continue
        wanted = [number for number, document in enumerate(documents) if not isinstance(document, Reject)]
        keys = [rows[number].key for number in wanted]
        for number, key, found in zip(wanted, keys, fetch(session, child, node, keys), strict=True):
            folded = _fold(session, child, found, fetch)
            try:
                _attach(session, child, node, key, found, folded, documents[number])
            except Reject as reject:
                documents[number] = reject
    return documents


def _compute(
    session: Session,
    node: Node,
    aggregate: Aggregate,
    parent: Node,
    rows: list[Row],
    documents: list[Any],
    fetch: Fetch,
) -> None:
    wanted = [number for number, document in enumerate(documents) if not isinstance(document, Reject)]
    keys = [rows[number].key for number in wanted]
    for number, found in zip(wanted, fetch(session, node, parent, keys), strict=True):
        texts = [row.values[0] if row.values else None for row in found]
        try:
            value = compute(aggregate, texts)
        except Reject as reject:
            documents[number] = reject
            continue
        _open(documents[number], node.path)
        if value is not None or node.policies.get("null") != "omit":
            _put(documents[number], node.path, value)


def _own_fields(node: Node, row: Row) -> Any:
    document: dict[str, Any] = {}
    variant = None
    if node.variant is not None and row.extra[-1] is not None:
        variant = values.printed(node.variant, row.extra[-1])
    try:
        for spec, raw in zip(node.fields, row.values, strict=True):
            if spec.case in (None, variant):
                _put_value(document, spec, raw)
    except Reject as reject:
        return reject
    return document


def _put_value(document: dict[str, Any], spec: Field, raw: str | None) -> None:
    value = None if raw is None else values.convert(spec.column, spec.type, spec.policies, raw)
    companion = _has_companion(spec)
    micros = value.micros if isinstance(value, Micros) else None
    if isinstance(value, Micros):
        value = value.value
    path = spec.path or ("",)
    # JSON's own null is a value, not the absence of one.
    is_null = value is None and not (raw is not None and _is_json(spec))
    omit = spec.policies.get("null") == "omit"
    _open(document, path)
    if not (is_null and omit):
        _put(document, path, value)
    if companion and not (micros is None and omit):
        _put(document, (*path[:-1], path[-1] + "_micros"), micros)


def _is_json(spec: Field) -> bool:
    return spec.type == "json" or (spec.column.type == "json" and spec.type is None)


def _has_companion(spec: Field) -> bool:
    fine = spec.column.type in ("datetime", "timestamp") and spec.column.fraction > 3
    return fine and spec.type != "string" and spec.policies.get("submillisecond") == "companion"


def _open(document: dict[str, Any], path: tuple[str, ...]) -> None:
    """The sub-documents of a dotted path are there even when nothing is put into them."""
    for part in path[:-1]:
        document = document.setdefault(part, {})


def _put(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for part in path[:-1]:
        document = document.setdefault(part, {})
    assert path[-1] not in document, f"{path} is written twice"
    document[path[-1]] = value


def _attach(
    session: Session, node: Node, parent: Node, key: RawKey, rows: list[Row], folded: list[Any], into: dict[str, Any]
) -> None:
    for document in folded:
        if isinstance(document, Reject):
            raise document
    if node.shape == "many":
        _put(into, node.path, folded)
    elif node.shape == "scalars":
        _put(into, node.path, [document[""] for document in folded if "" in document])
    elif node.shape == "map":
        _add_to_map(into, node.path, _as_map(node, rows, folded))
    elif folded:
        if node.flatten:
            _merge(into, folded[0])
        else:
            _put(into, node.path, folded[0])
    else:
        if node.parent_holds_key and node.policies.get("orphans") == "reject":
            _refuse_orphan(session, node, parent, key)
        if node.flatten:
            _merge(into, _nothing(node))
        elif node.policies.get("null") != "omit":
            _put(into, node.path, None)
        else:
            _open(into, node.path)


def _as_map(node: Node, rows: list[Row], folded: list[Any]) -> dict[str, Any]:
    assert node.map_key is not None
    found: dict[str, Any] = {}
    seen = set()
    if node.duplicates == "all":
        return _as_arrays(node, rows, folded)
    for row, document in zip(rows, folded, strict=True):
        raw = row.extra[0]
        if raw is None:
            raise Reject("a map key is NULL")
        text = values.printed(node.map_key, raw)
        values.check_name(text, node.policies)
        if text in seen and node.duplicates == "reject":
            raise Reject(f"two rows for the map key {text!r}")
        if text in seen and node.duplicates == "first":
            continue
        found.pop(text, None)
        seen.add(text)
        if "" in document:
            found[text] = document[""]
    return found


def _as_arrays(node: Node, rows: list[Row], folded: list[Any]) -> dict[str, list[Any]]:
    assert node.map_key is not None
    found: dict[str, list[Any]] = {}
    for row, document in zip(rows, folded, strict=True):
        if row.extra[0] is None:
            raise Reject("a map key is NULL")
        text = values.printed(node.map_key, row.extra[0])
        values.check_name(text, node.policies)
        found.setdefault(text, [])
        if "" in document:
            found[text].append(document[""])
    return found


def _add_to_map(into: dict[str, Any], path: tuple[str, ...], entries: dict[str, Any]) -> None:
    """Several tables may fill one map; a key of two of them is refused."""
    owner = into
    for part in path[:-1]:
        owner = owner.setdefault(part, {})
    there = owner.setdefault(path[-1], {})
    if twice := there.keys() & entries.keys():
        raise Reject(f"two tables have the map key {sorted(twice)[0]!r}")
    there.update(entries)


def _merge(into: dict[str, Any], fields: dict[str, Any]) -> None:
    for key, value in fields.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            assert key not in into, f"{key} is written twice"
            into[key] = value


def _nothing(node: Node) -> dict[str, Any]:
    """The fields of a flattened row that isn't there."""
    document: dict[str, Any] = {}
    for spec in node.fields:
        if spec.case is None:
            _put_value(document, spec, None)
    for child in node.children:
        if child.aggregate is not None:
            value = compute(child.aggregate, [])
            _open(document, child.path)
            if value is not None or child.policies.get("null") != "omit":
                _put(document, child.path, value)
        elif child.shape in ("many", "scalars"):
            _put(document, child.path, [])
        elif child.shape == "map":
            _put(document, child.path, {})
        elif child.flatten:
            _merge(document, _nothing(child))
        elif child.policies.get("null") != "omit":
            _put(document, child.path, None)
        else:
            _open(document, child.path)
    return document


def _refuse_orphan(session: Session, node: Node, parent: Node, key: RawKey) -> None:
    """Raises Reject when the parent's key is not NULL and no row of the table has it."""
    given = " AND ".join(f"oracle_parent.{name(column)} IS NOT NULL" for column, _ in node.join)
    equal = _equal("oracle_parent", parent.table, "oracle_child", node.table, node.join)
    rows = session.rows(
        f"SELECT 1 FROM {identifier(parent.table.name)} AS oracle_parent WHERE {_is_row(parent, key)} AND {given}"
        f" AND NOT EXISTS (SELECT 1 FROM {identifier(node.table.name)} AS oracle_child WHERE {equal})"
    )
    if rows:
        raise Reject(f"{node.place} has no row")


# Asking


def _roots(session: Session, collection: Collection) -> list[Row]:
    root = collection.root
    order = ", ".join(f"oracle_row.{name(column)}" for column in root.key) or "1"
    found = session.rows(
        f"SELECT {_columns(root)} FROM {_filtered(root.table, root.conditions, _expressions(root))} AS oracle_row"
        f" ORDER BY {order}"
    )
    return [_row(root, row) for row in found]


def _row_by_row(session: Session, node: Node, parent: Node, keys: Sequence[RawKey]) -> list[list[Row]]:
    return [[row for _, row in _children(session, node, parent, [key])][: node.limit] for key in keys]


def _grouped(session: Session, node: Node, parent: Node, keys: Sequence[RawKey]) -> list[list[Row]]:
    groups: dict[RawKey, list[Row]] = {key: [] for key in keys}
    distinct = list(groups)
    for start in range(0, len(distinct), 300):
        for key, row in _children(session, node, parent, distinct[start : start + 300]):
            groups[key].append(row)
    return [groups[key][: node.limit] for key in keys]


def _children(session: Session, node: Node, parent: Node, keys: Sequence[RawKey]) -> Iterator[tuple[RawKey, Row]]:
    """Rows of `node` in its order, each with the key of the parent row it belongs to; the source does the joins."""
    assert parent.key, f"{parent.place} needs a key: it has embeds"
    source = f"{identifier(parent.table.name)} AS oracle_parent"
    row = f"{_filtered(node.table, node.conditions, _expressions(node))} AS oracle_row"
    if node.link:
        link = f"{_filtered(node.link.table, node.link.conditions, _link_expressions(node))} AS oracle_link"
        to_parent = _equal("oracle_parent", parent.table, "oracle_link", node.link.table, node.link.to_parent)
        to_child = _equal("oracle_link", node.link.table, "oracle_row", node.table, node.link.to_child)
        source += f" JOIN {link} ON {to_parent} JOIN {row} ON {to_child}"
    else:
        source += f" JOIN {row} ON {_equal('oracle_parent', parent.table, 'oracle_row', node.table, node.join)}"
    parent_key = ", ".join(
        values.selected(parent.table.column(column), f"oracle_parent.{name(column)}") for column in parent.key
    )
    found = session.rows(
        f"SELECT {parent_key}, {_columns(node)} FROM {source} WHERE {' OR '.join(_is_row(parent, key) for key in keys)}"
        f" ORDER BY {', '.join(_order(node))}"
    )
    for values_ in found:
        yield values_[: len(parent.key)], _row(node, values_[len(parent.key) :])


def _order(node: Node) -> list[str]:
    terms = []
    for term in node.order:
        column, _, direction = term.strip().partition(" ")
        side, column = _ordered_by(node, column)
        terms.append(f"{side}.{name(column)} {direction}")
    terms += [f"oracle_row.{name(column)}" for column in node.key or _all(node.table)]
    if node.link:
        terms += [f"oracle_link.{name(column)}" for column in node.link.table.row_key or _all(node.link.table)]
    return terms


def _ordered_by(node: Node, column: str) -> tuple[str, str]:
    """Which table of a `through` an `order_by` means: the link's if named so, or if only it has the column."""
    if any(own.name.lower() == column.lower() for own in node.table.columns) or node.link is None:
        return "oracle_row", column
    if column.startswith(f"{node.table.name.split('.')[-1]}."):
        return "oracle_row", column.partition(".")[2]
    return "oracle_link", column.removeprefix(f"{node.link.table.name.split('.')[-1]}.")


def _all(table: Table) -> list[str]:
    return [column.name for column in table.columns]


def _equal(left: str, ours: Table, right: str, theirs: Table, pairs: Iterable[tuple[str, str]]) -> str:
    return " AND ".join(
        _compared(f"{left}.{name(one)}", ours.column(one), f"{right}.{name(other)}", theirs.column(other))
        for one, other in pairs
    )


def _compared(one: str, ours: Column, other: str, theirs: Column) -> str:
    """As the server compares the columns where it uses no index: in one whose collation counts spaces at the end it
    does not find what a comparison that does not count them finds (seen in MySQL 9.7)."""
    plain = ours.charset == theirs.charset and not {"enum", "set"} & {ours.type, theirs.type}
    if plain and ours.collation and theirs.collation and ours.collation != theirs.collation:
        return f"CONCAT({one}) = CONCAT({other})"
    return f"{one} = {other}"


def _is_row(node: Node, key: RawKey) -> str:
    parts = [
        f"oracle_parent.{name(column)} = {values.literal(node.table.column(column), raw)}"
        for column, raw in zip(node.key, key, strict=True)
    ]
    return f"({' AND '.join(parts)})"


def _filtered(table: Table, conditions: list[str], expressions: list[tuple[str, str]]) -> str:
    """A table with computed columns, reduced to the rows that meet the conditions, which see this table only."""
    computed = "".join(f", ({sql}) AS {alias}" for alias, sql in expressions)
    where = " WHERE " + " AND ".join(f"({condition})" for condition in conditions) if conditions else ""
    columns = ", ".join(f"{identifier(table.name)}.{name(column)}" for column in _all(table))
    return f"(SELECT {columns}{computed} FROM {identifier(table.name)}{where})"


def _expressions(node: Node) -> list[tuple[str, str]]:
    return [(f"oracle_{n}", spec.sql) for n, spec in enumerate(node.fields) if spec.sql is not None and not spec.link]


def _link_expressions(node: Node) -> list[tuple[str, str]]:
    return [(f"oracle_{n}", spec.sql) for n, spec in enumerate(node.fields) if spec.sql is not None and spec.link]


def _columns(node: Node) -> str:
    if not node.key and not node.fields:
        return "1"
    return _selected(node)


def _selected(node: Node) -> str:
    """Key, fields, then the map's key and the variants' column."""
    terms = [values.selected(node.table.column(column), f"oracle_row.{name(column)}") for column in node.key]
    for number, spec in enumerate(node.fields):
        place = "oracle_link" if spec.link else "oracle_row"
        wanted = name(spec.column.name) if spec.sql is None else f"oracle_{number}"
        terms.append(values.selected(spec.column, f"{place}.{wanted}"))
    key = "oracle_link" if node.map_key_from_link else "oracle_row"
    terms += [
        values.selected(column, f"{key if column is node.map_key else 'oracle_row'}.{name(column.name)}")
        for column in _extra(node)
    ]
    return ", ".join(terms)


def _extra(node: Node) -> list[Column]:
    return [column for column in (node.map_key, node.variant) if column is not None]


def _row(node: Node, found: tuple[Any, ...]) -> Row:
    texts = tuple(value.decode("utf-8") if isinstance(value, bytes) else value for value in found)
    end = len(node.key) + len(node.fields)
    return Row(texts[: len(node.key)], texts[len(node.key) : end], texts[end:])

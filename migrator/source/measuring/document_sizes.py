"""Whole documents: the biggest, all together, the longest arrays, keys that a map would have twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange
from migrator.model.plan.plan import Extreme, Finding, Measure
from migrator.model.text.values import key_text
from migrator.source.measuring.context import MANY, MeasureContext
from migrator.source.measuring.queries import number
from migrator.source.measuring.row_queries import Chain, Some, TablePart, chain, within

BSON_LIMIT = 16 * 1024 * 1024
_NEAR_LIMIT = BSON_LIMIT * 3 // 4  # what is measured is an estimate
LONG_ARRAY = 10_000
_SHOWN = 5

Path = tuple[Node, ...]


@dataclass(frozen=True)
class Sized:
    """A document, and the bytes or elements it has."""

    key: Key
    size: int


@dataclass(frozen=True)
class Sizes:
    """Sizes of documents.

    Attributes:
        count, bytes: of all documents checked.
        largest: a few, the largest first.
        large: how many are near the limit or above.
    """

    count: int = 0
    bytes: int = 0
    largest: tuple[Sized, ...] = ()
    large: int = 0

    def __add__(self, other: Sizes) -> Sizes:
        return Sizes(
            self.count + other.count,
            self.bytes + other.bytes,
            _largest((*self.largest, *other.largest)),
            self.large + other.large,
        )


@dataclass(frozen=True)
class MeasuredDocuments:
    """What is known of the documents; `complete` says that all of them were checked.

    Attributes:
        arrays: by node: the documents with the longest arrays, longest first.
        duplicates: by map node, or by the nodes that fill one map: documents that have a key twice, and how many pairs.
    """

    complete: bool = True
    sizes: Sizes = field(default_factory=Sizes)
    arrays: dict[str, tuple[Sized, ...]] = field(default_factory=dict)
    duplicates: dict[str, Sizes] = field(default_factory=dict)

    def __add__(self, other: MeasuredDocuments) -> MeasuredDocuments:
        nodes = dict.fromkeys((*self.arrays, *other.arrays))
        maps = dict.fromkeys((*self.duplicates, *other.duplicates))
        return MeasuredDocuments(
            self.complete and other.complete,
            self.sizes + other.sizes,
            {node: _largest((*self.arrays.get(node, ()), *other.arrays.get(node, ()))) for node in nodes},
            {node: self.duplicates.get(node, Sizes()) + other.duplicates.get(node, Sizes()) for node in maps},
        )


def in_ranges(context: MeasureContext, ranges: Iterable[KeyRange]) -> MeasuredDocuments:
    """All documents of some key ranges, one range after the other, so that no temporary table grows without bound.

    Raises:
        TimeLimit: when one of the questions takes too long.
    """
    root = context.collection.root
    found = MeasuredDocuments()
    for one in ranges:
        found += measure_documents(context, within(TablePart.of(root), root.key, one))
        if context.exact:
            context.report(f"{context.collection.name}: {found.sizes.count:,} documents checked")
    return found


def measure_documents(context: MeasureContext, roots: Some) -> MeasuredDocuments:
    """The documents of some root rows, measured by SQL alone."""
    # The rows of an aggregate are not in the documents.
    paths = [path for path in context.paths() if path[-1].aggregate is None]
    arrays = {path[-1].id: longest_arrays(context, path, roots) for path in paths if path[-1].shape in MANY}
    maps = {path[-1].id: _twice(context, path, roots) for path in paths if _needs_one_row_a_key(path[-1])}
    maps |= {name: _given_twice(context, some, roots) for name, some in _filling_one_map(paths).items()}
    return MeasuredDocuments(True, sizes(context, paths, roots), arrays, maps)


def sizes(context: MeasureContext, paths: Sequence[Path], roots: Some) -> Sizes:
    """The sizes of documents: for each node the rows below the roots, added up by the root's key."""
    chains = [chain(path, roots) for path in paths]
    if not context.collection.root.key:
        statement = f"SELECT b, COUNT(*) OVER (), SUM(b) OVER (), 0 FROM ({chains[0].sql}) AS d ORDER BY b DESC LIMIT 1"
        names: tuple[str, ...] = ()
    else:
        names = chains[0].root
        columns = ", ".join(names)
        rows = " UNION ALL ".join(f"SELECT {columns}, b FROM ({one.sql}) AS x" for one in chains)
        statement = (
            f"SELECT {columns}, s, COUNT(*) OVER (), SUM(s) OVER (), SUM(s > {_NEAR_LIMIT}) OVER () FROM "
            f"(SELECT {columns}, SUM(b) AS s FROM ({rows}) AS u GROUP BY {columns}) AS d "
            f"ORDER BY s DESC, {columns} LIMIT {_SHOWN}"
        )
    found = context.ask.rows(f"add up the sizes of the documents of {context.collection.name}", statement)
    if not found:
        return Sizes()
    width = len(names)
    count, total, large = (number(value) for value in found[0][width + 1 :])
    largest = tuple(Sized(_key(row[:width]), number(row[width])) for row in found)
    return Sizes(count, total, largest, large)


def longest_arrays(context: MeasureContext, path: Path, roots: Some = None, leaf: Some = None) -> tuple[Sized, ...]:
    """Documents with the longest arrays of a node, by elements. With `leaf`, of only some elements."""
    rows = chain(path, roots, leaf)
    if not rows.root:
        return ()
    statement = (
        f"SELECT {', '.join(rows.root)}, COUNT(*) AS n FROM ({rows.sql}) AS x "
        f"GROUP BY {', '.join(rows.parent)} ORDER BY n DESC, {', '.join(rows.root)} LIMIT {_SHOWN}"
    )
    found = context.ask.rows(f"look for the longest array of {path[-1].id}", statement)
    return tuple(Sized(_key(row[:-1]), number(row[-1])) for row in found)


def _filling_one_map(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """Paths to the nodes that fill one map together, by their ids; only of maps that more than one fills."""
    groups: dict[tuple[str, tuple[str, ...]], list[Path]] = {}
    for path in paths:
        if path[-1].shape == "map":
            groups.setdefault((path[-2].id, path[-1].path), []).append(path)
    return {" and ".join(path[-1].id for path in some): some for some in groups.values() if len(some) > 1}


def _given_twice(context: MeasureContext, paths: Sequence[Path], roots: Some) -> Sizes:
    """Documents in which two of the nodes that fill a map have the same key."""
    chains = [chain(path, roots) for path in paths]
    first = chains[0]
    if not first.root:
        return Sizes()
    rows = " UNION ALL ".join(
        f"SELECT DISTINCT {', '.join(each.parent)}, g, {number} AS w FROM ({each.sql}) AS x{number}"
        for number, each in enumerate(chains)
    )
    grouped = ", ".join((*first.parent, "g"))
    inner = f"SELECT {', '.join(first.root)} FROM ({rows}) AS u GROUP BY {grouped} HAVING COUNT(*) > 1"
    return _documents_among(context, first, inner, " and ".join(path[-1].id for path in paths))


def _documents_among(context: MeasureContext, rows: Chain, inner: str, what: str) -> Sizes:
    """How many documents there are among the root keys that `inner` selects, and the first."""
    columns = ", ".join(rows.root)
    statement = f"SELECT {columns}, COUNT(*) OVER () FROM (SELECT DISTINCT {columns} FROM ({inner}) AS y) AS z LIMIT 1"
    found = context.ask.rows(f"look for keys that {what} has twice", statement)
    if not found:
        return Sizes()
    return Sizes(count=number(found[0][-1]), largest=(Sized(_key(found[0][:-1]), 0),))


def _needs_one_row_a_key(node: Node) -> bool:
    return node.shape == "map" and node.duplicates == "reject"


def _twice(context: MeasureContext, path: Path, roots: Some) -> Sizes:
    """Documents in which a map would have a key twice."""
    rows = chain(path, roots)
    if not rows.root:
        return Sizes()
    inner = (
        f"SELECT {', '.join(rows.root)} FROM ({rows.sql}) AS x GROUP BY {', '.join(rows.parent)}, g HAVING COUNT(*) > 1"
    )
    return _documents_among(context, rows, inner, path[-1].id)


def longest(documents: MeasuredDocuments, node: Node) -> Extreme:
    """The longest array of a node."""
    found = documents.arrays.get(node.id, ())
    if not found:
        return Extreme(Measure(0, documents.complete), "")
    return Extreme(Measure(found[0].size, documents.complete), key_text(found[0].key))


def biggest(documents: MeasuredDocuments, root_bytes: int) -> Extreme:
    """The biggest document; bytes are never exact. `root_bytes` is to be taken when none was looked at."""
    found = documents.sizes.largest
    if not found:
        return Extreme(Measure(root_bytes, False), "")
    return Extreme(Measure(found[0].size, False), key_text(found[0].key))


def document_findings(context: MeasureContext, documents: MeasuredDocuments) -> list[Finding]:
    """Documents near 16 MB, long arrays, keys twice."""
    name = context.collection.name
    found = []
    large = [one for one in documents.sizes.largest if one.size > _NEAR_LIMIT]
    if large:
        count = max(documents.sizes.large, len(large))
        shown = ", ".join(f"{key_text(one.key)} ({one.size / (1 << 20):.1f} MB)" for one in large)
        text = (
            f"{'' if documents.complete else 'at least '}{count:,} document{'' if count == 1 else 's'} "
            f"come{'s' if count == 1 else ''} near MongoDB's limit of 16 MB or above it, "
            f"as estimated from the lengths of the values: {shown}; those above it will be rejected"
        )
        fix = "Cap the largest array with `limit:`, or make it a reference to a collection of its own."
        found.append(Finding("warning", "size-limit", name, text, fix))
    for node, arrays in documents.arrays.items():
        long = [one for one in arrays if one.size > LONG_ARRAY]
        if long:
            shown = ", ".join(f"{key_text(one.key)} ({one.size:,})" for one in long)
            text = f"there are arrays of more than {LONG_ARRAY:,} elements, in documents {shown}"
            fix = "Every change rewrites the whole document: cap with `limit:`, or make it a reference."
            found.append(Finding("warning", "long-array", node, text, fix))
    for node, twice in documents.duplicates.items():
        if twice.count:
            text = (
                f"{'' if documents.complete else 'at least '}{twice.count:,} "
                f"document{'' if twice.count == 1 else 's'} would have a key of the map twice "
                f"(the first: {key_text(twice.largest[0].key)}) and will be rejected"
            )
            fix = "Keep all rows of a key (`many: true`) or one (`on_duplicate`), or leave one with `where:`."
            found.append(Finding("warning", "duplicate-map-key", node, text, fix))
    return found


def _largest(found: Iterable[Sized]) -> tuple[Sized, ...]:
    """The largest few, each document once."""
    best: dict[Key, Sized] = {}
    for one in sorted(found, key=lambda sized: -sized.size):
        best.setdefault(one.key, one)
    return tuple(best.values())[:_SHOWN]


def _key(values: Sequence[bytes | None]) -> Key:
    return tuple(value if value is not None else b"" for value in values)

"""Which documents contain copies of which rows, and what must be done when a row changes.

A copy is any embedded table whose rows belong to another collection (`homes`). For each it is decided here whether
and from where it can be made again out of the owner's stored document; what can't is said, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from migrator.generate.copy_conditions import Terms, condition, implied, terms
from migrator.generate.homes import Home, TableName, homes
from migrator.generate.runtime.copies import Copied, Copies, Order, Own, Pick, Target, Tree
from migrator.model.mapping.tree import Aggregate, Collection, Field, Node
from migrator.model.schema.collation import is_text
from migrator.model.schema.tables import Column

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Unowned:
    """A copy, or a part of one, that no write through a repository keeps true.

    Attributes:
        collection: whose documents hold it.
        path: where, dotted.
        table: whose rows these are.
        reason: why nobody keeps it.
    """

    collection: str
    path: str
    table: str
    reason: str


@dataclass(frozen=True, slots=True)
class Copying:
    """All copies of a package: by collection, and what nobody keeps."""

    copies: Mapping[str, Copies]
    unowned: tuple[Unowned, ...]


class _NotCopied(Exception):
    """A copy that can't be made again; the text says why."""


def copying(collections: Sequence[Collection]) -> Copying:
    """What is copied from where to where."""
    finder = _Finder(homes(collections))
    trees = {each.name: finder.tree(each) for each in collections}
    targets: dict[str, list[Target]] = {each.name: [] for each in collections}
    for name, tree in trees.items():
        for prefix, node in _tops(tree, ""):
            targets[node.owner].append(_target(name, prefix, node))
    made = {name: Copies(tree, tuple(targets[name]), _reads(tree)) for name, tree in trees.items()}
    return Copying(made, tuple(finder.unowned))


def _tops(tree: Tree, prefix: str) -> Iterator[tuple[str, Copied]]:
    for each in tree:
        if isinstance(each, Own):
            yield from _tops(each.parts, _joined(prefix, each.path))
        else:
            yield prefix, each


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _target(collection: str, prefix: str, node: Copied) -> Target:
    place = _joined(prefix, node.path)
    base = place if node.source == "members" else prefix
    find = tuple(_joined(base, mine) for mine, _ in node.on)
    keys = tuple(theirs for _, theirs in node.on)
    return Target(f"{collection}:{place}", collection, node.rows, find, keys, tuple(sorted(_read_of_owner(node))))


def _read_of_owner(node: Copied) -> set[str]:
    """Dotted fields of the owner's documents that a copy depends on."""
    found = {theirs for _, theirs in node.on}
    for path in _fields_read(node):
        found.add(_joined(node.rows, path))
    if node.shape == "value" and node.rows:
        # It depends on which rows there are.
        found.add(node.rows)
    # A field says all about what is inside it.
    return {path for path in found if not any(path.startswith(f"{other}.") for other in found)}


def _fields_read(node: Copied) -> Iterator[str]:
    yield from (pick.of for pick in node.picks if pick.of)
    yield from node.where
    yield from (term.of for term in node.order)
    for part in node.parts:
        yield from (_joined(part.rows, path) for path in _fields_read(part))
        yield part.rows


def _reads(tree: Tree) -> tuple[str, ...]:
    found = set()
    for prefix, node in _tops(tree, ""):
        found.add(_joined(prefix, node.path))
        if node.source == "documents":
            found |= {_joined(prefix, mine) for mine, _ in node.on}
    return tuple(sorted(found))


class _Finder:
    """Walks the collections' trees."""

    def __init__(self, places: Mapping[TableName, Home]) -> None:
        self._homes = places
        self.unowned: list[Unowned] = []

    def tree(self, collection: Collection) -> Tree:
        return tuple(self._below(collection, collection.root, ""))

    def _below(self, collection: Collection, node: Node, prefix: str) -> Iterator[Copied | Own]:
        for child in node.children:
            path = ".".join(child.path)
            place = _joined(prefix, path)
            if child.aggregate is not None:
                try:
                    yield self._computed(collection, child, child.aggregate, node)
                except _NotCopied as lost:
                    self.unowned.append(Unowned(collection.name, place, child.table, str(lost)))
                continue
            home = self._homes.get((child.schema, child.table))
            if home is not None and home.node is child:
                yield from self._own(collection, child, prefix)
                continue
            if home is None:
                reason = _homeless(child)
                if reason:
                    self.unowned.append(Unowned(collection.name, place or child.table, child.table, reason))
                yield from self._own(collection, child, prefix)
                continue
            try:
                yield self._copied(collection, child, node, home, place)
            except _NotCopied as lost:
                self.unowned.append(Unowned(collection.name, place or child.table, child.table, str(lost)))

    def _own(self, collection: Collection, child: Node, prefix: str) -> Iterator[Own]:
        if child.flatten:
            for each in child.children:
                if each.aggregate is not None:
                    reason = "its row is merged into the document"
                    self.unowned.append(Unowned(collection.name, _joined(prefix, *each.path), each.table, reason))
        if child.shape in ("one", "many") and not child.flatten:
            path = ".".join(child.path)
            parts = tuple(self._below(collection, child, _joined(prefix, path)))
            if parts:
                yield Own(path, parts)

    def _copied(self, collection: Collection, child: Node, parent: Node, home: Home, place: str) -> Copied:
        if child.flatten:
            raise _NotCopied("its fields are among those of the document, not in a sub-document of their own")
        if child.variants is not None:
            raise _NotCopied("its fields depend on the kind of row")
        if child.match:
            raise _NotCopied("its rows belong here by a constant")
        if child.duplicates != "reject":
            raise _NotCopied("several of its rows may have one key")
        if child.shape == "map" and len(parent.filling(child.path)) > 1:
            raise _NotCopied("several tables fill the map")
        on, source = self._joined_by(child, parent, home)
        if child.may_have_several and source == "documents" and _may_stand_nowhere(collection, home, on):
            raise _NotCopied(f"a row of it that belongs to no document in {home.collection.name} is missing there")
        made = self._filled(collection, child, home, place)
        wanted, there = terms(child.where), _home_terms(home)
        stored = partial(_plain_field, home.node)
        asked = wanted.without(there) if there is not None else wanted
        where = condition(asked, stored, lambda column: str(_field_path(home.node, column)))
        if where is None:
            raise _NotCopied(f"its condition `{child.where}` can't be asked of stored documents")
        complete = there is not None and implied(wanted, there, stored)
        if not complete and child.may_have_several and source == "documents":
            raise _NotCopied(f"it shows rows that {home.collection.name} leaves out")
        order = self._order(child, home) if child.may_have_several else ()
        return replace(
            made,
            source=source,
            owner=home.collection.name,
            rows=".".join(home.path),
            on=on,
            where=where,
            order=order,
            limit=child.limit or 0,
            name=self._map_name(child, home),
            keep=not complete,
        )

    def _computed(self, collection: Collection, child: Node, aggregate: Aggregate, parent: Node) -> Copied:
        """A value that is made of the rows of the child's table, wherever these are documents or parts of some."""
        home = self._homes.get((child.schema, child.table))
        if home is None:
            raise _NotCopied("the rows of the table are in no collection, or in more than one")
        if child.match:
            raise _NotCopied("its rows belong here by a constant")
        if child.join is not None and any(map(_is_collated, (*child.join.parent, *child.join.child))):
            raise _NotCopied("its join compares texts by a collation")
        on, _ = self._joined_by(child, parent, home)
        if len(home.nodes) > 1 and not _is_same_document(collection, home, on):
            raise _NotCopied(f"a row that belongs to no document in {home.collection.name} would not count")
        wanted, there = terms(child.where), _home_terms(home)
        stored = partial(_plain_field, home.node)
        if there is None or not implied(wanted, there, stored):
            raise _NotCopied(f"it is made of rows that {home.collection.name} leaves out")
        where = condition(wanted.without(there), stored, lambda column: str(_field_path(home.node, column)))
        if where is None:
            raise _NotCopied(f"its condition `{child.where}` can't be asked of stored documents")
        (value,) = child.fields
        if value.value.kind not in _KINDS[aggregate.function]:
            raise _NotCopied(f"as {value.value.kind} only the source computes it")
        of = "" if aggregate.column is None else _number_field(home, aggregate.column, aggregate, value)
        return Copied(
            ".".join(child.path),
            "value",
            "documents",
            (Pick("", of, value.value.policies.null == "omit"),),
            owner=home.collection.name,
            rows=".".join(home.path),
            on=on,
            where=where,
            function=aggregate.function,
            kind=value.value.kind,
            decimals=value.column.scale or 0,
        )

    def _joined_by(self, child: Node, parent: Node, home: Home) -> tuple[Pairs, Literal["documents", "members"]]:
        """By which fields a parent finds the rows of a copy."""
        join = child.join
        if join is not None:
            mine = [_field_path(parent, column.name) for column in join.parent]
            theirs = [_document_path(home, column.name) for column in join.child]
            if all(mine) and all(theirs):
                return tuple(zip(map(str, mine), map(str, theirs), strict=True)), "documents"
        if child.shape not in ("one", "many") or (child.may_have_several and child.link is None):
            raise _NotCopied("the documents don't hold the columns that join it")
        if child.shape == "one" and child.may_have_several:
            raise _NotCopied("the documents don't hold the other rows, of which one may come first")
        pairs = []
        for column in child.key:
            mine_path, their_path = _field_path(child, column.name), _document_path(home, column.name)
            if mine_path is None or their_path is None:
                raise _NotCopied(f"nothing in it says which row it is: add its key, {column.name}")
            pairs.append((mine_path, their_path))
        if not pairs:
            raise _NotCopied("its rows have no key")
        return tuple(pairs), "members"

    def _filled(self, collection: Collection, child: Node, home: Home, place: str) -> Copied:
        """The copy's fields and what is nested in it."""
        picks = [pick for each in child.fields for pick in self._pick(collection, each, child, home.node, place)]
        if not any(pick.of for pick in picks):
            raise _NotCopied(f"{home.collection.name} holds none of its columns as it does")
        if child.shape in ("scalars", "map"):
            if any(not pick.of for pick in picks) or child.link is not None:
                raise _NotCopied("plain values don't say whose they are")
            return Copied(".".join(child.path), child.shape, "documents", tuple(picks))
        parts = []
        for inner in child.children:
            if inner.aggregate is not None:
                picks.append(self._same_computed(collection, inner, home.node, _joined(place, *inner.path)))
                continue
            found = self._inside(collection, inner, home.node, _joined(place, *inner.path))
            if found is None:
                path = ".".join(inner.path)
                picks.append(Pick(path, "", inner.omit_null))
            else:
                parts.append(found)
        # Only rows with a key can be told apart.
        key = [(_field_path(child, column.name), _document_path(home, column.name)) for column in child.key]
        known = tuple((mine, theirs) for mine, theirs in key if mine is not None and theirs is not None)
        return Copied(
            ".".join(child.path),
            "many" if child.shape == "many" else "one",
            "documents",
            tuple(picks),
            omit_null=child.omit_null,
            key=known if len(known) == len(child.key) else (),
            parts=tuple(parts),
        )

    def _pick(self, collection: Collection, each: Field, child: Node, home: Node, place: str) -> list[Pick]:
        path = ".".join(each.path)
        omit = each.value.policies.null == "omit"
        source = None if each.from_link else _same_field(home, each)
        if source is None:
            if not each.from_link:
                name = each.sql or each.column.name
                where = _joined(place, path)
                reason = f"{home.table} holds no field for {name} of the same type"
                self.unowned.append(Unowned(collection.name, where, child.table, reason))
            return [Pick(path, "", omit), *([Pick(f"{path}_micros", "", omit)] if each.value.companion else [])]
        of = ".".join(source.path)
        micros = [Pick(f"{path}_micros", f"{of}_micros", omit)] if each.value.companion else []
        return [Pick(path, of, omit), *micros]

    def _same_computed(self, collection: Collection, inner: Node, home: Node, place: str) -> Pick:
        """A value in a copy that the owner's document has in the same way."""
        path = ".".join(inner.path)
        omit = inner.fields[0].value.policies.null == "omit"
        for each in home.children:
            if each.aggregate == inner.aggregate and each.fields == inner.fields and _same_relation(inner, each):
                return Pick(path, ".".join(each.path), omit)
        reason = f"{home.table} has no such field in its own documents"
        self.unowned.append(Unowned(collection.name, place, inner.table, reason))
        return Pick(path, "", omit)

    def _inside(self, collection: Collection, inner: Node, home: Node, place: str) -> Copied | None:
        """A nested copy made of what its owner's document holds at the same relation; None, and a note, without."""
        twin = next((each for each in home.children if _same_relation(inner, each)), None)
        if twin is None or inner.flatten or inner.variants is not None or inner.shape not in ("one", "many"):
            reason = f"the documents that own the row above it don't hold {inner.table} in the same way"
            self.unowned.append(Unowned(collection.name, place, inner.table, reason))
            return None
        try:
            made = self._filled(collection, inner, Home(collection, (twin,)), place)
            order = self._order(inner, Home(collection, (twin,))) if inner.may_have_several else ()
        except _NotCopied as lost:
            self.unowned.append(Unowned(collection.name, place, inner.table, str(lost)))
            return None
        limit = inner.limit or 0
        return replace(made, source="inside", rows=".".join(twin.path), order=order, limit=limit)

    def _order(self, child: Node, home: Home) -> tuple[Order, ...]:
        joined = {column.name for column in (child.join.child if child.join else ())}
        found = []
        for term in child.order:
            if term.column in joined:
                continue
            stored = None if term.from_link else _plain_field(home.node, term.column)
            if stored is None:
                raise _NotCopied(f"its order by {term.column} can't be told from stored documents")
            text = stored.value.family == "text" and not (stored.column.collation or "").endswith("_bin")
            found.append(Order(".".join(stored.path), term.descending, text))
        return tuple(found)

    def _map_name(self, child: Node, home: Home) -> str:
        if child.map_key is None:
            return ""
        path = _document_path(home, child.map_key.name)
        stored = _plain_field(home.node, child.map_key.name)
        if path is None or stored is None or stored.value.kind not in ("int32", "int64", "string"):
            raise _NotCopied(f"the names of its values, {child.map_key.name}, are not stored")
        return path


# Kinds of results that a repository computes as the source does.
_KINDS: dict[str, tuple[str, ...]] = {
    "count": ("int64", "double", "decimal128"),
    "exists": ("bool",),
    "sum": ("int64", "double", "decimal128"),
    "avg": ("double", "decimal128"),
    "min": ("int32", "int64", "decimal128", "double", "date"),
    "max": ("int32", "int64", "decimal128", "double", "date"),
}


def _number_field(home: Home, column: Column, aggregate: Aggregate, result: Field) -> str:
    """Where the owner holds the values that an aggregate is made of, in a form that gives the same result."""
    stored = _plain_field(home.node, column.name)
    if stored is None:
        raise _NotCopied(f"{home.node.table} holds no field for {column.name}")
    if aggregate.function in ("min", "max"):
        if _form(stored) != _form(result) or stored.value.policies.zero_date != "reject":
            raise _NotCopied(f"{home.node.table} holds {column.name} in another form")
        return ".".join(stored.path)
    # Sums of inexact numbers depend on the order of the rows, and the server rounds them in its own way.
    if stored.value.kind not in ("int32", "int64", "decimal128") or len(stored.value.bson_types) > 1:
        raise _NotCopied(f"{home.node.table} does not hold {column.name} as exact numbers")
    if result.value.kind == "int64" and result.column.data_type == "decimal":
        raise _NotCopied("as long only the source computes it")
    return ".".join(stored.path)


def _is_same_document(collection: Collection, home: Home, on: Pairs) -> bool:
    """Whether rows are looked for in the very document that shows them."""
    return home.collection is collection and all(mine == theirs for mine, theirs in on)


def _may_stand_nowhere(collection: Collection, home: Home, on: Pairs) -> bool:
    """Whether a row may be in none of the documents that it is looked for in, since its key to them may be NULL."""
    if _is_same_document(collection, home, on):
        return False
    joins = [node.join for node in home.nodes[1:]]
    return any(join is None or any(column.nullable for column in join.child) for join in joins)


def _is_collated(column: Column) -> bool:
    return is_text(column) and not (column.collation or "").endswith("_bin")


def _homeless(child: Node) -> str:
    """Why a table without a home may hold copies; "" where each row stands in one document only."""
    if child.link is not None:
        return "each row is in many documents, and no collection is made of the table"
    if child.join is not None and child.shape != "map" and _held_by_parent(child):
        return "several documents may show the same row, and no collection is made of the table"
    return ""


def _held_by_parent(child: Node) -> bool:
    """Whether the parent's row names the child's, so that many can name the same."""
    assert child.join is not None
    ours = {column.name for column in child.key}
    return bool(ours) and {column.name for column in child.join.child} == ours and not child.match


def _home_terms(home: Home) -> Terms | None:
    """The condition under which rows of the table are at home; None where it depends on the rows above them."""
    if any(node.where is not None for node in home.nodes[:-1]):
        return None
    return terms(home.node.where)


def _same_relation(one: Node, other: Node) -> bool:
    """Whether two nodes hang the same rows below the same row."""
    if (one.schema, one.table, one.shape, one.limit) != (other.schema, other.table, other.shape, other.limit):
        return False
    if one.limit is not None and one.order != other.order:
        return False
    if one.join is None or other.join is None or one.match != other.match:
        return False
    mine = [(a.name, b.name) for a, b in zip(one.join.parent, one.join.child, strict=True)]
    theirs = [(a.name, b.name) for a, b in zip(other.join.parent, other.join.child, strict=True)]
    return mine == theirs and terms(one.where).texts == terms(other.where).texts and not other.flatten


def _same_field(home: Node, wanted: Field) -> Field | None:
    """The owner's field that holds the same value in the same form."""
    for each in home.fields:
        if each.from_link or each.sql != wanted.sql:
            continue
        if each.sql is None and each.column.name != wanted.column.name:
            continue
        if _form(each) == _form(wanted):
            return each
    return None


def _form(each: Field) -> tuple[object, ...]:
    value, policies = each.value, each.value.policies
    form = (value.kind, value.family, value.bson_types, value.companion)
    match value.family:
        case "date" | "datetime":
            return (*form, policies.zero_date, policies.datetime_zone)
        case "json":
            return (*form, policies.json_keys)
    return form


def _plain_field(node: Node, column: str) -> Field | None:
    for each in node.fields:
        if each.sql is None and not each.from_link and each.column.name.lower() == column.lower():
            return each
    return None


def _field_path(node: Node, column: str) -> str | None:
    found = _plain_field(node, column)
    return ".".join(found.path) if found is not None else None


def _document_path(home: Home, column: str) -> str | None:
    """Where a home's document holds a column of the row: in the row, or in the row above that it belongs to."""
    found = _field_path(home.node, column)
    if found is not None:
        return _joined(".".join(home.path), found)
    join = home.node.join
    if join is None or len(home.nodes) < 2:
        return None
    for mine, theirs in zip(join.parent, join.child, strict=True):
        if theirs.name == column:
            return _document_path(Home(home.collection, home.nodes[:-1]), mine.name)
    return None

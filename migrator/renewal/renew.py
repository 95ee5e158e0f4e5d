"""A mapping as it was applied against tables that were altered since: what it is now, and what that means. Pure.

The mapping stays frozen (premise D): the same columns become the same fields. What is renewed is what those
columns are, and by that the types of the documents' values. A column that came to a table comes into no document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from migrator.errors import Problem
from migrator.mapping.expressions import missing_column
from migrator.mapping.field_paths import FieldPath, document_paths, find_path
from migrator.mapping.fields import check_constant
from migrator.mapping.file.yaml_document import SourceMap
from migrator.mapping.index_rules import report_languages, report_path
from migrator.mapping.location import Location
from migrator.model.change.events import TableName
from migrator.model.mapping.aggregates import aggregate_mistake, aggregate_result
from migrator.model.mapping.hashes import mapping_hash
from migrator.model.mapping.representation import TYPES, Representation, Unrepresentable, family_of, represent
from migrator.model.mapping.tree import Collection, Field, IndexSpec, Join, Link, Node, Variants
from migrator.model.schema.tables import Column, Schema, Table, fingerprint
from migrator.renewal.columns import keeps_identity, keeps_values
from migrator.renewal.rows import fields_of

# What a difference means: nothing for the documents; that they are others; that rows are found in another way than
# before; that the mapping can't be carried out any more. The last two end a sync.
Effect = Literal["none", "documents", "identity", "misfit"]

_EFFECTS: tuple[Effect, ...] = ("none", "documents", "identity", "misfit")
_OBSTACLES = ("identity", "misfit")


@dataclass(frozen=True, slots=True)
class TableDifference:
    """One thing that the tables have otherwise than the mapping was applied with; `text` is one phrase."""

    text: str
    effect: Effect


@dataclass(frozen=True, slots=True)
class Renewal:
    """A mapping against the tables as they are now.

    Attributes:
        collection: with the columns of now; equal to the applied one where nothing differs.
        differences: in the order of the mapping.
    """

    collection: Collection
    differences: tuple[TableDifference, ...] = ()

    @property
    def obstacles(self) -> tuple[str, ...]:
        """Why the mapping can't be kept up, one phrase each; () when it can."""
        return tuple(each.text for each in self.differences if each.effect in _OBSTACLES)

    @property
    def changes_documents(self) -> bool:
        """Whether documents that there are can be others now."""
        return any(each.effect == "documents" for each in self.differences)


@dataclass(frozen=True, slots=True)
class Expression:
    """SQL over one row of a table, as a mapping says it."""

    table: TableName
    text: str


# What the server says an expression's result is now, or why it can't compute it.
Answers = Mapping[Expression, Column | str]


def expressions(collection: Collection) -> Iterator[Expression]:
    """All SQL of a mapping."""
    for node in collection.root.walk():
        table = node.schema, node.table
        yield from (Expression(table, field.sql) for field in fields_of(node) if field.sql is not None)
        if node.where is not None:
            yield Expression(table, node.where)
        if node.link is not None and node.link.where is not None:
            yield Expression((node.link.schema, node.link.table), node.link.where)


def renew(
    collection: Collection, schema: Schema, answers: Answers, before: Mapping[TableName, Table] | None = None
) -> Renewal:
    """`collection` with the columns that `schema` says.

    Args:
        answers: for every one of `expressions(collection)`.
        before: the tables as they were when it was applied, as far as that is known. By them a key that is unique no
            more is told from one that the mapping was allowed to have.
    """
    gone = [name for name in collection.tables if name not in schema.by_name]
    if gone:
        return Renewal(
            collection, tuple(TableDifference(f"the table {'.'.join(name)} is gone", "misfit") for name in gone)
        )
    work = _Renewing(collection, schema, answers, before or {})
    root = work.node(collection.root, None)
    same = root == collection.root
    found = replace(
        collection,
        root=root,
        mapping_hash=collection.mapping_hash if same else mapping_hash(root),
        indexes=collection.indexes if same else tuple(map(index_renewer(root), collection.indexes)),
        schema_fingerprint=_fingerprint(collection, schema),
    )
    if not same:
        work.look_at_indexes(root)
    return Renewal(found, _worst(work.differences))


def _fingerprint(collection: Collection, schema: Schema) -> str:
    """Of the tables of now. Where it isn't known how the mapping was written, that of then: by equal ones a mapping
    that was edited is told from one that takes in a new column."""
    if not collection.spec_hash:
        return collection.schema_fingerprint
    return fingerprint(schema.by_name[name] for name in collection.tables)


def index_renewer(root: Node) -> Callable[[IndexSpec], IndexSpec]:
    """A function from an index to what it is over documents of `root`: a unique one leaves out what may be null."""
    leaves = document_paths(root)

    def renewed(spec: IndexSpec) -> IndexSpec:
        known = [(dotted, find_path(leaves, dotted)) for dotted, _ in spec.keys]
        nullable = tuple((dotted, leaf.bson_types) for dotted, leaf in known if leaf is not None and leaf.nullable)
        return replace(spec, nullable=nullable) if spec.unique else spec

    return renewed


def _worst(differences: Iterable[TableDifference]) -> tuple[TableDifference, ...]:
    """Each thing once, with the worst that it means: a key is a value, too."""
    found: dict[str, TableDifference] = {}
    for each in differences:
        known = found.get(each.text, each)
        found[each.text] = max(known, each, key=lambda one: _EFFECTS.index(one.effect))
    return tuple(found.values())


class _Renewing:
    """One renewal; `differences` grows."""

    def __init__(
        self, collection: Collection, schema: Schema, answers: Answers, before: Mapping[TableName, Table]
    ) -> None:
        self._collection = collection
        self._schema = schema
        self._answers = answers
        self._before = before
        self.differences: list[TableDifference] = []

    def node(self, node: Node, parent: Node | None) -> Node:
        table = self._schema.by_name[node.schema, node.table]
        above = None if parent is None else self._schema.by_name[parent.schema, parent.table]
        self._names(table, [order.column for order in node.order if not order.from_link])
        self._names(table, [name for name, _ in node.match])
        for name, constant in node.match:
            if name in table.by_name:
                self._constant(table.by_name[name], constant)
        self._condition((node.schema, node.table), node.where)
        if parent is None:
            self._unique(table, [column.name for column in node.key], _is_key)
        elif not node.may_have_several and node.join is not None:
            joined = [*(column.name for column in node.join.child), *(name for name, _ in node.match)]
            self._unique(table, joined, Table.is_unique)
        link = self._link(node, node.link, above, table) if node.link is not None and above is not None else None
        linked = None if link is None else self._schema.by_name[link.schema, link.table]
        return replace(
            node,
            key=self._columns(table, node.key),
            join=self._join(node.join, above, table) if node.join is not None and above is not None else None,
            link=link,
            **self._values(node, table, linked),
            map_key=None if node.map_key is None else self._map_key(node, node.map_key, table, linked),
            variants=None if node.variants is None else self._variants(node.variants, table, linked),
            children=tuple(self.node(child, node) for child in node.children),
        )

    def look_at_indexes(self, root: Node) -> None:
        """Indexes that MongoDB has not for documents of these types."""
        leaves = document_paths(root)
        for spec in self._collection.indexes:
            known: dict[str, tuple[FieldPath, int | str]] = {}
            problems: list[Problem] = []
            spot = Location(SourceMap(self._collection.file), (), problems)
            for dotted, direction in spec.keys:
                leaf = find_path(leaves, dotted)
                if leaf is not None:
                    known[dotted] = leaf, direction
                    report_path(leaf, direction, spot)
                    if spec.expire_after_seconds is not None and leaf.kind not in ("date", "json"):
                        spot.report(f"MongoDB expires documents by dates only, and `{dotted}` is none")
            report_languages(known, leaves, spot)
            self.differences += (TableDifference(f"index {spec.name}: {each.message}", "misfit") for each in problems)

    # --- what rows are found by ---

    def _columns(self, table: Table, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        return tuple(self._found_by(table, column) for column in columns)

    def _found_by(self, table: Table, was: Column) -> Column:
        now = self._now(table, was.name)
        if now is None or now == was:
            return was
        if not keeps_identity(was, now):
            self._differ(table, was, now, "identity")
        else:
            self._differ(table, was, now, "none" if keeps_values(was, now, "string") else "documents")
        return now

    def _join(self, join: Join, parent: Table, child: Table) -> Join:
        return replace(join, parent=self._columns(parent, join.parent), child=self._columns(child, join.child))

    def _link(self, node: Node, link: Link, parent: Table, child: Table) -> Link:
        table = self._schema.by_name[link.schema, link.table]
        self._names(table, link.key)
        self._names(table, [order.column for order in node.order if order.from_link])
        self._condition((link.schema, link.table), link.where)
        return replace(link, parent=self._join(link.parent, parent, table), child=self._join(link.child, table, child))

    def _unique(self, table: Table, names: list[str], is_unique: Callable[[Table, list[str]], bool]) -> None:
        was = self._before.get((table.schema, table.name))
        if was is not None and is_unique(was, names) and not is_unique(table, names):
            self._misfit(f"({', '.join(names)}) of {table.qualified} no longer names one row")

    # --- values ---

    def _values(self, node: Node, table: Table, linked: Table | None) -> dict[str, Any]:
        """What a node's values are made of: its fields, and where they come from child rows, the function."""
        if node.aggregate is None:
            return {"fields": tuple(self._field(field, table, linked) for field in node.fields)}
        was, (field,) = node.aggregate.column, node.fields
        now = None if was is None else self._now(table, was.name)
        if was is None or now is None or now == was:
            return {}
        aggregate = replace(node.aggregate, column=now)
        mistake = aggregate_mistake(aggregate)
        try:
            value = represent(aggregate_result(aggregate), stated_type(field), field.value.policies)
        except Unrepresentable as reason:
            mistake = mistake or (reason.reason, "")
        if mistake is not None:
            self._differ(table, was, now, "misfit", f": {mistake[0]}")
            return {}
        same = value == field.value and keeps_values(was, now, value.kind)
        self._differ(table, was, now, "none" if same else "documents")
        return {"aggregate": aggregate, "fields": (replace(field, column=aggregate_result(aggregate), value=value),)}

    def _field(self, field: Field, table: Table, linked: Table | None) -> Field:
        owner = linked if field.from_link and linked is not None else table
        now = self._result(owner, field) if field.sql is not None else self._now(owner, field.column.name)
        if now is None or now == field.column:
            return field
        try:
            value = represent(now, stated_type(field), field.value.policies)
        except Unrepresentable as reason:
            self._differ(owner, field.column, now, "misfit", f", which {reason.reason}", field.sql)
            return field
        same = value == field.value and keeps_values(field.column, now, value.kind)
        self._differ(owner, field.column, now, "none" if same else "documents", sql=field.sql)
        return replace(field, column=now, value=value)

    def _result(self, table: Table, field: Field) -> Column | None:
        assert field.sql is not None
        answer = self._answers[Expression((table.schema, table.name), field.sql)]
        if isinstance(answer, str):
            self._misfit(answer)
            return None
        return replace(answer, name=field.column.name)

    def _map_key(self, node: Node, was: Column, table: Table, linked: Table | None) -> Column:
        owner = linked if node.map_key_from_link else table
        return was if owner is None else self._printed(owner, was)

    def _printed(self, table: Table, was: Column) -> Column:
        now = self._now(table, was.name)
        if now is None or now == was:
            return was
        self._differ(table, was, now, "none" if keeps_values(was, now, "string") else "documents")
        return now

    def _variants(self, variants: Variants, table: Table, linked: Table | None) -> Variants:
        column = self._printed(table, variants.column)
        if family_of(column) not in ("integer", "text", "enum", "year"):
            self._differ(table, variants.column, column, "misfit", ", which can't tell cases apart")
        for constant, _ in variants.cases:
            self._constant(column, constant)
        cases = tuple(
            (constant, tuple(self._field(field, table, linked) for field in fields))
            for constant, fields in variants.cases
        )
        return Variants(column, cases)

    # --- what there must be ---

    def _now(self, table: Table, name: str) -> Column | None:
        now = table.by_name.get(name)
        if now is None and table.denied_to:
            message, hint = missing_column(table, name)
            self._misfit(f"{message} ({hint.rstrip(';')})")
        elif now is None:
            self._misfit(f"{table.qualified}.{name} is gone")
        return now

    def _names(self, table: Table, names: Iterable[str]) -> None:
        for name in names:
            self._now(table, name)

    def _condition(self, table: TableName, text: str | None) -> None:
        answer = None if text is None else self._answers[Expression(table, text)]
        if isinstance(answer, str):
            self._misfit(answer)

    def _constant(self, column: Column, constant: str) -> None:
        problems: list[Problem] = []
        check_constant(column, constant, Location(SourceMap(self._collection.file), (), problems))
        self.differences += (TableDifference(each.message, "misfit") for each in problems)

    def _misfit(self, text: str) -> None:
        self.differences.append(TableDifference(text, "misfit"))

    def _differ(
        self, table: Table, was: Column, now: Column, effect: Effect, more: str = "", sql: str | None = None
    ) -> None:
        what = f"{table.qualified}.{was.name}" if sql is None else f"`{sql}` of {table.qualified}"
        text = f"{what} was {_type(was, now)}, and is {_type(now, was)}{more}"
        self.differences.append(TableDifference(text, effect))


def stated_type(field: Field) -> str | None:
    """What `type:` the mapping gives a field, None for the default.

    A version that did not keep it stored what came of it: the default is taken where it gives the same.
    """
    if field.stated_type is not None:
        return field.stated_type or None
    candidates = (None, *TYPES[field.value.family])
    return next((each for each in candidates if _represented(field, each) == field.value), None)


def _represented(field: Field, as_type: str | None) -> Representation | None:
    try:
        return represent(field.column, as_type, field.value.policies)
    except Unrepresentable:
        return None


def _is_key(table: Table, names: list[str]) -> bool:
    """Whether these columns name a row, and are never NULL."""
    return any(set(key) <= set(names) for key in table.unique_keys)


def _type(column: Column, other: Column) -> str:
    """The type as it is declared, with what tells it from `other`."""
    if column.column_type != other.column_type:
        return column.column_type
    more = (("character set", column.charset, other.charset), ("collation", column.collation, other.collation))
    told = [f"with {what} {mine}" for what, mine, theirs in more if mine != theirs]
    if column.nullable != other.nullable:
        told.append("NULL" if column.nullable else "NOT NULL")
    return " ".join([column.column_type, *told])

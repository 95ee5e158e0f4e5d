"""A mapping after the check: every column, join, order and type is settled, nothing is left to infer.

Copy, sync, verify and the generator work from these and never look at YAML or at the live schema again.
All of it turns into JSON and back (model.serialize), since it travels in plans and to worker processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from migrator.model.mapping.representation import Representation
from migrator.model.schema.tables import Column

Shape = Literal["root", "one", "many", "scalars", "map", "value"]
# What several rows of one key of a map become: a rejected document, the first or the last row's value, or an array.
Duplicates = Literal["reject", "first", "last", "all"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a (sub-)document.

    Attributes:
        path: where it stands in its (sub-)document; ("ship", "city") for `ship.city`; ("_id",) or ("_id", "a") for
            keys.
        column: the source column; for an expression, what the server says its result is (named like the field).
        sql: the expression as the user wrote it, None for a plain column.
        value: how it becomes BSON.
        from_link: read from the link table of a `through` node.
        stated_type: `type:` as the mapping says it, "" where it says none; None in what a version stored that did not
            keep it. By it `value` is found again when the column has got another type.
    """

    path: tuple[str, ...]
    column: Column
    sql: str | None
    value: Representation
    from_link: bool = False
    stated_type: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One term of a node's order; `from_link`: a column of the link table of a `through` node."""

    column: str
    descending: bool = False
    from_link: bool = False


@dataclass(frozen=True, slots=True)
class Join:
    """`parent` columns equal `child` columns, pairwise, by the source's own comparison.

    `exact` says that equal means equal bytes as SELECTed (integers without zerofill, fixed binary, same type on both
    sides), so rows may be matched in Python; otherwise the parent's own key is carried through an SQL join
    (Identity in docs/invariants.md).
    """

    parent: tuple[Column, ...]
    child: tuple[Column, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class Link:
    """The link table of a `through` node. `parent` joins parent -> link, `child` joins link -> the node's own table."""

    schema: str
    table: str
    parent: Join
    child: Join
    key: tuple[str, ...]
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Variants:
    """Fields that a row has only when `column` holds a certain value (compared as text, byte for byte)."""

    column: Column
    cases: tuple[tuple[str, tuple[Field, ...]], ...]


AggregateFunction = Literal["count", "sum", "min", "max", "avg", "exists"]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A function over the rows of a parent; `column` is None for `count` and `exists`; `round` to so many decimals."""

    function: AggregateFunction
    column: Column | None = None
    round: int | None = None


@dataclass(frozen=True, slots=True)
class Node:
    """A table in the mapping's tree.

    Attributes:
        id: dotted place in the mapping, unique in a collection: `orders`, `orders.items`, `orders.items.product`.
        shape: `root`; `one` sub-document; `many` array of sub-documents; `scalars` array of plain values; `map` object;
            `value` one plain value, which the source computes of all rows.
        path: where it stands in the parent's (sub-)document; () for the root and for `flatten`.
        key: columns that name a row of this table: the primary key or a unique NOT NULL key; () for none.
        join: how rows find their parent; None for the root. With `link`, the joins are in there and this is None.
        match: column = constant, for polymorphic children. The constant is text as written in the mapping.
        where: SQL condition on this table alone, soft-delete condition already added with AND; None for all rows.
        order: complete: ends in the key (premise D); the link's key follows by itself.
        limit: at most so many rows per parent, None for all. A `one` with the limit 1 is the first of several rows.
        fields: in document order. For the root the `_id` fields come first. For `scalars` exactly one, path ().
            For `map` exactly one, the value, path (). For `value` exactly one, the result of `aggregate`, path ().
        map_key: for `map`: the column whose text is the key. Maps of one parent with the same `path` are one object.
        map_key_from_link: it is a column of the link table of a `through` node.
        duplicates: for `map`, of rows in the node's order.
        orphans: `reject`: a parent whose key names no row here is rejected.
        omit_null: an absent `one` is left out instead of being null (NULL fields go by their own policy).
        flatten: a `one` whose fields are merged into the parent's.
        variants: None where all rows have the same fields.
        children: in document order, after `fields`.
        aggregate: for `value`: the function.
    """

    id: str
    schema: str
    table: str
    shape: Shape
    path: tuple[str, ...]
    key: tuple[Column, ...]
    fields: tuple[Field, ...]
    join: Join | None = None
    link: Link | None = None
    match: tuple[tuple[str, str], ...] = ()
    where: str | None = None
    order: tuple[Order, ...] = ()
    limit: int | None = None
    map_key: Column | None = None
    map_key_from_link: bool = False
    duplicates: Duplicates = "reject"
    orphans: Literal["ignore", "reject"] = "ignore"
    omit_null: bool = False
    flatten: bool = False
    variants: Variants | None = None
    children: tuple[Node, ...] = ()
    aggregate: Aggregate | None = None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def may_have_several(self) -> bool:
        """Whether several rows may belong to one parent, shown or not."""
        return self.shape not in ("root", "one") or self.limit is not None

    def filling(self, path: tuple[str, ...]) -> tuple[Node, ...]:
        """The children that fill the map at `path` together."""
        return tuple(child for child in self.children if child.shape == "map" and child.path == path)

    def walk(self) -> Iterator[Node]:
        """This node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def parent_join(self) -> Join | None:
        """The join whose parent side is in the parent's table, whether or not there is a link table."""
        return self.link.parent if self.link else self.join


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index of the target.

    `keys` are (dotted field, 1 | -1 | "text" | "hashed" | "2dsphere"). `nullable` are (dotted field, BSON type names)
    of the keys that may be null: a unique index is made partial over those (edge case 52).
    """

    name: str
    keys: tuple[tuple[str, int | str], ...]
    unique: bool = False
    nullable: tuple[tuple[str, tuple[str, ...]], ...] = ()
    collation: str | None = None
    expire_after_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A relation that stays a key: `on` are (dotted field here, dotted field of `collection`)."""

    name: str
    collection: str
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SqlText:
    """SQL as it stands in a mapping file: an expression or a condition over one row of a table.

    Attributes:
        table: (database, name).
        line: 1-based line in the collection's file.
    """

    table: tuple[str, str]
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One collection of the target: the tree it is folded from, and what belongs to it apart from the documents.

    `mapping_hash` covers everything that changes documents; indexes and validator are compared by themselves.
    `spec_hash` covers the mapping as it is written, without the tables; "" in what a version stored that did not keep
    it.
    """

    name: str
    root: Node
    file: str
    mapping_hash: str
    indexes: tuple[IndexSpec, ...] = ()
    references: tuple[Reference, ...] = ()
    validator: bool = False
    ids: Literal["sequence", "objectid", "uuid", "application"] = "application"
    schema_fingerprint: str = ""
    # Where messages can point at; no part of what the collection is.
    sql: tuple[SqlText, ...] = field(default=(), compare=False)
    spec_hash: str = ""

    @property
    def tables(self) -> tuple[tuple[str, str], ...]:
        """Every (schema, table) that the documents are made of, link tables too, sorted."""
        found = {(node.schema, node.table) for node in self.root.walk()}
        found |= {(node.link.schema, node.link.table) for node in self.root.walk() if node.link}
        return tuple(sorted(found))


def tables_of(collections: Iterable[Collection]) -> frozenset[tuple[str, str]]:
    """Every (schema, table) that the documents of these collections are made of."""
    return frozenset(table for collection in collections for table in collection.tables)

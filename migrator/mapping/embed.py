"""A table in the mapping to a `Node` of the resolved tree, and all that is embedded in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from migrator.mapping.aggregates import aggregates
from migrator.mapping.catalog import Catalog, row_key
from migrator.mapping.fields import (
    FieldRequest,
    LocatedField,
    select_fields,
    select_variants,
    value_field,
    variant_columns,
)
from migrator.mapping.joins import JoinSides, ParentNode, find_join, report_unmatched
from migrator.mapping.keys import id_fields, root_key
from migrator.mapping.linked_columns import own_or_linked
from migrator.mapping.location import Location
from migrator.mapping.ordering import complete_order, stated_order
from migrator.mapping.path_collisions import PathWrite, field_writes, report_collisions
from migrator.mapping.row_conditions import condition, constants
from migrator.model.mapping.policies import Policies
from migrator.model.mapping.spec import (
    CollectionSpec,
    ColumnChoice,
    EmbedSpec,
    FieldSpec,
    ThroughSpec,
    VariantsSpec,
    overlay,
)
from migrator.model.mapping.tree import Field, Join, Link, Node, Order, Shape, Variants
from migrator.model.schema.tables import Column, Table


@dataclass(frozen=True)
class BuiltNode:
    """A node, and the paths that it writes in the (sub-)document of its parent."""

    node: Node
    writes: tuple[PathWrite, ...]


@dataclass(frozen=True)
class _Content:
    """What fills a (sub-)document: fields, variants, and the paths they write."""

    fields: tuple[Field, ...]
    variants: Variants | None
    writes: tuple[PathWrite, ...]


def build_root(spec: CollectionSpec, policies: Policies, location: Location, catalog: Catalog) -> Node | None:
    """The tree of a collection; None when its table doesn't exist. Mistakes are reported."""
    table = catalog.table(spec.from_, location.at("from"))
    if table is None:
        return None
    policies = overlay(overlay(policies, spec.policies), spec)
    key = root_key(spec, table, location)
    ids, used = id_fields(spec, key, policies, location)
    specs = {name: field for name, field in _own_fields(spec.fields).items() if name not in used}
    request = FieldRequest(table, spec.columns, specs, location, policies, frozenset(column.name for column in key))
    content = _content(request, spec.variants, catalog)
    parent = ParentNode(spec.collection, table, key, policies)
    children = _children(spec.fields, spec.embed, parent, location, catalog)
    report_collisions(
        [*field_writes(ids), *content.writes, *(write for child in children for write in child.writes)],
    )
    _report_same_ids([child.node for child in children], location)
    deleted = None if spec.keeps_deleted else policies.soft_delete
    return Node(
        id=spec.collection,
        schema=table.schema,
        table=table.name,
        shape="root",
        path=(),
        key=key,
        fields=(*(placed.field for placed in ids), *content.fields),
        where=condition(spec.where, deleted, table, location, catalog),
        order=complete_order((), key, table),
        omit_null=policies.null == "omit",
        variants=content.variants,
        children=tuple(child.node for child in children),
    )


def _report_same_ids(nodes: Sequence[Node], location: Location) -> None:
    """Reports parts that have one name: plans, sync and what it marks dirty tell nodes apart by these."""
    seen: set[str] = set()
    for node in (inner for each in nodes for inner in each.walk()):
        if node.id in seen:
            message = f"two parts of the mapping are called `{node.id.partition('.')[2]}`"
            location.first("embed", "fields").report(message, "rename one of the two", at_key=True)
        seen.add(node.id)


def _own_fields(specs: Mapping[str, FieldSpec]) -> dict[str, FieldSpec]:
    """Fields whose values are the row's own."""
    return {name: spec for name, spec in specs.items() if spec.aggregate is None}


def _children(
    fields: Mapping[str, FieldSpec],
    embeds: dict[str, EmbedSpec],
    parent: ParentNode,
    location: Location,
    catalog: Catalog,
) -> list[BuiltNode]:
    """What is made of the rows below a parent's: first the fields, then what is embedded."""
    made = aggregates(fields, parent, location, catalog)
    values = [BuiltNode(node, (write,)) for node, write in made]
    built = [
        _embed(name, spec, parent, location.at("embed", name), catalog, spec.depth or 1)
        for name, spec in embeds.items()
    ]
    return [*values, *(child for child in built if child is not None)]


def _embed(
    name: str, spec: EmbedSpec, parent: ParentNode, location: Location, catalog: Catalog, levels: int
) -> BuiltNode | None:
    table = catalog.table(spec.from_, location.at("from"))
    if table is None or not _allowed_here(spec, table, parent, location):
        return None
    shape = _shape(spec)
    policies = overlay(overlay(parent.policies, spec.policies), spec)
    key = row_key(table)
    joined = _joined(spec, table, parent, policies, location, catalog)
    map_key, is_links = _map_key(spec, table, location, catalog)
    order = _order(spec, table, None if map_key is None else Order(map_key.name, from_link=is_links), location, catalog)
    content = _embedded_content(spec, shape, table, policies, location, catalog)
    me = ParentNode(f"{parent.id}.{name}", table, key, policies)
    children = _children(spec.fields, spec.embed, me, location, catalog)
    deeper = _embed(name, spec, me, location, catalog, levels - 1) if levels > 1 else None
    children += [deeper] if deeper else []
    inner = (*content.writes, *(write for child in children for write in child.writes))
    path = () if spec.flatten else tuple((spec.into or name).split("."))
    deleted = None if spec.soft_delete is False else policies.soft_delete
    if not spec.flatten:
        report_collisions(inner)
    node = Node(
        id=me.id,
        schema=table.schema,
        table=table.name,
        shape=shape,
        path=path,
        key=key,
        fields=content.fields,
        join=joined.join,
        link=joined.link,
        match=constants(spec.match, table, location, catalog),
        where=condition(spec.where, deleted, table, location, catalog),
        order=complete_order(order, key, table),
        limit=1 if _is_first(spec) else spec.limit,
        map_key=map_key,
        map_key_from_link=is_links,
        duplicates="all" if shape == "map" and spec.many else spec.on_duplicate or "reject",
        orphans=policies.orphans if shape == "one" and not spec.one else "ignore",
        omit_null=policies.null == "omit",
        flatten=spec.flatten,
        variants=content.variants,
        children=tuple(child.node for child in children),
    )
    if spec.flatten or spec.into:
        return BuiltNode(node, inner)
    return BuiltNode(node, (PathWrite(path, f"the embedded {table.name}", location),))


@dataclass(frozen=True)
class _Joined:
    """How rows come to their parents: by a join, or through a link table. Neither, where a mistake was reported."""

    join: Join | None = None
    link: Link | None = None


def _joined(
    spec: EmbedSpec, table: Table, parent: ParentNode, policies: Policies, location: Location, catalog: Catalog
) -> _Joined:
    if spec.through:
        link = _link(spec.through, table, parent, policies, location.at("through"), catalog)
        joined = _Joined(link=link)
        above = link.parent if link else None
    else:
        above = _join(spec, table, parent, location, catalog)
        joined = _Joined(join=above)
    report_unmatched(above, parent, location)
    return joined


def _order(
    spec: EmbedSpec, table: Table, by_key: Order | None, location: Location, catalog: Catalog
) -> tuple[Order, ...]:
    """The order that the mapping asks for; a map's keys are in order by themselves."""
    link_table = _link_table(spec.through, location, catalog) if spec.through else None
    stated = stated_order(spec.order_by, table, link_table, location.at("order_by"))
    if not stated and by_key is not None:
        return (by_key,)
    return stated


def _map_key(spec: EmbedSpec, table: Table, location: Location, catalog: Catalog) -> tuple[Column | None, bool]:
    """The column of a map's keys, and whether it is the link table's."""
    if _shape(spec) != "map" or not spec.key:
        return None, False
    link_table = _link_table(spec.through, location, catalog) if spec.through else None
    return own_or_linked(spec.key, table, link_table, location.at("key"))


def _shape(spec: EmbedSpec) -> Shape:
    if spec.as_ == "map":
        return "map"
    if spec.many:
        return "scalars" if spec.value is not None else "many"
    return "one"


def _is_first(spec: EmbedSpec) -> bool:
    """Whether the first of several rows is embedded."""
    return spec.one and bool(spec.order_by)


def _allowed_here(spec: EmbedSpec, table: Table, parent: ParentNode, location: Location) -> bool:
    """Whether the table may stand below its parent: not directly below itself, unless `depth` says how far.

    Further down it may come again: what is written ends.
    """
    if spec.depth is not None and table != parent.table:
        hint = f"remove `depth`: {table.name} is not embedded in itself"
        location.at("depth").report("`depth` is for a table that refers to itself", hint, at_key=True)
        return False
    if table != parent.table or spec.depth is not None:
        return True
    hint = "say how many levels are nested: `depth: 1`"
    location.at("from").report(f"{table.name} is embedded in itself, and nothing says how often", hint)
    return False


def _join(spec: EmbedSpec, table: Table, parent: ParentNode, location: Location, catalog: Catalog) -> Join | None:
    parent_holds = _shape(spec) == "one" and not spec.one
    sides = JoinSides(parent.table, table, "parent" if parent_holds else "child")
    join = find_join(sides, spec.on, location, catalog)
    if join is None or _shape(spec) != "one" or _is_first(spec):
        return join
    names = {*(column.name for column in join.child), *(name for name in spec.match)}
    if not table.is_unique(_spelled(table, names)):
        columns = ", ".join(column.name for column in join.child)
        what = "a view guarantees no" if table.is_view else f"{table.name} has no"
        message = (
            f"several rows of {table.name} may belong to one of {parent.table.name}: {what} unique key over ({columns})"
        )
        first = "`one: true` with `order_by`" if not spec.one else "`order_by`"
        hint = f"write {first} for the first of them, or `many: true` for all"
        location.at("one" if spec.one else "from").report(message, hint)
    return join


def _spelled(table: Table, names: set[str]) -> set[str]:
    folded = {name.lower() for name in names}
    return {column.name for column in table.columns if column.name.lower() in folded}


def _link(
    spec: ThroughSpec, table: Table, parent: ParentNode, policies: Policies, location: Location, catalog: Catalog
) -> Link | None:
    link = catalog.table(spec.table, location.at("table"))
    if link is None:
        return None
    near = JoinSides(parent.table, link, "child", "on")
    far = JoinSides(link, table, "parent", "to")
    deleted = None if spec.soft_delete is False else policies.soft_delete
    where = condition(spec.where, deleted, link, location, catalog)
    # Where both sides are one table, the side that is written settles the other.
    to_parent = find_join(near, spec.on, location, catalog, frozenset(spec.to or ()))
    used = frozenset(column.name for column in to_parent.child) if to_parent else frozenset[str]()
    to_child = find_join(far, spec.to, location, catalog, used)
    if to_parent is None or to_child is None:
        return None
    key = tuple(column.name for column in row_key(link)) or tuple(column.name for column in link.columns)
    return Link(link.schema, link.name, to_parent, to_child, key, where)


def _embedded_content(
    spec: EmbedSpec,
    shape: Shape,
    table: Table,
    policies: Policies,
    location: Location,
    catalog: Catalog,
) -> _Content:
    request = FieldRequest(table, spec.columns, _own_fields(spec.fields), location, policies)
    if shape in ("scalars", "map"):
        value = _value(spec, request, location, catalog)
        return _Content((value,) if value else (), None, ())
    content = _content(request, spec.variants, catalog)
    if spec.through is None:
        return content
    linked = _link_fields(spec.through, policies, location.at("through"), catalog)
    fields = (*content.fields, *(placed.field for placed in linked))
    return replace(content, fields=fields, writes=(*content.writes, *field_writes(linked)))


def _value(spec: EmbedSpec, request: FieldRequest, location: Location, catalog: Catalog) -> Field | None:
    """The plain value of `value:`, of the table or of its link table."""
    given, here = spec.value, location.at("value")
    if given is None:
        return None
    link_table = _link_table(spec.through, location, catalog) if spec.through else None
    if link_table is None or given.column is None or given.sql is not None:
        return value_field(given, request, here, catalog)
    source, is_links = own_or_linked(given.column, request.table, link_table, here.at("column"))
    if source is None:
        return None
    owner = link_table if is_links else request.table
    named = given.model_copy(update={"column": source.name})
    found = value_field(named, replace(request, table=owner), here, catalog)
    return None if found is None else replace(found, from_link=is_links)


def _link_table(spec: ThroughSpec, location: Location, catalog: Catalog) -> Table | None:
    """The link table; that it doesn't exist has been reported already."""
    return catalog.table(spec.table, Location(location.places, location.path, []))


def _link_fields(spec: ThroughSpec, policies: Policies, location: Location, catalog: Catalog) -> list[LocatedField]:
    table = _link_table(spec, location, catalog)
    if table is None:
        return []
    request = FieldRequest(table, spec.columns or ColumnChoice(only=()), spec.fields, location, policies)
    placed = select_fields(request, catalog)
    return [LocatedField(replace(item.field, from_link=True), item.location) for item in placed]


def _content(request: FieldRequest, spec: VariantsSpec | None, catalog: Catalog) -> _Content:
    in_cases = variant_columns(spec, request.table, request.location)
    for name, field in request.specs.items():
        source = field.column or name
        if source.lower() in {one.lower() for one in in_cases} and getattr(field, "sql", None) is None:
            request.location.at("fields", name).report(
                f"`{source}` is in a case of `variants`", "write the field there"
            )
    placed = select_fields(replace(request, taken=request.taken | in_cases), catalog)
    writes = field_writes(placed)
    variants = None
    if spec is not None:
        variants, by_case = select_variants(spec, request, catalog)
        writes += [write for case, items in by_case for write in field_writes(items, case)]
    return _Content(tuple(item.field for item in placed), variants, tuple(writes))

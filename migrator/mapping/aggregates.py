"""`count`, `sum`, `min`, `max`, `avg` and `exists` under `fields:`: a value that the source computes of child rows."""

from __future__ import annotations

from collections.abc import Mapping

from migrator.mapping.catalog import Catalog, column, row_key
from migrator.mapping.fields import represent_column
from migrator.mapping.joins import JoinSides, ParentNode, find_join, report_unmatched
from migrator.mapping.location import Location
from migrator.mapping.path_collisions import PathWrite
from migrator.mapping.row_conditions import condition, constants
from migrator.model.mapping.aggregates import aggregate_mistake, aggregate_result
from migrator.model.mapping.spec import FieldSpec
from migrator.model.mapping.tree import Aggregate, Field, Node


def aggregates(
    specs: Mapping[str, FieldSpec], parent: ParentNode, location: Location, catalog: Catalog
) -> list[tuple[Node, PathWrite]]:
    """The nodes of those of `specs` that are made of child rows, and what they write. Mistakes are reported."""
    found = []
    for name, spec in specs.items():
        if spec.aggregate is not None:
            here = location.at("fields", name)
            node = _aggregate(name, spec, parent, here, catalog)
            if node is not None:
                found.append((node, PathWrite(node.path, f"the {spec.aggregate} of {node.table}", here)))
    return found


def _aggregate(name: str, spec: FieldSpec, parent: ParentNode, location: Location, catalog: Catalog) -> Node | None:
    function = spec.aggregate
    assert function is not None
    here = location.at(function)
    of_rows = function in ("count", "exists")
    table_name, column_name = spec.aggregated
    if not table_name:
        here.report(f"`{function}` needs a column of a table", f"write `{function}: table.column`")
        return None
    table = catalog.table(table_name, here)
    if table is None:
        return None
    source = None if of_rows else column(table, column_name, here)
    if source is None and not of_rows:
        return None
    join = find_join(JoinSides(parent.table, table, "child", instead=""), spec.on, location, catalog)
    report_unmatched(join, parent, location)
    aggregate = Aggregate(function, source, spec.round)
    mistake = aggregate_mistake(aggregate)
    if mistake is not None:
        here.report(*mistake)
        return None
    result = aggregate_result(aggregate)
    typed = spec.model_copy(update={"type": "bool"}) if function == "exists" and spec.type is None else spec
    value = represent_column(result, typed, parent.policies, location)
    if value is None:
        return None
    if value.companion:
        message = "a computed field has no place for the microseconds of `submillisecond: companion`"
        here.report(message, "write `submillisecond: string`, or `truncate`, in the field")
        return None
    deleted = None if spec.soft_delete is False else parent.policies.soft_delete
    return Node(
        id=f"{parent.id}.{name}",
        schema=table.schema,
        table=table.name,
        shape="value",
        path=tuple(name.split(".")),
        key=row_key(table),
        fields=(Field((), result, None, value, stated_type=spec.type or ""),),
        join=join,
        match=constants(spec.match, table, location, catalog),
        where=condition(spec.where, deleted, table, location, catalog),
        aggregate=aggregate,
    )

"""A collection's tables as a tree: shape, join, how many rows, how long the longest array."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.text import Text
from rich.tree import Tree

from migrator.model.mapping.tree import Aggregate, Collection, Join, Node, Order
from migrator.model.plan.plan import CollectionMeasure, NodeMeasure
from migrator.model.text.formatting import clean, count, number, plural

_SHAPES = {"one": "one", "many": "many", "scalars": "many values", "map": "map", "root": ""}


def table_tree(collection: Collection, measure: CollectionMeasure | None) -> Tree:
    """The tree of `collection`; numbers where they were measured."""
    measures = {each.node: each for each in measure.nodes} if measure else {}
    databases = {schema for schema, _ in collection.tables}
    labels = _Labels(measures, several=len(databases) > 1)
    tree = Tree(labels.root(collection.root), guide_style="dim")
    _grow(tree, collection.root, labels)
    return tree


def _grow(tree: Tree, node: Node, labels: _Labels) -> None:
    for child in node.children:
        _grow(tree.add(labels.child(child)), child, labels)


@dataclass(frozen=True, slots=True)
class _Labels:
    """What stands at each table; with the name of its database where there are `several`."""

    measures: Mapping[str, NodeMeasure]
    several: bool

    def root(self, node: Node) -> Text:
        key = ", ".join(column.name for column in node.key) or "none, _id is a hash of the row"
        head = Text(clean(self._table(node.schema, node.table)), "bold")
        return _line(head, [f"key {key}", *_facts(node, self.measures)])

    def child(self, node: Node) -> Text:
        name = ".".join(node.path) or "(merged)"
        shape = "one, merged" if node.flatten else _computed(node.aggregate) or _SHAPES[node.shape]
        table = clean(self._table(node.schema, node.table))
        head = Text.assemble((clean(name), "bold"), (f"  {shape}  ", "cyan"), table)
        return _line(head, [self._joined(node), *_facts(node, self.measures)])

    def _joined(self, node: Node) -> str:
        if node.link is not None:
            through = self._table(node.link.schema, node.link.table)
            parts = [f"through {through} {_pairs(node.link.parent)}, {_pairs(node.link.child)}"]
        else:
            parts = [_pairs(node.join)] if node.join else []
        return ", ".join(parts + [f"{column} = '{constant}'" for column, constant in node.match])

    def _table(self, schema: str, name: str) -> str:
        return f"{schema}.{name}" if self.several else name


def _line(head: Text, facts: list[str]) -> Text:
    return head.append("  ").append(clean(", ".join(facts)), "dim")


def _computed(aggregate: Aggregate | None) -> str:
    if aggregate is None:
        return ""
    return aggregate.function if aggregate.column is None else f"{aggregate.function} of {aggregate.column.name}"


def _pairs(join: Join) -> str:
    pairs = zip(join.parent, join.child, strict=True)
    return " and ".join(f"{parent.name} = {child.name}" for parent, child in pairs)


def _facts(node: Node, measures: Mapping[str, NodeMeasure]) -> list[str]:
    facts = []
    if node.where:
        facts.append(f"where {node.where}")
    if node.limit is not None:
        facts.append(f"first {number(node.limit)} by {', '.join(_term(order) for order in node.order)}")
    if node.variants is not None:
        facts.append(f"{plural(len(node.variants.cases), 'variant')} by {node.variants.column.name}")
    found = measures.get(node.id)
    if found is not None:
        facts.append(f"{count(found.rows)} {'row' if found.rows.value == 1 else 'rows'}")
        if found.per_parent is not None and found.per_parent.measure.value:
            longest = f"longest {count(found.per_parent.measure)}"
            facts.append(f"{longest} in {found.per_parent.key}" if found.per_parent.key else longest)
    return facts


def _term(order: Order) -> str:
    return f"{order.column} desc" if order.descending else order.column

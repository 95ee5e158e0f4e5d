"""What all measuring of one collection shares: the connection, the tables' facts, and how much of each is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from migrator.model.mapping.tree import Collection, Link, Node
from migrator.model.plan.plan import Finding
from migrator.model.schema.tables import Column
from migrator.source.measuring.queries import Asker, TimeLimit
from migrator.source.measuring.row_queries import Some
from migrator.source.measuring.sampling import Sampler
from migrator.source.measuring.table_facts import TableFacts, TableKey

MANY = ("many", "scalars", "map")


@dataclass(frozen=True)
class MeasureContext:
    """A collection, and which of its tables are read as a whole.

    Attributes:
        exact: everything is counted, however long it takes.
        whole: these tables; the others are sampled.
    """

    ask: Asker
    sampler: Sampler
    collection: Collection
    facts: Mapping[TableKey, TableFacts]
    whole: frozenset[TableKey]
    exact: bool
    report: Callable[[str], None]

    def facts_of(self, node: Node) -> TableFacts:
        return self.facts[node.schema, node.table]

    def link_facts(self, link: Link) -> TableFacts:
        return self.facts[link.schema, link.table]

    def is_whole(self, facts: TableFacts) -> bool:
        return (facts.schema, facts.name) in self.whole

    def some(self, node: Node) -> Some:
        """What is looked at of a node's own table: None for all of it."""
        return self._some(self.facts_of(node), node.key)

    def some_of_link(self, link: Link) -> Some:
        """What is looked at of a link table."""
        known = {one.name: one for one in (*link.parent.child, *link.child.parent)}
        key = tuple(known[name] for name in link.key if name in known)
        return self._some(self.link_facts(link), key if len(key) == len(link.key) else ())

    def _some(self, facts: TableFacts, key: tuple[Column, ...]) -> Some:
        return None if self.is_whole(facts) else self.sampler.sample(facts, key)

    def paths(self) -> Iterator[tuple[Node, ...]]:
        """The way from the root to every node, parents first."""
        yield from _paths((self.collection.root,))


def _paths(path: tuple[Node, ...]) -> Iterator[tuple[Node, ...]]:
    yield path
    for child in path[-1].children:
        yield from _paths((*path, child))


def unchecked(where: str, reason: TimeLimit) -> Finding:
    """What to say when a question took too long: nothing is left out in silence."""
    return Finding(
        "info",
        "unchecked",
        where,
        f"took too long and was not checked: {reason}",
        "`migrator plan --exact` takes the time.",
    )

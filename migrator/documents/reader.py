"""What the assembler needs of a source: rows of one node at a time, all from one consistent snapshot."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Protocol

from migrator.model.mapping.tree import Node
from migrator.model.plan.chunk import Key, KeyRange

# Values in the order of migrator.model.mapping.row_layout.layout(node, parent), as the server prints them.
Row = tuple[bytes | None, ...]


class RowReader(Protocol):
    """A consistent snapshot of the source. One call at a time."""

    async def roots(self, root: Node, within: KeyRange, limit: int) -> list[Row]:
        """At most `limit` rows of the root table in key order, `where` applied."""
        ...

    async def roots_by_key(self, root: Node, keys: Sequence[Key]) -> list[Row]:
        """The rows that the source finds for `keys`, `where` applied. Its collation may find others than asked for."""
        ...

    def keyless(self, root: Node, some: int | None = None) -> AsyncIterator[list[Row]]:
        """All rows of a root table without a key, so ordered that rows with the same bytes follow each other; `some`
        of them, whichever are had without a look at all."""
        ...

    def children(self, node: Node, parent: Node, match: Sequence[Key]) -> AsyncGenerator[list[Row], None]:
        """Rows of `node` whose match values (see Layout.match) are in `match`, in the node's order within each match.

        May yield rows for other match values too (a range is cheaper than a list); the caller leaves them out, and
        closes the generator when it stops early.
        """
        ...

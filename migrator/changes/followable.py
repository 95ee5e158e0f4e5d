"""Whether the change log says what happens to a collection's documents."""

from __future__ import annotations

from migrator.model.mapping.tree import Collection
from migrator.model.schema.tables import Schema


def unfollowable(collection: Collection, schema: Schema) -> str:
    """Why it doesn't, "" when it does."""
    if not collection.root.key:
        return f"rows of {collection.root.qualified} have no key that names their document"
    for name in collection.tables:
        table = schema.table(*name)
        if table is not None and table.is_view:
            return f"{table.qualified} is a view, whose changes are not logged"
    return ""

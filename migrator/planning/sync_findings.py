"""What a plan says about a later sync: collections and cascades that it can follow, and at what cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from migrator.changes.cascades import Cascade, silent_cascades
from migrator.changes.followable import unfollowable
from migrator.model.mapping.tree import Collection
from migrator.model.plan.plan import Finding
from migrator.model.schema.tables import Schema
from migrator.model.text.formatting import listed, number

_CODE = "silent-cascade"


def sync_findings(schema: Schema, collections: Sequence[Collection], *, logs_cascades: bool) -> Iterator[Finding]:
    """What a sync of `collections` will leave out, track or refuse. A copy needs nothing of it.

    Args:
        logs_cascades: the server's log shows what ON DELETE CASCADE and its like change.
    """
    followed = []
    for collection in collections:
        why = unfollowable(collection, schema)
        if why:
            yield Finding("info", "not-followed", collection.name, f"sync will leave it as it was copied: {why}")
        else:
            followed.append(collection)
    if not logs_cascades:
        yield from _cascades(schema, followed)


def _cascades(schema: Schema, collections: Sequence[Collection]) -> Iterator[Finding]:
    found = silent_cascades(schema, collections)
    if found.hidden:
        yield Finding(
            "warning",
            _CODE,
            "source",
            f"foreign keys change rows without a trace in the log, and sync will refuse to start: "
            f"{'; '.join(found.hidden)}",
            "Name the database in the source URL, give the table a primary key or the account SELECT on it, or use "
            "MySQL 9.6 or later, which logs cascades.",
        )
    if found.tracked:
        costs = listed(_costs(schema, collections), most=8)
        yield Finding(
            "info",
            _CODE,
            "source",
            f"{_changed(found.tracked)}; keys of these rows will be recorded in the target, so that sync finds the "
            f"documents: {costs}, for {_named(found.tracked, schema)}",
        )
    if found.covered:
        yield Finding(
            "info",
            _CODE,
            "source",
            f"{_changed(found.covered)}; sync finds these documents by the event of the parent, "
            f"below which the rows are embedded: {_named(found.covered, schema)}",
        )


def _costs(schema: Schema, collections: Sequence[Collection]) -> Iterator[str]:
    """The tracked rows, table by table; each collection has its own."""
    counts = Counter(each.table for one in collections for each in silent_cascades(schema, [one]).tables)
    for name, count in counts.items():
        table = schema.by_name[name]
        shown = table.name if table.schema == schema.default else table.qualified
        times = f", for each of {count} collections" if count > 1 else ""
        yield f"{shown} (~{number(table.rows)} rows{times})"


def _changed(cascades: Sequence[Cascade]) -> str:
    subject = (
        "1 cascading foreign key changes" if len(cascades) == 1 else f"{len(cascades)} cascading foreign keys change"
    )
    return f"{subject} rows without a trace in the log"


def _named(cascades: Sequence[Cascade], schema: Schema) -> str:
    def name(cascade: Cascade) -> str:
        return cascade.shown if cascade.child[0] == schema.default else f"{cascade.child[0]}.{cascade.shown}"

    return listed(map(name, cascades), most=8)

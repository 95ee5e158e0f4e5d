"""Whether anything was written after a position: the log shows what a fence must prevent."""

from __future__ import annotations

from collections.abc import Sequence

from migrator.changes.cascades import silent_cascades
from migrator.changes.watches import watches
from migrator.model.change.events import CaughtUp, Commit, Rows, Statement, Truncate
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection, tables_of
from migrator.ports.sync import SyncableSource


def written_after(source: SyncableSource, position: Position, collections: Sequence[Collection]) -> str:
    """The first write to a table of these collections after `position`, "" when there is none up to now.

    Raises:
        SyncBlocked, SourceUnavailable: when the log can't be read.
    """
    schema = source.schema(tables_of(collections))
    watched = watches(schema, collections, [silent_cascades(schema, collections)])
    with source.follow(position, watched) as log:
        for event in log.events():
            match event:
                case Rows() if event.changes:
                    return f"{len(event.changes)} changed in {'.'.join(event.table)}"
                case Truncate():
                    return f"{'.'.join(event.table)} was emptied"
                case Statement() if any(name[1].lower() in event.text.lower() for name in watched):
                    return " ".join(event.text.split())[:200]
                case CaughtUp():
                    return ""
                case Rows() | Statement() | Commit():
                    continue
    return ""

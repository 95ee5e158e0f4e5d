"""Keeps the mappings of the followed collections in step with their tables, which statements in the log alter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from migrator.changes.document_refs import everything
from migrator.errors import SyncBlocked
from migrator.model.change.coordinates import shown
from migrator.model.change.events import Scope, TableName
from migrator.model.change.position import Position
from migrator.model.mapping.tree import Collection, tables_of
from migrator.ports.sync import SyncableSource
from migrator.renewal.renew import Renewal
from migrator.sync.change_handler import ChangeHandler
from migrator.sync.known_tables import KnownDefinitions
from migrator.sync.renewals import RenewalHandler, reason
from migrator.workers.announcer import Announcer
from migrator.workers.retry import RetryingCall


class SchemaWatch:
    """Attributes:
    tables: what the tables look like where the log is being read, and now.
    """

    def __init__(
        self,
        source: SyncableSource,
        tables: KnownDefinitions,
        collections: Mapping[Scope, Collection],
        handler: ChangeHandler,
        renewals: RenewalHandler,
        patience: RetryingCall,
        announcer: Announcer,
    ) -> None:
        self.tables = tables
        self._source = source
        self._collections = dict(collections)
        self._handler = handler
        self._renewals = renewals
        self._patience = patience
        self._announcer = announcer

    def open(self, positions: Mapping[Scope, Position], reached: Position) -> None:
        """Reads the tables, and renews the mappings whose tables were altered.

        Args:
            positions: where the collections stand.
            reached: the earliest of them.

        Raises:
            SyncBlocked: when a mapping can't be kept up.
        """
        self.read()
        self.tables.begin(positions)
        self.renew(reached)
        # Renewals that a crash interrupted, and whose reason is gone.
        for scope, collection in self._collections.items():
            self._patience(partial(self._renewals.settle, scope, collection))

    @property
    def collections(self) -> Mapping[Scope, Collection]:
        """With the columns of their last renewal."""
        return self._collections

    def read(self, settled: Sequence[TableName] = ()) -> None:
        """Reads the tables as they are now, which may be later than the event at hand.

        Args:
            settled: of these a statement was read from the log: what it did is to be seen.
        """
        with self._announcer.waiting("the definitions of the tables", self._source.blocked):
            self.tables.read(tables_of(self._collections.values()), settled)

    def rewritten(self, scopes: Sequence[Scope], text: str, coordinates: tuple[int, int]) -> list[Scope]:
        """Those of `scopes` whose documents a statement may have changed without row events.

        Args:
            coordinates: after the statement.
        """
        return [scope for scope in scopes if self.tables.rewritten(text, coordinates, self._collections[scope])]

    def renew(self, reached: Position, rewritten: Sequence[Scope] = (), text: str = "") -> None:
        """Renews the mappings whose tables are others now.

        Args:
            reached: how far the log was read, for the message.
            rewritten: rows of these may have changed without events.
            text: of the statement that did it, as far as it is known.

        Raises:
            SyncBlocked: when a mapping can't be kept up.
        """
        renewals = {scope: self.tables.renewal(collection) for scope, collection in self._collections.items()}
        for scope, renewal in renewals.items():
            if renewal.obstacles:
                raise _misfit(scope, renewal, text, reached)
        for scope, renewal in renewals.items():
            before = self._collections[scope]
            all_ = everything(before) if scope in rewritten or renewal.changes_documents else ()
            if renewal.collection != before:
                self._patience(partial(self._renewals.renew, scope, before, renewal, all_))
                self._collections[scope] = renewal.collection
                self._handler.renew(scope, renewal.collection)
            elif all_:
                self._patience(partial(self._handler.mark_dirty, scope, all_, reason(renewal)))


def _misfit(scope: Scope, renewal: Renewal, text: str, position: Position) -> SyncBlocked:
    said = f" ({' '.join(text.split())[:200]})" if text else ""
    return SyncBlocked(
        f"the mapping no longer fits the tables{said}: {'; '.join(renewal.obstacles)}",
        where=f"{scope.collection}, log at {shown(position)}",
        hint="Make the mapping fit and run `migrator apply`, which rebuilds it; then start sync again.",
    )

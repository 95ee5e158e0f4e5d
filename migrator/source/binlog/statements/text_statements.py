"""Statements that were logged as text: which of them can't have changed rows of watched tables."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from migrator.model.change.events import TableName, Watch
from migrator.model.change.position import ServerIdentity
from migrator.source.binlog.events.packets import Query
from migrator.source.binlog.positions.cursor import Cursor
from migrator.source.binlog.statements.affected_tables import looked_for, may_concern
from migrator.source.binlog.statements.identifiers import names_of
from migrator.source.binlog.statements.lookahead import Lookahead
from migrator.source.binlog.statements.server_catalog import ServerCatalog
from migrator.source.connection.failure import translated
from migrator.source.connection.url import SourceUrl

_MOST_KNOWN = 1000


class TextStatements:
    """Answers for the server as it was when each statement was logged.

    The definitions are those of now. Where something was removed since, which the log tells, the answer is that it
    can't be told.
    """

    def __init__(self, url: SourceUrl, server: ServerIdentity, control: Connection) -> None:
        """`control` is used while `way_to_watched` runs."""
        self._url = url
        self._server = server
        self._control = control
        self._lookahead = Lookahead(url, server, control)
        # By what statements name: those that reach nothing that is watched.
        self._harmless: set[frozenset[TableName]] = set()

    def way_to_watched(self, query: Query, watches: Mapping[TableName, Watch], event_end: Cursor) -> str:
        """How a statement that changes rows may have changed those of a watched table, or why that can't be told; ""
        when it has not.

        Args:
            event_end: where in the log its event ends.

        Raises:
            SourceError, SourceUnavailable: when the server can't be asked.
        """
        names = names_of(query)
        if names is None:
            return "it can't be determined which tables it names"
        if names in self._harmless:
            return ""
        with translated(self._url):
            known = ServerCatalog(self._control, self._server)
            if not known.sees_everything():
                return (
                    "which triggers and keys lead from the tables that it names to these, only an account with SELECT"
                    " and TRIGGER on *.* can tell"
                )
            if not known.keeps_case and not all(part.isascii() for name in names for part in name):
                return "without the case of letters, names of other than ASCII's can't be compared"
            search = looked_for(names, list(watches.values()), known)
        if search.way:
            return search.way
        # Read after the definitions: what was removed before they were read is in the log by now.
        for removal in self._lookahead.removals_since(event_end.file, event_end.offset):
            if may_concern(removal, search, known):
                return f"definitions were changed since: {' '.join(removal.text.split())[:200]}"
        if len(self._harmless) >= _MOST_KNOWN:
            self._harmless.clear()
        self._harmless.add(names)
        return ""

    def forget(self) -> None:
        """Definitions, or what is watched, may be others from here on."""
        self._harmless.clear()

    def interrupt(self) -> None:
        """From another thread: `way_to_watched` ends with SourceUnavailable where it waits for the log."""
        self._lookahead.interrupt()

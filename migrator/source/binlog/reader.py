"""The change log as whole transactions of watched tables. Implements ports.sync.LogReader."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Protocol

from migrator.errors import LogLost, SyncBlocked
from migrator.model.change.events import (
    CaughtUp,
    Commit,
    LogEvent,
    RolledBack,
    RowChange,
    Rows,
    Statement,
    TableName,
    Truncate,
    Watch,
)
from migrator.model.change.position import Position, ServerIdentity
from migrator.source.binlog.events import packets
from migrator.source.binlog.events.compressed import PLAIN_ROWS, plain_query, plain_rows
from migrator.source.binlog.events.packets import IGNORABLE, Corrupt, Event, Kind
from migrator.source.binlog.events.stream import LogStream
from migrator.source.binlog.events.transaction_payload import events_inside
from migrator.source.binlog.positions.cursor import Cursor
from migrator.source.binlog.positions.gtids import GtidState
from migrator.source.binlog.positions.log_start import AGAIN
from migrator.source.binlog.rows.column_values import Charsets, refusal
from migrator.source.binlog.rows.last_changed_row import LastChangedRow, PositionWithRow
from migrator.source.binlog.rows.table_map import UnknownType, table_id, table_map, table_name
from migrator.source.binlog.rows.watched_table import WatchedTable, blocked_column
from migrator.source.binlog.statements import identifiers, statement_kinds
from migrator.source.binlog.statements.statement_kinds import Role

# Takes an event with its header, and parsed.
Handler = Callable[[bytes, Event], Iterable[LogEvent]]

_NO_FOREIGN_KEY_CHECKS = 2  # among a rows event's flags
_NO_TABLE = 0xFFFFFF  # of a rows event that only ends a statement

# These change no row and end no transaction.
_MEANINGLESS = frozenset(
    (
        Kind.STOP,
        Kind.INTVAR,
        Kind.RAND,
        Kind.USER_VAR,
        Kind.APPEND_BLOCK,
        Kind.DELETE_FILE,
        Kind.BEGIN_LOAD_QUERY,
        Kind.IGNORABLE,
        Kind.ROWS_QUERY,
        Kind.PREVIOUS_GTIDS,
        Kind.TRANSACTION_CONTEXT,
        Kind.VIEW_CHANGE,
        Kind.MARIADB_ANNOTATE_ROWS,
        Kind.MARIADB_BINLOG_CHECKPOINT,
        Kind.MARIADB_GTID_LIST,
        Kind.MARIADB_START_ENCRYPTION,
    )
)
_ROWS = (
    Kind.WRITE_ROWS_V1,
    Kind.UPDATE_ROWS_V1,
    Kind.DELETE_ROWS_V1,
    Kind.WRITE_ROWS,
    Kind.UPDATE_ROWS,
    Kind.DELETE_ROWS,
)
# What a compressed transaction never holds: events of files and streams, and another one.
_NEVER_INSIDE = frozenset(
    (
        Kind.ROTATE,
        Kind.FORMAT_DESCRIPTION,
        Kind.HEARTBEAT,
        Kind.HEARTBEAT_V2,
        Kind.GTID,
        Kind.TAGGED_GTID,
        Kind.ANONYMOUS_GTID,
        Kind.TRANSACTION_PAYLOAD,
    )
)


class StatementJudge(Protocol):
    """Which statements that were logged as text are of no concern; see text_statements.TextStatements."""

    def way_to_watched(self, query: packets.Query, watches: Mapping[TableName, Watch], event_end: Cursor) -> str: ...

    def forget(self) -> None: ...

    def interrupt(self) -> None: ...


class BinlogReader:
    """Attributes:
    ended: whether the place given is the log's end; asked when the server has had nothing to send for a second.
    text_statements: judges those that name a watched table's name.
    """

    def __init__(
        self,
        stream: LogStream,
        server: ServerIdentity,
        start: Position,
        gtids: GtidState,
        *,
        ended: Callable[[str, int], bool],
        charsets: Callable[[Iterable[Watch]], Charsets],
        text_statements: StatementJudge,
        skip: int = 0,
        locks_rows: bool = False,
    ) -> None:
        self._stream = stream
        self._server = server
        self._gtids = gtids
        self._ended = ended
        self._load_charsets = charsets
        self._text_statements = text_statements
        self._charsets: Charsets = {}
        self._wanted: Mapping[TableName, Watch] = {}
        self._watches: Mapping[TableName, Watch] = {}
        # Table maps by the number that rows events name, and what is known of each.
        self._announced: dict[int, bytes] = {}
        self._maps: dict[bytes, WatchedTable | None] = {}
        self._checksum = packets.CHECKSUM_BYTES
        self._start = start
        self._cursor = Cursor(stream.file, stream.offset)
        self._skip = (start.file, skip) if skip else None
        self._locks_rows = locks_rows
        self._touched: LastChangedRow | None = None
        # Of the transaction that is being read:
        self._open = False
        self._rows_seen = False
        self._harmless_xa: set[str] = set()
        self._xid = ""
        self._handlers: dict[int, Handler] = {
            Kind.ROTATE: self._rotate,
            Kind.FORMAT_DESCRIPTION: self._format,
            Kind.HEARTBEAT: self._heartbeat,
            Kind.HEARTBEAT_V2: self._heartbeat,
            Kind.GTID: self._mysql_gtid,
            Kind.TAGGED_GTID: self._tagged_gtid,
            Kind.ANONYMOUS_GTID: self._anonymous,
            Kind.MARIADB_GTID: self._mariadb_gtid,
            Kind.QUERY: self._query,
            Kind.EXECUTE_LOAD_QUERY: self._load_query,
            Kind.XID: self._xid_commit,
            Kind.TABLE_MAP: self._table_map,
            Kind.XA_PREPARE: self._xa_prepare,
            Kind.PARTIAL_UPDATE_ROWS: self._partial_rows,
            Kind.TRANSACTION_PAYLOAD: self._payload,
            Kind.MARIADB_QUERY_COMPRESSED: self._compressed_query,
            **dict.fromkeys(_ROWS, self._rows),
            **dict.fromkeys(PLAIN_ROWS, self._compressed_rows),
            **dict.fromkeys(_MEANINGLESS, self._nothing),
        }

    def watch(self, watches: Mapping[TableName, Watch]) -> None:
        """Implements LogReader.watch. Raises SyncBlocked for columns whose values can't be had from the log."""
        self._charsets = self._load_charsets(watches.values())
        for one in watches.values():
            for name in one.columns:
                reason = refusal(one.table.by_name[name], self._charsets)
                if reason is not None:
                    raise blocked_column(one, name, reason)
        self._wanted = dict(watches)
        self._watches = {name: _with_key(one) for name, one in watches.items()} if self._locks_rows else self._wanted
        self._maps.clear()
        self._text_statements.forget()

    @property
    def reached(self) -> Position:
        """Implements LogReader.reached.

        A GTID is part of the set as soon as its transaction begins. On MariaDB the offset is after the event, and
        snapshots are of places between transactions. Without GTIDs the last row that was changed is named too.
        """
        position = self._position()
        if not self._locks_rows:
            return position
        return PositionWithRow(position.server, "", position.file, position.offset, "log", self._touched)

    def events(self) -> Iterator[LogEvent]:
        """Implements LogReader.events."""
        while True:
            data = self._stream.next()
            event = packets.parse_event(data, self._checksum)
            handler = self._handler(event)
            self._cursor.pass_by(event)
            if self._skip is not None:
                # What comes before the position is done. Only the row that it changed last may matter.
                for _ in handler(data, event):
                    pass
                if self._cursor.is_at_least(*self._skip):
                    self._skip = None
                continue
            yield from handler(data, event)

    def interrupt(self) -> None:
        """Implements LogReader.interrupt."""
        self._text_statements.interrupt()
        self._stream.interrupt()

    def _handler(self, event: Event) -> Handler:
        handler = self._handlers.get(event.kind)
        if handler is None and not event.flags & IGNORABLE:
            raise self._blocked(f"an event of the unknown type {event.kind}", AGAIN)
        return handler or self._nothing

    # --- where we are ---

    def _position(self) -> Position:
        is_after_start = self._cursor.is_at_least(self._start.file, self._start.offset)
        furthest = self._cursor if is_after_start else self._start
        file, offset = furthest.file, furthest.offset
        return Position(self._server, self._gtids.text, file, offset, "log")

    def _blocked(self, what: str, hint: str) -> SyncBlocked:
        return LogLost(f"the change log can't be followed: {what}", where=str(self._cursor), hint=hint)

    def _rotate(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        if event.at:
            # A restarted server counts its tables from the start.
            self._announced.clear()
            self._maps.clear()
        return ()

    def _format(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        self._checksum = packets.checksum_bytes(data)
        return ()

    def _heartbeat(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        # A server that skips transactions which we have sends heartbeats too, far from the end.
        if not self._open and self._ended(self._cursor.file, self._cursor.offset):
            yield CaughtUp(self._position())

    # --- transactions ---

    def _begin(self, gtid: str | None, *, standalone: bool = False) -> Iterable[LogEvent]:
        if gtid is not None:
            self._gtids.add(gtid)
        self._open = not standalone and self._server.flavor == "mariadb"
        self._rows_seen = False
        self._xid = ""
        return ()

    def _mysql_gtid(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        return self._begin(packets.mysql_gtid(event.body))

    def _tagged_gtid(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        try:
            return self._begin(packets.tagged_gtid(event.body))
        except ValueError as error:
            raise self._blocked(f"a tagged GTID can't be read: {error}", AGAIN) from None

    def _anonymous(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        if not self._locks_rows:
            raise self._blocked("a transaction without GTID: gtid_mode was changed", AGAIN)
        return self._begin(None)

    def _mariadb_gtid(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        found = packets.mariadb_gtid(data, event.body)
        return self._begin(found.gtid, standalone=found.standalone)

    def _commit(self, event: Event) -> Iterator[LogEvent]:
        self._open = False
        yield Commit(self._position(), float(event.at))

    def _xid_commit(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        return self._commit(event)

    def _xa_prepare(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        is_one_phase = event.body[0] != 0
        if not is_one_phase:
            if self._rows_seen:
                raise self._blocked(
                    "an XA transaction was prepared: its rows are logged before it is decided",
                    f"Have the applications commit without XA, or wait until XA RECOVER is empty. Then {AGAIN}",
                )
            self._harmless_xa.add(self._xid)
        return self._commit(event)

    # --- compressed events ---

    def _payload(self, data: bytes, event: Event) -> Iterator[LogEvent]:
        """MySQL's compressed transaction. The position after it is that of all events inside."""
        is_over = False
        with self._unpacking():
            for inside in events_inside(data, self._stream.rest(), self._checksum):
                found = packets.parse_event(inside, 0)
                if is_over or found.kind in _NEVER_INSIDE:
                    place = "after the end of" if is_over else "in"
                    raise self._blocked(f"an event of type {found.kind} stands {place} a compressed transaction", AGAIN)
                for one in self._handler(found)(inside, found):
                    is_over = is_over or isinstance(one, Commit)
                    yield one

    def _compressed_query(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        with self._unpacking():
            body = plain_query(event.body)
        return self._statement(packets.query(body), event)

    def _compressed_rows(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        if self._table(event) is None:
            return ()
        kind = PLAIN_ROWS[Kind(event.kind)]
        with self._unpacking():
            body = plain_rows(kind, event.body)
        return self._rows(data, replace(event, kind=kind, body=body))

    @contextmanager
    def _unpacking(self) -> Iterator[None]:
        try:
            yield
        except Corrupt as error:
            raise self._blocked(f"a compressed event can't be read: {error}", AGAIN) from error

    # --- statements ---

    def _query(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        return self._statement(packets.query(event.body), event)

    def _load_query(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        return self._statement(packets.query(event.body, is_load=True), event)

    def _statement(self, query: packets.Query, event: Event) -> Iterator[LogEvent]:
        statement = statement_kinds.bare(query.text)
        match statement_kinds.role(statement):
            case Role.BEGIN:
                self._open = True
            case Role.COMMIT:
                yield from self._commit(event)
            case Role.SAVEPOINT:
                pass
            case Role.ROLLBACK_TO:
                yield from self._rolled_back()
            case Role.ROLLBACK:
                yield from self._rolled_back()
                yield from self._commit(event)
            case Role.XA_START | Role.XA_END:
                # MariaDB logs the end only.
                self._open, self._xid = True, statement_kinds.xid(statement)
            case Role.XA_DECIDED:
                self._decided(statement)
                yield from self._commit(event)
            case Role.ROWS:
                self._require_elsewhere(query)
                yield from self._after(event)
            case Role.CALL:
                self._require_unwatched(query, list(self._watches))
                yield from self._after(event)
            case Role.TRUNCATE:
                for table in statement_kinds.truncated(query, self._watches):
                    yield Truncate(table)
                yield from self._commit(event)
            case Role.OTHER:
                yield from self._definition(query, statement, event)

    def _rolled_back(self) -> Iterator[LogEvent]:
        if self._rows_seen:
            yield RolledBack()

    def _definition(self, query: packets.Query, statement: str, event: Event) -> Iterator[LogEvent]:
        if not statement_kinds.keeps_definitions(statement):
            self._text_statements.forget()
        if statement_kinds.opens_transaction(statement):
            self._open = True
        else:
            self._require_unwatched(query, statement_kinds.filled(query, self._watches))
        for table in statement_kinds.exchanged(query, self._watches):
            yield Truncate(table)
        # A table of the same name in another database is no concern of anybody here.
        if identifiers.may_name(query, self._watches):
            yield Statement(query.database, query.text)
        yield from self._after(event)

    def _after(self, event: Event) -> Iterator[LogEvent]:
        """A statement outside a transaction is one of its own."""
        if not self._open:
            yield from self._commit(event)

    def _decided(self, statement: str) -> None:
        name = statement_kinds.xid(statement)
        if name not in self._harmless_xa:
            raise self._blocked(
                f"an XA transaction was decided that was prepared before: {statement[:200]}",
                f"Its rows are not in the log after the position. {AGAIN}",
            )
        self._harmless_xa.discard(name)

    def _require_elsewhere(self, query: packets.Query) -> None:
        """A table of a watched one's name in another database is of no concern, if nothing leads from there to here."""
        mentioned = statement_kinds.mentioned(query, self._watches)
        if mentioned:
            way = self._text_statements.way_to_watched(query, self._watches, self._cursor)
            self._require_unwatched(query, mentioned if way else [], way)

    def _require_unwatched(self, query: packets.Query, tables: list[TableName], way: str = "") -> None:
        if tables:
            names = ", ".join(".".join(table) for table in tables[:5])
            raise self._blocked(
                f"rows of {names} may have been changed by a statement that was logged as text: {query.text[:200]}"
                f"{f' ({way})' if way else ''}",
                "A session has binlog_format = STATEMENT or MIXED: SET GLOBAL binlog_format = 'ROW'; and look for "
                f"sessions that set it for themselves. Then {AGAIN}",
            )

    # --- rows ---

    def _table_map(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        self._announced[table_id(event.body)] = event.body
        return ()

    def _table(self, event: Event) -> WatchedTable | None:
        """The table of a rows event, None for one that is not watched."""
        number = table_id(event.body)
        body = self._announced.get(number)
        if body is None:
            if number == _NO_TABLE:
                return None
            raise self._blocked("rows of a table that was not announced", AGAIN)
        if body not in self._maps:
            self._maps[body] = self._known(body)
        return self._maps[body]

    def _known(self, body: bytes) -> WatchedTable | None:
        name, _ = table_name(body)
        watch = self._watches.get(name)
        if watch is None:
            return None
        try:
            with self._placed():
                return WatchedTable.of(watch, table_map(body), self._charsets)
        except UnknownType as error:
            raise self._blocked(f"{'.'.join(name)}: {error}", AGAIN) from None

    def _rows(self, data: bytes, event: Event) -> Iterator[LogEvent]:
        table = self._table(event)
        if table is None:
            return
        self._rows_seen = True
        cascades = not int.from_bytes(event.body[6:8], "little") & _NO_FOREIGN_KEY_CHECKS
        with self._placed():
            for changes in table.changes(event.kind, event.body):
                if self._locks_rows:
                    changes = self._touch(table.watch, changes)
                yield Rows(table.watch.name, changes, cascades)

    @contextmanager
    def _placed(self) -> Iterator[None]:
        """What a table's events stop for says where in the log they are."""
        try:
            yield
        except (LogLost, SyncBlocked) as stop:
            stop.where = f"{stop.where}, log at {self._cursor}"
            raise

    def _touch(self, watch: Watch, changes: tuple[RowChange, ...]) -> tuple[RowChange, ...]:
        """Records the last row's key, which is read in addition to the wanted columns."""
        width = len(self._wanted[watch.name].columns)
        last = changes[-1].after or changes[-1].before or ()
        key = tuple(part or b"" for part in last[width:])  # never NULL
        self._touched = LastChangedRow(watch.table, watch.columns[width:], key)
        return tuple(RowChange(one.before and one.before[:width], one.after and one.after[:width]) for one in changes)

    def _partial_rows(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        if self._table(event) is not None:
            raise self._blocked(
                "JSON columns are logged as differences (binlog_row_value_options = PARTIAL_JSON)",
                f"SET GLOBAL binlog_row_value_options = ''; and have the applications reconnect. Then {AGAIN}",
            )
        return ()

    def _nothing(self, data: bytes, event: Event) -> Iterable[LogEvent]:
        return ()


def _with_key(watch: Watch) -> Watch:
    """With the columns that name a row, after the wanted ones.

    Raises:
        SyncBlocked: when the table has no key.
    """
    keys = watch.table.unique_keys
    if not keys:
        raise SyncBlocked(
            "the table has no key and the server no GTIDs, so whether a snapshot contains its changes is unknown",
            where=watch.table.qualified,
            hint="Turn on gtid_mode, or give the table a primary key.",
        )
    return replace(watch, columns=(*watch.columns, *keys[0]))

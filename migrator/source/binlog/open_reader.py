"""Opening the change log at a position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection

from migrator.errors import SyncBlocked
from migrator.model.change.coordinates import log_coordinates
from migrator.model.change.events import TableName, Watch
from migrator.model.change.position import Position
from migrator.model.schema.tables import Column
from migrator.source.binlog.events.stream import open_stream
from migrator.source.binlog.positions.gtids import GtidState, MariaDBGtids, MySQLGtids, NoGtids
from migrator.source.binlog.positions.log_start import log_start, read_end, uses_gtids
from migrator.source.binlog.reader import BinlogReader
from migrator.source.binlog.rows.column_values import Charsets, foreign_charset
from migrator.source.binlog.statements.text_statements import TextStatements
from migrator.source.connection.connect import engine
from migrator.source.connection.failure import translated, translated_login
from migrator.source.connection.url import SourceUrl


@contextmanager
def follow(url: SourceUrl, position: Position, watches: Mapping[TableName, Watch]) -> Iterator[BinlogReader]:
    """A reader that starts at `position`, over two connections: the log's, and one for queries.

    Raises:
        SyncBlocked: when the position is of another server or no longer in its log, or a watched column can't be read.
        SourceError, SourceUnavailable: when there is no way in.
    """
    with _asking(url) as control:
        start = log_start(control, position, url)
        numbered = uses_gtids(control, position.server)
        if not numbered:
            _require_ordered_commits(control, url)

        def ended(file: str, offset: int) -> bool:
            with translated(url):
                end = read_end(control, position.server)
            return log_coordinates(file, offset) >= log_coordinates(end.file, end.offset)

        def charsets(wanted: Iterable[Watch]) -> Charsets:
            with translated(url):
                return _charsets(control, wanted)

        with open_stream(url, position.server, start) as stream:
            reader = BinlogReader(
                stream,
                position.server,
                position,
                _gtids(position, numbered=numbered),
                ended=ended,
                charsets=charsets,
                text_statements=TextStatements(url, position.server, control),
                skip=start.skip,
                locks_rows=not numbered,
            )
            reader.watch(watches)
            yield reader


@contextmanager
def _asking(url: SourceUrl) -> Iterator[Connection]:
    """A connection as of `connect.connected`, whose end says nothing: the server may have gone while it was idle."""
    with translated_login(url):
        connection = engine(url).connect()
    try:
        with translated(url):
            yield connection
    finally:
        connection.invalidate()
        connection.close()


def _gtids(position: Position, *, numbered: bool) -> GtidState:
    if not numbered:
        return NoGtids()
    return MariaDBGtids(position.gtid) if position.server.flavor == "mariadb" else MySQLGtids(position.gtid)


def _require_ordered_commits(control: Connection, url: SourceUrl) -> None:
    """Without GTIDs a snapshot waits for the lock of the row that was changed last: it must be the last to be freed."""
    if not control.exec_driver_sql("SELECT @@GLOBAL.binlog_order_commits").scalar():
        raise SyncBlocked(
            "binlog_order_commits is OFF, and the server has no GTIDs: it can't be determined what a snapshot contains",
            where=url.place,
            hint="SET GLOBAL binlog_order_commits = ON; or turn on gtid_mode.",
        )


def _charsets(control: Connection, watches: Iterable[Watch]) -> Charsets:
    """What each byte of single-byte character sets is in UTF-8, by the server's own conversion."""
    names = {foreign_charset(column) for watch in watches for column in _columns(watch)} - {None}
    found: dict[str, tuple[bytes, ...]] = {}
    for name in sorted(filter(None, names)):
        width = control.exec_driver_sql(
            "SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = %s", (name,)
        ).scalar()
        if width != 1:
            continue
        bytes_ = ", ".join(f"HEX(CONVERT(_{name} x'{byte:02x}' USING utf8mb4))" for byte in range(256))
        found[name] = tuple(bytes.fromhex(str(text)) for text in control.exec_driver_sql(f"SELECT {bytes_}").one())
    return found


def _columns(watch: Watch) -> Iterator[Column]:
    """The wanted columns, as each known definition of the table has them."""
    for table in (watch.table, *watch.others):
        yield from (table.by_name[name] for name in watch.columns if name in table.by_name)

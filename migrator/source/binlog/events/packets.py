"""Events as bytes: the fields that are needed of them, whatever else they hold. Pure.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_replication_binlog_event.html
https://mariadb.com/kb/en/replication-protocol/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from struct import Struct
from uuid import UUID

CHECKSUM_BYTES = 4
ARTIFICIAL = 0x20  # made by the server for this connection, not in the log
IGNORABLE = 0x80  # may be skipped by who doesn't know it

_HEADER = Struct("<IBIIIH")
HEADER_BYTES = _HEADER.size
_QUERY = Struct("<IIBHH")
_MARIADB_GTID = Struct("<QIB")


class Kind(IntEnum):
    """Types of events that have a meaning here, and those that are known to have none."""

    QUERY = 2
    STOP = 3
    ROTATE = 4
    INTVAR = 5
    APPEND_BLOCK = 9
    DELETE_FILE = 11
    RAND = 13
    USER_VAR = 14
    FORMAT_DESCRIPTION = 15
    XID = 16
    BEGIN_LOAD_QUERY = 17
    EXECUTE_LOAD_QUERY = 18
    TABLE_MAP = 19
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    INCIDENT = 26
    HEARTBEAT = 27
    IGNORABLE = 28
    ROWS_QUERY = 29
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    GTID = 33
    ANONYMOUS_GTID = 34
    PREVIOUS_GTIDS = 35
    TRANSACTION_CONTEXT = 36
    VIEW_CHANGE = 37
    XA_PREPARE = 38
    PARTIAL_UPDATE_ROWS = 39
    TRANSACTION_PAYLOAD = 40
    HEARTBEAT_V2 = 41
    TAGGED_GTID = 42
    MARIADB_ANNOTATE_ROWS = 160
    MARIADB_BINLOG_CHECKPOINT = 161
    MARIADB_GTID = 162
    MARIADB_GTID_LIST = 163
    MARIADB_START_ENCRYPTION = 164
    MARIADB_QUERY_COMPRESSED = 165
    MARIADB_WRITE_ROWS_COMPRESSED_V1 = 166
    MARIADB_UPDATE_ROWS_COMPRESSED_V1 = 167
    MARIADB_DELETE_ROWS_COMPRESSED_V1 = 168
    MARIADB_WRITE_ROWS_COMPRESSED = 169
    MARIADB_UPDATE_ROWS_COMPRESSED = 170
    MARIADB_DELETE_ROWS_COMPRESSED = 171


class Corrupt(Exception):
    """An event contradicts itself: what it holds can't be told."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        at: when it was logged, seconds since 1970; 0 for what the server makes for this connection.
        kind: a Kind, or a number that is none.
        end: offset after it in its file, the low 32 bits; 0 where there is none.
        body: what follows the header, without checksum.
    """

    at: int
    kind: int
    end: int
    flags: int
    body: bytes


def parse_event(data: bytes, checksum: int) -> Event:
    """An event as it is in a packet after the OK byte; `checksum` is how many bytes of it are at its end."""
    at, kind, _, size, end, flags = _HEADER.unpack_from(data)
    return Event(at, kind, end, flags, data[HEADER_BYTES : size - checksum])


def kind_of(data: bytes) -> int | None:
    """The kind of an event of which at least the header is there; None for what is too short to be one."""
    return data[4] if len(data) >= HEADER_BYTES else None


def size_of(data: bytes) -> int:
    """How many bytes an event says it has, header and checksum among them."""
    return int.from_bytes(data[9:13], "little")


def checksum_bytes(data: bytes) -> int:
    """Of a FORMAT_DESCRIPTION event with its header: how many bytes of checksum the events of its file end with.

    The algorithm's number stands before the checksum, for which this event itself has room in any case. Each file has
    its own: asking the server what it writes now would be wrong for older files.
    """
    return CHECKSUM_BYTES if data[-CHECKSUM_BYTES - 1] == 1 else 0


def rotation(body: bytes) -> tuple[str, int]:
    """File and offset where the log goes on."""
    return body[8:].decode(), int.from_bytes(body[:8], "little")


@dataclass(frozen=True, slots=True)
class Query:
    """A statement, with the default database it ran in.

    Attributes:
        sql_mode: the session's, as bits; None where the event doesn't say it.
        charset: the number of a collation of the statement's own character set; None as before.
    """

    database: str
    text: str
    sql_mode: int | None = None
    charset: int | None = None


def query(body: bytes, *, is_load: bool = False) -> Query:
    """Of a QUERY or EXECUTE_LOAD_QUERY event.

    Status variables are skipped by their length: newer servers have some that nobody else knows.
    """
    start, end = _database(body, is_load=is_load)
    status = _StatusVariables(body[_QUERY.size + (13 if is_load else 0) : start])
    return Query(
        body[start:end].decode(errors="replace"),
        body[end + 1 :].decode(errors="replace"),
        status.number(_SQL_MODE),
        status.number(_CHARSET),
    )


def statement_at(body: bytes) -> int:
    """Where in a QUERY event the statement begins."""
    return _database(body, is_load=False)[1] + 1


# Status variables of a QUERY event that are looked at, and what stands before them: servers write them in this order.
_FLAGS, _SQL_MODE, _CATALOG, _AUTO_INCREMENT, _CHARSET, _, _CATALOG_WITHOUT_END = range(7)
_STATUS_WIDTHS = {_FLAGS: 4, _SQL_MODE: 8, _AUTO_INCREMENT: 4, _CHARSET: 6}
_STATUS_NUMBERS = {_SQL_MODE: 8, _CHARSET: 2}


class _StatusVariables:
    """Status variables up to the first one that is none of those."""

    def __init__(self, data: bytes) -> None:
        self._found: dict[int, int] = {}
        at = 0
        while at + 1 < len(data):
            kind = data[at]
            if kind in _STATUS_WIDTHS:
                width = _STATUS_WIDTHS[kind]
                self._found[kind] = int.from_bytes(data[at + 1 : at + 1 + _STATUS_NUMBERS.get(kind, width)], "little")
            elif kind in (_CATALOG, _CATALOG_WITHOUT_END):
                width = 1 + data[at + 1] + (1 if kind == _CATALOG else 0)
            else:
                return
            at += 1 + width

    def number(self, kind: int) -> int | None:
        return self._found.get(kind)


def _database(body: bytes, *, is_load: bool) -> tuple[int, int]:
    _, _, database, _, variables = _QUERY.unpack_from(body)
    start = _QUERY.size + (13 if is_load else 0) + variables
    return start, start + database


def mysql_gtid(body: bytes) -> str:
    return f"{UUID(bytes=body[1:17])}:{int.from_bytes(body[17:25], 'little')}"


def tagged_gtid(body: bytes) -> str:
    """Of a TAGGED_GTID event, whose fields come as (number, value) in the format of mysql::serialization.

    https://dev.mysql.com/doc/dev/mysql-server/latest/PageLibsMysqlSerialization.html

    Raises:
        ValueError: when it is in another order than MySQL 8.3 to 9 write it.
    """
    reader = _Numbers(body)
    reader.next()  # version
    reader.next()  # size
    reader.next()  # last field that must be known
    found: dict[int, object] = {}
    for field in range(4):
        if reader.next() != field:
            raise ValueError("fields are in another order")
        match field:
            case 0:
                found[field] = reader.next()
            case 1:
                found[field] = UUID(bytes=bytes([reader.next() for _ in range(16)]))
            case 2:
                found[field] = reader.next_signed()
            case 3:
                found[field] = reader.text(reader.next())
    return ":".join(str(found[field]) for field in (1, 3, 2) if found[field] != "")


class _Numbers:
    """Reads numbers of variable length: as many 1-bits at the low end of the first byte as bytes follow."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def next(self) -> int:
        first = self._data[self._at]
        more = (~first & (first + 1)).bit_length() - 1 if first != 0xFF else 8
        raw = int.from_bytes(self._data[self._at : self._at + 1 + more], "little")
        self._at += 1 + more
        return raw >> min(more + 1, 8)

    def next_signed(self) -> int:
        raw = self.next()
        return -(raw >> 1) - 1 if raw & 1 else raw >> 1

    def text(self, length: int) -> str:
        self._at += length
        return self._data[self._at - length : self._at].decode()


@dataclass(frozen=True, slots=True)
class MariaDBGtid:
    """Attributes:
    standalone: the one event after it is the whole transaction.
    prepared: what follows ends with XA PREPARE.
    """

    gtid: str
    standalone: bool
    prepared: bool


def mariadb_gtid(data: bytes, body: bytes) -> MariaDBGtid:
    """Of a MARIADB_GTID event; the server's id stands in the header."""
    number, domain, flags = _MARIADB_GTID.unpack_from(body)
    server = int.from_bytes(data[5:9], "little")
    return MariaDBGtid(f"{domain}-{server}-{number}", bool(flags & 1), bool(flags & 64))


def length_encoded(data: bytes, at: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and the offset after it."""
    first = data[at]
    if first < 251:
        return first, at + 1
    size = {252: 2, 253: 3, 254: 8}[first]
    return int.from_bytes(data[at + 1 : at + 1 + size], "little"), at + 1 + size

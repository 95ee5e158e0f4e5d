"""MariaDB's compressed events (log_bin_compress): each is an ordinary one whose last part is packed. Pure.

https://github.com/MariaDB/server/blob/10.11/sql/log_event.cc, binlog_buf_uncompress and row_log_event_uncompress
"""

from __future__ import annotations

import struct
import zlib

from migrator.source.binlog.events.packets import Corrupt, Kind, length_encoded, statement_at

LONGEST_EVENT = 1 << 30  # no server reads or sends a longer one

# The kind that each is when it is unpacked.
PLAIN_ROWS = {
    Kind.MARIADB_WRITE_ROWS_COMPRESSED_V1: Kind.WRITE_ROWS_V1,
    Kind.MARIADB_UPDATE_ROWS_COMPRESSED_V1: Kind.UPDATE_ROWS_V1,
    Kind.MARIADB_DELETE_ROWS_COMPRESSED_V1: Kind.DELETE_ROWS_V1,
    Kind.MARIADB_WRITE_ROWS_COMPRESSED: Kind.WRITE_ROWS,
    Kind.MARIADB_UPDATE_ROWS_COMPRESSED: Kind.UPDATE_ROWS,
    Kind.MARIADB_DELETE_ROWS_COMPRESSED: Kind.DELETE_ROWS,
}
_SECOND_VERSION = frozenset((Kind.WRITE_ROWS, Kind.UPDATE_ROWS, Kind.DELETE_ROWS))
_UPDATES = frozenset((Kind.UPDATE_ROWS_V1, Kind.UPDATE_ROWS))


def plain_query(body: bytes) -> bytes:
    """The body of a QUERY event, of that of a QUERY_COMPRESSED one. Raises Corrupt."""
    try:
        return _unpacked_from(body, statement_at(body))
    except (IndexError, struct.error) as error:
        raise Corrupt("its header is cut off") from error


def plain_rows(kind: int, body: bytes) -> bytes:
    """The body of a rows event of `kind`, of that of its compressed twin: the images are packed. Raises Corrupt."""
    try:
        at = 8
        if kind in _SECOND_VERSION:
            at += int.from_bytes(body[8:10], "little")
        columns, at = length_encoded(body, at)
        bitmaps = 2 if kind in _UPDATES else 1
        return _unpacked_from(body, at + bitmaps * ((columns + 7) // 8))
    except (IndexError, KeyError) as error:
        raise Corrupt("its header is cut off") from error


def _unpacked_from(body: bytes, at: int) -> bytes:
    """A byte tells how many bytes hold the length, big-endian; what zlib made follows."""
    head = body[at]
    width = head & 0x07
    if head & 0xF0 != 0x80 or not 1 <= width <= 4:
        raise Corrupt(f"it is packed in an unknown way (0x{head:02x})")
    start = at + 1 + width
    length = int.from_bytes(body[at + 1 : start], "big")
    if length > LONGEST_EVENT:
        raise Corrupt(f"it says that it holds {length:,} bytes, more than any event has")
    unpacking = zlib.decompressobj()
    try:
        # One byte more than there should be: memory stays bounded whatever is packed.
        found = unpacking.decompress(body[start:], length + 1)
    except zlib.error as error:
        raise Corrupt(f"what it holds can't be unpacked: {error}") from error
    if len(found) != length or not unpacking.eof:
        amount = f"more than {length:,}" if len(found) > length else f"{len(found):,}"
        raise Corrupt(f"it holds {amount} bytes, and says {length:,}")
    return body[:at] + found

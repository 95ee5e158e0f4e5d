"""MySQL's compressed transactions (binlog_transaction_compression): one event that holds those of a transaction. Pure.

The events inside have no checksums, and offsets that mean nothing in the file; a reader continues after all of them.

https://dev.mysql.com/doc/dev/mysql-server/latest/classmysql_1_1binlog_1_1event_1_1Transaction__payload__event.html
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from migrator.source.binlog.events.compressed import LONGEST_EVENT
from migrator.source.binlog.events.packets import HEADER_BYTES, Corrupt, length_encoded, size_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_CHUNK = 1 << 20  # so many bytes are unpacked at a time

_END, _SIZE, _ALGORITHM, _UNPACKED_SIZE = range(4)  # fields of the header
_ZSTD, _NONE = 0, 255


@dataclass(frozen=True, slots=True)
class _Header:
    """Attributes:
    size: bytes that follow.
    unpacked: how many they are when unpacked; None where that isn't said.
    """

    size: int
    algorithm: int
    unpacked: int | None


def events_inside(data: bytes, rest: Iterable[bytes], checksum: int) -> Iterator[bytes]:
    """The events of a TRANSACTION_PAYLOAD event, each with its header, as they are unpacked.

    Args:
        data: the event from its header on, or at least the first kilobyte of it.
        rest: what follows of it.
        checksum: how many bytes of the event's end are one.

    Raises:
        Corrupt: when it holds anything else than it says, or something that can't be unpacked. Events before that place
            were given.
    """
    header, at = _header(data)
    held = size_of(data) - at - checksum
    if header.size != held:
        raise Corrupt(f"it holds {held:,} bytes, and says {header.size:,}")
    packed = _first(chain((data[at:],), rest), header.size)
    if header.algorithm not in (_ZSTD, _NONE):
        raise Corrupt(f"it is packed in an unknown way ({header.algorithm})")
    chunks = _unpacked(packed) if header.algorithm == _ZSTD else packed
    yield from _events(chunks if header.unpacked is None else _exactly(chunks, header.unpacked))


def _header(data: bytes) -> tuple[_Header, int]:
    """What the event says of itself, and where what it holds begins."""
    found: dict[int, int] = {}
    at = HEADER_BYTES
    try:
        while True:
            kind, at = length_encoded(data, at)
            if kind == _END:
                return _Header(found[_SIZE], found[_ALGORITHM], found.get(_UNPACKED_SIZE)), at
            length, at = length_encoded(data, at)
            if kind in (_SIZE, _ALGORITHM, _UNPACKED_SIZE):
                found[kind] = length_encoded(data, at)[0]
            at += length
    except (IndexError, KeyError) as error:
        raise Corrupt("its header can't be read") from error


def _first(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """So many bytes; what follows them is left aside."""
    left = size
    for piece in pieces:
        if left:
            yield piece[:left]
            left = max(0, left - len(piece))
    if left:
        raise Corrupt(f"{left:,} of its {size:,} bytes are missing")


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What zstd packed, in one frame or several, a chunk at a time.

    A frame that needs a window of more than 128 MB, zstd's own limit, can't be unpacked: no server makes one.
    """
    unpacking = zstd.ZstdDecompressor()
    is_inside = False
    for piece in pieces:
        while piece or not unpacking.needs_input:
            try:
                yield unpacking.decompress(piece, _CHUNK)
            except zstd.ZstdError as error:
                raise Corrupt(f"what it holds can't be unpacked: {error}") from error
            is_inside = not unpacking.eof
            piece = b""
            if unpacking.eof:
                piece = unpacking.unused_data
                unpacking = zstd.ZstdDecompressor()
    if is_inside:
        raise Corrupt("what it holds is cut off")


def _exactly(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    found = 0
    for chunk in chunks:
        found += len(chunk)
        if found > size:
            raise Corrupt(f"it unpacks to more than the {size:,} bytes that it says")
        yield chunk
    if found < size:
        raise Corrupt(f"it unpacks to {found:,} bytes, and says {size:,}")


def _events(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        at = 0
        while len(waiting) - at >= HEADER_BYTES:
            size = size_of(bytes(waiting[at : at + HEADER_BYTES]))
            if not HEADER_BYTES <= size <= LONGEST_EVENT:
                raise Corrupt(f"an event in it has a length of {size:,} bytes")
            if len(waiting) - at < size:
                break
            with memoryview(waiting) as view:
                found = bytes(view[at : at + size])
            at += size
            yield found
        del waiting[:at]
    if waiting:
        raise Corrupt("it ends in the middle of an event")

"""Compressed events made by hand: whole ones of every kind, and each way in which one can lie."""

from __future__ import annotations

import random
import struct
import sys
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.errors import SyncBlocked
from migrator.model.change.events import Commit, LogEvent
from migrator.source.binlog.events.compressed import plain_query, plain_rows
from migrator.source.binlog.events.packets import Corrupt, Kind, query
from migrator.source.binlog.events.transaction_payload import events_inside
from tests.source.binlog.scripted import reader

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CHECKSUM = b"\xaa\xbb\xcc\xdd"
ZSTD, NONE = 0, 255


def event(kind: int, body: bytes, *, end: int = 0, size: int | None = None) -> bytes:
    return struct.pack("<IBIIIH", 7, kind, 1, 19 + len(body) if size is None else size, end, 0) + body


def number(value: int) -> bytes:
    """As the protocol writes numbers of variable length."""
    if value < 251:
        return bytes((value,))
    return b"\xfc" + value.to_bytes(2, "little") if value < 1 << 16 else b"\xfe" + value.to_bytes(8, "little")


def field(kind: int, value: int) -> bytes:
    return bytes((kind, len(number(value)))) + number(value)


def payload(
    packed: bytes, *, unpacked: int | None, algorithm: int = ZSTD, size: int | None = None, more: bytes = b""
) -> bytes:
    head = field(2, algorithm) + (b"" if unpacked is None else field(3, unpacked))
    head += more + field(1, len(packed) if size is None else size) + b"\0"
    return event(Kind.TRANSACTION_PAYLOAD, head + packed + CHECKSUM, end=5000)


def cut(data: bytes, *sizes: int) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def inside(data: bytes, first: int = 1 << 20) -> list[bytes]:
    return list(events_inside(data[:first], cut(data[first:], 1, 5, 1000), len(CHECKSUM)))


EVENTS = [event(Kind.ROWS_QUERY, random.Random(n).randbytes(n)) for n in (0, 1, 300, 70_000, 12)]


@pytest.mark.parametrize("first", [64, 1000, 1 << 20])
def test_zstd_whole_and_in_frames(first: int) -> None:
    plain = b"".join(EVENTS)
    assert inside(payload(zstd.compress(plain), unpacked=len(plain)), first) == EVENTS
    frames = b"".join(zstd.compress(plain[at : at + 777]) for at in range(0, len(plain), 777))
    assert inside(payload(frames, unpacked=len(plain)), first) == EVENTS


def test_what_is_not_packed_and_what_says_no_size() -> None:
    plain = b"".join(EVENTS)
    assert inside(payload(plain, unpacked=None, algorithm=NONE)) == EVENTS
    assert inside(payload(plain, unpacked=len(plain), algorithm=NONE)) == EVENTS
    assert inside(payload(zstd.compress(plain), unpacked=None)) == EVENTS


def test_fields_of_later_servers_are_left_aside() -> None:
    plain = b"".join(EVENTS)
    more = b"\x09\x03abc"
    assert inside(payload(zstd.compress(plain), unpacked=len(plain), more=more)) == EVENTS


@settings(deadline=None)
@given(st.lists(st.integers(0, 3000), max_size=30), st.integers(1, 19), st.lists(st.integers(1, 5000), max_size=9))
def test_any_events_in_any_pieces(sizes: list[int], level: int, pieces: list[int]) -> None:
    events = [event(Kind.ROWS_QUERY, random.Random(size).randbytes(size)) for size in sizes]
    plain = b"".join(events)
    data = payload(zstd.compress(plain, level), unpacked=len(plain))
    assert list(events_inside(data[:80], cut(data[80:], *pieces), len(CHECKSUM))) == events


def packed(plain: bytes) -> bytes:
    return zstd.compress(plain)


PLAIN = b"".join(EVENTS)
LIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "unpacks to more": (lambda: payload(packed(PLAIN), unpacked=len(PLAIN) - 1), "more than the"),
    "unpacks to less": (lambda: payload(packed(PLAIN), unpacked=len(PLAIN) + 1), "and says"),
    "more after it": (lambda: payload(packed(PLAIN) + b"xyz", unpacked=len(PLAIN), size=len(packed(PLAIN))), "holds"),
    "holds less": (lambda: payload(packed(PLAIN), unpacked=len(PLAIN), size=1 << 40), "and says 1,099,511,627,776"),
    "cut off": (lambda: payload(packed(PLAIN)[:-3], unpacked=None), "cut off"),
    "garbage": (lambda: payload(b"no zstd at all", unpacked=14), "can't be unpacked"),
    "garbage after a frame": (lambda: payload(packed(PLAIN) + b"garbage", unpacked=len(PLAIN)), "can't be unpacked"),
    "unknown algorithm": (lambda: payload(PLAIN, unpacked=len(PLAIN), algorithm=7), r"unknown way \(7\)"),
    "a huge event inside": (lambda: payload(packed(event(29, b"", size=1 << 31)), unpacked=19), "a length of"),
    "a tiny event inside": (lambda: payload(packed(event(29, b"", size=18)), unpacked=19), "a length of 18"),
    "half an event inside": (lambda: payload(packed(PLAIN[:-1]), unpacked=len(PLAIN) - 1), "middle of an event"),
    "half a header inside": (lambda: payload(packed(PLAIN + b"abc"), unpacked=len(PLAIN) + 3), "middle of an event"),
    "no size": (lambda: event(40, field(2, 0) + b"\0" + packed(PLAIN) + CHECKSUM), "header can't be read"),
    "no end of the header": (lambda: event(40, field(2, 0) + field(1, 9)), "header can't be read"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_told(lie: str) -> None:
    make, what = LIES[lie]
    with pytest.raises(Corrupt, match=what):
        inside(make())


def test_a_bomb_is_stopped_where_it_lies() -> None:
    """A few hundred bytes that unpack to four gigabytes, and say that they are a thousand."""
    compressor = zstd.ZstdCompressor()
    zeros = bytes(1 << 20)
    bomb = b"".join(compressor.compress(zeros) for _ in range(64)) + compressor.flush()
    data = payload(bomb * 64, unpacked=1000)
    tracemalloc.start()
    with pytest.raises(Corrupt, match="more than the 1,000 bytes"):
        inside(data)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 << 20


def test_memory_does_not_grow_with_the_payload() -> None:
    r = random.Random(1)
    compressor = zstd.ZstdCompressor()
    count = 3000
    data = b"".join(compressor.compress(event(29, r.randbytes(20_000))) for _ in range(count)) + compressor.flush()
    whole = payload(data, unpacked=count * 20_019)
    pieces = (whole[at : at + (1 << 20)] for at in range(1 << 20, len(whole), 1 << 20))
    tracemalloc.start()
    found = sum(1 for _ in events_inside(whole[: 1 << 20], pieces, len(CHECKSUM)))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == count
    assert len(whole) > 50 << 20
    assert most < 10 << 20


# --- MariaDB ---


def zipped(plain: bytes, *, length: int | None = None, head: int | None = None) -> bytes:
    length = len(plain) if length is None else length
    width = max(1, (length.bit_length() + 7) // 8)
    return bytes((0x80 | width if head is None else head,)) + length.to_bytes(width, "big") + zlib.compress(plain)


def query_body(text: bytes) -> bytes:
    return struct.pack("<IIBHH", 1, 0, 3, 0, 5) + b"12345" + b"abc\0" + text


@pytest.mark.parametrize("length", [1, 255, 256, 70_000, 1 << 24])
def test_a_compressed_statement(length: int) -> None:
    text = b"x" * length
    found = query(plain_query(query_body(zipped(text))))
    assert (found.database, found.text) == ("abc", text.decode())


@pytest.mark.parametrize("kind", [Kind.WRITE_ROWS_V1, Kind.UPDATE_ROWS_V1, Kind.DELETE_ROWS, Kind.UPDATE_ROWS])
@pytest.mark.parametrize("columns", [1, 8, 9, 300])
def test_compressed_rows(kind: Kind, columns: int) -> None:
    extra = b"\x05\0abc" if kind in (Kind.DELETE_ROWS, Kind.UPDATE_ROWS) else b""
    bitmaps = (2 if "UPDATE" in kind.name else 1) * ((columns + 7) // 8)
    head = bytes(8) + extra + number(columns) + b"\xff" * bitmaps
    images = random.Random(columns).randbytes(5000)
    assert plain_rows(kind, head + zipped(images)) == head + images


@pytest.mark.parametrize(
    ("packed_text", "what"),
    [
        (zipped(b"abc", length=2), "more than 2 bytes"),
        (zipped(b"abc", length=4), "it holds 3 bytes, and says 4"),
        (zipped(bytes(100 << 20), length=10), "more than 10 bytes"),
        (zipped(b"abc", length=0xFFFFFFFF), "more than any event has"),
        (zipped(b"abc", head=0x91), "unknown way"),
        (zipped(b"abc", head=0x01), "unknown way"),
        (zipped(b"abc", head=0x85), "unknown way"),
        (zipped(b"abc")[:-5], "and says 3"),
        (b"\x81\x03garbage", "can't be unpacked"),
        (b"", "cut off"),
    ],
)
def test_mariadbs_lies_are_told(packed_text: bytes, what: str) -> None:
    with pytest.raises(Corrupt, match=what):
        plain_query(query_body(packed_text))
    with pytest.raises(Corrupt, match=what):
        plain_rows(Kind.UPDATE_ROWS_V1, bytes(8) + b"\x01\xff\xff" + packed_text)


def test_a_body_that_is_cut_off() -> None:
    for body in (b"", bytes(5), bytes(8), query_body(b"")[:9]):
        with pytest.raises(Corrupt):
            plain_rows(Kind.UPDATE_ROWS, body)
        with pytest.raises(Corrupt):
            plain_query(body)


# --- in the reader ---


def read(*events: bytes) -> Iterator[LogEvent]:
    return reader(*events).events()


def transaction(*events: bytes) -> bytes:
    plain = b"".join(events)
    return payload(zstd.compress(plain), unpacked=len(plain))


BEGIN = event(Kind.QUERY, struct.pack("<IIBHH", 1, 0, 0, 0, 0) + b"\0BEGIN")
XID = event(Kind.XID, bytes(8), end=123)


def test_a_compressed_transaction_ends_where_its_event_does() -> None:
    (commit,) = [next(read(transaction(BEGIN, XID)))]
    assert isinstance(commit, Commit)
    assert (commit.position.offset, commit.at) == (5000, 7.0)


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ((BEGIN, transaction(BEGIN, XID)), "type 40 stands in"),
        ((BEGIN, event(Kind.FORMAT_DESCRIPTION, bytes(90))), "type 15 stands in"),
        ((BEGIN, event(99, b"")), "unknown type 99"),
        ((BEGIN, XID, BEGIN, XID), "type 2 stands after the end"),
    ],
)
def test_what_a_transaction_never_holds(events: tuple[bytes, ...], what: str) -> None:
    with pytest.raises(SyncBlocked, match=what) as caught:
        list(read(transaction(*events)))
    assert "migrator apply" in caught.value.hint


def test_a_lie_stops_the_reader_with_its_place_and_the_way_out() -> None:
    with pytest.raises(SyncBlocked, match="a compressed event can't be read: it unpacks to more") as caught:
        list(read(payload(packed(PLAIN), unpacked=3)))
    assert caught.value.where == "binlog.000001:5000"
    assert "migrator apply" in caught.value.hint

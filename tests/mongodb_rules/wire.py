"""OP_MSG: commands taken apart and put together again.

https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import bson
from bson import CodecOptions, DatetimeConversion

OP_MSG = 2013
HEADER = struct.Struct("<iiii")
_INT = struct.Struct("<i")
_FLAGS = struct.Struct("<I")
_MORE_TO_COME = 2
OPTIONS = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_MS)
SEQUENCES = {"insert": "documents", "update": "updates", "delete": "deletes"}


@dataclass(frozen=True)
class Message:
    """One message, as it came."""

    raw: bytes

    @cached_property
    def request_id(self) -> int:
        return int(HEADER.unpack_from(self.raw)[1])

    @property
    def is_command(self) -> bool:
        return bool(HEADER.unpack_from(self.raw)[3] == OP_MSG)

    @property
    def more_to_come(self) -> bool:
        """No answer follows a request; another one follows an answer."""
        return self.is_command and bool(_FLAGS.unpack_from(self.raw, 16)[0] & _MORE_TO_COME)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The command, or the answer, without its document sequences."""
        (body,) = (each for kind, _, each in self._sections() if kind == 0)
        decoded: dict[str, Any] = bson.decode(body, OPTIONS)
        return decoded

    def name(self) -> str:
        """The command's name, without decoding more than that."""
        end = self.raw.index(b"\x00", 26)
        return self.raw[26:end].decode()

    def sequence(self, field: str) -> list[bytes]:
        """The raw documents of a list of the command, wherever they stand in the message."""
        for kind, name, payload in self._sections():
            if kind == 1 and name == field:
                return list(_documents(payload))
        return [bson.encode(each, codec_options=OPTIONS) for each in self.body.get(field, ())]

    def only(self, field: str, documents: Sequence[bytes]) -> Message:
        """The same command with these documents alone."""
        body = {name: value for name, value in self.body.items() if name != field}
        sequence = field.encode() + b"\x00" + b"".join(documents)
        flags = _FLAGS.unpack_from(self.raw, 16)[0] & ~1
        payload = b"\x00" + bson.encode(body, codec_options=OPTIONS)
        payload += b"\x01" + _INT.pack(len(sequence) + 4) + sequence
        return _message(self.request_id, 0, flags, payload)

    def answered(self, answer: Mapping[str, Any], request_id: int) -> Message:
        """`answer` as the answer to the request with this id."""
        return _message(self.request_id, request_id, 0, b"\x00" + bson.encode(answer, codec_options=OPTIONS))

    def _sections(self) -> Iterator[tuple[int, str, bytes]]:
        place = 20
        while place < len(self.raw):
            kind = self.raw[place]
            (size,) = _INT.unpack_from(self.raw, place + 1)
            section = self.raw[place + 1 : place + 1 + size]
            if kind == 0:
                yield 0, "", section
            else:
                end = section.index(b"\x00", 4)
                yield 1, section[4:end].decode(), section[end + 1 :]
            place += 1 + size


def answer_to(request: Message, answer: Mapping[str, Any]) -> Message:
    """An answer of the checker's own."""
    return _message(0, request.request_id, 0, b"\x00" + bson.encode(answer, codec_options=OPTIONS))


def _message(request_id: int, response_to: int, flags: int, payload: bytes) -> Message:
    return Message(HEADER.pack(20 + len(payload), request_id, response_to, OP_MSG) + _FLAGS.pack(flags) + payload)


def _documents(payload: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(payload):
        (size,) = _INT.unpack_from(payload, place)
        yield payload[place : place + size]
        place += size

"""PyMySQL's connection, for many short sessions."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import pymysql.connections
from pymysql.protocol import MysqlPacket

_WHOLE_PACKET = 0xFFFFFF  # a packet of so many bytes is followed by another part of the same answer
_ERROR = b"\xff"


class DriverConnection(pymysql.connections.Connection):
    """As PyMySQL's in everything but the time it takes to open one.

    Told nothing about TLS, PyMySQL encrypts where the server can and verifies no certificate, as the mysql client does.
    Yet it reads all certificates that the system trusts for every such connection: longer than all of the login.
    """

    def packet_pieces(self, size: int) -> Iterator[bytes]:
        """The next packet of an answer that the driver has no name for, at most `size` bytes at a time.

        As the driver's own `_read_packet`, which holds all of a packet however long it is; a packet was read with that
        before, which set the time limit of reads. All pieces are taken before anything else is read.

        Raises whatever the driver does, what the server says instead of an answer among it.
        """
        is_first = True
        while True:
            length = self._begin_packet()
            left = length
            while left:
                piece: bytes = self._read_bytes(min(left, size))  # type: ignore[attr-defined]
                left -= len(piece)
                if is_first and piece[:1] == _ERROR:
                    MysqlPacket(piece, self.encoding).raise_for_error()
                is_first = False
                yield piece
            if length < _WHOLE_PACKET:
                return

    def _begin_packet(self) -> int:
        """Reads a packet's header: how many bytes follow."""
        header: bytes = self._read_bytes(4)  # type: ignore[attr-defined]
        expected: int = self._next_seq_id  # type: ignore[has-type]
        if header[3] != expected:
            self._force_close()  # type: ignore[attr-defined]
            raise pymysql.err.OperationalError(
                2013, f"Lost connection to MySQL server during query (packet {header[3]} instead of {expected})"
            )
        self._next_seq_id = (expected + 1) % 256
        return int.from_bytes(header[:3], "little")

    def _create_ssl_ctx(self, sslp: ssl.SSLContext | dict[str, Any]) -> ssl.SSLContext:
        if isinstance(sslp, ssl.SSLContext):
            return sslp
        return unverified_context()


def unverified_context() -> ssl.SSLContext:
    """TLS that asks the server for no proof of who it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

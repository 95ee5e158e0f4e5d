"""Carries out `session_settings` over a new connection, of either driver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import asyncmy
import pymysql
from asyncmy.cursors import SSCursor
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import Cursor

from migrator.source.connection.failure import DRIVER_ERRORS, error_code
from migrator.source.connection.session_settings import REFUSED, Reply, require_results, setting_up


def set_up(connection: pymysql.Connection[Any], place: str) -> None:
    """Gives a new session its settings, and leaves a transaction that init_connect began.

    Args:
        place: of the server, for errors.

    Raises:
        SessionRefused: when the session keeps a setting that changes what is read.
        Also whatever the driver raises, but for refusals of single settings.
    """
    steps = setting_up(str(connection.get_server_info()))  # type: ignore[no-untyped-call]
    statement = next(steps)
    with connection.cursor(Cursor) as cursor:
        while True:
            try:
                cursor.execute(statement)
                reply = Reply(_text_pairs(cursor.fetchall()))
            except DRIVER_ERRORS as error:
                reply = _refusal(error)
            try:
                statement = steps.send(reply)
            except StopIteration as done:
                require_results(done.value, place)
                break
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:  # type: ignore[attr-defined]
        connection.rollback()


async def set_up_stream(connection: asyncmy.Connection, place: str) -> None:
    """As `set_up`, for a connection of asyncmy."""
    steps = setting_up(str(connection.get_server_info()))
    statement = next(steps)
    # The buffered cursor would send SHOW WARNINGS, and print what a newer server calls deprecated.
    async with connection.cursor(SSCursor) as cursor:
        while True:
            try:
                await cursor.execute(statement)
                reply = Reply(_text_pairs(await cursor.fetchall()))
            except DRIVER_ERRORS as error:
                reply = _refusal(error)
            try:
                statement = steps.send(reply)
            except StopIteration as done:
                require_results(done.value, place)
                break
    if connection.get_transaction_status():
        await connection.rollback()


def _text_pairs(rows: Iterable[Sequence[str | bytes]]) -> tuple[tuple[str, str], ...]:
    def text(value: str | bytes) -> str:
        return value.decode() if isinstance(value, bytes) else str(value)

    return tuple((text(name), text(value)) for name, value in rows)


def _refusal(error: Exception) -> Reply:
    """The server's refusal to set a variable; every other error is raised again."""
    if error_code(error) not in REFUSED:
        raise error
    return Reply(refusal=str(error.args[1]))

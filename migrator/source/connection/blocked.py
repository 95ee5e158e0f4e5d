"""What keeps statements of this account waiting at the server: locks on tables' definitions and on all of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from migrator.source.connection.connect import connected
from migrator.source.connection.url import SourceUrl


def blocked(url: SourceUrl) -> str:
    """`connection 4711 is waiting for table metadata lock, for 12 s`; "" for nothing.

    Every account sees its own sessions, without a privilege.
    https://dev.mysql.com/doc/refman/8.4/en/show-processlist.html

    Raises:
        SourceError, SourceUnavailable: when the server can't be asked.
    """
    with connected(url) as connection:
        user, _, host = str(connection.exec_driver_sql("SELECT USER()").scalar()).rpartition("@")
        return told(connection.exec_driver_sql("SHOW PROCESSLIST").mappings().all(), user, host)


def told(sessions: Iterable[Mapping[Any, Any]], user: str, host: str) -> str:
    """What SHOW PROCESSLIST says of the sessions of an account from one machine. Statements stay out of it: they hold
    values."""
    found = []
    for each in sessions:
        state = str(each["State"] or "")
        # Sessions over a socket have no port.
        is_ours = each["User"] == user and str(each["Host"] or "").rpartition(":")[0] in (host, "")
        if is_ours and state.lower().startswith("waiting for ") and any(word in state.lower() for word in _LOCKS):
            found.append((int(each["Time"] or 0), int(each["Id"]), state))
    if not found:
        return ""
    seconds, number, state = max(found)
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"connection {number} is {state[0].lower()}{state[1:]}, for {seconds} s{more}"


# General thread states: https://dev.mysql.com/doc/refman/8.4/en/general-thread-states.html
_LOCKS = ("lock", "table flush")

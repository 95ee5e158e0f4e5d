"""What tests do about transactions that killed processes left open, and about a stand-in that locks itself up.

MongoDB lets a drop wait until such a transaction has ended, for a minute. SecantusDB was seen to stand still for ever
when drops, renames and lists of collections meet on a busy machine, or when a drop meets such a transaction.
"""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from dev.servers.model import Given, Server
from migrator.target.mongo.leases.store import LEASES

_PATIENCE_MS = 60_000
# Longer than a server keeps a transaction that nobody ends (transactionLifetimeLimitSeconds).
_DROP_MS = 90_000


def revive(server: Server) -> None:
    """Kills a server that no longer answers, and starts it again with its data.

    Raises:
        RuntimeError: when it belongs to the user.
    """
    if _is_stuck(server.url):
        server.kill()
        server.start()


def end_transactions(server: Server) -> None:
    """Ends the transactions that killed processes left open, on a server that the tests have for themselves."""
    if not isinstance(server, Given):
        with MongoClient[dict[str, Any]](server.url, socketTimeoutMS=_PATIENCE_MS) as client:
            client.admin.command("killAllSessions", [])


def drop_database(url: str, name: str) -> None:
    """Drops it, after the transactions of killed syncs."""
    with MongoClient[dict[str, Any]](url, socketTimeoutMS=_DROP_MS) as client:
        noted = client[name][LEASES].find({"_id.sessions": {"$exists": True}})
        ids = [{"id": each} for lease in noted for each in lease.get("ids", ())]
        if ids:
            client.admin.command("killSessions", ids)
        client.drop_database(name)


def _is_stuck(url: str) -> bool:
    """Whether it answers no longer where it has to look at its catalog; a ping is answered all the same."""
    try:
        with MongoClient[dict[str, Any]](
            url,
            serverSelectionTimeoutMS=_PATIENCE_MS,
            connectTimeoutMS=_PATIENCE_MS,
            socketTimeoutMS=_PATIENCE_MS,
            retryReads=False,
            retryWrites=False,
        ) as client:
            database = client["migrator_tests"]
            database.list_collection_names()
            database["answers"].create_index("a")
    except PyMongoError:
        return True
    return False

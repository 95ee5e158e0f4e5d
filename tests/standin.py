"""What tests do about a stand-in server that locks itself up: seen of SecantusDB, for ever, when drops, renames and
lists of collections meet on a busy machine, or when a drop meets a transaction that a killed process left behind."""

from __future__ import annotations

from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from dev.servers.model import Server
from migrator.target.mongo.lease_store import LEASES

_PATIENCE_MS = 60_000


def revive(server: Server) -> None:
    """Kills a server that no longer answers, and starts it again with its data.

    Raises:
        RuntimeError: when it belongs to the user.
    """
    if _is_stuck(server.url):
        server.kill()
        server.start()


def drop_database(url: str, name: str) -> None:
    """Drops it, after the transactions of killed syncs, for which the stand-in has no time limit."""
    with MongoClient[dict[str, Any]](url, socketTimeoutMS=_PATIENCE_MS) as client:
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

"""The progress of an index that a server is building."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.errors import OperationFailure

from migrator.target.mongo.connection.session import Session


def of(session: Session, names: Sequence[str]) -> str:
    """`scanned 12,000 of 40,000 (30%)` for any of the collections, "" when the server doesn't say.

    The server builds in threads of its own, which only an account with the privilege `inprog` hears of.
    """
    database = session.url.database
    # https://www.mongodb.com/docs/manual/reference/operator/aggregation/currentOp/
    for everybody in (True, False):
        try:
            found = list(session.client.admin.aggregate([{"$currentOp": {"allUsers": everybody}}], maxTimeMS=2000))
        except OperationFailure:
            # Not this account, or not this kind of server.
            continue
        return told(found, database, names)
    return ""


def told(operations: Iterable[Mapping[str, Any]], database: str, names: Sequence[str]) -> str:
    """What the answer of $currentOp says of an index on one of the collections."""
    for each in operations:
        progress, command = each.get("progress"), each.get("command")
        if not isinstance(progress, Mapping) or not isinstance(command, Mapping):
            continue
        collection = command.get("createIndexes") or str(each.get("ns", "")).partition(".")[2]
        is_ours = str(each.get("ns", "")).partition(".")[0] == database or command.get("$db") == database
        done, total = progress.get("done"), progress.get("total")
        if is_ours and collection in names and done is not None and total:
            return f"{int(done):,} of {int(total):,} ({done / total:.0%})"
    return ""

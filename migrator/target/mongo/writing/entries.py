"""Many small documents at a time: ids made of bytes, inserts where an upsert would cost the server ten times as much.

Measured with 100,000 entries of sync in batches of 5,000: on the stand-in 7 s inserted, 145 s upserted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Mapping
from typing import Any

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from migrator.errors import TargetUnavailable
from migrator.target.mongo.connection.codes import DUPLICATE_KEY

# What is sent at a time: far below the limits of 100,000 operations and 48 MB, and of a transaction's time.
BATCH = 5000
BATCH_BYTES = 8_000_000
# A key of an index has at most 1024 bytes on servers before 4.2.
_PLAIN_BYTES = 200


def entry_id(*parts: bytes) -> bytes:
    """Bytes that no other parts have; their hash when they are long."""
    joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    if len(joined) <= _PLAIN_BYTES:
        return joined
    # No joined parts begin like this.
    return b"\xff" + hashlib.blake2b(joined, digest_size=24).digest()


def put(
    collection: Collection[dict[str, Any]],
    documents: Mapping[bytes, dict[str, Any]],
    update: Callable[[dict[str, Any]], Any],
    session: ClientSession | None,
) -> None:
    """Inserts documents by `_id`; those that are there get what `update` makes of them, an operation of a bulk write.

    Raises:
        TargetUnavailable: when another process put the same at this moment: the whole of it is to be done again.
    """
    wanted = {"_id": {"$in": list(documents)}}
    found = collection.find(wanted, {"_id": 1}, batch_size=len(documents) + 1, session=session)
    put_over({bytes(each["_id"]) for each in found}, collection, documents, update, session)


def put_over(
    there: Container[bytes],
    collection: Collection[dict[str, Any]],
    documents: Mapping[bytes, dict[str, Any]],
    update: Callable[[dict[str, Any]], Any],
    session: ClientSession | None,
) -> None:
    """As `put`, where it is known which of them are there."""
    new = [document for name, document in documents.items() if name not in there]
    try:
        if new:
            collection.insert_many(new, ordered=False, session=session)
    except BulkWriteError as error:
        if all(each["code"] == DUPLICATE_KEY for each in error.details.get("writeErrors", ())):
            raise TargetUnavailable("another process noted the same at the same moment") from error
        raise
    updates = [update(document) for name, document in documents.items() if name in there]
    if updates:
        collection.bulk_write(updates, ordered=False, session=session)

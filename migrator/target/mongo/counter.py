"""Numbers that are given out once only, each higher than all before."""

from __future__ import annotations

from pymongo import ReturnDocument

from migrator.target.mongo.connection.session import Session


def take(session: Session, collection: str, name: str, count: int) -> int:
    """The first of `count` numbers of the counter that is document `name`. A call that is repeated leaves some out."""
    counters = session.database[collection]
    found = session.retried(
        lambda: counters.find_one_and_update(
            {"_id": name}, {"$inc": {"n": count}}, upsert=True, return_document=ReturnDocument.AFTER
        )
    )
    assert found is not None, "an upsert leaves a document"
    return int(found["n"]) - count + 1

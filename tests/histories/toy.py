"""A sync that is wrong on purpose: it rebuilds a document only when the root row's own fields changed.

So would one that looks at the events of root tables alone. The judge must not let it pass.
"""

from __future__ import annotations

from typing import Any

import bson
import pymongo
from bson.raw_bson import RawBSONDocument

from tests.histories.history import History
from tests.histories.judge import documents
from tests.oracle.compare import decode


def roots_only(history: History, target: str) -> None:
    """Catches up, but for what only embedded rows say."""
    with pymongo.MongoClient[Any](target) as client:
        for name in history.collections:
            collection = client.get_default_database()[name]
            embedded = {child.path[0] for child in history.oracle.collections[name].root.children if child.path}
            expected, actual = history.oracle.all_grouped(name).documents, documents(target, name)
            for key in actual.keys() - expected.keys():
                collection.delete_one({"_id": decode(key)["_id"]})
            for key, document in expected.items():
                if key not in actual or _own(document, embedded) != _own(actual[key], embedded):
                    collection.replace_one({"_id": decode(key)["_id"]}, RawBSONDocument(document), upsert=True)


def everything(history: History, target: str) -> None:
    """Catches up by the oracle's own documents: right, whatever was written."""
    with pymongo.MongoClient[Any](target) as client:
        for name in history.collections:
            collection = client.get_default_database()[name]
            collection.delete_many({})
            found = [RawBSONDocument(each) for each in history.oracle.all_grouped(name).documents.values()]
            if found:
                collection.insert_many(found)


def _own(document: bytes, embedded: set[str]) -> bytes:
    return bson.encode({name: value for name, value in decode(document).items() if name not in embedded})

"""A server that refuses documents, whichever server is there: a fault put between driver and server."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from bson import encode
from pymongo import DeleteOne, InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from migrator.target.mongo.writing import dollar_names

OLD_TEXT = "The dollar ($) prefixed field '$x' in 'nested.$x' is not valid for storage."


@dataclass
class Refusing:
    """What a server refuses, and how often it was asked.

    Attributes:
        code, text: of its error.
        whole: it refuses the whole command, and names no document.
        refuses: told the kind of the operation (`insert`, `replace`) and its document.
    """

    code: int
    text: str
    refuses: Callable[[str, Mapping[str, Any]], bool]
    whole: bool = False
    sent: list[int] = field(default_factory=list)

    def failures(self, requests: Sequence[Any]) -> list[dict[str, Any]]:
        kinds = {InsertOne: "insert", ReplaceOne: "replace"}
        return [
            {"index": index, "code": self.code, "errmsg": self.text}
            for index, each in enumerate(requests)
            if not isinstance(each, DeleteOne) and type(each) in kinds and self.refuses(kinds[type(each)], each._doc)
        ]


def install(monkeypatch: pytest.MonkeyPatch, server: Refusing) -> None:
    """From now on every collection is one of such a server."""
    bulk_write, insert_many, replace_one = Collection.bulk_write, Collection.insert_many, Collection.replace_one

    def bulk(self: Any, requests: Sequence[Any], ordered: bool = True, session: Any = None, **more: Any) -> Any:
        server.sent.append(len(requests))
        failures = server.failures(requests)
        if not failures:
            return bulk_write(self, requests, ordered=ordered, session=session, **more)
        if server.whole:
            raise OperationFailure(server.text, server.code, {"errmsg": server.text, "code": server.code})
        # In a transaction the first failure ends everything.
        if session is not None:
            raise BulkWriteError({"writeErrors": failures[:1], "writeConcernErrors": []})
        bad = {each["index"] for each in failures}
        if rest := [each for index, each in enumerate(requests) if index not in bad]:
            bulk_write(self, rest, ordered=ordered, **more)
        raise BulkWriteError({"writeErrors": failures, "writeConcernErrors": []})

    def insert(self: Any, documents: Sequence[Any], ordered: bool = True, session: Any = None, **more: Any) -> Any:
        if server.failures([InsertOne(each) for each in documents]):
            return bulk(self, [InsertOne(each) for each in documents], ordered, session, **more)
        return insert_many(self, documents, ordered=ordered, session=session, **more)

    def replace(self: Any, condition: Any, replacement: Any, *arguments: Any, **more: Any) -> Any:
        if server.refuses("replace", replacement):
            raise WriteError(server.text, server.code, {"errmsg": server.text, "code": server.code})
        return replace_one(self, condition, replacement, *arguments, **more)

    monkeypatch.setattr(Collection, "bulk_write", bulk)
    monkeypatch.setattr(Collection, "insert_many", insert)
    monkeypatch.setattr(Collection, "replace_one", replace)


def before_5() -> Refusing:
    """MongoDB before 5.0 takes names with `$` in front in an insert, and not in a replacement."""
    return Refusing(52, OLD_TEXT, lambda kind, document: kind == "replace" and _has_dollars(document))


def _has_dollars(document: Mapping[str, Any]) -> bool:
    raw = document.raw if hasattr(document, "raw") else encode(document)
    return dollar_names.path(bytes(raw)) is not None

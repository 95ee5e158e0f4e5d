"""Names of nested fields that start with `$`, which some servers accept in an insert but not in a replacement.

MongoDB does so before 5.0. What a server does is tried out, since services that speak its protocol have versions of
their own.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from bson import encode
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from migrator.model.plan.chunk import Document, Key, Refusal
from migrator.target.mongo.connection.codes import DOLLAR_NAME, refuses_a_document
from migrator.target.mongo.connection.raw import RAW
from migrator.target.mongo.connection.session import Session

# A type's byte and the start of such a name. Text of a document may look like that too, so a hit is looked at closely.
_CANDIDATE = re.compile(rb"[\x01-\x13\x7f\xff]\$")

_WIRE_VERSION_OF_5 = 13


def path(bson: bytes) -> str | None:
    """Where the first such name of a document is, as a dotted path; None when there is none.

    Names at the top and inside `_id` are left out: inserts and replacements treat them alike.
    """
    if _CANDIDATE.search(bson) is None:
        return None
    found = (_below(value, name) for name, value in RawBSONDocument(bson, RAW).items() if name != "_id")
    return next((each for each in found if each is not None), None)


def expected(hello: Mapping[str, Any]) -> Literal["replaced", "reinserted", "rejected"]:
    """What is likely to become of such documents, by a server's answer to `hello`: a plan may not try it out."""
    if hello.get("maxWireVersion", 0) >= _WIRE_VERSION_OF_5:
        return "replaced"
    return "reinserted" if "setName" in hello or hello.get("msg") == "isdbgrid" else "rejected"


def replaceable(session: Session) -> bool:
    """Whether the server takes such names in a replacement; tried on a collection that is dropped again."""
    collection = session.database[f"_migrator_probe_{secrets.token_hex(4)}"]
    replacement = RawBSONDocument(encode({"_id": 1, "nested": {"$name": 1}}), RAW)

    def attempt() -> bool:
        collection.replace_one({"_id": 1}, {"_id": 1}, upsert=True)
        try:
            collection.replace_one({"_id": 1}, replacement)
        except OperationFailure as error:
            if refuses_a_document(error.code or 0):
                return False
            raise
        return True

    try:
        return session.retried(attempt)
    finally:
        session.retried(collection.drop)


def separated(documents: Sequence[Document]) -> tuple[list[Document], list[tuple[Key, Refusal]]]:
    """Documents without such names, and the keys of the others with the reason.

    For a server that can't replace them and has no transactions to delete and insert them in: what can't be changed
    later must not be copied either.
    """
    plain: list[Document] = []
    refused: list[tuple[Key, Refusal]] = []
    for document in documents:
        if (where := path(document.bson)) is None:
            plain.append(document)
        else:
            refused.append((document.key, Refusal(_REASON.format(where), DOLLAR_NAME)))
    return plain, refused


_REASON = (
    "`{}` has a name that starts with `$`; this server accepts such names in an insert but not in a replacement, and "
    f"it has no transactions to delete and insert the document in ({DOLLAR_NAME})"
)


def _below(value: Any, where: str) -> str | None:
    if isinstance(value, RawBSONDocument):
        for name, inner in value.items():
            here = f"{where}.{name}"
            if name.startswith("$"):
                return here
            if (found := _below(inner, here)) is not None:
                return found
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            if (found := _below(inner, f"{where}.{place}")) is not None:
                return found
    return None

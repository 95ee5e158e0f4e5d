"""What bulk writes have in common: batches, raw documents, and which failures concern one document only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pymongo.errors import BulkWriteError

from migrator.model.chunk import Document, Key
from migrator.target.mongo.failure import first_failure, from_code, is_passing

T = TypeVar("T")

DUPLICATE_KEY = 11000
# What the server says of one document, and will say again however often it is sent.
# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
_REFUSED = frozenset(
    (
        2,  # BadValue: `$` in a sub-document of _id
        14,  # TypeMismatch
        15,  # Overflow: nested too deeply
        22,  # InvalidBSON
        28,  # PathNotViable
        52,  # DollarPrefixedFieldName
        53,  # InvalidIdField
        55,  # InvalidDBRef
        56,  # EmptyFieldName
        57,  # DottedFieldName
        121,  # DocumentValidationFailure
        10334,  # BSONObjectTooLarge
        17280,  # KeyTooLong
        17419,  # an update made it too large
        17420,  # the same for a replacement
    )
)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one operation of a bulk write was not done.

    Attributes:
        pattern: of the unique index at fault, by dotted field; empty when the server doesn't tell.
    """

    code: int
    text: str
    pattern: Mapping[str, Any]

    @property
    def is_duplicate(self) -> bool:
        return self.code == DUPLICATE_KEY


def outcome(where: str, send: Callable[[], object]) -> dict[int, Failure]:
    """Sends an unordered bulk write; what was refused for good or for a value that is there already, by index.

    Raises:
        TargetUnavailable, TargetError: when something else went wrong too.
    """
    try:
        send()
    except BulkWriteError as error:
        return _failures(error, where)
    return {}


def fitting(documents: Sequence[Document], limit: int) -> tuple[list[Document], list[tuple[Key, str]]]:
    """Documents of at most `limit` bytes, and the keys of the others with the reason."""
    small = [document for document in documents if len(document.bson) <= limit]
    large = [
        (document.key, f"a document of {len(document.bson)} bytes; {limit} are allowed")
        for document in documents
        if len(document.bson) > limit
    ]
    return small, large


def batches(items: Iterable[T], count: int, size: int, size_of: Callable[[T], int]) -> Iterator[list[T]]:
    """`items` in lists of at most `count`, of about `size` bytes or one item."""
    batch: list[T] = []
    total = 0
    for item in items:
        more = size_of(item)
        if batch and (len(batch) == count or total + more > size):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += more
    if batch:
        yield batch


def _failures(error: BulkWriteError, where: str) -> dict[int, Failure]:
    details = error.details
    failures = details.get("writeErrors", [])
    serious = [each for each in failures if each["code"] not in _REFUSED and each["code"] != DUPLICATE_KEY]
    # Errors for good come first: trying the others again would be in vain.
    for each in sorted(serious, key=lambda each: is_passing(each["code"])):
        raise from_code(each["code"], each["errmsg"], where) from error
    if details.get("writeConcernErrors"):
        raise from_code(*first_failure({"writeConcernErrors": details["writeConcernErrors"]}), where) from error
    return {each["index"]: Failure(each["code"], each["errmsg"], each.get("keyPattern") or {}) for each in failures}

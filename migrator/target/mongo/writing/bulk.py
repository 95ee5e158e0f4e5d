"""What bulk writes have in common: batches, raw documents, and which failures concern one document only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pymongo.errors import BulkWriteError, OperationFailure

from migrator.errors import Retryable
from migrator.model.plan.chunk import Document, Key, Refusal
from migrator.target.mongo.connection.codes import (
    DUPLICATE_KEY,
    TOO_LARGE,
    is_transient,
    may_be_one_document,
    refuses_a_document,
)
from migrator.target.mongo.connection.failure import first_failure, from_failure, translate
from migrator.target.mongo.connection.server_message import own_words, sentence

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one operation of a bulk write was not done.

    Attributes:
        text: the server's own words.
        pattern: of the unique index at fault, by dotted field; empty when the server doesn't tell.
        info: what a validator found, where the server tells.
    """

    code: int
    text: str
    pattern: Mapping[str, Any]
    info: Mapping[str, Any]

    @property
    def is_duplicate(self) -> bool:
        return self.code == DUPLICATE_KEY

    def refusal(self, fields: Sequence[str] = ()) -> Refusal:
        """For people; `fields` are those of the index at fault, where they are known otherwise than by `pattern`."""
        reason = sentence(self.code, self.text, list(self.pattern) or fields, self.info)
        return Refusal(reason, self.code, own_words(self.text))


class BatchRefused(Exception):
    """A command was refused as a whole, by a code that speaks of one document.

    Attributes:
        failure: holds for the one document when the command had only one.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.refusal().reason)
        self.failure = failure


def outcome(where: str, send: Callable[[], object]) -> dict[int, Failure]:
    """Sends an unordered bulk write; what was refused for good or for a value that is there already, by index.

    Raises:
        BatchRefused: nothing tells which document the server refused.
        TargetUnavailable, TargetError: when something else went wrong too.
    """
    try:
        send()
    except BulkWriteError as error:
        return _failures(error, where)
    except OperationFailure as error:
        details = error.details or {}
        if may_be_one_document(error.code or 0) and not isinstance(translate(error, where), Retryable):
            raise BatchRefused(_failure({**details, "code": error.code})) from error
        raise
    return {}


def divided(send: Callable[[Sequence[T]], dict[int, Failure]], items: Sequence[T]) -> dict[int, Failure]:
    """What `send` found for `items`, sent in halves where a command was refused as a whole, down to single ones."""
    try:
        return send(items)
    except BatchRefused as refused:
        if len(items) == 1:
            return {0: refused.failure}
    half = len(items) // 2
    found = divided(send, items[:half])
    return found | {half + index: failure for index, failure in divided(send, items[half:]).items()}


def fitting(documents: Sequence[Document], limit: int) -> tuple[list[Document], list[tuple[Key, Refusal]]]:
    """Documents of at most `limit` bytes, and the keys of the others with the reason."""
    small = [document for document in documents if len(document.bson) <= limit]
    large = [
        (document.key, Refusal(f"a document of {len(document.bson)} bytes; {limit} are allowed", TOO_LARGE))
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
    failures = error.details.get("writeErrors", [])
    serious = [each for each in failures if not refuses_a_document(each["code"])]
    # Errors for good come first: trying the others again would be in vain.
    for each in sorted(serious, key=lambda each: is_transient(each["code"])):
        raise from_failure(each, where) from error
    if concern := error.details.get("writeConcernErrors"):
        raise from_failure(first_failure({"writeConcernErrors": concern}), where) from error
    return {each["index"]: _failure(each) for each in failures}


def _failure(found: Mapping[str, Any]) -> Failure:
    return Failure(
        found["code"], str(found.get("errmsg", "")), found.get("keyPattern") or {}, found.get("errInfo") or {}
    )

"""What is read and written at a time: key ranges, batches, and their results. All plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

# Bytes travel in JSON as hex: keys may be any bytes, and hex sorts and reads like the bytes themselves.
HexBytes = Annotated[
    bytes,
    PlainSerializer(bytes.hex, return_type=str, when_used="json"),
    BeforeValidator(lambda value: bytes.fromhex(value) if isinstance(value, str) else value),
]

# A key as the server prints it: one text value per key column, in key order.
Key = tuple[HexBytes, ...]


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Rows with `after` < key <= `upto` in the source's own order; None leaves that side open."""

    after: Key | None = None
    upto: Key | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of copying, free of credentials: any worker on any machine that has the plan can run it.

    Attributes:
        run: id of the apply that planned it.
        collection: the mapping's collection.
        number: counts from 0 within the collection, in key order.
        range: the root rows it covers.
        attempt: 1 for the first try; higher means that an earlier try may have written some documents.
        holding: number of the holding of the lease under which it is copied; says where the documents go (see
            migrator.model.collection_names.staged_name).
    """

    run: str
    collection: str
    number: int
    range: KeyRange
    attempt: int = 1
    holding: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """One reason why a document could not be made; kept where a person can read it (rule 6).

    Attributes:
        collection: the mapping's collection.
        document: the root row's key as text, `7` or `7, 12`.
        table: schema.table of the row at fault.
        key: that row's own key as text.
        column: column or expression, "" when the whole row or document is meant.
        value: the value as text (at most 200 characters, bytes as hex), "" when there is none.
        reason: one sentence, with the policy that would let it pass where there is one.
        said: the target's own words, which may hold values, "" when it was not the target that refused.
    """

    collection: str
    document: str
    table: str
    key: str
    column: str
    value: str
    reason: str
    said: str = ""

    def without_values(self) -> Rejected:
        """The same for people who did not ask to see values."""
        return replace(self, value="", said="")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the target refused a document for good.

    Attributes:
        reason: one sentence without values.
        code: of the target's error: equal codes are the same reason.
        said: the target's own words, which may hold values.
    """

    reason: str
    code: int
    said: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A finished document: its key and its BSON."""

    key: Key
    bson: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """Some documents of one collection, from one snapshot.

    Attributes:
        documents: those that could be made, in key order.
        rejected: why others could not; several may concern one document.
        rejected_keys: keys of the documents that could not be made.
        rows: source rows read for the batch, all tables together.
    """

    documents: tuple[Document, ...]
    rejected: tuple[Rejected, ...]
    rejected_keys: tuple[Key, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What became of a chunk."""

    chunk: Chunk
    documents: int
    rows: int
    bytes: int
    rejected: int
    seconds: float

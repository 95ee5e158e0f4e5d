"""What to do with source values that have no exact place in a document. The page for users: docs/documents.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class SoftDelete:
    """Rows of every table having `column` are left out unless `keep` (an SQL condition) holds for them."""

    column: str
    keep: str


@dataclass(frozen=True, slots=True)
class Policies:
    """One choice per kind of misfit. `reject` rejects the document that holds the value and records the row.

    Attributes:
        null: NULL becomes null, or the field is left out.
        zero_date: '0000-00-00' and partial dates ('2024-00-10').
        submillisecond: DATETIME(4..6), BSON dates have milliseconds: cut, keep as text (the whole column), or
            put the microseconds into a second field `<name>_micros`.
        big_decimal: DECIMAL with more than 34 digits: `string` turns the whole column into text.
        unsigned_overflow: BIGINT UNSIGNED above 2^63-1: `decimal` and `string` turn the whole column.
        invalid_text: bytes that are not valid in the column's character set.
        json_keys: keys of JSON objects and of `as: map` with '.', or '$' in front.
        orphans: a key to a parent row that doesn't exist.
        datetime_zone: IANA name of the zone in which the application wrote DATETIME values.
        soft_delete: rows that count as deleted.
    """

    null: Literal["null", "omit"] = "null"
    zero_date: Literal["reject", "null", "string"] = "reject"
    submillisecond: Literal["truncate", "string", "companion", "reject"] = "truncate"
    big_decimal: Literal["reject", "string"] = "reject"
    unsigned_overflow: Literal["reject", "decimal", "string"] = "reject"
    invalid_text: Literal["reject", "binary"] = "reject"
    json_keys: Literal["keep", "reject"] = "keep"
    orphans: Literal["ignore", "reject"] = "ignore"
    datetime_zone: str = "UTC"
    soft_delete: SoftDelete | None = None

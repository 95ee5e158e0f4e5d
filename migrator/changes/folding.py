"""Text keys in a form that is equal where MySQL's collations find them equal, as far as keys need it."""

from __future__ import annotations

import re

from migrator.model.representation import family_of
from migrator.model.schema import Column

_PLAIN = re.compile(rb"[\t-\r -~]*")


def is_folded(column: Column) -> bool:
    """Whether equal values of the column may differ in their bytes."""
    return family_of(column) == "text" and not (column.collation or "").endswith("_bin")


# What all text with other letters than ASCII's is folded to: collations differ in what they take for equal there, even
# to ASCII letters (Swedish u with two dots and y).
OTHERS = b"\xff"


def folded(value: bytes) -> bytes:
    """Without case and spaces at the end; one and the same for all text that is not ASCII, or has characters that some
    collations pass over (the control characters below 9, from 14 to 31, and 127).

    Text that a collation finds equal is folded to the same, or one of it to OTHERS. Collations in which ASCII letters
    are equal to each other (v and w in old Swedish ones) are not followed.
    """
    return value.lower().rstrip(b" ") if _PLAIN.fullmatch(value) else OTHERS

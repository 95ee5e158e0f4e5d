"""Text keys in a form that is equal where MySQL's collations find them equal, as far as keys need it."""

from __future__ import annotations

import re

from migrator.model.mapping.representation import family_of
from migrator.model.schema.collation import is_bytewise, is_padded
from migrator.model.schema.tables import Column

_PLAIN = re.compile(rb"[\t-\r -~]*")


def is_folded(column: Column) -> bool:
    """Whether equal values of the column may differ in their bytes."""
    return family_of(column) == "text" and (not is_bytewise(column) or is_stripped(column))


def is_stripped(column: Column) -> bool:
    """Whether values of the column differ in their bytes only by spaces at the end where they are equal.

    Most collations whose names end in `_bin` pad with spaces. CHAR is printed without those.
    """
    return is_bytewise(column) and is_padded(column) and column.data_type != "char"


# What all text with other letters than ASCII's is folded to: collations differ in what they take for equal there, even
# to ASCII letters (Swedish u with two dots and y).
OTHERS = b"\xff"


def folded(column: Column, value: bytes) -> bytes:
    """Without spaces at the end. Where more than that is equal by the column's collation: also in lower case, and one
    value for all text that is not ASCII or has characters that some collations ignore (the control characters below 9,
    from 14 to 31, and 127).

    Text that a collation finds equal is folded to the same, or one of it to OTHERS. Collations in which ASCII letters
    are equal to each other (v and w in old Swedish ones) are not followed.
    """
    if is_stripped(column):
        return value.rstrip(b" ")
    return value.lower().rstrip(b" ") if _PLAIN.fullmatch(value) else OTHERS

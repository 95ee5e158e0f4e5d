"""By whose collation MySQL compares two columns. Pure; which columns it can compare at all, only the server says."""

from __future__ import annotations

from migrator.model.mapping.representation import family_of
from migrator.model.schema.tables import Column

# Of two columns the one whose character set holds the other's characters stays as it is, and the other is converted.
# Two sets of one rank can't be compared, but for utf8mb4 and utf32 in MySQL, where the left one stays.
# https://dev.mysql.com/doc/refman/9.7/en/charset-collation-coercibility.html; Item.cc, DTCollation::aggregate
_RANKS = {
    "ascii": 0,
    "ucs2": 2,
    "utf8": 2,
    "utf8mb3": 2,
    "utf16": 2,
    "utf16le": 2,
    "utf8mb4": 3,
    "utf32": 3,
    "binary": 4,
}
_OTHERS = 1


def is_text(column: Column) -> bool:
    """Whether the column is compared as text."""
    return family_of(column) in ("text", "enum")


def is_bytes(column: Column) -> bool:
    """Whether the column is compared byte by byte."""
    return family_of(column) == "binary"


def deciding(left: Column, right: Column) -> Column:
    """The one of two columns of text or bytes in whose character set and by whose collation `left = right` compares.

    Only for columns that the server can compare: for others the answer means nothing.
    """
    one, other = _charset(left), _charset(right)
    if one == other:
        return right if is_bytewise(right) and not is_bytewise(left) else left
    return left if _RANKS.get(one, _OTHERS) >= _RANKS.get(other, _OTHERS) else right


def is_bytewise(column: Column) -> bool:
    """Whether only the same characters are equal, but for spaces at the end."""
    return is_bytes(column) or (column.collation or "").endswith("_bin")


def is_padded(column: Column) -> bool:
    """Whether spaces at the end don't count.

    https://dev.mysql.com/doc/refman/9.7/en/charset-collation-names.html (Pad Attribute): those based on UCA 9.0.0 don't
    pad; https://mariadb.com/kb/en/supported-character-sets-and-collations/ (NO PAD collations).
    """
    name = column.collation or ""
    return is_text(column) and "_0900_" not in name and "nopad" not in name


def collated(column: Column, other: Column) -> str:
    """The collation that `column` has to be given where it is compared with `other`; "" for none.

    Without it, servers may look for the other's value in an index of `column`, where spaces at the end count, although
    the comparison does not count them: which rows a plain join finds would depend on whether that index is used.
    """
    if not is_text(column) or not is_text(other) or column.charset != other.charset:
        return ""
    rule = deciding(column, other)
    return rule.collation or "" if is_padded(rule) and not is_padded(column) else ""


def rules(column: Column) -> str:
    """What a collation's name says after the character set: `general_ci` of utf8mb4_general_ci."""
    return (column.collation or "").partition("_")[2]


def _charset(column: Column) -> str:
    return "binary" if is_bytes(column) else column.charset or ""

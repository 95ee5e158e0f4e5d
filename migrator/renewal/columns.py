"""One column before and after its definition changed: are its values the same, and is it still found by them? Pure.

Both answers err on the safe side: what isn't known to be kept counts as changed.
https://dev.mysql.com/doc/refman/8.4/en/alter-table.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from migrator.model.mapping.representation import Family, Kind, family_of
from migrator.model.schema.tables import Column

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}

# From the smaller to the larger of the kinds of text and bytes that have no length of their own.
_TINY, _PLAIN, _MEDIUM, _LONG = 0xFF, 0xFFFF, 0xFF_FFFF, 0xFFFF_FFFF
_ROOM = {
    "tinytext": _TINY,
    "text": _PLAIN,
    "mediumtext": _MEDIUM,
    "longtext": _LONG,
    "tinyblob": _TINY,
    "blob": _PLAIN,
    "mediumblob": _MEDIUM,
    "longblob": _LONG,
}

# Character sets by those whose every text has the same bytes in them, and by those into which it is converted without a
# loss (MySQL's latin1 is cp1252 with all 256 bytes defined, MySQL 8.4 manual, 12.10.2).
_SAME_BYTES: dict[str, frozenset[str]] = {
    "ascii": frozenset(("latin1", "utf8mb3", "utf8mb4")),
    "utf8mb3": frozenset(("utf8mb4",)),
}
_WITHOUT_LOSS = {**_SAME_BYTES, "latin1": frozenset(("utf8mb3", "utf8mb4"))}
_MOST_BYTES = 4  # of a character, in any set


def keeps_values(was: Column, now: Column, kind: Kind) -> bool:
    """Whether every value that a column can have held is printed as before and becomes the same BSON, where that is of
    kind `kind`.

    NULL that was made a value, values that were cut and characters that became question marks leave no trace in the
    log: only definitions that make room for all of the old values keep them.
    """
    family = family_of(was)
    if family is None or family != family_of(now):
        return False
    if (was.nullable and not now.nullable) or (now.generated and not was.generated):
        return False
    rule = _KEPT.get(family)
    return _same_facts(was, now) or (rule is not None and rule(was, now, kind))


def keeps_identity(was: Column, now: Column) -> bool:
    """Whether rows are found by the column's values as before: the values that stay are printed alike, are equal to
    the same others, and have the same order.

    Which values stay is another question, see `keeps_values`.
    """
    family = family_of(was)
    if family is None or family != family_of(now):
        return False
    match family:
        case "integer" | "decimal":
            filled = was.zerofill or now.zerofill
            return was.scale == now.scale and (not filled or was.column_type == now.column_type)
        case "text":
            return keeps_order(was, now)
        case "enum" | "set":
            return keeps_order(was, now) and now.members[: len(was.members)] == was.members
        case "binary":
            # BINARY fills up with zero bytes.
            return now.data_type != "binary" or _same_facts(was, now)
    return _same_facts(was, now)


def keeps_order(was: Column, now: Column) -> bool:
    """Whether values are compared as before: by collations of the same rules.

    Those of the two UTF-8 sets differ in characters that the smaller one hasn't, those of ASCII in all that isn't.
    """
    return _rules(was) == _rules(now)


def _same_facts(was: Column, now: Column) -> bool:
    """All that decides values is the same; a type's display width does only where zeros fill it up."""
    facts = ("data_type", "unsigned", "zerofill", "length", "precision", "scale", "fraction", "members")
    if any(getattr(was, fact) != getattr(now, fact) for fact in facts):
        return False
    if was.zerofill or (family_of(was) in ("float", "double") and "(" in was.column_type + now.column_type):
        return was.column_type == now.column_type
    return _charset(was) == _charset(now)


def _integer(was: Column, now: Column, kind: Kind) -> bool:
    if was.zerofill or now.zerofill:
        return False
    room = _BITS[now.data_type] - _BITS[was.data_type]
    if was.unsigned and not now.unsigned:
        room -= 1
    return room >= 0 and (was.unsigned or not now.unsigned)


def _decimal(was: Column, now: Column, kind: Kind) -> bool:
    if was.zerofill or now.zerofill or (now.unsigned and not was.unsigned):
        return False
    return was.scale == now.scale and (was.precision or 0) <= (now.precision or 0)


def _text(was: Column, now: Column, kind: Kind) -> bool:
    """CHAR drops spaces at the end, so nothing but CHAR may become CHAR."""
    if now.data_type == "char" and was.data_type != "char":
        return False
    one, other = _charset(was), _charset(now)
    lossless = _SAME_BYTES if kind == "binary" else _WITHOUT_LOSS
    if one != other and other not in lossless.get(one, frozenset()):
        return False
    grows = _MOST_BYTES if one != other and other not in _SAME_BYTES.get(one, frozenset()) else 1
    if now.data_type in _ROOM:
        held = _ROOM[was.data_type] * grows if was.data_type in _ROOM else (was.length or 0) * _MOST_BYTES
        return min(held, _LONG) <= _ROOM[now.data_type]
    # So many characters; a text type holds so many bytes, and no more characters than that.
    return (_ROOM.get(was.data_type) or was.length or 0) <= (now.length or 0)


def _binary(was: Column, now: Column, kind: Kind) -> bool:
    """BINARY fills up with zero bytes, so nothing may become BINARY."""
    if now.data_type == "binary":
        return False
    return (_ROOM.get(was.data_type) or was.length or 0) <= (_ROOM.get(now.data_type) or now.length or 0)


def _members(was: Column, now: Column, kind: Kind) -> bool:
    return now.members[: len(was.members)] == was.members


_KEPT: Mapping[Family, Callable[[Column, Column, Kind], bool]] = {
    "integer": _integer,
    "decimal": _decimal,
    "text": _text,
    "binary": _binary,
    "enum": _members,
    "set": _members,
}


def _rules(column: Column) -> str:
    collation = column.collation or ""
    if collation in ("ascii_bin", "ascii_general_ci"):
        return collation.replace("ascii", "utf8")
    for prefix in ("utf8mb4_", "utf8mb3_"):
        if collation.startswith(prefix):
            return f"utf8_{collation.removeprefix(prefix)}"
    return collation


def _charset(column: Column) -> str:
    return "utf8mb3" if column.charset == "utf8" else column.charset or ""

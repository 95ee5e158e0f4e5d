"""A column, compared with values of the column that it is joined with: what `near = given` finds, and no more.

A literal is not the column that its value came from. Next to a column it takes on that column's collation, where two
columns would be compared by the collation of either; text that the column's character set can't hold is an error; a
string next to a date has to be one. So values are compared in one of three ways, each of which finds what the join
finds:

- as literals, where the column's own rules decide, and its index serves;
- with the column converted to what decides, as the join converts it. No index serves that; where one can find all rows
  that matter, and a few more, a second condition lets it (see `alphabet`);
- as rows of a table whose column has the type of the other one, where types differ in ways that literals don't show.

https://dev.mysql.com/doc/refman/9.7/en/charset-collation-coercibility.html
https://dev.mysql.com/doc/refman/9.7/en/type-conversion.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from migrator.errors import SourceError
from migrator.model.mapping.representation import Family, family_of
from migrator.model.schema.collation import deciding, is_bytes, is_bytewise, is_padded, rules
from migrator.model.schema.tables import Column
from migrator.source.sql.alphabet import Alphabet, Weights, serves
from migrator.source.sql.charsets import EXACT, decoded, encoded
from migrator.source.sql.literal import key_literal, text_literal

_NUMBERS = ("integer", "decimal", "float", "double")
_STRINGS = ("text", "enum", "binary")
_ADDRESSES = ("uuid", "inet")
_DAYS = ("date", "datetime")

_NO_CHARACTER = "\ufffd"
_NOTHING = "FALSE"
# Ranges of an index that one statement looks into, and how many it is for a value: with more values all of the index is
# read once for all of them.
_RANGES = 1000
_LEAST, _MOST = 20, 40


@dataclass(frozen=True)
class Comparison:
    """`near = given`, two columns that are joined, the parent's or link's on the left.

    Attributes:
        near: the column that the statement has.
        given: the column whose values, as the server prints them, it is compared with.
        alphabet: of `near`, for what `alphabet_for` asks for.
        weights: of texts that the alphabet can't weigh.
    """

    near: Column
    given: Column
    alphabet: Alphabet | None = None
    weights: Mapping[str, Weights] = field(default_factory=dict)

    def any_of(self, name: str, values: Sequence[bytes]) -> str:
        """The condition that `near`, called `name` in the statement, equals any of `values`, which are not none.

        Raises:
            SourceError: when the server can't have printed a value for `given`.
        """
        return self._condition(name, list(dict.fromkeys(values)))

    @property
    def is_indexed(self) -> bool:
        """Whether an index of `near` serves, at least for few values."""
        if self._condition != self._converted:
            as_numbers = _is_string(self.near) and not _is_string(self.given)
            return self._condition != self._as_rows and not as_numbers
        return self._candidates([b"a"]) is not None or serves(self.near, self.given)

    def alphabet_for(self, values: Sequence[bytes]) -> Column | None:
        """The column in whose collation the letters of `near` have to be weighed, for its index to find `values`; None
        where that is of no use."""
        if self._condition != self._converted or is_bytes(self.given) or len(values) > _RANGES // _LEAST:
            return None
        return self.given if self._candidates(values) is None else None

    @cached_property
    def _condition(self) -> Callable[[str, Sequence[bytes]], str]:
        near, given = self.near, self.given
        if _is_string(near) and _is_string(given):
            if is_bytes(near):
                return self._as_literals if is_bytes(given) else self._as_bytes
            # Next to an ENUM text that is no member but a number is a member's place.
            decides = deciding(near, given) is near and family_of(near) != "enum"
            return self._as_literals if decides else self._converted
        return self._as_literals if _serves_as_literal(family_of(near), family_of(given)) else self._as_rows

    def _as_literals(self, name: str, values: Sequence[bytes]) -> str:
        return among(name, [self._literal(value) for value in values])

    def _literal(self, value: bytes) -> str:
        """The value next to a column whose own rules decide."""
        near, given = family_of(self.near), family_of(self.given)
        if given == "enum" and near not in _NUMBERS:
            return text_literal(_text(self.given, value))
        if given == "binary" and near != "binary":
            return f"_binary {key_literal(self.given, value)}"  # bare, x'31' is a number next to numbers
        return key_literal(self.given, value)

    def _as_bytes(self, name: str, values: Sequence[bytes]) -> str:
        """Text next to bytes is the bytes that it has in its own character set."""
        charset = self.given.charset or ""
        texts = [_text(self.given, value) for value in values]
        if charset in EXACT:
            return among(name, [f"x'{code.hex()}'" for text in texts if (code := encoded(charset, text)) is not None])
        # Never `=`: servers take `a = f('x') OR a = f('X')` for one condition where an index begins with `a`.
        converted = [f"CAST({_in_own_set(self.given, value)} AS BINARY)" for value in values]
        return f"{name} IN ({', '.join(converted)}, NULL)"

    def _converted(self, name: str, values: Sequence[bytes]) -> str:
        """The column in the character set, and by the collation, in which the two are compared."""
        rule = deciding(self.near, self.given)
        if is_bytes(rule):
            exact = among(f"CAST({name} AS BINARY)", [key_literal(self.given, value) for value in values])
        else:
            column = f"CONVERT({name} USING {rule.charset}) COLLATE {rule.collation}"
            exact = among(column, [self._literal(value) for value in values])
        candidates = self._candidates(values)
        if candidates is not None:
            return f"({among(name, list(map(text_literal, candidates)))} AND {exact})"
        if self.alphabet is None:
            return exact
        ranges = self._ranges(self.alphabet, name, values)
        return f"(({' OR '.join(ranges)}) AND {exact})" if ranges else _NOTHING

    def _candidates(self, values: Sequence[bytes]) -> list[str] | None:
        """Texts by which the column's own collation finds at least the rows that the join finds, without those that
        its character set can't hold: no row equals them. None where there are no such texts."""
        near, given = self.near, self.given
        charset = near.charset or ""
        if family_of(near) == "enum":
            return None
        if is_bytes(given):
            # The same bytes are the same text.
            return _known(decoded(charset, value) for value in values) if charset in EXACT else None
        texts = [_text(given, value) for value in values]
        if is_bytewise(given):
            if is_padded(given) and not is_padded(near):
                return None
            if charset == given.charset:
                return texts
            return [text for text in texts if encoded(charset, text) is not None] if charset in EXACT else None
        last = same_weights_up_to(near, given)
        if last < 0:
            return None
        if last == 0xFFFF and rules(given).startswith("general_"):
            # To these all characters beyond are one and the same.
            texts = [_without_supplementary(text) for text in texts]
        if any(ord(character) > last for text in texts for character in text):
            return None
        return texts

    def _ranges(self, alphabet: Alphabet, name: str, values: Sequence[bytes]) -> list[str]:
        """Conditions on ranges of the column's index, one of which whatever equals a value meets."""
        most = min(_MOST, _RANGES // len(values))
        found: dict[str, None] = {}
        for text in (_text(self.given, value) for value in values):
            weights = alphabet.weigh(text)
            found.update(
                dict.fromkeys(alphabet.ranges(name, text, self.weights[text] if weights is None else weights, most))
            )
        return list(found)

    def _as_rows(self, name: str, values: Sequence[bytes]) -> str:
        """Columns are compared with columns: a union is not merged, and with two rows it is no constant."""
        rows = " UNION ALL ".join(f"SELECT {self._typed(value)} AS g" for value in values)
        return f"{name} IN (SELECT v.g FROM ({rows} UNION ALL SELECT NULL) AS v)"

    def _typed(self, value: bytes) -> str:
        """The value as an expression of its column's type."""
        given = self.given
        literal = key_literal(given, value)
        match family_of(given):
            case "text":
                return _in_own_set(given, value)
            case "enum":
                return _in_own_set(given, value) if family_of(self.near) not in (*_NUMBERS, "bit", "year") else literal
            case "binary":
                return f"CAST({literal} AS BINARY)"
            case "date":
                return f"CAST({literal} AS DATE)"
            case "datetime":
                return f"CAST({literal} AS DATETIME({given.fraction or 0}))"
            case "time":
                return f"CAST({literal} AS TIME({given.fraction or 0}))"
            case "year":
                return literal.strip("'")
            case "uuid" | "inet":
                return f"CAST({literal} AS {given.data_type})"
        return literal


def same_weights_up_to(small: Column, large: Column) -> int:
    """The last character up to which all in the set of `small` weigh the same in the collation of the same name of a
    larger set; -1 for none."""
    if rules(small) == rules(large) and large.charset in ("utf8", "utf8mb3", "utf8mb4"):
        if small.charset == "ascii":
            return 0x7F
        if small.charset in ("utf8", "utf8mb3") and large.charset == "utf8mb4":
            return 0xFFFF
    return -1


def among(name: str, literals: Sequence[str]) -> str:
    """The condition that `name` equals any of `literals`."""
    if not literals:
        return _NOTHING
    return f"{name} = {literals[0]}" if len(literals) == 1 else f"{name} IN ({', '.join(literals)})"


def _is_string(column: Column) -> bool:
    return family_of(column) in _STRINGS


def _serves_as_literal(near: Family | None, given: Family | None) -> bool:
    """Whether values of a type next to a column of another are compared as the columns are."""
    if near == given or (near in _DAYS and given in _DAYS):
        return True
    if near in _NUMBERS:
        return given in (*_NUMBERS, *_STRINGS)
    if near in _STRINGS:
        return given in (*_NUMBERS, "bit")
    return near in _ADDRESSES and given in _STRINGS


def _in_own_set(column: Column, value: bytes) -> str:
    """A value of a text column, in its character set."""
    return f"CONVERT({text_literal(_text(column, value))} USING {column.charset})"


def _known(texts: Iterable[str | None]) -> list[str]:
    return [text for text in texts if text is not None]


def _without_supplementary(text: str) -> str:
    return "".join(character if ord(character) <= 0xFFFF else _NO_CHARACTER for character in text)


def _text(column: Column, value: bytes) -> str:
    try:
        return value.decode()
    except ValueError:
        raise SourceError(
            f"{value[:100]!r} is not a value of type {column.column_type}",
            where=column.name,
            hint="The table may have changed since the plan was made: make a new plan.",
        ) from None

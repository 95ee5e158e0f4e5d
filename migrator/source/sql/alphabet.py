"""Where in a column's index texts stand that another collation takes for equal. Pure: weights in, conditions out.

A latin1 column that is joined with a utf8mb4 one is converted, and compared by the other's collation. `Müller` is
`Muller` to that one, but not to the collation of the column's index. So a text is not looked up there but spelled. At
each place the index leads on by one letter of the right weight. What goes on with another letter of that weight, with
one that weighs nothing, or with one that stands for several letters, is a range of its own, which mostly is empty. Not
all that is found is equal: that takes a second condition.

This needs an index in which each letter weighs by itself, and a collation to compare by in which no sequence of its
letters has another weight than they have, but for those with a letter of `JOINING`.
https://dev.mysql.com/doc/refman/9.7/en/charset-collation-implementations.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from migrator.model.schema.collation import is_padded, rules
from migrator.model.schema.tables import Column
from migrator.source.sql.literal import text_literal

Weights = tuple[bytes, ...]

# Of eight bits a character, ASCII among them, compared character by character.
SETS = frozenset(
    ("ascii", "cp1250", "cp1251", "cp1257", "cp850", "cp866", "greek", "koi8r", "koi8u", "latin1", "latin2", "latin5")
)
_RULES = frozenset(
    f"{name}{padding}{end}"
    for name, end in (("general", "_ci"), ("unicode", "_ci"), ("unicode_520", "_ci"), ("uca1400", "_ai_ci"))
    for padding in ("", "_nopad")
) | {"0900_ai_ci"}
_UNICODE = ("utf8mb4", "utf8mb3", "utf8", "utf16", "utf16le", "utf32", "ucs2")
_WIDTH = 2  # bytes of a weight in these
# Letters that may join the one before them: `l` and U+00B7 weigh what `l` does in MariaDB's uca1400.
JOINING = frozenset("\u00b7\u0387")
# So many letters may be looked through that lie between others, if none of them is common.
_BETWEEN = 12
_COMMON = frozenset(bytes([code]) for code in range(0x20, 0x7F))


@dataclass(frozen=True, slots=True)
class Letter:
    """One character of a column's set.

    Attributes:
        raw: its code.
        text: the character.
        own: its weight in the column's collation: the order of the index.
        weights: what it weighs, converted, in the collation that text is compared by; () for nothing.
    """

    raw: bytes
    text: str
    own: bytes
    weights: Weights


def serves(near: Column, rule: Column) -> bool:
    """Whether an index of `near` can be looked into for texts that are compared by the collation of `rule`."""
    is_known = near.charset in SETS and rule.charset in _UNICODE and rules(rule) in _RULES
    return is_known and near.data_type in ("char", "varchar")


def letters_query(near: Column, rule: Column) -> str | None:
    """Asks for a row of four texts in hexadecimal for each letter of `near`: its code, the character, its own weight,
    and what it weighs in `rule`; None where an index can't be used like that."""
    if not serves(near, rule):
        return None
    return " UNION ALL ".join(
        f"SELECT HEX({code}), HEX({_converted(code, 'utf8mb4')}), HEX(WEIGHT_STRING({code} COLLATE {near.collation})), "
        f"HEX(WEIGHT_STRING({_converted(code, rule.charset or '')} COLLATE {rule.collation}))"
        for code in (f"_{near.charset} x'{raw.hex()}'" for raw in _codes(near))
    )


def weights_query(rule: Column, texts: Sequence[str]) -> str:
    """Asks for a row with what each of `texts` weighs in `rule`, in hexadecimal."""
    weights = (
        f"HEX(WEIGHT_STRING({_converted(text_literal(text), rule.charset or '')} COLLATE {rule.collation}))"
        for text in texts
    )
    return f"SELECT {', '.join(weights)}"


def weights_of(answer: bytes | None) -> Weights:
    """The weights in an answer's hexadecimal text."""
    return _split(bytes.fromhex((answer or b"").decode()))


@dataclass(frozen=True)
class Alphabet:
    """The letters that a column can hold, and what they weigh in the collation that it is compared by."""

    near: Column
    rule: Column
    letters: tuple[Letter, ...]

    @classmethod
    def of(cls, near: Column, rule: Column, rows: Sequence[Sequence[bytes | None]]) -> Alphabet | None:
        """From the answer to `letters_query`; None for a collation in which letters don't weigh each by itself."""
        letters = []
        for row in rows:
            raw, text, own, weights = (bytes.fromhex((value or b"").decode()) for value in row)
            if len(own) != 1:
                return None
            letters.append(Letter(raw, text.decode(), own, _split(weights)))
        return cls(near, rule, tuple(sorted(letters, key=lambda one: one.raw)))

    def weigh(self, text: str) -> Weights | None:
        """What a text weighs; None where only the server can tell."""
        found: list[bytes] = []
        for character in text:
            letter = self._by_text.get(character)
            if letter is None or character in JOINING:
                return None
            found += letter.weights
        return tuple(found)

    def ranges(self, name: str, text: str, weights: Weights, most: int) -> list[str]:
        """Conditions, each a range of the index of `near`, one of which every value meets that equals `text`; [] where
        no value can.

        Args:
            name: what the column is called in the statement.
            weights: of `text`.
            most: about so many, the last of which may be wide.
        """
        padding = self._space if is_padded(self.rule) else ()
        while padding and weights[-1:] == padding:
            weights = weights[:-1]
        if not self._known.issuperset(weights):
            return []
        prefix, spelled = b"", iter(text)
        found: list[str] = []
        for place in range(len(weights)):
            if len(prefix) >= (self.near.length or 0):
                return found
            ahead = weights[place:]
            possible = [*self._apart, *self._beginning(ahead, padding)]
            onward = self._onward(possible, ahead[0], next(spelled, ""))
            aside = {one.own for one in possible if onward is None or one.own != onward.own}
            found += self._following(name, prefix, aside, onward)
            if onward is None:
                return found
            prefix += onward.raw
            if len(found) >= most or any(one.own == onward.own and one.weights != ahead[:1] for one in possible):
                return [*found, self._beginning_with(name, prefix, prefix)]
        found.append(f"{name} = {self._raw(prefix)}")
        if len(prefix) < (self.near.length or 0):
            after = {one.own for one in (*self._apart, *self._beginning((), padding))}
            found += self._following(name, prefix, after, None)
        return found

    def _beginning(self, ahead: Weights, padding: Weights) -> Iterator[Letter]:
        """The letters that weigh what the weights `ahead` begin with."""
        whole = (*ahead, *(padding * self._longest))
        for one in self._by_first.get(whole[0], ()) if whole else ():
            if one.weights == whole[: len(one.weights)]:
                yield one

    @staticmethod
    def _onward(possible: Sequence[Letter], weight: bytes, spelled: str) -> Letter | None:
        """The letter by which most texts of this weight go on: the very one, or another of its weight."""
        equal = [one for one in possible if one.weights == (weight,) and one.text not in JOINING]
        return next((one for one in equal if one.text == spelled), equal[0] if equal else None)

    def _following(self, name: str, prefix: bytes, own: Collection[bytes], onward: Letter | None) -> Iterator[str]:
        """The values that begin with `prefix` and go on with a letter of a weight in `own`: a range for neighbours, and
        for those with few and rare letters between them."""
        runs: list[list[int]] = []
        for place in sorted(self._places[one] for one in own):
            if runs and self._is_near(runs[-1][-1], place, onward):
                runs[-1].append(place)
            else:
                runs.append([place])
        for run in runs:
            yield self._beginning_with(name, prefix + self._order[run[0]], prefix + self._order[run[-1]])

    def _is_near(self, last: int, place: int, onward: Letter | None) -> bool:
        between = self._order[last + 1 : place]
        apart = onward is not None and last < self._places[onward.own] < place
        return len(between) <= _BETWEEN and _COMMON.isdisjoint(between) and not apart

    def _beginning_with(self, name: str, first: bytes, last: bytes) -> str:
        """The values that begin with `first`, with `last`, or with what sorts between.

        Not by LIKE: in some collations servers look for that from `first` and a space on, and miss what goes on with
        a character before the space.
        """
        lowest = self._filled(first, self._order[0]) if is_padded(self.near) else self._raw(first)
        return f"{name} BETWEEN {lowest} AND {self._filled(last, self._order[-1])}"

    def _filled(self, start: bytes, letter: bytes) -> str:
        """The longest text that the column can hold, of `start` and then the same letter."""
        return f"RPAD({self._raw(start)}, {self.near.length}, {self._raw(letter)})"

    def _raw(self, codes: bytes) -> str:
        return f"_{self.near.charset} x'{codes.hex()}'"

    @cached_property
    def _by_text(self) -> dict[str, Letter]:
        return {one.text: one for one in self.letters}

    @cached_property
    def _by_first(self) -> dict[bytes, list[Letter]]:
        """The letters that weigh something, by the first weight."""
        found: dict[bytes, list[Letter]] = {}
        for one in self.letters:
            if one.weights:
                found.setdefault(one.weights[0], []).append(one)
        return found

    @cached_property
    def _apart(self) -> tuple[Letter, ...]:
        """The letters that may stand anywhere: those that weigh nothing, or nothing by themselves."""
        return tuple(one for one in self.letters if not one.weights or one.text in JOINING)

    @cached_property
    def _known(self) -> frozenset[bytes]:
        return frozenset(weight for one in self.letters for weight in one.weights)

    @cached_property
    def _longest(self) -> int:
        return max(len(one.weights) for one in self.letters)

    @cached_property
    def _space(self) -> Weights:
        return self._by_text[" "].weights

    @cached_property
    def _order(self) -> tuple[bytes, ...]:
        """A code of each weight, in the order of the index."""
        codes = {one.own: one.raw for one in reversed(self.letters)}
        return tuple(codes[own] for own in sorted(codes))

    @cached_property
    def _places(self) -> dict[bytes, int]:
        return {own: place for place, own in enumerate(sorted({one.own for one in self.letters}))}


def _codes(near: Column) -> Iterator[bytes]:
    return (bytes([code]) for code in range(128 if near.charset == "ascii" else 256))


def _split(weights: bytes) -> Weights:
    return tuple(weights[at : at + _WIDTH] for at in range(0, len(weights), _WIDTH))


def _converted(text: str, charset: str) -> str:
    return f"CONVERT({text} USING {charset})"

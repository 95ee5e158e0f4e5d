"""Python names from names of the database: good ones where they can be, safe ones always.

Nothing of a table's or column's name reaches the generated code except through here (identifiers), `literal` (string
constants) and `prose` (comments and docstrings).
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_IRREGULAR = {
    "children": "child",
    "people": "person",
    "men": "man",
    "women": "woman",
    "mice": "mouse",
    "indices": "index",
    "matrices": "matrix",
    "movies": "movie",
    "series": "series",
    "news": "news",
    "species": "species",
    "analyses": "analysis",
    "cookies": "cookie",
    "caches": "cache",
    "courses": "course",
    "houses": "house",
    "warehouses": "warehouse",
    "purchases": "purchase",
    "leaves": "leaf",
    "shelves": "shelf",
}
_RESERVED = frozenset(name.lower() for name in keyword.kwlist)


def words(text: str) -> list[str]:
    """The words of a name in lower case: `ship_city`, `shipCity` and `Ship City` are ["ship", "city"]."""
    # Identifiers are compared in this form (Python reference, Identifiers), so clashes must be, too.
    normal = unicodedata.normalize("NFKC", text)
    parts = re.split(r"[^\w]+|_+", normal)
    found = [word for part in parts for word in _BOUNDARY.split(part) if word]
    return [word.lower() for word in found if ("x" + word).isidentifier()]


def attribute(text: str) -> str:
    """A name for a field, function or module: `ship_city`."""
    made = "_".join(words(text)) or "field"
    if not made.isidentifier():
        made = f"n{made}"
    return f"{made}_" if made in _RESERVED else made


def class_name(*texts: str) -> str:
    """A name for a class: `OrderItem`."""
    made = "".join(word[:1].upper() + word[1:] for text in texts for word in words(text)) or "Unnamed"
    if not made.isidentifier():
        made = f"N{made}"
    return f"{made}_" if keyword.iskeyword(made) or made in vars(builtins) else made


def constant(*texts: str) -> str:
    """A name for a constant: `ORDER_STATE`."""
    return "_".join(attribute(text).strip("_") for text in texts).upper()


def singular(text: str) -> str:
    """The name of one of them: `order_items` gives `order_item`. The last word counts; unknown forms stay."""
    parts = words(text)
    if not parts:
        return text
    return "_".join([*parts[:-1], _singular(parts[-1])])


def _singular(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "uses")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 2:
        return word[:-1]
    return word


class UniqueNames:
    """Gives out names that differ from each other and from `taken`; `joint` stands before a number."""

    def __init__(self, taken: Iterable[str] = (), joint: str = "_") -> None:
        self._taken = set(taken)
        self._joint = joint

    def numbered(self, joint: str) -> UniqueNames:
        """The same names, with another `joint`."""
        other = UniqueNames(joint=joint)
        other._taken = self._taken
        return other

    def __contains__(self, name: str) -> bool:
        return name in self._taken

    def take(self, wanted: str) -> str:
        """`wanted`, or with a number appended when it is already taken."""
        made, number = wanted, 2
        while made in self._taken:
            made = f"{wanted.rstrip('_')}{self._joint}{number}"
            number += 1
        self._taken.add(made)
        return made


def literal(text: str) -> str:
    """A string constant, quoted as formatters want it: with double quotes unless single ones need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = []
    for character in text:
        if character in (quote, "\\"):
            body.append(f"\\{character}")
        elif character.isprintable():
            body.append(character)
        else:
            body.append(repr(character)[1:-1])
    return f"{quote}{''.join(body)}{quote}"


def prose(text: str) -> str:
    """Text for a docstring or comment: one line, no quotes, no escapes, at most 120 characters."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    shown = shown.replace("\\", "/").replace('"', "'")
    shown = " ".join(shown.split())
    return shown if len(shown) <= 120 else f"{shown[:117]}..."

"""What MongoDB refuses of a document: for the indexes of its collection, and for its field names.

src/mongo/db/index/expression_keys_private.cpp, btree_key_generator.cpp and fts/fts_language.cpp of MongoDB 4.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.mongodb_rules.geometry import unusable
from tests.mongodb_rules.model import Refusal

_LANGUAGES = {
    *("none", "danish", "dutch", "english", "finnish", "french", "german", "hungarian", "italian", "norwegian"),
    *("portuguese", "romanian", "russian", "spanish", "swedish", "turkish"),
    *("da", "nl", "en", "fi", "fr", "de", "hu", "it", "nb", "pt", "ro", "ru", "es", "sv", "tr"),
}
_REFERENCE = ("$ref", "$id", "$db")


@dataclass(frozen=True, slots=True)
class Index:
    """An index, as `listIndexes` describes it."""

    spec: Mapping[str, Any]

    @property
    def keys(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.spec["key"]
        return found

    @property
    def kinds(self) -> set[str]:
        return {each for each in self.keys.values() if isinstance(each, str)}

    @property
    def can_refuse(self) -> bool:
        """Whether there are documents that it can't take, apart from values that are there already."""
        return bool(
            self.kinds or len(self.keys) > 1 or any(part.isdigit() for name in self.keys for part in name.split("."))
        )


def refusal(document: Mapping[str, Any], indexes: Sequence[Index]) -> Refusal | None:
    """Why one of these indexes can't take the document."""
    for index in indexes:
        if found := _refused_by(document, index):
            return found
    return None


def dollar_names(document: Mapping[str, Any]) -> Refusal | None:
    """Why a document can't replace another one before MongoDB 5.0, where an insert takes it."""
    name = next(_dollars(document), None)
    if name is None:
        return None
    text = f"The dollar ($) prefixed field '{name}' in '{name}' is not valid for storage."
    return Refusal(52, "DollarPrefixedFieldName", text)


def _refused_by(document: Mapping[str, Any], index: Index) -> Refusal | None:
    if not _covers(index.spec.get("partialFilterExpression"), document):
        return None
    if "text" in index.kinds or "_fts" in index.keys:
        return _text(document, index)
    for path, kind in index.keys.items():
        if ambiguous := _ambiguous(document, path.split(".")):
            text = (
                "Ambiguous field name found in array (do not use numeric field names in embedded elements in an "
                f"array), field: '{ambiguous}' for array"
            )
            return Refusal(16746, "Location16746", text)
        if kind == "hashed" and _arrays(document, path):
            return Refusal(16766, "Location16766", f"hashed indexes do not currently support array values. {path}")
        if kind == "2dsphere" and (why := _sphere(document, path)):
            return Refusal(16755, "Location16755", f"Can't extract geo keys: {document}  {why}")
    if "2dsphere" in index.kinds:
        return None
    # One array may hold several of the fields; two arrays next to each other may not.
    arrays = {found for path in index.keys if (found := _arrays(document, path))}
    for one in arrays:
        for other in arrays:
            if not (other[: len(one)] == one or one[: len(other)] == other):
                text = f"cannot index parallel arrays [{one[0]}] [{other[0]}]"
                return Refusal(171, "CannotIndexParallelArrays", text)
    return None


def _sphere(document: Mapping[str, Any], path: str) -> str:
    values = list(_along(document, path.split(".")))
    distinct = [value for place, value in enumerate(values) if value not in values[:place]]
    if len(distinct) == 1 and (distinct[0] is None or distinct[0] in ([], {})):
        return ""
    return next((why for value in distinct if (why := unusable(value))), "")


def _text(document: Mapping[str, Any], index: Index) -> Refusal | None:
    field = index.spec.get("language_override", "language")
    for each in _documents_in(document):
        language = each.get(field)
        if language is None:
            continue
        if not isinstance(language, str):
            return Refusal(
                17261, "Location17261", f"found language override field in document with non-string type: {field}"
            )
        if language.lower() not in _LANGUAGES:
            return Refusal(17262, "Location17262", f"language override unsupported: {language}")
    return None


def _documents_in(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield document
    for value in document.values():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, dict):
                yield from _documents_in(each)


def _along(value: object, parts: Sequence[str]) -> Iterator[object]:
    """The values that a path leads to: through arrays, but for one at its end."""
    if not parts:
        yield value
    elif isinstance(value, dict):
        if parts[0] in value:
            yield from _along(value[parts[0]], parts[1:])
    elif isinstance(value, list):
        if parts[0].isdigit() and int(parts[0]) < len(value):
            yield from _along(value[int(parts[0])], parts[1:])
        for each in value:
            if isinstance(each, dict):
                yield from _along(each, parts)


def _arrays(document: Mapping[str, Any], path: str) -> tuple[str, ...]:
    """The path of the first array on the way, or at the end; empty when there is none."""
    value: object = document
    parts = path.split(".")
    for place, part in enumerate(parts):
        if not isinstance(value, dict):
            return ()
        value = value.get(part)
        if isinstance(value, list):
            follows = parts[place + 1] if place + 1 < len(parts) else ""
            if follows.isdigit() and int(follows) < len(value):
                return ()
            return tuple(parts[: place + 1])
    return ()


def _ambiguous(value: object, parts: Sequence[str]) -> str:
    """A number of the path that is a field's name within an array, as well as a place in it."""
    if not parts:
        return ""
    if isinstance(value, dict):
        return _ambiguous(value.get(parts[0]), parts[1:])
    if isinstance(value, list):
        if parts[0].isdigit():
            if int(parts[0]) < len(value) and any(isinstance(each, dict) and parts[0] in each for each in value):
                return parts[0]
            return ""
        return next((found for each in value if isinstance(each, dict) and (found := _ambiguous(each, parts))), "")
    return ""


def _covers(condition: Mapping[str, Any] | None, document: Mapping[str, Any]) -> bool:
    """Whether a partial index may have the document: it surely has not when a field that must exist is not there."""
    for path, wanted in (condition or {}).items():
        if not path.startswith("$") and wanted != {"$exists": False} and not list(_along(document, path.split("."))):
            return False
    return True


def _dollars(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        reference = "$ref" in value and "$id" in value
        for name, each in value.items():
            if name.startswith("$") and not (reference and name in _REFERENCE):
                yield name
            yield from _dollars(each)
    elif isinstance(value, list):
        for each in value:
            yield from _dollars(each)

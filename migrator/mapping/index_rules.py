"""MongoDB's rules for one index, as far as the mapping alone shows that it can't be built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import bson

from migrator.indexing.collations import SIMPLE, is_locale, near_locale
from migrator.indexing.languages import LANGUAGE_FIELD
from migrator.mapping.field_paths import FieldPath
from migrator.mapping.location import Location
from migrator.model.mapping.spec import IndexDefinition

_MOST_KEYS = 32
_KEY_PATTERN_BYTES = 2048
_DBREF = ("$id", "$ref", "$db")

Keys = Sequence[tuple[str, int | str]]


def report_definition(definition: IndexDefinition, location: Location) -> None:
    """What is wrong with the index, whatever the documents look like."""
    keys = tuple(definition.keys.items())
    kinds = [direction for _, direction in keys if isinstance(direction, str)]
    if len(set(kinds)) > 1:
        location.at("keys").report(f"MongoDB can't have {' and '.join(dict.fromkeys(kinds))} in one index", "make two")
    if kinds.count("hashed") > 1:
        location.at("keys").report("MongoDB allows one hashed field in an index", "write 1 at the others")
    if "text" in kinds:
        _report_text(definition, keys, location)
    if definition.expire_after_seconds is not None:
        _report_expiring(keys, location)
    if len(keys) == 1 and keys[0] == ("_id", -1):
        location.at("keys").report("MongoDB has an index over `_id` already, and allows no second one", "remove it")
    if keys == (("_id", 1),) and (definition.unique or definition.collation is not None):
        location.report("MongoDB's index over `_id` is unique already, and allows no options", "remove it", at_key=True)
    if definition.collation is not None and not is_locale(definition.collation.locale):
        near = near_locale(definition.collation.locale)
        hint = f"did you mean `{near}`?" if near else "write a locale such as `en`, or `simple` for byte by byte"
        location.at("collation").report(f"MongoDB has no locale `{definition.collation.locale}`", hint)
    if definition.name is not None and (definition.name == "*" or "\0" in definition.name):
        location.at("name").report("MongoDB allows no index of this name", "choose another `name`, or remove it")
    _report_size(keys, location)


def _report_text(definition: IndexDefinition, keys: Keys, location: Location) -> None:
    places = [place for place, (_, direction) in enumerate(keys) if direction == "text"]
    if places != list(range(places[0], places[0] + len(places))):
        location.at("keys").report(
            "the text fields of an index must follow each other", "put the others before or after"
        )
    if definition.collation is not None and definition.collation.locale != SIMPLE:
        location.at("collation").report("MongoDB has no text index with a collation", "remove `collation`")


def _report_expiring(keys: Keys, location: Location) -> None:
    here = location.at("expire_after_seconds")
    if keys[0][0] == "_id":
        here.report("MongoDB does not expire documents by `_id`", "name another date")
    elif isinstance(keys[0][1], str):
        here.report(f"MongoDB does not expire documents by a {keys[0][1]} index", "write 1")


def _report_size(keys: Keys, location: Location) -> None:
    if len(keys) > _MOST_KEYS:
        location.at("keys").report(f"MongoDB allows at most {_MOST_KEYS} fields in an index", "leave some out")
    elif len(bson.encode(dict(keys))) > _KEY_PATTERN_BYTES:
        message = f"the names of the index's fields take more than {_KEY_PATTERN_BYTES} bytes"
        location.at("keys").report(message, "leave some out, or give the fields shorter names")


def report_names(dotted: str, direction: int | str, location: Location) -> bool:
    """Whether MongoDB takes the path as a key; otherwise the mistake is reported."""
    names = dotted.split(".")
    if "" in names:
        location.report(f"`{dotted}` has an empty name", "remove the superfluous dot", at_key=True)
    elif any(name.startswith("$") and (place == 0 or name not in _DBREF) for place, name in enumerate(names)):
        location.report("MongoDB has no index over a field whose name begins with `$`", "remove it", at_key=True)
    elif dotted == "_fts" or (dotted == "_ftsx" and direction == "text"):
        location.report(f"`{dotted}` is a name of MongoDB's own in indexes", "give the field another name", at_key=True)
    else:
        return True
    return False


def report_path(path: FieldPath, direction: int | str, location: Location) -> None:
    """What is wrong with one field of an index: `location` is its place under `keys`."""
    if direction == "hashed" and path.arrays:
        location.report(f"MongoDB has no hashed index over arrays, and `{path.dotted}` is in one", "write 1")
    if direction == "2dsphere":
        _report_spherical(path, location)
    _report_numbers(path, location)


def _report_spherical(path: FieldPath, location: Location) -> None:
    if path.kind not in ("geojson", "json"):
        location.report(f"`{path.dotted}` is no GeoJSON", "a 2dsphere index needs a geometry column")
    elif path.arrays and path.omits:
        message = (
            f"`{path.dotted}` can be null in an array, and a 2dsphere index refuses a document that has null next to a "
            "geometry"
        )
        location.report(message, f"write {path.omits}: then NULL is left out", at_key=True)


def report_languages(
    known: Mapping[str, tuple[FieldPath, int | str]], known_paths: Mapping[str, FieldPath], location: Location
) -> None:
    """A text index takes fields called `language` next to its text, and next to all that the text is in."""
    texts = [path.path for path, direction in known.values() if direction == "text"]
    around = dict.fromkeys(path[:depth] for path in texts for depth in range(len(path)))
    for place in around:
        path = ".".join((*place, LANGUAGE_FIELD))
        language = known_paths.get(path)
        if language is None or language.kind == "json":
            continue
        if language.kind != "string" or language.path in language.arrays:
            what = f"`{path}` is no text, but a text index takes it for the document's language"
            hint = "give the field another name under `fields:`, such as `spoken: language`"
            location.at("keys").report(what, hint, at_key=True)
        elif language.omits:
            what = f"`{path}` can be null, but a text index takes it for the document's language"
            location.at("keys").report(what, f"write {language.omits}, or give the field another name", at_key=True)


def _report_numbers(path: FieldPath, location: Location) -> None:
    """In an array a number is the place of an element, so MongoDB refuses elements with a field of that name."""
    for array in path.arrays:
        below = path.path[len(array) : len(array) + 1]
        if below and below[0].isascii() and below[0].isdigit():
            message = (
                f"in the array `{'.'.join(array)}` MongoDB can't tell the field `{below[0]}` from element {below[0]}"
            )
            location.report(message, "give the field a name that is no number", at_key=True)


def report_arrays(known: Mapping[str, tuple[FieldPath, int | str]], location: Location) -> None:
    """Arrays next to each other; one inside the other is fine."""
    kinds = {direction for _, direction in known.values() if isinstance(direction, str)}
    if "text" in kinds:
        for dotted, (path, direction) in known.items():
            if direction != "text" and path.arrays:
                message = f"`{dotted}` is in an array: only the text fields of a text index may be"
                location.at("keys", dotted).report(message, "make two indexes", at_key=True)
        return
    if "2dsphere" in kinds:
        return  # every combination of their elements is a key
    longest: tuple[tuple[str, ...], ...] = ()
    for dotted, (path, _) in known.items():
        shared = min(len(longest), len(path.arrays))
        if longest[:shared] != path.arrays[:shared]:
            one, other = ".".join(longest[-1]), ".".join(path.arrays[-1])
            message = f"`{one}` and `{other}` are both arrays: MongoDB can't have both in one index"
            location.at("keys", dotted).report(message, "make two indexes", at_key=True)
            return
        longest = max(longest, path.arrays, key=len)

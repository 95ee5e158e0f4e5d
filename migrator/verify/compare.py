"""Two BSON documents compared by their bytes: types, order and decimals count, not only what values mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, zip_longest

from bson import CodecOptions, DatetimeConversion, decode
from bson.json_util import CANONICAL_JSON_OPTIONS, JSONOptions, dumps

from migrator.documents.values.codec import ARRAY, DOCUMENT
from migrator.model.bson_elements import Element, elements
from migrator.model.report.verify import Difference

MOST = 20
_LONGEST = 300
_OPTIONS = CodecOptions[dict[str, object]](datetime_conversion=DatetimeConversion.DATETIME_MS)
_JSON: JSONOptions = CANONICAL_JSON_OPTIONS.with_options(datetime_conversion=DatetimeConversion.DATETIME_MS)


def differences(source: bytes, target: bytes, most: int = MOST) -> tuple[tuple[Difference, ...], int]:
    """Where two documents differ, in the source's order: the first `most`, and how many more there are.

    Equal documents give none, and different ones at least one.
    """
    found = _documents("", source, target)
    first = tuple(islice(found, most))
    return first, sum(1 for _ in found)


def value_text(element: Element) -> str:
    """A value as canonical extended JSON, cut when it is long."""
    document = _document(Element(element.type, "", element.payload))
    try:
        text = dumps(decode(document, _OPTIONS)[""], json_options=_JSON, ensure_ascii=False)
    except Exception as error:  # whatever the library can't read of what somebody else wrote
        text = f"{element.type.hex()} {element.payload.hex()} ({type(error).__name__})"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _documents(path: str, source: bytes, target: bytes) -> Iterator[Difference]:
    if source == target:
        return
    ours, theirs = list(elements(source)), list(elements(target))
    names, others = [each.name for each in ours], [each.name for each in theirs]
    if len(set(names)) < len(names) or len(set(others)) < len(others):
        yield Difference(path, _listed(names), _listed(others), "a field occurs twice")
        return
    by_name = {each.name: each for each in theirs}
    for one in ours:
        yield from _values(_below(path, one.name), one, by_name.pop(one.name, None))
    for name, other in by_name.items():
        yield Difference(_below(path, name), None, value_text(other))
    common = set(names) & set(others)
    if [name for name in names if name in common] != [name for name in others if name in common]:
        yield Difference(path, _listed(names), _listed(others), "the fields are in another order")


def _values(path: str, source: Element, target: Element | None) -> Iterator[Difference]:
    if target is None:
        yield Difference(path, value_text(source), None)
    elif (source.type, source.payload) == (target.type, target.payload):
        return
    elif source.type == target.type == DOCUMENT:
        yield from _documents(path, source.payload, target.payload)
    elif source.type == target.type == ARRAY:
        yield from _arrays(path, list(elements(source.payload)), list(elements(target.payload)))
    else:
        yield Difference(path, value_text(source), value_text(target))


def _arrays(path: str, source: Sequence[Element], target: Sequence[Element]) -> Iterator[Difference]:
    ours, theirs = [(each.type, each.payload) for each in source], [(each.type, each.payload) for each in target]
    if ours == theirs:
        # Only the names of the elements differ, which no reader of arrays looks at.
        yield Difference(path, None, None, "the elements are numbered differently")
        return
    if len(ours) == len(theirs) and Counter(ours) == Counter(theirs):
        places = [str(theirs.index(each)) for each in ours]
        note = f"the same elements in another order: {', '.join(places[: _LONGEST // 6])}"
        yield Difference(path, None, None, note)
        return
    for index, (one, other) in enumerate(zip_longest(source, target)):
        place = _below(path, str(index))
        if one is None:
            yield Difference(place, None, value_text(other))
        else:
            yield from _values(place, one, other)


def _document(element: Element) -> bytes:
    body = element.type + element.name.encode() + b"\x00" + element.payload
    return (len(body) + 5).to_bytes(4, "little") + body + b"\x00"


def _listed(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name

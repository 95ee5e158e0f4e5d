"""Which indexes of a mapping can refuse a document at all, and which parts of the tree their keys are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from migrator.indexing.languages import LANGUAGE_FIELD
from migrator.indexing.paths import is_position
from migrator.model.mapping.tree import Field, IndexSpec, Node


def can_refuse(spec: IndexSpec, root: Node) -> bool:
    """Whether there may be values that the index refuses; what the mapping alone rules out is no matter here."""
    kinds = {direction for _, direction in spec.keys}
    paths = [path for path, _ in spec.keys]
    if "2dsphere" in kinds:
        return True
    unknown = [path for path in paths if any(_is_below(path, place) for place in _unknown(root, ""))]
    if "text" in kinds:
        return bool(unknown) or any(place.rpartition(".")[2] == LANGUAGE_FIELD for place, _ in _fields(root, ""))
    if "hashed" in kinds:
        return bool(unknown)
    numbered = any(is_position(part) for path in unknown for part in path.split("."))
    return bool(unknown) and (len(paths) > 1 or numbered)


def pruned(root: Node, specs: Sequence[IndexSpec]) -> Node:
    """The tree without embedded tables that the indexes' keys have nothing of."""
    paths = [path for spec in specs for path, _ in spec.keys]
    return _pruned(root, "", paths)


def _pruned(node: Node, above: str, paths: Sequence[str]) -> Node:
    kept = []
    for child in node.children:
        place = _joined(above, child.path)
        if any(_is_below(path, place) or _is_below(place, path) for path in paths):
            kept.append(_pruned(child, place, paths))
    return replace(node, children=tuple(kept))


def _unknown(node: Node, above: str) -> Iterator[str]:
    """Places of JSON and of maps: what stands there, the data alone know."""
    for place, field in _fields(node, above):
        if field.value.kind in ("json", "geojson"):
            yield place
    yield from _maps(node, above)


def _maps(node: Node, above: str) -> Iterator[str]:
    for child in node.children:
        place = _joined(above, child.path)
        if child.shape == "map":
            yield place
        yield from _maps(child, place)


def _fields(node: Node, above: str) -> Iterator[tuple[str, Field]]:
    cases = node.variants.cases if node.variants else ()
    for field in (*node.fields, *(field for _, fields in cases for field in fields)):
        yield _joined(above, field.path), field
    for child in node.children:
        yield from _fields(child, _joined(above, child.path))


def _joined(above: str, path: Sequence[str]) -> str:
    return ".".join((above, *path) if above else path)


def _is_below(path: str, place: str) -> bool:
    """Whether `path` is `place` or leads below it; everything is below the root's own place."""
    return not place or path == place or path.startswith(f"{place}.")

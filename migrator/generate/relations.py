"""References from both of their sides: what can be included where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from migrator.generate import python_names
from migrator.generate.document_classes import RESERVED
from migrator.generate.package import DocumentClass, RelationTo
from migrator.model.mapping.tree import Collection, Reference


@dataclass(frozen=True, slots=True)
class ReferenceEnd:
    """A collection as an end of references."""

    model: str
    part: DocumentClass


def relations(collections: Sequence[Collection], ends: Mapping[str, ReferenceEnd]) -> dict[str, tuple[RelationTo, ...]]:
    """What can be included, by collection: its own references first, then those of others to it."""
    taken = {
        name: python_names.UniqueNames((*RESERVED, *(attribute.name for attribute in end.part.attributes)))
        for name, end in ends.items()
    }
    found: dict[str, list[RelationTo]] = {collection.name: [] for collection in collections}
    for collection in collections:
        for reference in collection.references:
            forward = _forward(collection, reference, ends, taken[collection.name])
            found[collection.name].append(forward)
    for collection in collections:
        for reference in collection.references:
            backward = _backward(collection, reference, ends, taken[reference.collection])
            found[reference.collection].append(backward)
    return {name: tuple(each) for name, each in found.items()}


def _forward(
    collection: Collection, reference: Reference, ends: Mapping[str, ReferenceEnd], taken: python_names.UniqueNames
) -> RelationTo:
    here = ends[collection.name].part
    many = any(_in_array(here, left) for left, _ in reference.on)
    keys = ", ".join(python_names.prose(left) for left, _ in reference.on)
    note = f"What {keys} {'name' if len(reference.on) > 1 else 'names'} in {python_names.prose(reference.collection)}."
    name = taken.take(python_names.attribute(reference.name))
    return RelationTo(name, reference.collection, ends[reference.collection].model, reference.on, many, True, note)


def _backward(
    collection: Collection, reference: Reference, ends: Mapping[str, ReferenceEnd], taken: python_names.UniqueNames
) -> RelationTo:
    several = sum(each.collection == reference.collection for each in collection.references) > 1
    wanted = python_names.attribute(collection.name)
    if several:
        wanted = f"{wanted}_by_{python_names.attribute(reference.name)}"
    on = tuple((right, left) for left, right in reference.on)
    note = f"Documents of {python_names.prose(collection.name)} whose {python_names.prose(reference.name)} this is."
    return RelationTo(taken.take(wanted), collection.name, ends[collection.name].model, on, True, False, note)


def _in_array(part: DocumentClass, path: str) -> bool:
    return any(form in ("parts", "values") for form in _forms(part, path))


def _forms(part: DocumentClass, path: str) -> Iterator[str]:
    for each in part.attributes:
        if path == each.path or path.startswith(f"{each.path}."):
            yield each.form
            if each.part is not None and path != each.path:
                yield from _forms(each.part, path)

"""`--explain`: which write affects which collections, and which copies have no owner."""

from __future__ import annotations

from collections.abc import Iterator

from migrator.generate.package import CollectionCode, Package
from migrator.generate.python_names import prose


def explain(package: Package) -> list[str]:
    """Lines for people."""
    lines: list[str] = []
    for collection in package.collections:
        lines += [*_collection(collection), ""]
    lines.append("copies without an owner")
    if not package.unowned:
        lines.append("  none")
    for each in package.unowned:
        lines.append(f"  {prose(each.collection)}: {prose(each.path)}, of {prose(each.table)}: {each.reason}")
    return lines


def _collection(collection: CollectionCode) -> Iterator[str]:
    yield f"{prose(collection.name)}  {_ids(collection)}"
    targets = collection.copies.targets
    if not targets:
        yield "  a write affects no other documents"
    for target in targets:
        path = prose(target.name.partition(":")[2])
        found = " and ".join(prose(each) for each in target.find)
        yield f"  a write affects {prose(target.collection)}: {path}, found by {found}"
        yield f"    when it changes {', '.join(prose(each) for each in target.reads)}"
    if collection.copies.tree:
        reads = ", ".join(prose(each) for each in collection.copies.reads)
        yield f"  a write looks up again what it copies when it changes {reads}"
    for each in collection.relations:
        how = "reads along" if each.forward else "reads back"
        yield f"  include {each.name!r} {how} {'several' if each.many else 'one'} of {prose(each.collection)}"


def _ids(collection: CollectionCode) -> str:
    inside = ", ".join(f"{prose(each.path)} from {prose(each.sequence)}" for each in collection.identities)
    return f"new ids: {collection.ids}{f'; inside: {inside}' if inside else ''}"
